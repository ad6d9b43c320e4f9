"""What a number is by the signs tied to it: negative, a percentage, money, a fraction, a number in a list."""

from surveys.replies.items import Item, Row

_LIST_MARKS = (")", ":", "=", "]")
_CURRENCY = "$€£¥₹"
_TEN = "10"
_NEAR = 5  # items from a place to its score


def signed(row: Row) -> list[Item]:
    """The items of a row, numbers and the signs tied to them put together."""
    _list_of_words(row.items)
    return _shared_numbers(_listed(_fractions(row, _formulas(row, _without_scale(row, row.items)))))


def _without_scale(row: Row, items: list[Item]) -> list[Item]:
    """Without the ends of the scale: "4 on a scale of 1-5"; on one to ten no number of its sentence is a score."""
    for i in range(len(items) - 2):
        first, to, last = items[i : i + 3]
        ends = str(first.value) in ("0", "1") and str(last.value) in ("5", _TEN)
        joined = to.value in ("-", "–") or row.role(to, "scores.to")
        if ends and joined and _is_scale(row, first, items[i + 3 : i + 4]):
            made = Item("filler", first.start, last.end, first=first.first, after=last.after, spaced=first.spaced)
            if str(last.value) == _TEN:
                _put_out(items, i)
            return [*items[:i], made, *items[i + 3 :]]
    return items


def _formulas(row: Row, items: list[Item]) -> list[Item]:
    """Negative numbers, percent, currency, emoticons such as :3."""
    kept: list[Item] = []
    for i, item in enumerate(items):
        before = kept[-1] if kept else None
        after = items[i + 1] if i + 1 < len(items) else None
        if item.kind == "sep" and item.value == "%" and before and before.kind in ("n", "out", "bad", "x"):
            before.kind, before.rule, before.end = "out", "S12", item.end
            continue
        if item.kind in ("n", "out", "bad", "x") and item.form != "choice":
            if (before and before.kind == "sep" and str(before.value) in _CURRENCY and not item.spaced) or (
                after and after.kind == "sep" and str(after.value) in _CURRENCY and not after.spaced
            ):
                item.kind, item.form = "word", "money"
            elif (
                before
                and before.value == "#"
                and not item.spaced
                and after
                and (after.value in (":", "-", "=", ")") or _score_follows(items, i))
            ):
                item.kind, item.value, item.form = "place", str(item.value), "number"
            elif before and before.value == ":" and before.spaced and not item.spaced and item.value == 3:
                if not (len(kept) > 1 and kept[-2].kind in ("label", "place")):
                    item.kind, item.form = "word", "face"
            elif item.kind == "n" and _is_negative(kept, item, items):
                item.kind, item.rule = "out", "S12"
        if (
            row.role(item, "scores.minus")
            and item.first >= 0
            and after
            and after.kind in ("n", "out", "bad")
            and (not before or not before.is_score)
        ):
            after.kind, after.rule = "out", "S12"
        kept.append(item)
    return kept


def _score_follows(items: list[Item], i: int) -> bool:
    """ "#3 is a 4": whether the next item that is no filler is a score."""
    rest = items[i + 1 : i + 1 + _NEAR]
    return next((item.kind == "n" for item in rest if item.kind != "filler"), False)


def _is_negative(kept: list[Item], item: Item, items: list[Item]) -> bool:
    """A minus sign tied to the only number, or to the first of several that have none."""
    if not kept or item.spaced or kept[-1].value not in ("-", "−") or not kept[-1].spaced:
        return False
    if any(i.kind not in ("line", "stop") for i in kept[:-1]):
        return False
    numbers = [i for i in items if i.kind in ("n", "out", "bad")]
    dashes = [i for i in items if i.kind == "sep" and i.value in ("-", "−")]
    lines = any(i.kind == "line" for i in items)
    return (len(numbers) == 1 and not lines) or len(dashes) == 1


def _fractions(row: Row, items: list[Item]) -> list[Item]:
    """x/5, "x out of 5", x/10; chains such as 5/4/5 stay as they are; 1/2 after a number is a half."""
    kept: list[Item] = []
    i = 0
    while i < len(items):
        chain = _chain(items, i)
        if len(chain) == 2 and not _is_two(chain, kept):
            kept.append(_fraction(chain[0], chain[1], slash=True))
            i += 3
            continue
        if len(chain) >= 2:
            kept += items[i : i + 2 * len(chain) - 1]
            i += 2 * len(chain) - 1
            continue
        following = items[i + 2] if i + 2 < len(items) else None
        if items[i].kind in ("n", "out", "x") and following and row.role(items[i + 1], "scores.out_of"):
            if following.kind in ("n", "out") and following.form in ("digit", "word") and _is_total(row, items, i):
                kept.append(_fraction(items[i], following, slash=False))
                i += 3
                continue
            if following.is_score and (_is_counted(row, items, i + 3) or _says(row, items[i + 1]) == ("out", "of")):
                items[i].kind, following.kind = "word", "word"
        kept.append(items[i])
        i += 1
    return kept


