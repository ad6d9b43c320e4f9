"""Bounds on time that hold on a busy machine: a passing cause makes one try slow, a slow step makes every try slow."""

import time
from collections.abc import Callable


def takes_at_most(seconds: float, act: Callable[[], object], tries: int = 3) -> bool:
    """Whether `act` needs no more than `seconds` of this thread's own processor time in one of its first tries.

    Other threads of the test process, the garbage of other tests and what else runs on the machine fall on a single
    try; they say nothing of `act`.
    """
    return any(cost(act) <= seconds for _ in range(tries))


def cost(act: Callable[[], object]) -> float:
    """Processor time of this thread in seconds."""
    began = time.thread_time()
    act()
    return time.thread_time() - began
