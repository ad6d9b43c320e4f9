"""Numbers that count, measure, name, date or rate something else: they are no scores (S17)."""

import re

from surveys.replies.items import Item, Row

_ROW = 2  # scores before a number, from which on they make it one of them
_NEAR = 16  # how many items back a clause is looked at
_LEADS = frozenset(("word", "filler", "join", "and", "hedge", "near", "not", "except", "all", "skip"))
_DASHES = "-–—−‐"
_PLURAL = re.compile(r"[^\W\d_]{2,}(?:s|x)$")
_NOT_PLURAL = re.compile(r".*(?:ss|us|is|ous|ais|mos)$")
_APOSTROPHES = frozenset("'’`´ʼ")


def word_after(items: list[Item], i: int) -> Item | None:
    """The next item when it is a word with no mark between."""
    after = items[i + 1] if i + 1 < len(items) else None
    if (
        after
        and after.kind == "sep"
        and str(after.value) in _DASHES
        and not after.spaced
        and i + 2 < len(items)
        and not items[i + 2].spaced
    ):
        after = items[i + 2] if items[i + 2].kind == "word" else None
    return after if after and after.first >= 0 else None


def counts(row: Row, items: list[Item], i: int) -> bool:
    """Whether what stands after makes the number a count, a measure, a date or a time."""
    item, after = items[i], word_after(items, i)
    if item.form == "word" and item.value == 1 and i and _describes(row, items[i - 1]):
        return True
    if item.form == "word" and item.value == 1 and item.plural and i and items[i - 1].kind == "word":
        return True  # "one of the better ones"
    if after is None or (after.is_score and after.form != "choice"):
        return False
    if after.form == "clock":
        return True
    before = _scores_before(items, i) or int(item.plural or item.form in ("fraction", "run") or _is_numbered(items, i))
    if before and row.begins(after.first, "counts.loose"):
        return _described(row, items, items.index(after), single=item.value == 1)
    if before and item.value != 1 and row.begins(after.first, "counts.single"):
        return False
    if row.begins(after.first, "counts.after"):
        return not (after.kind != "word" and _only_filler(row, after))
    if row.begins(after.first, "counts.month") or row.begins(after.first, "scores.tens"):
        return True
    if after.kind != "word" or after.form in ("link",):
        return False
    if item.value == 1:
        return before < _ROW and not row.begins(after.first, "counts.alone")
    return not item.plural and not _in_row(items, i) and _is_plural(row, after)


def _is_plural(row: Row, item: Item) -> bool:
    if not _APOSTROPHES.isdisjoint(row.text[item.start : item.end]):
        return False  # "dad's"
    word = row.words.folded[item.first] if item.first < len(row.words.folded) else ""
    return bool(_PLURAL.match(word)) and not row.begins(item.first, "counts.singular") and not _NOT_PLURAL.match(word)


def _scores_before(items: list[Item], i: int) -> int:
    """How many scores stand before a number with nothing but marks, joining words and labels between."""
    found = 0
    for item in items[max(0, i - _NEAR) : i][::-1]:
        if item.kind in ("n", "x"):
            found += 1
        elif item.kind not in ("sep", "line", "and", "label", "place") and not (
            item.kind == "filler" and item.first < 0
        ):
            break
    return found


def _is_numbered(items: list[Item], i: int) -> bool:
    """Whether a question's number stands right before a score: "1) 4 good talk"."""
    return i > 1 and items[i - 1].kind == "filler" and items[i - 1].first < 0 and items[i - 2].kind == "place"


def _in_row(items: list[Item], i: int) -> bool:
    """Whether a number ends a row of scores: "5 4 3 voices", "5 3 voices"; but "5, 3 nightmares" is one score."""
    before = _scores_before(items, i)
    return _is_numbered(items, i) or before >= _ROW or (before > 0 and items[i - 1].value != ",")


def _described(row: Row, items: list[Item], at: int, *, single: bool) -> bool:
    """Whether describing words lead to something counted: "4 good friends", but not "4 good session"."""
    for item in items[at:]:
        if item.kind != "word" or item.first < 0:
            return False
        if row.begins(item.first, "counts.loose"):
            continue
        unit = row.begins(item.first, "counts.after") and not row.begins(item.first, "counts.single")
        return unit or _is_plural(row, item) or (single and row.begins(item.first, "counts.single"))
    return False


