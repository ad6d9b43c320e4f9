"""`make bench`: how fast the paths that matter are, at full durability, each figure beside its goal.

    python -m tests.bench [--only replies,sending,...] [--minutes 10] [--answers 10000000]

Figures depend on the machine and on what else runs there: run it alone, and read the ratios. About ten minutes as it
stands; `--minutes` is how long each open loop runs, `--answers` how many are stored for what a reply costs then.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.config import Config
from bot.flows import context, planning
from surveys import instrument, rapport, replies
from tests import bench_growth, bench_memory, bench_pages, bench_replies, bench_sending
from tests.bench_goals import Goals
from tests.support.cast import ALWAYS_OPEN, MONDAY_NOON, Riverside, riverside

TEXTS = 40_000  # clients with an open check-in


def main() -> None:
    """Print every figure; exits 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=9, help="how long each closed measurement runs")
    parser.add_argument("--minutes", type=float, default=0.5, help="how long each open loop runs")
    parser.add_argument("--appointments", type=int, default=100_000)
    parser.add_argument("--check-ins", type=int, default=bench_sending.CHECK_INS)
    parser.add_argument("--answers", type=int, default=bench_growth.MANY)
    parser.add_argument("--days", type=int, default=bench_memory.DAYS, help="how many days the month has")
    parser.add_argument("--only", default="", help="a comma list of: " + ", ".join(PARTS))
    chosen = parser.parse_args()
    goals = Goals()
    for name in chosen.only.split(",") if chosen.only else PARTS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"--- {name}", flush=True)
            PARTS[name](Path(folder), goals, chosen)
    print(f"goals missed: {goals.missed}")
    sys.exit(goals.missed > 0)


Part = Callable[[Path, Goals, argparse.Namespace], None]


def _machine(folder: Path, goals: Goals, _chosen: argparse.Namespace) -> None:
    """What the rest is to be read against."""
    store = _practice(folder).ctx.store
    store.check_durability()
    print(
        f"python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {store.durability()}"
    )
    goals.plain("disk: fdatasync of one page", _syncs(folder), "/s")


def _replies(folder: Path, goals: Goals, chosen: argparse.Namespace) -> None:
    bench_replies.measure(folder, goals, chosen.seconds, chosen.minutes, TEXTS)


def _sending(folder: Path, goals: Goals, chosen: argparse.Namespace) -> None:
    bench_sending.measure(folder, goals, chosen.check_ins)


def _growth(folder: Path, goals: Goals, chosen: argparse.Namespace) -> None:
    bench_growth.measure(folder, goals, chosen.answers)


def _memory(folder: Path, goals: Goals, chosen: argparse.Namespace) -> None:
    bench_memory.measure(folder, goals, chosen.days)


def _pages(folder: Path, _goals: Goals, _chosen: argparse.Namespace) -> None:
    bench_pages.measure(folder / "year.db")


def _plan(folder: Path, goals: Goals, chosen: argparse.Namespace) -> None:
    """Plan a year of weekly visits of many clients, through the store."""
    practice = _practice(folder)
    clients = max(1, chosen.appointments // 50)
    with practice.ctx.store.transaction() as tx:
        tx.insert_many("client", [_client_row(practice, i) for i in range(clients)])
        rows = [_visit_row(practice, i, week) for i in range(clients) for week in range(chosen.appointments // clients)]
        tx.insert_many("appointment", rows)
    start = time.perf_counter()
    planning.replan(practice.ctx, practice.practice.id, [f"bench{i}" for i in range(clients)], MONDAY_NOON)
    took = time.perf_counter() - start
    goals.at_most(f"planning {len(rows)} appointments", took, 20 * len(rows) / 100_000, "s")


def _small(_folder: Path, goals: Goals, _chosen: argparse.Namespace) -> None:
    """Reading one reply, and one step of the signal."""
    instruments, took = instrument.load_all(), []
    for text in ("5 4 5", "respected 4, heard 5", "pls stop texting me", "It was fine, thank you") * 250:
        start = time.perf_counter()
        replies.parse(text, asked=("heard", "respected", "understood"), instruments=instruments)
        took.append(time.perf_counter() - start)
    goals.plain("reading a reply, median", statistics.median(took) * 1000, "ms")
    belief, took = rapport.begin(rapport.default_model(tuple(instruments.questions))), []
    for number in range(60):
        seen = rapport.Observation(number, True, {"heard": 4, "respected": 5, "understood": 4}, None)
        start = time.perf_counter()
        belief = rapport.update(belief, seen)
        took.append(time.perf_counter() - start)
    goals.plain("one update of the belief, median", statistics.median(took) * 1000, "ms")


PARTS: dict[str, Part] = {
    "machine": _machine, "replies": _replies, "sending": _sending, "planning": _plan, "growth": _growth,
    "memory": _memory, "pages": _pages, "reading": _small,
}  # fmt: skip


def _practice(folder: Path) -> Riverside:
    config = Config(database_url=f"sqlite:///{folder}/attune.db", secrets=("a-secret-for-the-bench",), pace=0)
    ctx = context.build(config)
    ctx.store.migrate()
    return riverside(ctx, **ALWAYS_OPEN)


def _syncs(folder: Path, seconds: float = 2) -> float:
    with (folder / "sync").open("wb", buffering=0) as file:
        done, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            done += 1
    return done / seconds


def _client_row(practice: Riverside, number: int) -> dict[str, object]:
    sealer = practice.ctx.store.sealer
    phone = f"+1202{number + 6_000_000:07d}"
    return {
        "id": f"bench{number}", "practice_id": practice.practice.id, "client_ref": f"B{number}",
        "name_sealed": sealer.seal(f"client|name|bench{number}", "Somebody"),
        "phone_sealed": sealer.seal(f"client|phone|bench{number}", phone), "phone_index": sealer.index(phone),
        "language": "en", "timezone": "America/New_York", "channel": "sms", "consent_at": 1,
        "therapist_id": practice.staff["Theo"], "created_at": 1, "welcomed_at": 1,
    }  # fmt: skip


def _visit_row(practice: Riverside, number: int, week: int) -> dict[str, object]:
    ends = int((MONDAY_NOON + timedelta(weeks=week, hours=-3)).timestamp())
    return {
        "id": f"v{number}-{week}", "practice_id": practice.practice.id, "appointment_ref": f"v{number}-{week}",
        "client_id": f"bench{number}", "therapist_id": practice.staff["Theo"], "starts_at": ends - 3000,
        "ends_at": ends, "status": "attended",
    }  # fmt: skip


if __name__ == "__main__":
    main()
