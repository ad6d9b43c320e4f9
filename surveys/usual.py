"""What is usual for one client, in whole points that a person can read off; and how surely it is known."""

import math

from surveys.rapport import Band

# The signal's band is where the expected answer lies. A single answer wavers around that by some 0.6 points, so
# four in five of them (1.28 standard deviations) stay within this much more on either side.
WAVERS = 0.8
LOWEST, HIGHEST = 1, 5
FEW, SOME = 3, 6  # answers from which on what is usual is known roughly, and well


def is_usual(score: float, usual: Band) -> bool:
    """Whether an answer is no lower than this client's answers usually are."""
    return score >= usual.low - WAVERS


def reach(usual: Band) -> tuple[int, int]:
    """The lowest and the highest whole answer that are usual; the same twice where there is only one."""
    low, high = max(LOWEST, math.ceil(usual.low - WAVERS)), min(HIGHEST, math.floor(usual.high + WAVERS))
    return min(low, HIGHEST), max(low, high)


def how_known(answers: int) -> str:
    """How surely so many answers tell what is usual: "hardly", "roughly" or "well"."""
    if answers < FEW:
        return "hardly"
    return "roughly" if answers < SOME else "well"