def _describes(row: Row, before: Item) -> bool:
    """ "an easy one": the word before makes "one" a thing."""
    return before.kind in ("filler", "word") and before.first >= 0 and row.ends(before.after, "counts.describing")


def _only_filler(row: Row, after: Item) -> bool:
    """A filler that also begins a unit ("of", "in") only counts when the whole unit is there."""
    longest = max((m.after for m in row.starting.get(after.first, ()) if m.group == "counts.after"), default=0)
    return longest <= after.after


def named(row: Row, items: list[Item], i: int) -> bool:
    """Whether what stands before makes the number a time, place, name or another rating."""
    item = items[i]
    before = items[i - 1] if i else None
    if before and before.value == "#" and not item.spaced:
        return i + 1 < len(items) and items[i + 1].kind == "word"
    if before and before.value == "-" and not item.spaced and not before.spaced and i > 1:
        return _is_code(row, items[i - 2])
    if before is None or (before.first < 0 and before.kind != "word"):
        return _rated(row, items, i)
    if before.kind == "word" and before.form in ("link", "money", "clock"):
        return False
    if before.kind == "and" and i > 1 and items[i - 2].kind == "n":
        return False  # the second of "that'd be 5 and 4"
    if row.ends(before.after, "counts.month") or row.ends(before.after, "scores.tens"):
        return True
    if before.kind in _LEADS and not (before.kind == "all" and item.plural) and _names(row, before, items, i):
        return _in_sentence(items, i)
    return _rated(row, items, i)


def _is_code(row: Row, item: Item) -> bool:
    """Whether a number tied to it by a dash is a road's or a thing's: I-5, F-150."""
    letters = row.text[item.start : item.end]
    return item.kind in ("word", "filler") and letters.isupper() and (letters == "I" or len(letters) > 1)


def _names(row: Row, before: Item, items: list[Item], i: int) -> bool:
    """Whether the words that end before a number name it; not the last one of a longer filler ("I'd say a 4"), and
    not one visit or day, or "this", before three scores and more ("good session 5 4 3")."""
    lent = row.ends(before.after, "counts.single") or row.ends(before.after, "counts.pointing")
    if lent and [item.kind for item in items[i : i + 3]] == ["n"] * 3:
        return False
    return any(m.group == "counts.before" and m.first <= before.first for m in row.ending.get(before.after, ()))


def _in_sentence(items: list[Item], i: int) -> bool:
    """Whether words that are no fillers stand before the number in its clause: "we met at 5", not "I'm at a 5"."""
    for j in range(i - 1, max(-1, i - _NEAR), -1):
        if items[j].kind in ("stop", "line") or (items[j].kind == "sep" and str(items[j].value) in ",()"):
            return False
        if items[j].kind in ("word", "thanks"):
            return True
        if items[j].kind == "label":
            return False
    return False


def _rated(row: Row, items: list[Item], i: int) -> bool:
    """A rating of something else in the same clause: pain 4, "my anxiety is a 3"."""
    return _rated_before(row, items, i) or _rated_after(row, items, i)


def _rated_before(row: Row, items: list[Item], i: int) -> bool:
    if items[i].plural and items[i - 1].kind == "all":
        return False
    for j in range(i - 1, max(-1, i - 7), -1):
        if (
            items[j].kind in ("stop", "line", "except")
            or items[j].is_score
            or (items[j].kind == "sep" and str(items[j].value) in ",;()")
            or row.role(items[j], "around.frame")
        ):
            return False
        if items[j].first >= 0 and row.begins(items[j].first, "counts.rating"):
            return items[j].kind == "word"
    return False


def _rated_after(row: Row, items: list[Item], i: int) -> bool:
    if items[i].plural or items[i].form == "run" or _in_row(items, i):
        return False
    for j in range(i + 1, min(len(items), i + 4)):
        if items[j].kind not in ("filler", "join", "word") or row.begins(items[j].first, "counts.pointing"):
            return False
        if row.begins(items[j].first, "counts.rating") and items[j].kind == "word":
            return True
    return False
