"""What one reply costs as answers pile up: the same at a thousand and at ten million.

    python -m tests.bench_growth [--answers 1000000]

Counted is this thread's processor time for a reply to an open check-in, commit included. Replies to a practice with few
answers and to one with many come by turns, so that what else the machine does falls on both alike.
`tests/test_hot_queries_growth.py` counts SQLite's steps instead, at a hundred thousand.
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.flows import receiving
from bot.store.inbox import Inbound
from tests import bench_rows
from tests.bench_goals import Goals
from tests.bench_replies import Town
from tests.bench_rows import Someone

FEW, MANY = 1_000, 1_000_000
REPLIES = 300
WARM_UP = 50  # of them: the first ones cost more, whatever is stored
STORING_KB = 4_000_000
MOST = 2.0  # times what it costs with few: a tree ten times as large is a step deeper at most


def measure(folder: Path, goals: Goals, many: int) -> None:
    """Print the cost of a reply with few answers stored and with many; with a million on the way to ten."""
    small, large = _town(folder / "small"), _town(folder / "large")
    stored = FEW
    for step in sorted({min(MANY, many), many}):
        began = time.perf_counter()
        store(large, step - stored)
        stored = step
        goals.plain(f"storing {step} answers for this", time.perf_counter() - began, "s")
        few, found = costs_of_replies(small, large)
        goals.plain(f"a reply with {FEW} answers stored, processor time", few, "ms")
        goals.plain(f"a reply with {step} answers stored, processor time", found, "ms")
        goals.at_most("  times what it cost with few", found / few, MOST)


def _town(folder: Path) -> Town:
    folder.mkdir()
    return Town(folder, 0, FEW)


def store(town: Town, answers: int) -> None:
    """So many more. SQLite gets more memory for it than it has when a reply comes in: keys are drawn at random, so that
    each batch writes all over the trees."""
    with town.ctx.store.transaction() as tx:
        tx.run(f"pragma cache_size = -{STORING_KB}")
    bench_rows.answered(town.practice, answers, datetime.now(UTC))
    town.ctx.store.analyze()
    town.ctx.store.close()


def costs_of_replies(*towns: Town) -> list[float]:
    """Milliseconds of processor time for a reply in each, the median of many, each from somebody else."""
    whose = [bench_rows.clients(town.practice, REPLIES) for town in towns]
    for town, those in zip(towns, whose, strict=True):
        bench_rows.opened(town.practice, those, datetime.now(UTC))
    took: list[list[float]] = [[] for _ in towns]
    for number in range(REPLIES):
        for town, those, times in zip(towns, whose, took, strict=True):
            times.append(replied(town, those[number]))
    return [statistics.median(times[WARM_UP:]) * 1000 for times in took]


def replied(town: Town, who: Someone) -> float:
    """Let one reply; its processor time, in seconds."""
    began = time.thread_time()
    text = Inbound(channel="sms", provider_id=f"SM{who.id}", sender=who.phone, body="5 4 5 4")
    if not receiving.receive(town.ctx, text, datetime.now(UTC)):
        raise SystemExit("a reply was taken for a repeat")
    return time.thread_time() - began


def main() -> None:
    """Measure alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=MANY)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        goals = Goals()
        measure(Path(folder), goals, chosen.answers)
    sys.exit(goals.missed > 0)


if __name__ == "__main__":
    main()
