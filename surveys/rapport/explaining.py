"""Why a decline is believed, or that it is over: since when, and in which feelings, told by the client's own answers.

A clinician must be able to check it against the answers on the page, so nothing here is a quantity of the model but
since when, and how sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from surveys.rapport.belief import Belief

NOTICED = 0.5  # points on the 1..5 scale below which a feeling isn't called fallen
BESIDE = 0.5  # one that fell less than this share of the farthest fall isn't named beside it
ENOUGH = 3  # earlier answers from which on "usually" may be said
MOST = 0.8  # of the earlier answers lie in the range called usual
Said = Sequence[tuple[int, int, int]]  # appointment, feeling (its place), score


@dataclass(frozen=True)
class Range:
    """Whole points on the 1..5 scale, both ends included."""

    low: int
    high: int


@dataclass(frozen=True)
class Fall:
    """One feeling: the client's own answers since the decline began, and before it.

    `before` is None where there are none; `usual`: there are enough of them to call that usual.
    """

    feeling: str
    now: Range
    before: Range | None
    usual: bool


@dataclass(frozen=True)
class Explanation:
    """Why a decline is believed, if it is; wording lives elsewhere.

    `since`: the appointment it began with, `check_ins` answered from then on. `feelings`: those that fell, the
    farthest first, of those asked since; `overall`: all of them, and at least three. `falls`: the same in numbers.
    `start`: it isn't a fall, but a start that is low for this practice (surveys.rapport.starting).
    """

    since: int | None
    check_ins: int
    feelings: tuple[str, ...]
    overall: bool
    probability: float
    falls: tuple[Fall, ...] = ()
    start: bool = False


@dataclass(frozen=True)
class Recovery:
    """That feelings which had fallen are back: for how many answered check-ins, and where each is now."""

    check_ins: int
    falls: tuple[Fall, ...]


def explanation(belief: Belief) -> Explanation:
    """Since when, in which feelings, how surely rapport is down."""
    began = beginning(belief)
    fallen = farthest(belief, began)
    since = first_low(belief, fallen, began)
    recent = {feeling for number, feeling, _ in belief.said if number >= since}
    names = tuple(belief.model.feelings[d] for d in fallen)
    return Explanation(
        since=since if fallen else None,
        check_ins=sum(number >= since for number in belief.answered) if fallen else 0,
        feelings=names,
        overall=len(fallen) >= 3 and set(fallen) == recent,
        probability=belief.probability,
        falls=tuple(fall(belief, feeling, since) for feeling in names),
    )


def recovery(belief: Belief, feelings: Sequence[str], since: int | None) -> Recovery:
    """Where feelings that fell stand now, against what they were before appointment `since`."""
    places = {belief.model.feelings.index(feeling) for feeling in feelings}
    usual = {d: band.mean for d, band in enumerate(belief.usual.values())}
    last_low = max((n for n in belief.answered if low_at(belief, n, places, usual)), default=-1)
    back = [number for number in belief.answered if number > last_low]
    falls = [fall(belief, feeling, back[0], since) for feeling in feelings] if back else []
    return Recovery(len(back), tuple(each for each in falls if each.now.low))


def beginning(belief: Belief) -> int:
    """The appointment at which a decline most likely began; the last answered one where none is in sight."""
    modes = belief.weights.sum((1, 2, 3, 4))
    last = belief.answered[-1] if belief.answered else belief.number
    if not belief.began[1:].any():
        return last
    return min(belief.number - int(np.argmax(modes[1:] @ belief.began[1:])), last)


def farthest(belief: Belief, since: int) -> list[int]:
    """Feelings asked since then that fell from their usual, the farthest first; those of small account left out."""
    usual = [band.mean for band in belief.usual.values()]
    recent = {d: [score for number, each, score in belief.said if each == d and number >= since] for d in asked(belief)}
    falls = {d: usual[d] - sum(scores) / len(scores) for d, scores in recent.items() if scores}
    least = max(NOTICED, BESIDE * max(falls.values(), default=0.0))
    return sorted((d for d, points in falls.items() if points >= least), key=lambda d: (-round(falls[d], 2), d))


def asked(belief: Belief) -> list[int]:
    """The feelings of which there is an answer, in their order."""
    return sorted({feeling for _, feeling, _ in belief.said})


def first_low(belief: Belief, fallen: Sequence[int], began: int) -> int:
    """The first answered check-in from then on in which one of these feelings was low."""
    usual = {d: band.mean for d, band in enumerate(belief.usual.values())}
    return min(
        (number for number in belief.answered if number >= began and low_at(belief, number, set(fallen), usual)),
        default=began,
    )


def low_at(belief: Belief, number: int, feelings: set[int], usual: dict[int, float]) -> bool:
    """Whether one of these feelings was answered well below its usual at an appointment."""
    return any(at == number and d in feelings and usual[d] - score >= NOTICED for at, d, score in belief.said)


def fall(belief: Belief, feeling: str, since: int, until: int | None = None) -> Fall:
    """One feeling from appointment `since` on, beside what it was before that (before `until`, where given)."""
    d = belief.model.feelings.index(feeling)
    before = [
        score for number, each, score in belief.said if each == d and number < (since if until is None else until)
    ]
    now = [score for number, each, score in belief.said if each == d and number >= since]
    return Fall(feeling, about(now), narrowest(before) if before else None, len(before) >= ENOUGH)


def about(scores: Sequence[int]) -> Range:
    """The mean, as one point of the scale where it is near one, else as the two it lies between; 0 for no answer."""
    mean = sum(scores) / max(len(scores), 1)
    nearest = round(mean)
    return Range(nearest, nearest) if abs(mean - nearest) <= 0.25 else Range(int(mean), int(mean) + 1)


def narrowest(scores: Sequence[int]) -> Range:
    """The narrowest range that holds most answers; of several, the one that holds more, then the higher."""
    ranges = [Range(low, high) for low in range(1, 6) for high in range(low, 6)]
    held = {each: sum(each.low <= score <= each.high for score in scores) for each in ranges}
    most = [each for each in ranges if held[each] >= MOST * len(scores)]
    return min(most, key=lambda each: (each.high - each.low, -held[each], -each.low))
