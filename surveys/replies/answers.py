"""What one run of items without content words says about the open questions."""

from collections.abc import Sequence
from dataclasses import replace

from surveys.replies.items import Item, Row
from surveys.replies.labels import feelings_of, labelled_answers
from surveys.replies.outcome import Outcome, is_all

_MOST_CORRECTIONS = 3
_DASHES = ("-", "–", "—", "−", "~")


def evaluate(row: Row, run: Sequence[Item], asked: Sequence[str]) -> Outcome:
    """What a run of items without content says by itself."""
    items = _numbered([item for item in run if item.kind not in ("thanks", "greeting")], len(asked))
    items = _one_each(_whole(row, items, len(asked)), len(asked))
    scores = [item for item in items if item.is_score]
    if any(item.kind == "out" for item in scores):
        return Outcome(rule="S12", out=True, count=len(scores) if not is_all(items) else len(asked))
    corrected = _corrected(row, items, asked) or _contrasted(row, items, asked)
    if corrected is not None:
        return corrected
    excepted = _excepted(row, items, asked)
    if excepted is not None:
        return excepted
    if any(item.kind in ("label", "place") for item in items):
        labelled = labelled_answers(row, items, asked)
        if labelled is not None:
            return labelled
        if _are_mixed(items):
            return Outcome(dict.fromkeys(asked), "S3", count=len(asked))
    return _same_for_all(row, items, asked) or _in_order(row, items, asked)


def _are_mixed(items: Sequence[Item]) -> bool:
    """Whether feelings named between scores could not be paired with them: then no order can be told either."""
    scores = [i for i, item in enumerate(items) if item.kind == "n"]
    named = [i for i, item in enumerate(items) if item.kind == "label"]
    return bool(scores) and any(scores[0] < i < scores[-1] for i in named)


def _numbered(items: list[Item], size: int) -> list[Item]:
    """Turn list numbers into labels: "1) 5 2) 4", "1. 5 2. 4", "1=5"; "a) 5" too."""
    scores = [i for i, item in enumerate(items) if item.is_score]
    if len(scores) < 2 or len(scores) % 2:
        return items
    pairs = list(zip(scores[::2], scores[1::2], strict=True))
    labels = [items[i] for i, _ in pairs]
    if not all(item.form == "digit" and item.kind in ("n", "out") for item in labels):
        return items
    if not all(int(item.value or 0) <= max(size, 1) for item in labels):
        return items
    numbers = [int(item.value or 0) for item in labels]
    if numbers == list(range(1, size + 1)) and size > 1 and all(_is_told(items[i + 1 : j]) for i, j in pairs):
        return [replace(item, kind="place", value=str(item.value)) if item in labels else item for item in items]
    marks = [items[i + 1].value if i + 1 < j else None for i, j in pairs]
    if len(set(numbers)) < len(numbers) or not all(mark in (")", ":", "=", "]", ".", "-", "–") for mark in marks):
        return items
    weak = not all(mark in (")", ":", "=", "]") for mark in marks)
    if weak and (
        (len(pairs) < 2 and size > 1) or numbers != list(range(1, len(pairs) + 1)) or (size == 1 and marks != ["."])
    ):
        return items
    made = list(items)
    for i, _ in pairs:
        made[i] = Item(
            "place",
            items[i].start,
            items[i].end,
            value=str(items[i].value),
            form="number",
            first=items[i].first,
            after=items[i].after,
        )
        made[i + 1] = Item("filler", items[i + 1].start, items[i + 1].end)
    return made


def _is_told(between: Sequence[Item]) -> bool:
    """ "1 is a 4": nothing but fillers stands between a number and its score."""
    return bool(between) and all(item.kind == "filler" for item in between)


def _whole(row: Row, items: list[Item], size: int) -> list[Item]:
    """ "three fives" and "all 4": a number that counts the questions, or the score in "all 4" when 4 are not asked."""
    made: list[Item] = []
    others = sum(item.is_score for item in items)
    for i, item in enumerate(items):
        follows = items[i + 1] if i + 1 < len(items) else None
        if (
            item.kind == "n"
            and item.value == size
            and not item.plural
            and follows
            and follows.kind == "n"
            and follows.plural
        ):
            made.append(Item("all", item.start, item.end, first=item.first, after=item.after))
            continue
        counted = item.kind == "n" and item.form in ("digit", "word") and not item.plural
        if counted and item.value == size > 1 and made and made[-1].kind in ("all", "filler"):
            if others == 2 and _text(row, made[-1]).endswith(("all", "las", "los", "les")):
                made[-1] = replace(made[-1], kind="all")  # "las 3 un 5"
                continue
            if others == 1 and _text(row, made[-1]) in ("all", "for all", "on all", "to all"):
                item = replace(item, kind="x", rule="S4")
        if item.form.startswith("x") and item.kind == "n" and item.rule == "S4":
            if int(item.form[1:]) == size and size > 1:
                item = Item("n", item.start, item.end, item.value, "digit", item.first, item.after, plural=True)
            else:
                made.append(Item("n", item.start, item.start + 1, item.value, "digit", item.first, item.after))
                item = Item("n", item.end - 1, item.end, int(item.form[1:]), "digit", item.first, item.after)
        made.append(item)
    return made


