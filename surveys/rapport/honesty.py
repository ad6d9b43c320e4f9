"""How often notes are wrong and declines missed: by simulation, and from what therapists said of their notes.

The simulated figures stand in figures.toml, made by `python -m tests.bench_honesty` in practices that are not the
signal's own model. The lowest and highest say how far practices differ, so no page says more than they share.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import sqrt

NORMAL_95 = 1.959964
THIRD, HALF, MOST = "third", "half", "most"


@dataclass(frozen=True)
class Spread:
    """One figure over simulated practices: the lowest, a typical one's, the highest."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True)
class Figures:
    """What "one false alarm in n check-ins" means: `false_per_100` answered check-ins of clients who don't decline,
    the `real_share` of notes, the share of declines told `within` so many answered check-ins, and of those `missed`."""

    one_in: int
    false_per_100: Spread
    real_share: Spread
    within: Mapping[int, Spread]
    missed: Spread


@dataclass(frozen=True)
class Share:
    """So many of so many, with the limits between which the true share lies 95 times in a hundred."""

    count: int
    of: int
    low: float
    high: float


def figures(one_in: int) -> Figures:
    """The figures of the simulated choice nearest to this one (by ratio)."""
    every = simulated()
    return every[min(every, key=lambda n: (max(n, one_in) / min(n, one_in), n))]


@cache
def simulated() -> Mapping[int, Figures]:
    """Every choice that was simulated, by n."""
    found = tomllib.loads((files("surveys.rapport") / "figures.toml").read_text(encoding="utf-8"))
    return {int(n): _figures(int(n), row) for n, row in found["one_in"].items()}


def sure(one_in: int) -> str:
    """About what share of notes are real, to the nearest words: a third, half, or (two in three) most."""
    share = figures(one_in).real_share.typical
    return THIRD if share < 5 / 12 else HALF if share < 7 / 12 else MOST


def share(count: int, of: int) -> Share:
    """A share with its 95 % interval (Wilson 1927), which stays within 0 and 1 and is honest for small numbers."""
    if of == 0:
        return Share(0, 0, 0.0, 1.0)
    p, z = count / of, NORMAL_95**2 / of
    middle, half = p + z / 2, NORMAL_95 * sqrt(p * (1 - p) / of + z / (4 * of))
    return Share(count, of, max(0.0, (middle - half) / (1 + z)), min(1.0, (middle + half) / (1 + z)))


def _figures(n: int, row: Mapping[str, list[float]]) -> Figures:
    within = {int(key.removeprefix("within_")): Spread(*row[key]) for key in row if key.startswith("within_")}
    return Figures(n, Spread(*row["false_per_100"]), Spread(*row["real_share"]), within, Spread(*row["missed"]))
