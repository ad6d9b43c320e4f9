"""Which score each open question got, by the rules S1 to S21: see `docs/replies.md` in short, the rules in full below.

S1 as many as asked, S2 a run of digits, S3 labelled, S4 the same for all, S5 fewer, S6 more, S7 a lone fraction,
S8 two for one question, S9 digit and word disagree, S10 between points, S11 hedged, S12 off the scale, S13 choice
words, S14 negated, S15 other words, S16 emoji, S17 numbers of other things, S18 scores beside a comment, S19 skipped,
S20 code and instructions, S21 nothing asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from surveys.replies.items import Item, Row

_MOST_CORRECTIONS = 3
_FRAMES = frozenset("so overall solid definitely yes ok okay hoy pues bueno total entonces donc bon alors".split())


@dataclass
class Outcome:
    """What one run of items says about the open questions."""

    values: dict[str, int | None] = field(default_factory=dict)  # feeling -> score; None: mentioned, left open
    rule: str = ""  # the rule that settled it, or left it open
    settled: bool = False  # whether the run answers (all or some) questions
    out: bool = False  # off the scale
    labelled: bool = False
    words: dict[str, str] = field(default_factory=dict)  # feeling -> the words that gave the score
    count: int = 0


@dataclass
class Found:
    """The scores of a reply and the parts of its text that gave them."""

    scores: dict[str, int | None]
    rules: dict[str, str]
    words: dict[str, str]
    out: bool = False
    spans: list[tuple[int, int]] = field(default_factory=list)
    mentioned: bool = False  # a score was written, even if it settled nothing
    skipped: bool = False


def read_scores(row: Row, asked: Sequence[str]) -> Found:
    """The scores in a settled row for the feelings asked, in that order."""
    found = Found(dict.fromkeys(asked), dict.fromkeys(asked, ""), {})
    runs = _runs(row.items)
    found.mentioned = any(item.is_score and item.kind != "skip" for item in row.items)
    found.skipped = any(item.kind == "skip" for item in row.items)
    if not asked:
        return found
    contents = [item for item in row.items if item.kind == "word"]
    outcomes = [(run, _read_run(row, run, asked, contents)) for run in runs]
    taken = [(run, outcome) for run, outcome in outcomes if outcome is not None]
    if any(outcome.out for _, outcome in taken) and not any(o.settled and o.count == len(asked) for _, o in taken):
        found.out = True
        found.rules = dict.fromkeys(asked, "S12")
        return found
    _merge(row, found, taken)
    return found


def _runs(items: Sequence[Item]) -> list[list[Item]]:
    """The stretches without content words that hold a score."""
    runs: list[list[Item]] = [[]]
    for item in items:
        if item.kind == "word":
            runs.append([])
        else:
            runs[-1].append(item)
    return [run for run in runs if any(item.is_score for item in run)]


def _one_each(items: list[Item], size: int) -> list[Item]:
    """Where there are more scores than questions, a digit and a choice word side by side are one: "4, mostly"."""
    scores = [item for item in items if item.is_score]
    if not size < len(scores) <= 3 * size:
        return items
    merged: list[Item] = []
    for item in items:
        before = next((m for m in reversed(merged) if m.is_score), None)
        mixed = before and item.kind == before.kind == "n" and (item.form == "choice") != (before.form == "choice")
        if before and mixed and not any(m.kind in ("line", "label", "place", "fix") for m in merged[merged.index(before) :]):
            if before.value != item.value:
                before = replace(before, kind="x", rule="S9")
            merged = [replace(before, end=item.end, form="agreed") if m.is_score and m.end == before.end else m for m in merged]
        else:
            merged.append(item)
    return merged


def _merge(row: Row, found: Found, taken: Sequence[tuple[list[Item], Outcome]]) -> None:
    """Put the outcomes of all runs together; two different scores for one question leave it open (S8)."""
    clash: set[str] = set()
    full = [outcome for _, outcome in taken if outcome.settled and not outcome.labelled]
    for run, outcome in taken:
        if outcome.out:
            continue
        corrected = any(item.kind == "fix" for item in run) and full and outcome is not full[0]
        for feeling, value in outcome.values.items():
            if feeling not in found.scores:
                continue
            earlier = found.scores[feeling]
            if value is None:
                found.rules[feeling] = found.rules[feeling] or outcome.rule
            elif earlier is not None and earlier != value and not corrected:
                clash.add(feeling)
            else:
                found.scores[feeling], found.rules[feeling] = value, outcome.rule
                found.words[feeling] = outcome.words.get(feeling, "")
        if outcome.settled:
            found.spans.append(_span(row, run, outcome))
        for feeling in found.rules:
            found.rules[feeling] = found.rules[feeling] or outcome.rule
    for feeling in clash:
        found.scores[feeling], found.rules[feeling] = None, "S8"


def _read_run(row: Row, run: list[Item], asked: Sequence[str], contents: Sequence[Item]) -> Outcome | None:
    """What a run says, or None where a comment's numbers say nothing about the questions."""
    outcome = evaluate(row, run, asked)
    if not contents:
        return outcome
    before = contents[0] if contents[0].end <= run[0].start else None
    after = contents[-1] if contents[-1].start >= run[-1].end else None
    parts = _parts(run)
    if len(parts) > 1 and not (outcome.settled and outcome.count == len(asked)) and not outcome.labelled:
        keep = parts[:-1] if after else parts
        keep = keep[1:] if before and len(keep) > 1 else keep
        shorter = [item for part in keep for item in part]
        if any(item.is_score for item in shorter):
            again = evaluate(row, shorter, asked)
            if again.settled and again.count == len(asked):
                outcome, run, after = again, shorter, after if keep[-1] is parts[-1] else None
    if outcome.out:
        return outcome if outcome.count == len(asked) and _stands(row, run, before, after, len(asked)) else None
    if outcome.labelled and outcome.settled:
        return outcome
    if outcome.settled and outcome.count < len(asked):
        return None
    if not outcome.settled and outcome.count < len(asked):
        return None
    return outcome if _stands(row, run, before, after, len(asked)) else None