def _corrected(row: Row, items: list[Item], asked: Sequence[str]) -> Outcome | None:
    """A plain correction: what comes after it stands (S8)."""
    cuts = [i for i, item in enumerate(items) if item.kind == "fix"]
    if len(cuts) > _MOST_CORRECTIONS:
        return Outcome(dict.fromkeys(asked), "S8", count=len(asked))
    for cut in reversed(cuts):
        before, after = items[:cut], items[cut + 1 :]
        if not any(i.is_score for i in before) or not any(i.is_score for i in after):
            continue
        first, last = evaluate(row, before, asked), evaluate(row, after, asked)
        if last.settled and last.count >= len(asked):
            return last
        if last.labelled and last.settled and first.settled:
            first.values |= last.values
            first.words |= last.words
            return first
        whole = [i for i in before if i.is_score][:-1] + [i for i in after if i.is_score]
        labels = [i for i in items if i.kind in ("label", "place")]
        if len(whole) == len(asked) and not labels:
            return _in_order(row, whole, asked)
        return Outcome(dict.fromkeys(asked), "S8", count=len(asked))
    return None


def _contrasted(row: Row, items: list[Item], asked: Sequence[str]) -> Outcome | None:
    """ "4 5 5 not 4 4 5": a whole set, and another one that it is not (S8)."""
    cuts = [i for i, item in enumerate(items) if item.kind == "not"]
    if len(cuts) != 1 or len(asked) < 2:
        return None
    before, after = items[: cuts[0]], items[cuts[0] + 1 :]
    sizes = [sum(item.is_score for item in part) for part in (before, after)]
    return evaluate(row, before, asked) if sizes == [len(asked)] * 2 else None


def _excepted(row: Row, items: list[Item], asked: Sequence[str]) -> Outcome | None:
    """ "all 5 except heard, 3": the same for all but the labelled."""
    for cut, item in enumerate(items):
        if item.kind != "except" and not (item.kind == "minus" and is_all(items[:cut])):
            continue
        before, after = items[:cut], items[cut + 1 :]
        values = {i.value for i in before if i.kind == "n"}
        labels = [i for i in after if i.kind in ("label", "place")]
        if len(values) != 1 or not labels or any(i.kind in ("label", "place") for i in before):
            continue
        if not is_all(before) and item.form == "except" and _text(row, item) in ("but", "only", "pero", "mais", "solo"):
            continue
        rest = labelled_answers(row, after, asked)
        if rest is None or not rest.settled:
            rest = Outcome({f: None for label in labels for f in feelings_of(label, asked, set())}, "S8")
        value = next(iter(values))
        made = Outcome({f: int(value or 0) for f in asked}, "S4", settled=True, labelled=True, count=len(asked))
        made.words = dict.fromkeys(asked, _words(row, before))
        made.values |= rest.values
        made.words |= rest.words
        return made
    return None


def _text(row: Row, item: Item) -> str:
    return " ".join(row.words.folded[item.first : item.after])


def _words(row: Row, items: Sequence[Item]) -> str:
    kept = [item for item in items if item.is_score or item.kind in ("label", "place", "all", "half", "near")]
    return row.text[kept[0].start : kept[-1].end].strip() if kept else ""


def _same_for_all(row: Row, items: Sequence[Item], asked: Sequence[str]) -> Outcome | None:
    """One score for every open question (S4)."""
    scores = [item for item in items if item.is_score]
    said = [item for item in scores if item.kind != "skip"]
    if said and len(said) < len(scores) and any(item.kind in ("stop", "line", "sep") for item in items):
        scores = said  # "a 4 for every question! I'd rather not say why"
    if not is_all(items) or (len(scores) == len(asked) > 1 and not all(s.plural for s in scores)):
        return None
    if any(item.kind != "n" for item in scores):
        return Outcome(dict.fromkeys(asked), scores[0].rule or "S10", count=len(asked)) if len(scores) == 1 else None
    values = {item.value for item in scores}
    if len(values) != 1:
        return Outcome(dict.fromkeys(asked), "S8", count=len(asked)) if len(scores) != len(asked) else None
    words = dict.fromkeys(asked, _words(row, items))
    return Outcome({f: int(scores[0].value or 0) for f in asked}, "S4", settled=True, count=len(asked), words=words)


