"""Check-ins that all fall due in one minute, checked again, committed and handed over by two worker processes.

    python -m tests.bench_sending [--check-ins 24000]

The channel takes everything at once, so that what is measured is ours: the asking, the claim, the checks, the attempt
written down before the call, and what came of it, each on disk before the next.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import psutil

from bot import config as settings
from bot import log
from bot.channels import Outgoing
from bot.clock import SystemClock
from bot.flows import context
from bot.store.sql import epoch
from bot.worker import Worker
from tests import bench_rows
from tests.bench_goals import Goals
from tests.bench_replies import Town

WORKERS = 2
SECONDS, CHECK_INS = 60, 24_000
SOON = 3.0  # seconds a worker gets to come up before anything is due
LATER = timedelta(hours=1)  # nothing is due before all is written


class Null:
    """Takes everything at once."""

    sender = "null"

    def __init__(self) -> None:
        self._ids = count(1)
        self._by = f"{os.getpid():08x}"

    def send(self, _message: Outgoing) -> str:
        return f"SM{self._by}{next(self._ids):024x}"


def work() -> None:
    """One worker process, as `attune worker` runs it, with a channel that takes everything."""
    log.set_up("worker")
    ctx = replace(context.build(settings.from_environment()), channels={"sms": Null()})
    Worker(ctx, SystemClock()).run()


def measure(folder: Path, goals: Goals, check_ins: int) -> None:
    """Print how long it takes, and hold it against a minute for 24,000."""
    town = Town(folder, 0, 10_000)
    store = town.ctx.store
    whose = bench_rows.clients(town.practice, check_ins)
    command = [sys.executable, "-c", "from tests.bench_sending import work; work()"]
    workers = [
        subprocess.Popen(command, env=town.environment, stderr=subprocess.DEVNULL) for _ in range(WORKERS)
    ]  # fmt: skip
    try:
        time.sleep(SOON)
        bench_rows.due(town.practice, whose, datetime.now(UTC) + LATER)
        busy, began = _processor(workers), time.perf_counter()
        with store.transaction() as tx:
            tx.run("update check_in set due_at = :now where state = 'planned'", {"now": epoch(datetime.now(UTC))})
        took = _wait(town, check_ins, began)
        busy = _processor(workers) - busy
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)
    with store.transaction(write=False) as tx:
        twice = tx.one("select count(*) as n from attempt") or {"n": 0}
    what = f"sending {check_ins} check-ins that fall due at one moment, two workers"
    goals.at_most(what, took, SECONDS * check_ins / CHECK_INS, "s")
    goals.plain("  that is", check_ins / took, "/s")
    goals.plain("  processor time of the workers for each", busy / check_ins * 1000, "ms")
    goals.whole("attempts more than check-ins", int(twice["n"]) - check_ins)


def _wait(town: Town, check_ins: int, began: float) -> float:
    """Seconds from then until the last one's outcome is on disk."""
    while True:
        with town.ctx.store.transaction(write=False) as tx:
            row = tx.one("select count(*) as n from attempt where outcome = 'sent'")
        if row and int(row["n"]) >= check_ins:
            return time.perf_counter() - began
        if time.perf_counter() - began > 20 * SECONDS:
            raise SystemExit(f"after {20 * SECONDS} s only {json.dumps(row)} of {check_ins} were sent")
        time.sleep(0.2)


def _processor(workers: Sequence["subprocess.Popen[bytes]"]) -> float:
    times = [psutil.Process(worker.pid).cpu_times() for worker in workers]
    return sum(each.user + each.system for each in times)


def main() -> None:
    """Measure alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check-ins", type=int, default=CHECK_INS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        goals = Goals()
        measure(Path(folder), goals, chosen.check_ins)
    sys.exit(goals.missed > 0)


if __name__ == "__main__":
    main()