def _parts(run: Sequence[Item]) -> list[list[Item]]:
    """A run cut at sentence ends and line breaks."""
    parts: list[list[Item]] = [[]]
    for item in run:
        parts[-1].append(item)
        if item.kind in ("stop", "line"):
            parts.append([])
    return [part for part in parts if part]


def _stands(row: Row, run: Sequence[Item], before: Item | None, after: Item | None, size: int) -> bool:
    """Whether a group is at the start, at the end, or in a sentence or line of its own (S18)."""
    if before is None:
        return not (size == 1 and after is not None and _is_questioned(row, run))
    scores = [i for i, item in enumerate(run) if item.is_score]
    head, tail = run[: scores[0]], run[scores[-1] + 1 :]
    parted = any(item.kind in ("stop", "line") for item in head)
    if parted and any(item.kind in ("stop", "line") for item in tail):
        return True
    if after is not None:
        return False
    marked = any(item.kind in ("stop", "line", "sep", "all") for item in head)
    framed = any(item.kind == "filler" and (item.after - item.first > 1 or _is_frame(row, item)) for item in head)
    return marked or framed or size > 1 or any(item.kind == "all" or item.plural for item in run)


def _is_questioned(row: Row, run: Sequence[Item]) -> bool:
    """ "is 5 good or bad?": a number inside a question gives no score."""
    last = max(i for i, item in enumerate(run) if item.is_score)
    if any(item.kind in ("sep", "stop", "line") for item in run[last + 1 :]):
        return False
    end = next((item for item in row.items if item.start >= run[-1].end and item.kind in ("stop", "line")), None)
    return end is not None and end.value == "?"


def _is_frame(row: Row, item: Item) -> bool:
    return 0 <= item.first < len(row.words.folded) and row.words.folded[item.first] in _FRAMES


