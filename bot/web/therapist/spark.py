"""A small picture of how it has gone lately, for a line of the caseload: geometry here, SVG in caseload.html."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.flows.caseload import Line
from surveys.usual import HIGHEST, LOWEST, WAVERS, is_usual

WIDTH, HEIGHT = 136, 40
EDGE = 5  # room for a dot at either side


@dataclass(frozen=True)
class Mark:
    """One check-in: where, and whether it was answered, and below what is usual."""

    x: float
    y: float
    answered: bool
    below: bool


@dataclass(frozen=True)
class Spark:
    """The picture, and the same in words. `band`: top and height of what is usual, where that is known."""

    marks: list[Mark]
    lines: list[str]
    band: tuple[float, float] | None
    words: str


def spark(line: Line, labels: Mapping[str, str]) -> Spark | None:
    """The latest check-ins of a client as the mean of a few feelings; None where none says anything."""
    means = [_mean([each.scores[f] for f in line.feelings if f in each.scores]) for each in line.recent]
    if not any(mean is not None for mean in means):
        return None
    step = (WIDTH - 2 * EDGE) / max(len(means) - 1, 1)
    low, high = (_mean([getattr(band, end) for band in line.usual]) for end in ("low", "high"))
    marks = [_mark(EDGE + step * n, mean, line) for n, mean in enumerate(means)]
    band = None
    if low is not None and high is not None:
        top = _y(high + WAVERS)
        band = (top, _y(low - WAVERS) - top)
    return Spark(marks, _lines(marks), band, _words(line, labels, means))


def _mark(x: float, mean: float | None, line: Line) -> Mark:
    if mean is None:
        return Mark(x, HEIGHT - EDGE, answered=False, below=False)
    below = bool(line.usual) and sum(is_usual(mean, band) for band in line.usual) < len(line.usual) / 2
    return Mark(x, _y(mean), answered=True, below=below)


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def _y(score: float) -> float:
    inside = max(LOWEST - 0.5, min(HIGHEST + 0.5, score))
    return EDGE + (HEIGHT - 2 * EDGE) * (HIGHEST + 0.5 - inside) / HIGHEST


def _lines(marks: Sequence[Mark]) -> list[str]:
    """From answer to answer, broken where there was none."""
    runs: list[list[str]] = [[]]
    for mark in marks:
        if mark.answered:
            runs[-1].append(f"{mark.x:.1f},{mark.y:.1f}")
        else:
            runs.append([])
    return [" ".join(run) for run in runs if len(run) > 1]


def _words(line: Line, labels: Mapping[str, str], means: Sequence[float | None]) -> str:
    of = ", ".join(labels[feeling] for feeling in line.feelings)
    shown = ", ".join("no answer" if mean is None else f"{mean:.1f}".removesuffix(".0") for mean in means)
    return f"Lately, oldest first ({of}): {shown}."