def _is_two(chain: list[Item], kept: list[Item]) -> bool:
    """5/4 is two scores; 1/2 after a score is a half."""
    if not all(item.kind == "n" for item in chain) or chain[1].value == 5:
        return False
    return not (chain[0].value == 1 and chain[1].value == 2 and kept and kept[-1].kind == "n")


def _is_total(row: Row, items: list[Item], i: int) -> bool:
    """Whether "a of b" is a score out of b: b is 5 or more, and counts nothing ("2 out of 3 times")."""
    total = items[i + 2]
    if items[i].form == "choice":
        return False
    size = int(str(total.value)) if str(total.value).isdigit() else 10
    if _says(row, items[i + 1]) in (("over",), ("entre",), ("out",)) and size != 5:
        return False
    return size >= 5 and not _is_counted(row, items, i + 3)


def _says(row: Row, item: Item) -> tuple[str, ...]:
    return row.words.folded[item.first : item.after]


def _is_counted(row: Row, items: list[Item], at: int) -> bool:
    """Whether what stands at a place is a thing counted: "4 of 5 kids"."""
    return at < len(items) and items[at].kind == "word" and row.begins(items[at].first, "counts.after")


def _chain(items: list[Item], i: int) -> list[Item]:
    """Numbers joined by slashes from item `i` on."""
    chain: list[Item] = []
    while (
        i < len(items)
        and items[i].kind in ("n", "out", "bad", "x")
        and items[i].form in ("digit", "run", "decimal", "word")
    ):
        chain.append(items[i])
        if i + 1 >= len(items) or items[i + 1].value != "/" or items[i + 1].kind != "sep":
            break
        i += 2
    else:
        return chain[:1] if len(chain) < 2 else chain
    return chain


def _fraction(part: Item, total: Item, *, slash: bool) -> Item:
    made = Item(part.kind, part.start, total.end, part.value, "fraction", part.first, total.after, part.spaced)
    made.rule, made.hedged = part.rule, part.hedged
    made.plural = total.plural
    if total.value == 5 and total.kind == "n":
        if part.kind == "bad":
            made.kind, made.rule = "out", "S12"
        return made
    if slash and part.value == 1 and total.value == 2:
        return Item("half", part.start, total.end, first=part.first, after=total.after, spaced=part.spaced)
    made.kind, made.rule = "out", "S12"
    return made


def _listed(items: list[Item]) -> list[Item]:
    """List numbers: "1) mostly 2) completely"; each with a score after its mark, rising from one to the next."""
    numbers = [i for i in range(len(items) - 2) if _is_listed(items, i)]
    values = [int(items[i].value or 0) for i in numbers]
    if values != sorted(set(values)) or (len(values) < 2 and (not values or items[numbers[0] + 1].value != ")")):
        return items
    for i in numbers:
        items[i].kind, items[i].value, items[i].form = "place", str(items[i].value), "number"
        items[i + 1].kind, items[i + 1].value = "filler", None
    return items


def _put_out(items: list[Item], at: int) -> None:
    """No number of this sentence or line is a score of ours (S12)."""
    for step in (-1, 1):
        i = at + step
        while 0 <= i < len(items) and items[i].kind not in ("stop", "line"):
            if items[i].kind == "n":
                items[i].kind, items[i].rule = "out", "S12"
            i += step


def _is_scale(row: Row, first: Item, after: list[Item]) -> bool:
    return row.ends(first.first, "scores.scale") or any(row.begins(item.first, "scores.scale") for item in after)


def _shared_numbers(items: list[Item]) -> list[Item]:
    """ "1 and 2: 5": the number before a list number, joined to it and one less, is one too."""
    for i in range(len(items) - 2):
        item, mark, place = items[i : i + 3]
        joined = mark.kind == "and" or mark.value in ("&", ",", "+")
        begins = i == 0 or items[i - 1].kind in ("stop", "line") or items[i - 1].value in (";", ",")
        follows = place.kind == "place" and place.form == "number" and str(item.value) == str(int(str(place.value)) - 1)
        if item.kind == "n" and item.form == "digit" and joined and begins and follows:
            item.kind, item.value, item.form = "place", str(item.value), "number"
    return items


def _list_of_words(items: list[Item]) -> None:
    """Numbers of a list of words are none: "1. homework 2. sleep"."""
    found = [i for i in range(len(items) - 2) if _heads_words(items, i)]
    if len(found) > 1 and [items[i].value for i in found] == list(range(1, len(found) + 1)):
        for i in found:
            items[i].kind = "word"


def _heads_words(items: list[Item], i: int) -> bool:
    item, mark, word = items[i : i + 3]
    return item.kind == "n" and item.form == "digit" and mark.value in (")", ".") and word.kind == "word"


def _is_listed(items: list[Item], i: int) -> bool:
    """Whether item `i` is a number with a list mark and a score after it that is no list number itself."""
    item, mark, score = items[i : i + 3]
    if (
        item.kind not in ("n", "out")
        or item.form not in ("digit", "word")
        or mark.value not in _LIST_MARKS
        or mark.spaced
    ):
        return False
    return score.is_score and (i + 3 >= len(items) or items[i + 3].value != mark.value or items[i + 3].spaced)