def evaluate(row: Row, run: Sequence[Item], asked: Sequence[str]) -> Outcome:
    """What a run of items without content says by itself."""
    items = _numbered([item for item in run if item.kind not in ("thanks", "greeting")], len(asked))
    items = _one_each(_whole(row, items, len(asked)), len(asked))
    scores = [item for item in items if item.is_score]
    if any(item.kind == "out" for item in scores):
        return Outcome(rule="S12", out=True, count=len(scores) if not _is_all(items) else len(asked))
    corrected = _corrected(row, items, asked)
    if corrected is not None:
        return corrected
    excepted = _excepted(row, items, asked)
    if excepted is not None:
        return excepted
    if any(item.kind in ("label", "place") for item in items):
        labelled = _labelled(row, items, asked)
        if labelled is not None:
            return labelled
    return _same_for_all(row, items, asked) or _in_order(row, items, asked)


def _numbered(items: list[Item], size: int) -> list[Item]:
    """Turn list numbers into labels: "1) 5 2) 4", "1. 5 2. 4", "1=5"; "a) 5" too."""
    scores = [i for i, item in enumerate(items) if item.is_score]
    if len(scores) < 2 or len(scores) % 2:
        return items
    pairs = list(zip(scores[::2], scores[1::2], strict=True))
    labels = [items[i] for i, _ in pairs]
    if not all(item.form == "digit" and item.kind == "n" and int(item.value or 0) <= max(size, 1) for item in labels):
        return items
    numbers = [int(item.value or 0) for item in labels]
    marks = [items[i + 1].value if i + 1 < j else None for i, j in pairs]
    if len(set(numbers)) < len(numbers) or not all(mark in (")", ":", "=", "]", ".", "-", "–") for mark in marks):
        return items
    weak = not all(mark in (")", ":", "=", "]") for mark in marks)
    if weak and (len(pairs) < 2 and size > 1 or numbers != list(range(1, len(pairs) + 1)) or (size == 1 and marks != ["."])):
        return items
    made = list(items)
    for i, _ in pairs:
        made[i] = Item("place", items[i].start, items[i].end, value=str(items[i].value), form="number", first=items[i].first, after=items[i].after)
        made[i + 1] = Item("filler", items[i + 1].start, items[i + 1].end)
    return made


def _whole(row: Row, items: list[Item], size: int) -> list[Item]:
    """"three fives" and "all 4": a number that counts the questions, or the score in "all 4" when 4 are not asked."""
    made: list[Item] = []
    others = sum(item.is_score for item in items)
    for i, item in enumerate(items):
        follows = items[i + 1] if i + 1 < len(items) else None
        if item.kind == "n" and item.value == size and not item.plural and follows and follows.kind == "n" and follows.plural:
            made.append(Item("all", item.start, item.end, first=item.first, after=item.after))
            continue
        if item.kind == "n" and item.form == "digit" and item.value == size > 1 and made and made[-1].kind == "all":
            if others == 2 and _text(row, made[-1]).endswith(("all", "las", "los", "les")):
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


def _is_all(items: Sequence[Item]) -> bool:
    return any(item.kind == "all" or item.plural for item in items)


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


def _excepted(row: Row, items: list[Item], asked: Sequence[str]) -> Outcome | None:
    """ "all 5 except heard, 3": the same for all but the labelled."""
    for cut, item in enumerate(items):
        if item.kind != "except":
            continue
        before, after = items[:cut], items[cut + 1 :]
        values = {i.value for i in before if i.kind == "n"}
        labels = [i for i in after if i.kind in ("label", "place")]
        if len(values) != 1 or not labels or any(i.kind in ("label", "place") for i in before):
            continue
        if not _is_all(before) and item.form == "except" and _text(row, item) in ("but", "only", "pero", "mais", "solo"):
            continue
        rest = _labelled(row, after, asked)
        if rest is None or not rest.settled:
            rest = Outcome({f: None for label in labels for f in _feelings(label, asked, set())}, "S8")
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


