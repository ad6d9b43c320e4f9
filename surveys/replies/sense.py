"""What an item means beside its neighbours: halves, ranges, negations, and numbers that count or name something."""

from surveys.replies.counts import counts, named, word_after
from surveys.replies.items import Item, Row
from surveys.replies.numbers import signed

_NUMBERS = frozenset(("n", "out", "bad", "x"))


def settle(row: Row) -> Row:
    """Fuse and demote items until each says what it is; the row is changed in place and returned."""
    if not any(item.kind in _NUMBERS for item in row.items):
        _demote(row, row.items)
        return row
    items = _choices(_demote(row, _fuse(row, signed(row))))
    row.items = _negated(row, _joined(row, items))
    return row


def _fuse(row: Row, items: list[Item]) -> list[Item]:
    """One item of a score and its half, stars, trailing plus or "ish", or of a digit and its choice word."""
    kept: list[Item] = []
    for i, item in enumerate(items):
        before = kept[-1] if kept else None
        if before and (_adds_to(row, before, items, i) or _is_named_by(before, items, i)):
            continue
        said = item.kind == "n" and (_agrees(kept, item) if item.form == "choice" else _says_again(kept, item))
        if not said:
            kept.append(item)
    return kept


def _adds_to(row: Row, score: Item, items: list[Item], i: int) -> bool:
    """Take what follows a score into it: a half or a minus opens it (S10), a plus or "ish" hedges it."""
    item, after = items[i], items[i + 1] if i + 1 < len(items) else None
    if item.kind == "half" and score.kind in ("x", "out"):
        score.end = item.end
        return True
    if score.kind != "n":
        return False
    said = item.first >= 0
    plus = item.value == "+" and not item.spaced and (after is None or after.spaced or after.kind != "n")
    ish = said and row.role(item, "scores.hedge") and row.words.folded[item.first] in ("ish", "or")
    leads = after is not None and (after.is_score or after.kind in ("label", "place"))
    if (item.kind == "half" and score.form != "choice") or (said and row.role(item, "scores.minus") and not leads):
        score.kind, score.rule, score.end, score.after = "x", "S10", item.end, item.after
    elif item.kind == "stars" or (item.form == "glyphs" and score.form in ("digit", "word", "stars")):
        _add_stars(score, item)
    elif plus or ish:
        score.hedged, score.end = True, item.end
    elif item.value == "*" and not item.spaced and score.form == "digit":
        score.end = item.end
    else:
        return False
    return True


def _add_stars(score: Item, stars: Item) -> None:
    """ "4 stars", "4 ****": where they are counted and are not as many, the place is left open (S9)."""
    if stars.form == "glyphs" and stars.value not in (1, score.value):
        score.kind, score.rule = "x", "S9"
    score.end, score.form = stars.end, "stars"


def _is_named_by(choice: Item, items: list[Item], i: int) -> bool:
    """Fold a digit into the choice word right before it ("mostly 4"); a disagreement opens it (S9)."""
    item = items[i]
    if (item.kind, choice.kind, choice.form) != ("n", "n", "choice") or item.form not in ("digit", "word"):
        return False
    if _breaks(items, i):
        return False
    if choice.value != item.value:
        choice.kind, choice.rule = "x", "S9"
    choice.end, choice.form = item.end, "digit" if choice.kind == "n" else choice.form
    return True


def _breaks(items: list[Item], i: int) -> bool:
    """Whether a choice word follows item `i` as well, so that the digit belongs to that one."""
    return i + 1 < len(items) and items[i + 1].form == "choice"


def _agrees(kept: list[Item], choice: Item) -> bool:
    """Fold a choice word into the digit right before it ("4 mostly", "4 (mostly)"); a disagreement opens it."""
    marks = []
    while kept and kept[-1].kind == "sep" and kept[-1].value in ("-", "–", "—", "(", "=", ":", '"', "“", "'"):
        marks.append(kept.pop())
    if kept and kept[-1].kind in ("n", "x") and kept[-1].form in ("digit", "word", "agreed"):
        digit = kept[-1]
        if digit.value != choice.value:
            digit.kind, digit.rule = "x", "S9"
        digit.end, digit.form = choice.end, "agreed"
        return True
    kept += reversed(marks)
    return False


def _says_again(kept: list[Item], item: Item) -> bool:
    """Fold the number in "4 (four)" into the one before it."""
    if item.form not in ("digit", "word"):
        return False
    if len(kept) < 2 or kept[-1].value != "(" or kept[-2].kind != "n" or kept[-2].value != item.value:
        return False
    if kept[-2].form == item.form:
        return False
    kept.pop()
    kept[-1].end = item.end
    return True