def _in_order(row: Row, items: Sequence[Item], asked: Sequence[str]) -> Outcome:
    """As many scores as questions, in order (S1, S2); fewer fill from the first (S5); more settle nothing (S6)."""
    scores = [item for item in items if item.is_score]
    size = len(asked)
    if len(scores) == 1 and scores[0].form == "run" and scores[0].kind == "bad":
        return _digit_run(scores[0], asked)
    if any(item.kind == "bad" for item in scores):
        return Outcome(dict.fromkeys(asked), "S6", count=max(len(scores), size))
    if len(scores) > size and all(item.kind == "skip" for item in scores[size:]):
        scores = scores[:size]  # "5 4 5 no idea what else to say": no question is left to pass over
    if len(scores) > size and all(item.kind == "skip" for item in scores[:-size]) and _apart(items, scores[-size]):
        scores = scores[-size:]  # "I regret nothing. 5 4 5"
    if len(scores) != size:
        scores = _ranges(items)
    if len(scores) != size:
        said = [item for item in scores if item.rule != "S14"]
        scores = said if len(said) == size else scores
    if len(scores) == size + 1 > 2 and _comes_back(row, items, scores):
        scores = scores[:size]
    if len(scores) > size:
        return Outcome(dict.fromkeys(asked), "S6", count=len(scores))
    if len(scores) == 1 < size and scores[0].form in ("fraction", "glyphs"):
        return Outcome(dict.fromkeys(asked), "S7", count=size)
    if len(scores) < size:
        scores = _with_blank(items, scores, size)
    if len(scores) < size and any(item.kind == "sep" and item.value in ("-", "–", "—") for item in items):
        return Outcome(dict.fromkeys(asked), "S10", count=len(scores))
    rule = "S1" if len(scores) == size else "S5"
    outcome = Outcome(dict.fromkeys(asked), rule, count=len(scores))
    for feeling, item in zip(asked, scores, strict=False):
        outcome.words[feeling] = row.text[item.start : item.end].strip()
        if item.kind == "n":
            outcome.values[feeling] = int(item.value or 0)
            outcome.settled = True
        else:
            outcome.open_rules[feeling] = item.rule or "S19"
    return outcome


def _comes_back(row: Row, items: Sequence[Item], scores: Sequence[Item]) -> bool:
    """Whether the last score only names one again to say something of it: "5 5 4 (the 4 is on me)"."""
    *given, score = scores
    if score.kind != "n" or score.value not in [item.value for item in given]:
        return False
    before = [item for item in items if item.end <= score.start]
    after = next((item for item in items if item.start >= score.end), None)
    parted = any(item.kind in ("sep", "stop", "line") for item in before[-3:-1]) or (after and after.kind == "filler")
    return bool(parted) and before[-1].kind == "filler" and row.ends(before[-1].after, "counts.pointing")


def _apart(items: Sequence[Item], score: Item) -> bool:
    """Whether a sentence or line ends somewhere before a score."""
    return any(item.kind in ("stop", "line") and item.end <= score.start for item in items)


def _digit_run(item: Item, asked: Sequence[str]) -> Outcome:
    digits = str(item.value)
    if len(digits) != len(asked) or len(asked) < 2:
        return Outcome(dict.fromkeys(asked), "S2", count=len(asked))
    values: dict[str, int | None] = {f: int(d) for f, d in zip(asked, digits, strict=True)}
    return Outcome(values, "S2", settled=True, count=len(asked), words=dict.fromkeys(asked, digits))


def _ranges(items: Sequence[Item]) -> list[Item]:
    """Two scores with only a dash between are a range where they are not one each; a longer chain is none."""
    dashes = sum(item.kind == "sep" and item.value in _DASHES for item in items)
    if 1 < dashes == sum(item.is_score for item in items) - 1:
        return [item for item in items if item.is_score]
    scores: list[Item] = []
    last = -9
    for i, item in enumerate(items):
        if not item.is_score:
            continue
        dash = i - 2 == last and items[i - 1].kind == "sep" and items[i - 1].value in _DASHES
        if dash and scores and scores[-1].rule != "S10":
            scores[-1] = Item("x", scores[-1].start, item.end, rule="S10", first=scores[-1].first, after=item.after)
        else:
            scores.append(item)
        last = i
    return scores


def _with_blank(items: Sequence[Item], scores: list[Item], size: int) -> list[Item]:
    """ "5 ? 4": a mark in the place of a score."""
    blanks = [item for item in items if (item.kind == "stop" and item.value == "?") or item.value in ("_", "x", "X")]
    inner = [b for b in blanks if scores and scores[0].start < b.start < scores[-1].start]
    if len(inner) + len(scores) != size:
        return scores
    return sorted([*scores, *(Item("x", b.start, b.end, rule="S19") for b in inner)], key=lambda item: item.start)


def _one_each(items: list[Item], size: int) -> list[Item]:
    """Where there are more scores than questions, a digit and a choice word side by side are one: "4, mostly"."""
    scores = [item for item in items if item.is_score]
    if not size < len(scores) <= 3 * size:
        return items
    merged: list[Item] = []
    for item in items:
        before = next((m for m in reversed(merged) if m.is_score), None)
        mixed = before and item.kind == before.kind == "n" and (item.form == "choice") != (before.form == "choice")
        if (
            before
            and mixed
            and not any(m.kind in ("line", "label", "place", "fix") for m in merged[merged.index(before) :])
        ):
            if before.value != item.value:
                before = replace(before, kind="x", rule="S9")
            merged = [
                replace(before, end=item.end, form="agreed") if m.is_score and m.end == before.end else m
                for m in merged
            ]
        else:
            merged.append(item)
    return merged
