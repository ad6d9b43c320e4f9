"""Other scores that the same words allow: a therapist who finds a reply misread picks one, and types none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from surveys.replies.decide import Instruments, own_part, parse, row_of
from surveys.replies.items import Item
from surveys.replies.sense import settle

MOST = 4
_LONGEST_RUN = 7  # digits written together: more than the most questions make no row of scores
_Place = tuple[int, ...]  # the scores that one place of the reply can mean; none for a number off the scale, or "skip"


@dataclass(frozen=True)
class Reading:
    """Scores aligned with the feelings asked, None for a question left open; `why`: one plain line for a person."""

    scores: tuple[int | None, ...]
    why: str


def readings(
    text: str,
    asked: Sequence[str],
    instruments: Instruments,
    *,
    channel: str = "sms",
    headers: Mapping[str, str] | None = None,
) -> list[Reading]:
    """What `parse` took from a reply first, then other readings of the same words: the likelier before the others.

    At most four in all, each with other scores; every score is a number or choice word of the client's own words, so
    a reply without any has one reading. Arguments as for `parse`. Never raises.
    """
    asked = tuple(dict.fromkeys(asked))
    taken = parse(text, asked=asked, instruments=instruments, channel=channel, headers=headers)
    found = {taken.scores: "as it was read first"}
    own = own_part(text, instruments.vocabulary, channel, headers)
    if own is not None and asked and not any(because.rule == "S20" for because in taken.because):
        row = row_of(own, instruments.vocabulary)
        single = [item for item in row.items if item.kind in ("n", "bad")]
        alone = [(item.start, item.end, _values(item)) for item in single]
        places = _places(settle(row).items, alone)
        for scores, why in _candidates(places, _by_themselves(places, alone), len(asked)):
            if any(score is not None for score in scores):
                found.setdefault(scores, why)
    return [Reading(scores, why) for scores, why in found.items()][:MOST]


def _values(item: Item) -> _Place:
    """The scores in one number or word as it is written; a run of digits holds several."""
    if item.kind == "n":
        return (int(item.value or 0),)
    digits = str(item.value)
    fits = len(digits) <= _LONGEST_RUN and set(digits) <= set("12345")
    return tuple(int(digit) for digit in digits) if fits else ()


_Alone = Sequence[tuple[int, int, _Place]]


def _places(items: Sequence[Item], alone: _Alone) -> list[_Place]:
    """Each place of a score, with what could be meant there: both ends of "3 or 4", both parts of "2 completely"."""
    places: list[_Place] = []
    for item in items:
        if not item.is_score:
            continue
        inside = [values for start, end, values in alone if item.start <= start and end <= item.end]
        if item.kind == "bad":
            places += [(value,) for values in inside for value in values]
        elif item.kind in ("out", "skip"):
            places.append(())
        elif item.form == "fraction" and inside:
            places.append(inside[0])
        else:
            places.append(tuple(dict.fromkeys(value for values in inside for value in values)))
    return places


def _by_themselves(places: Sequence[_Place], alone: _Alone) -> list[_Place]:
    """Every number and choice word for itself, also the 5 of "4/5" and what seems to count or describe something."""
    off_the_scale = any(not place for place in places)
    return [] if off_the_scale else [(value,) for _, _, values in alone for value in values]


def _candidates(
    places: Sequence[_Place], single: Sequence[_Place], size: int
) -> Iterator[tuple[tuple[int | None, ...], str]]:
    first = [place[0] if place else None for place in places]
    last = [place[-1] if place else None for place in places]
    if len(places) == size:
        which = "" if first == last else ", {} where two were named"
        yield tuple(first), "one for each question, in order" + which.format("the first")
        yield tuple(last), "one for each question, in order" + which.format("the last")
        yield tuple(reversed(last)), "the other way round: the last one is for the first question"
    if 0 < len(places) < size:
        yield from _fewer(first, size)
        yield from _fewer(last, size)
    if len(single) == size:
        yield tuple(place[0] for place in single), "every number and choice word by itself, in order"
    if 0 < len(single) < size:
        yield _from_the_first([place[0] for place in single], size), "every number by itself, for the first questions"
    if len(places) > size:
        yield tuple(last[-size:]), f"only the last {size if size > 1 else 'one'} of what was written"
        yield tuple(first[:size]), f"only the first {size if size > 1 else 'one'} of what was written"


def _fewer(values: Sequence[int | None], size: int) -> Iterator[tuple[tuple[int | None, ...], str]]:
    if len(set(values)) == 1:
        yield (values[0],) * size, "the same for every question"
    yield _from_the_first(values, size), "for the first questions, the rest left open"
    yield (None,) * (size - len(values)) + tuple(values), "for the last questions, the rest left open"


def _from_the_first(values: Sequence[int | None], size: int) -> tuple[int | None, ...]:
    return tuple(values) + (None,) * (size - len(values))
