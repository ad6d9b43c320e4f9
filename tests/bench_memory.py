"""A month of check-ins, texts, callbacks and pages through web and worker as the Procfile starts them: what they hold.

    python -m tests.bench_memory [--days 30] [--per-day 50]

The sandbox is the provider and the clock, so that a month takes a minute or two. What is counted is each process's
proportional share of memory (PSS) and its open files, all of web (the two servers and the one that watches over them)
and the worker together.
"""

import argparse
import subprocess
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import psutil

from bot.sandbox import Sandbox, phones, reading
from bot.sandbox.book import OUTBOUND
from bot.sandbox.processes import free_port
from tests import bench_rows
from tests.bench_goals import Goals
from tests.bench_replies import SID, TOKEN, Town, served
from tests.bench_rows import Someone
from tests.support.browsing import Browser

DAYS, PER_DAY, WEEK = 30, 50, 7
MOST, FLAT = 350, 1.1  # MB; times what they held once warm
WARM = 5  # days
PATIENCE = 300.0  # seconds for one moment of a day, on a busy machine
NOON = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)


class Month:
    """Web, worker and sandbox, and the clients who come once a week."""

    def __init__(self, town: Town, sandbox: Sandbox, worker: "subprocess.Popen[bytes]", port: int) -> None:
        self.town, self.sandbox, self.worker, self.port = town, sandbox, worker, port

    def day(self, number: int, whose: list[Someone]) -> None:
        """Check-ins at noon, answers an hour later, and the therapist looks at them."""
        noon = NOON + timedelta(days=number)
        bench_rows.due(self.town.practice, whose, noon)
        self._go_to(noon)
        self._go_to(noon + timedelta(hours=1))
        for who in whose:
            phones.text(self.sandbox.parts, who.phone, self._answer_of(who))
        self._go_to(noon + timedelta(hours=2))
        self._look(noon + timedelta(hours=2), whose[0])

    def held(self) -> tuple[float, int]:
        """Megabytes and open files of all processes together."""
        web = [each for each in psutil.Process().children(recursive=True) if "gunicorn" in " ".join(each.cmdline())]
        every = [psutil.Process(self.worker.pid), *web]
        return sum(each.memory_full_info().pss for each in every) / 1e6, sum(each.num_fds() for each in every)

    def _answer_of(self, who: Someone) -> str:
        """A digit for each feeling asked about: fewer from the second check-in on."""
        texts = (m.body for m in reversed(self.sandbox.book.with_client(who.phone)) if m.direction == OUTBOUND)
        asked = next(filter(None, map(reading.how_many_asked, texts)))
        return " ".join(islice(cycle("4545"), asked))

    def _go_to(self, at: datetime) -> None:
        self.sandbox.clock.jump(max(at.timestamp(), self.sandbox.clock.now()))
        if not self.sandbox.clock.wait_idle(PATIENCE):
            raise SystemExit(f"the day didn't end: {self.sandbox.clock.waiting_for()}")

    def _look(self, now: datetime, who: Someone) -> None:
        browser = Browser(self.town.ctx, now).sign_in(self.town.practice.practice.id, "theo@riverside.example")
        cookie = browser.client.get_cookie("attune")
        assert cookie
        for path in ("/caseload", f"/clients/{who.id}", "/notes", "/insight") * 2:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": f"attune={cookie.value}"}
            )
            urllib.request.urlopen(asked, timeout=60).read()


def measure(folder: Path, goals: Goals, days: int, per_day: int = PER_DAY) -> None:
    """Print what web and worker hold, and how it grew."""
    port = free_port()
    with Sandbox(f"http://127.0.0.1:{port}", SID, TOKEN, start_at=NOON.timestamp() - 3600, held=True) as sandbox:
        town = Town(folder, 0, 4_000, f"http://127.0.0.1:{port}", sandbox.environment)
        whose = bench_rows.clients(town.practice, WEEK * per_day)
        with served(town, port=port):
            worker = subprocess.Popen(
                [sys.executable, "-m", "bot", "worker"], env=town.environment, stderr=subprocess.DEVNULL
            )
            try:
                _live(Month(town, sandbox, worker, port), goals, days, whose)
            finally:
                worker.terminate()
                worker.wait(60)


def _live(month: Month, goals: Goals, days: int, whose: list[Someone]) -> None:
    seen: list[tuple[float, int]] = []
    for number in range(days):
        month.day(number, whose[number % WEEK :: WEEK])
        seen.append(month.held())
    warm, files = seen[min(WARM, days - 1)]
    most = max(held for held, _ in seen)
    goals.plain(f"check-ins asked and answered in {days} days", month.town.answers() - 1_000)
    goals.at_most("web (two processes) and worker together, at most", most, MOST, "MB")
    goals.at_most(f"  beside day {WARM}", most / warm, FLAT)
    goals.at_most(f"open files at the end, beside day {WARM}", seen[-1][1] / files, FLAT)


def main() -> None:
    """Measure alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--per-day", type=int, default=PER_DAY)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        goals = Goals()
        measure(Path(folder), goals, chosen.days, chosen.per_day)
    sys.exit(goals.missed > 0)


if __name__ == "__main__":
    main()