def _feelings(label: Item, asked: Sequence[str], known: set[str]) -> list[str]:
    """The feelings a label stands for; a feeling that is not asked stands for itself, so that its score is not taken for another."""
    if label.kind == "label":
        return [str(label.value)]
    value = str(label.value)
    if value.isdigit():
        return [asked[int(value) - 1]] if 1 <= int(value) <= len(asked) else [f"#{value}"]
    if value == "last":
        return [asked[-1]]
    if value == "rest":
        return [f for f in asked if f not in known]
    return list(asked[:2] if value == "first_two" else asked[-2:])


def _labelled(row: Row, items: list[Item], asked: Sequence[str]) -> Outcome | None:
    """Scores with their questions (S3); None when the labels do not pair with scores."""
    marks = [item for item in items if item.is_score or item.kind in ("label", "place")]
    scores = [item for item in marks if item.is_score]
    labels = [item for item in marks if not item.is_score]
    if not scores or not labels or any(item.kind == "bad" for item in scores):
        return None
    if len(scores) == len(asked) and len(labels) < len(scores) and _leads(marks, len(labels)):
        return None
    if _is_all(items) and not any(item.value == "rest" for item in labels) and len({s.value for s in scores}) == 1 and len(labels) <= 1:
        return None
    if len(scores) == 1 and _parted(items, scores[0]):
        return None
    pairs = _by_clause(items) or _by_turns(marks) or _by_row(marks, asked)
    if pairs is None:
        return None
    outcome = Outcome(rule="S3", labelled=True, settled=True, count=len(scores))
    for names, score in pairs:
        for label in names:
            for feeling in _feelings(label, asked, set(outcome.values)):
                _give(row, outcome, feeling, score, label)
    outcome.settled = any(f in asked for f in outcome.values)
    return outcome


def _parted(items: Sequence[Item], score: Item) -> bool:
    """Whether a sentence ends between the only score and every label: "He listened. 4." """
    parts = _parts([*items])
    part = next(part for part in parts if score in part)
    return not any(item.kind in ("label", "place") for item in part) and any(i.kind == "stop" for p in parts for i in p if p is not part)


def _leads(marks: Sequence[Item], count: int) -> bool:
    """Whether all labels come before all scores, as in "heard and respected, 4 4 3"."""
    return all(not item.is_score for item in marks[:count])


def _give(row: Row, outcome: Outcome, feeling: str, score: Item, label: Item) -> None:
    value = int(score.value) if score.kind == "n" and score.value is not None else None
    if feeling in outcome.values and outcome.values[feeling] != value:
        value, outcome.rule = None, "S8"
    elif value is None:
        outcome.rule = score.rule or "S19"
    outcome.values[feeling] = value
    outcome.words[feeling] = row.text[min(score.start, label.start) : max(score.end, label.end)]


_Pairs = list[tuple[list[Item], Item]]


def _by_clause(items: Sequence[Item]) -> _Pairs | None:
    """Each clause holds one score and its labels."""
    clauses: list[list[Item]] = [[]]
    for item in items:
        if item.kind in ("stop", "line") or (item.kind == "sep" and item.value in (",", "/", "|")):
            clauses.append([])
        elif item.is_score or item.kind in ("label", "place"):
            clauses[-1].append(item)
    pairs: _Pairs = []
    for clause in clauses:
        scores = [item for item in clause if item.is_score]
        labels = [item for item in clause if not item.is_score]
        if clause and (len(scores) != 1 or not labels):
            return None
        if clause:
            pairs.append((labels, scores[0]))
    return pairs


def _by_turns(marks: Sequence[Item]) -> _Pairs | None:
    """Labels and scores take turns: "heard 5 respected 4", or "5 heard 4 respected"."""
    ordered = list(marks)
    label_first = not ordered[0].is_score
    if not label_first:
        ordered.reverse()
    if not ordered[-1].is_score or ordered[0].is_score:
        return None
    pairs: _Pairs = []
    names: list[Item] = []
    for item in ordered:
        if not item.is_score:
            names.append(item)
        elif names:
            pairs.append((names, item))
            names = []
        else:
            return None
    return pairs if label_first else pairs[::-1]