def _demote(row: Row, items: list[Item]) -> list[Item]:
    """Numbers that count, measure, name or date something become words (S17)."""
    for i, item in enumerate(items):
        number = item.kind in ("n", "out", "bad", "x") and item.form not in ("choice", "glyphs")
        if number and (counts(row, items, i) or named(row, items, i)):
            item.kind, item.rule = "word", "S17"
        if (
            item.kind == "place"
            and item.form == "places"
            and (after := word_after(items, i))
            and after.kind in ("word", "half")
        ):
            item.kind = "word"  # "my first time", "por primera vez", "the second half"
    for item, slash, other in zip(items, items[1:], items[2:], strict=False):
        if slash.value == "/" and item.kind == "n" and other.kind == "word" and row.text[other.start].isdigit():
            item.kind = "word"  # "3/4 of the time"
    return items


def clauses(items: list[Item]) -> list[list[Item]]:
    """The items between marks and line breaks."""
    found: list[list[Item]] = [[]]
    for item in items:
        mark = item.kind == "sep" and str(item.value) in ",:()—–-/|"
        if mark or item.kind in ("stop", "line") or item.form == "face":
            found.append([])
        else:
            found[-1].append(item)
    return [clause for clause in found if clause]


def _choices(items: list[Item]) -> list[Item]:
    """A choice word counts only where its clause holds nothing but fillers, labels and scores (S13)."""
    for clause in clauses(items):
        content = [item for item in clause if item.kind == "word"]
        for item in clause:
            if item.form != "choice" or item.kind != "n":
                continue
            if content or _modifies(clause, item):
                item.kind, item.rule = "word", "S13"
    return items


def _modifies(clause: list[Item], choice: Item) -> bool:
    """ "a little to" , "mostly for": a choice word before a filler that is not a label, an "and" or the end."""
    at = clause.index(choice)
    rest = clause[at + 1 :]
    if not rest or any(item.kind in ("label", "place", "all") for item in rest) or any(item.is_score for item in rest):
        return False
    return rest[0].kind not in ("thanks", "greeting", "and", "filler", "hedge", "sep", "stop", "all", "skip", "except")


def _joined(row: Row, items: list[Item]) -> list[Item]:
    """ "3 or 4", "3 to 4", "between 3 and 4", "almost 5": the place is left open (S10)."""
    kept: list[Item] = []
    i = 0
    waves = sum(item.value == "~" for item in items) > 1  # "5~4~5" is a row
    while i < len(items):
        item = items[i]
        before = kept[-1] if kept else None
        in_row = waves and before is not None and before.value == "~"
        if item.is_score and item.kind != "skip" and kept and not in_row and _is_open_pair(row, kept, item):
            earlier = _last_score(kept)
            earlier.kind, earlier.rule, earlier.end = "x", "S10", item.end
            i += 1
            continue
        if item.kind == "n" and before and before.kind == "near":
            item.kind, item.rule = "x", "S10"
        kept.append(item)
        i += 1
    return kept


def _last_score(kept: list[Item]) -> Item:
    while not kept[-1].is_score:
        kept.pop()
    return kept[-1]


def _is_open_pair(row: Row, kept: list[Item], item: Item) -> bool:
    """Whether the words between the last score and this one say "or", "to", or close a "between"."""
    j = len(kept) - 1
    while j >= 0 and kept[j].kind in ("join", "and", "filler", "hedge", "near", "all") and kept[j].first >= 0:
        j -= 1
    comma = j >= 0 and kept[j].kind == "sep" and kept[j].value in (",", "~", "...") and j + 1 < len(kept)
    if comma:
        j -= 1
    if j < 0 or kept[j].kind not in ("n", "x", "out") or not (kept[j].first >= 0 and item.first >= 0):
        return (
            bool(j >= 0 and kept[-1].kind == "sep" and kept[-1].value == "~" and kept[-2].is_score)
            if len(kept) > 1
            else False
        )
    span = row.spans.get((kept[j].after, item.first), {})
    if "scores.or" in span:
        return True
    if comma:
        return False
    if "scores.to" in span:
        return True
    opened = j > 0 and kept[j - 1].kind == "near" and kept[j - 1].form == "between"
    return opened and "scores.and" in span


def _negated(row: Row, items: list[Item]) -> list[Item]:
    """ "not a 4", "no del todo 5", "not mostly": open (S14); a bare "no" in a clause of its own changes nothing."""
    for clause in clauses(items):
        reaches = False  # whether a negation came before and nothing since has ended it
        for i, item in enumerate(clause):
            if item.kind == "not":
                reaches = True
            elif item.kind == "n" and reaches and (clause[i - 1].kind == "not" or not _leads_a_row(clause, i)):
                item.kind, item.rule = "x", "S14"
            if item.kind not in _THROUGH or row.role(item, "around.frame"):
                reaches = False  # "she didn't get it so 4"
    return items


_THROUGH = frozenset(("filler", "label", "hedge", "not", "and"))


def _leads_a_row(clause: list[Item], i: int) -> bool:
    """Whether another score follows at once: of several in a row a negation reaches only what is right behind it."""
    return i + 1 < len(clause) and clause[i + 1].is_score and clause[i].form == "digit"
