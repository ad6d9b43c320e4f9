"""Bars as pictures: geometry here, SVG in templates/manager/delivery_parts.html. A table beside each says the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 340, 130
LEFT, RIGHT, TOP, BOTTOM = 38, 6, 10, 22
WIDEST = 34.0
LETTER = 6.6  # about the width of one at the size of `.day`


@dataclass(frozen=True)
class Bar:
    """One bar: how high it stands of the full height, and what it is called underneath (empty: nothing)."""

    x: float
    width: float
    y: float
    height: float
    name: str
    middle: float


@dataclass(frozen=True)
class Picture:
    """Bars with a scale: `grid` holds each line's label and place. `summary` says it to who can't see it."""

    id: str
    title: str
    summary: str
    bars: list[Bar]
    rests: list[Bar]
    grid: list[tuple[str, float]]


def shares(id_: str, title: str, summary: str, values: Sequence[tuple[str, float | None]]) -> Picture:
    """Shares from 0 to 1, each as the full part of a pale bar; None: there is nothing to have a share of."""
    bars = _bars([(name, value or 0.0) for name, value in values])
    rests = _bars([(name, 0.0 if value is None else 1.0) for name, value in values])
    return Picture(id_, title, summary, bars, rests, [(f"{share:.0%}", _y(share)) for share in (0, 0.5, 1.0)])


def counts(id_: str, title: str, summary: str, values: Sequence[tuple[str, float]], unit: str = "") -> Picture:
    """Numbers from zero up, under a round one that is no smaller than the largest."""
    top = round_above(max((value for _, value in values), default=0))
    bars = _bars([(name, value / top) for name, value in values])
    return Picture(id_, title, summary, bars, [], [(f"{top * s:g}{unit}", _y(s)) for s in (0, 0.5, 1)])


def round_above(value: float) -> float:
    """The least of 2, 4, 10, 20, 40, 100 ... that isn't smaller."""
    step = 1.0
    while True:
        for head in (2, 4, 10):
            if head * step >= value:
                return head * step
        step *= 10


def _bars(values: Sequence[tuple[str, float]]) -> list[Bar]:
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    width = min(WIDEST, step * 0.72)
    longest = max((len(name) for name, _ in values), default=0)
    every = math.ceil((longest + 1) * LETTER / step)  # names that would run into each other are left out
    bars = []
    for place, (name, value) in enumerate(values):
        middle = LEFT + step * (place + 0.5)
        y = _y(value)
        shown = name if place % every == 0 else ""
        bars.append(Bar(middle - width / 2, width, y, HEIGHT - BOTTOM - y, shown, middle))
    return bars


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