def _by_row(marks: Sequence[Item], asked: Sequence[str]) -> _Pairs | None:
    """All labels, then as many scores."""
    half = len(marks) // 2
    labels, scores = marks[:half], marks[half:]
    if len(marks) % 2 or any(i.is_score for i in labels) or not all(i.is_score for i in scores) or half != len(asked):
        return None
    return [([label], score) for label, score in zip(labels, scores, strict=True)]


def _same_for_all(row: Row, items: Sequence[Item], asked: Sequence[str]) -> Outcome | None:
    """One score for every open question (S4)."""
    scores = [item for item in items if item.is_score]
    if not _is_all(items) or len(scores) == len(asked) > 1 and not all(s.plural for s in scores):
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
    if len(scores) != size:
        scores = _ranges(items)
    if len(scores) != size:
        said = [item for item in scores if item.rule != "S14"]
        scores = said if len(said) == size else scores
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
        if item.kind == "n":
            outcome.values[feeling] = int(item.value or 0)
            outcome.words[feeling] = row.text[item.start : item.end].strip()
            outcome.settled = True
        elif len(scores) == size == 1:
            outcome.rule = item.rule or "S19"
    return outcome


def _digit_run(item: Item, asked: Sequence[str]) -> Outcome:
    digits = str(item.value)
    if len(digits) != len(asked) or len(asked) < 2:
        return Outcome(dict.fromkeys(asked), "S2", count=len(asked))
    values: dict[str, int | None] = {f: int(d) for f, d in zip(asked, digits, strict=True)}
    return Outcome(values, "S2", settled=True, count=len(asked), words={f: digits for f in asked})


def _ranges(items: Sequence[Item]) -> list[Item]:
    """Two scores with only a dash between are a range where they are not one each."""
    scores: list[Item] = []
    last = -9
    for i, item in enumerate(items):
        if not item.is_score:
            continue
        dash = i - 2 == last and items[i - 1].kind == "sep" and items[i - 1].value in ("-", "–", "—", "−", "~")
        if dash and scores and scores[-1].rule != "S10":
            scores[-1] = Item("x", scores[-1].start, item.end, rule="S10", first=scores[-1].first, after=item.after)
        else:
            scores.append(item)
        last = i
    return scores


def _with_blank(items: Sequence[Item], scores: list[Item], size: int) -> list[Item]:
    """ "5 ? 4": a mark in the place of a score."""
    blanks = [item for item in items if item.kind == "stop" and item.value == "?" or item.value in ("_", "x", "X")]
    inner = [b for b in blanks if scores and scores[0].start < b.start < scores[-1].start]
    if len(inner) + len(scores) != size:
        return scores
    return sorted([*scores, *(Item("x", b.start, b.end, rule="S19") for b in inner)], key=lambda item: item.start)


def _span(row: Row, run: Sequence[Item], outcome: Outcome) -> tuple[int, int]:
    """The part of the text that is answer and no comment: the scores, their labels, and the fillers around them."""
    kinds = ("label", "place") if outcome.labelled else ("all",) if outcome.rule == "S4" else ()
    marks = [i for i, item in enumerate(run) if item.is_score or item.kind in kinds]
    first, last = marks[0], marks[-1]
    content = any(item.kind == "word" and item.end <= run[0].start for item in row.items)
    follows = any(item.kind == "word" and item.start >= run[-1].end for item in row.items)
    first = _back(run, first, content)
    last = _ahead(run, last, follows)
    return run[first].start, run[last].end


def _back(run: Sequence[Item], first: int, content: bool) -> int:
    i = first
    while i > 0 and run[i - 1].kind in ("filler", "hedge", "and", "not", "near", "join"):
        i -= 1
    if i == 0 and content:
        return first - 1 if first and run[first - 1].kind == "filler" and run[first - 1].after - run[first - 1].first > 1 else first
    return i


def _ahead(run: Sequence[Item], last: int, follows: bool) -> int:
    i = last
    while i + 1 < len(run) and run[i + 1].kind in ("filler", "hedge", "thanks", "half", "stars", "and"):
        i += 1
    attached = i + 1 == len(run) or run[i + 1].kind not in ("sep", "stop", "line")
    return last if attached and follows else i
