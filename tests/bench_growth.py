"""What one reply costs as answers pile up: the same at a thousand and at ten million.

    python -m tests.bench_growth [--answers 1000000]

Counted is this thread's processor time for a reply to an open check-in, commit included.
`tests/test_hot_queries_growth.py` counts SQLite's steps instead, at a hundred thousand.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.flows import receiving
from bot.store.inbox import Inbound
from tests import bench_rows
from tests.bench_goals import Goals
from tests.bench_replies import Town
from tests.bench_rows import Someone

FEW, MANY = 1_000, 1_000_000
REPLIES = 200
MOST = 2.0  # times what it costs with few: a tree ten times as large is a step deeper at most


def measure(folder: Path, goals: Goals, many: int) -> None:
    """Print the cost of a reply with few answers stored and with many."""
    town = Town(folder, 0, FEW)
    few = cost_of_replies(town)
    began = time.perf_counter()
    bench_rows.answered(town.practice, many - FEW, datetime.now(UTC))
    town.ctx.store.analyze()
    goals.plain(f"storing {many} answers for this", time.perf_counter() - began, "s")
    found = cost_of_replies(town)
    goals.plain(f"a reply with {FEW} answers stored, processor time", few, "ms")
    goals.plain(f"a reply with {many} answers stored, processor time", found, "ms")
    goals.at_most("  times what it cost with few", found / few, MOST)


def cost_of_replies(town: Town) -> float:
    """Milliseconds of processor time for a reply, the median of many, each from somebody else."""
    whose = bench_rows.clients(town.practice, REPLIES)
    bench_rows.opened(town.practice, whose, datetime.now(UTC))
    return statistics.median(replied(town, whose)) * 1000


def replied(town: Town, whose: Sequence[Someone]) -> list[float]:
    """Let each reply once; the processor time of each, in seconds."""
    took = []
    for who in whose:
        began = time.thread_time()
        text = Inbound(channel="sms", provider_id=f"SM{who.id}", sender=who.phone, body="5 4 5 4")
        if not receiving.receive(town.ctx, text, datetime.now(UTC)):
            raise SystemExit("a reply was taken for a repeat")
        took.append(time.thread_time() - began)
    return took


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
