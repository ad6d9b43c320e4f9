"""Months as a picture: geometry here, SVG in templates/manager/groups.html. A table beside it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 340, 138
LEFT, RIGHT, TOP, BOTTOM = 22, 12, 10, 24
LOW, HIGH = 1.0, 5.0


@dataclass(frozen=True)
class Dot:
    """One month: its mean, or None where it can't be shown."""

    x: float
    y: float
    mean: float | None


@dataclass(frozen=True)
class Line:
    """One question over the months. `summary` says it to who can't see it."""

    id: str
    title: str
    summary: str
    dots: list[Dot]
    lines: list[str]
    grid: list[tuple[int, float]]
    names: list[tuple[str, float]]


def draw(id_: str, title: str, summary: str, months: Sequence[tuple[str, float | None]]) -> Line:
    """Means from 1 to 5 by month; a month that can't be shown breaks the line."""
    step = (WIDTH - LEFT - RIGHT) / max(len(months), 1)
    xs = [LEFT + step * (place + 0.5) for place in range(len(months))]
    dots = [Dot(x, HEIGHT - BOTTOM if mean is None else _y(mean), mean)
            for x, (_, mean) in zip(xs, months, strict=True)]  # fmt: skip
    names = [(name, x) for place, (x, (name, _)) in enumerate(zip(xs, months, strict=True)) if place % 3 == 0]
    return Line(id_, title, summary, dots, _runs(dots), [(score, _y(score)) for score in range(1, 6)], names)


def _runs(dots: Sequence[Dot]) -> list[str]:
    runs: list[list[str]] = [[]]
    for dot in dots:
        if dot.mean is None:
            runs.append([])
        else:
            runs[-1].append(f"{dot.x:.1f},{dot.y:.1f}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _y(score: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (HIGH - score) / (HIGH - LOW)
