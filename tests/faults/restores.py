"""Restores at random moments (P11): `python -m tests.faults.restores --seed 7 --restores 50`; the outcome as JSON.

Each plays some days of a practice by a clock that it sets, with a provider that keeps its own book, loses answers and
lists late. At one moment a backup is made, at a later one the database is lost and the backup takes its place: by
`attune restore`, or copied there by hand. The practice's own system exports its calendar again and again, as ever.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import log
from bot.channels import InDoubt, Outgoing, Received
from bot.config import Config
from bot.flows import backups, context, fetching, intake, older_copy
from bot.flows.context import Context
from bot.flows.tables import TableRow
from bot.store import clients, people, practices
from bot.store.clients import Entry
from bot.store.practices import Practice
from bot.worker import tick_once
from tests.faults.plants import PLANTS
from tests.support.weeks import At

START = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)  # a Monday, eight in New York
DAYS = 4
CLIENTS = 6
LAG = timedelta(minutes=2)
HOUR = timedelta(hours=1)
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # nobody cuts the power here: no need for a disk
WAYS = ("attune restore", "copied by hand", "copied by hand, backed up again at once")


@dataclass
class Book:
    """A provider: takes every text, loses every fifth answer, and lists with a lag."""

    rng: random.Random
    now: datetime = START
    sender: str = "+15005550006"
    taken: list[tuple[str, str, datetime, str]] = field(default_factory=list)

    def send(self, message: Outgoing) -> str:
        sid = f"SM{self.rng.getrandbits(128):032x}"
        self.taken.append((message.to, message.body, self.now, sid))
        if self.rng.random() < 0.2:
            raise InDoubt("the answer was lost")
        return sid

    def find(self, to: str, body: str, since: datetime) -> list[str]:
        listed = (each for each in self.taken if each[2] + LAG <= self.now)
        return [sid for number, words, at, sid in listed if (number, words) == (to, body) and at >= since]

    def received(self, since: datetime, most: int) -> list[Received]:
        """Nobody texts here."""
        return []


@dataclass
class Outcome:
    """What came of it."""

    violations: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


def run(seed: int, restores: int) -> Outcome:
    """So many, each in a practice of its own."""
    outcome = Outcome()
    for number in range(restores):
        with tempfile.TemporaryDirectory(prefix="attune-restore-", dir=MEMORY) as folder:
            _Restore(Path(folder), random.Random(f"{seed}-{number}"), outcome).play()
    return outcome


class _Restore:
    def __init__(self, folder: Path, rng: random.Random, outcome: Outcome) -> None:
        self.folder, self.rng, self.outcome = folder, rng, outcome
        self.file = folder / "attune.db"
        self.book = Book(random.Random(rng.random()))
        self.ctx = self._context()
        self.ctx.store.migrate()
        self.practice = self._found()
        self.visits = [START + timedelta(seconds=rng.randrange(DAYS * 86_400 * 3 // 5)) for _ in range(CLIENTS)]

    def play(self) -> None:
        saved = START + timedelta(seconds=self.rng.randrange(DAYS * 86_400 * 3 // 5))
        lost = saved + timedelta(seconds=self.rng.randrange(86_400))
        way = self.rng.choice(WAYS)
        self._live(START, saved)
        backup = self._back_up(saved, way)
        self._live(saved, lost)
        before = len(self.book.taken)
        self._come_back(backup, way, lost + HOUR * self.rng.random())
        self._live(lost + HOUR, START + timedelta(days=DAYS))
        self.ctx.store.close()
        self._judge(way, before)

    def _judge(self, way: str, before: int) -> None:
        """Each client's words once; something had been sent before, and something went on after."""
        times = Counter((to, body) for to, body, _, _ in self.book.taken)
        twice = [to[-4:] for (to, _), n in times.items() if n > 1]
        self.outcome.violations += [f"P11 {way}: {to} got the same words again" for to in twice]
        self.outcome.figures += Counter({
            "restores": 1, way: 1, "texts": len(self.book.taken), "texts before a restore": before,
            "texts after a restore": len(self.book.taken) - before,
        })  # fmt: skip

    def _live(self, since: datetime, until: datetime) -> None:
        """The calendar comes in and a worker works, every few hours."""
        now, fresh = since, True
        while now < until:
            self._work(now, fresh)
            now, fresh = now + HOUR * (0.5 + 7 * self.rng.random()), False
        self._work(until, False)

    def _work(self, now: datetime, fresh: bool) -> None:
        self.book.now = now
        if fresh:
            older_copy.guard(self.ctx, now)
            fetching.fetch_missed(self.ctx, now)
        intake.take_rows(self.ctx, self.practice, "appointments", self._calendar(now), now)
        tick_once(self.ctx, At(now))
        older_copy.advance(self.ctx, now)
        for minutes in (3, 12):  # what is in doubt settles
            self.book.now = now + timedelta(minutes=minutes)
            tick_once(self.ctx, At(self.book.now))

    def _back_up(self, now: datetime, way: str) -> Path:
        path = self.folder / "backup.db"
        if way == WAYS[0]:
            backups.backup(self.ctx, str(path), now)
            older_copy.advance(self.ctx, now)
        else:
            self.ctx.store.close()
            shutil.copy(self.file, path)
        return path

    def _come_back(self, backup: Path, way: str, now: datetime) -> None:
        """What `attune restore` does, or an operator with `cp`, whose nightly backup may run before any worker."""
        self.ctx.store.close()
        if way == WAYS[0]:
            backups.restore(self.ctx, str(backup), now, force=True)
            older_copy.advance(self.ctx, now, made_safe=True)
        else:
            for ending in ("-wal", "-shm"):
                self.file.with_name(f"attune.db{ending}").unlink(missing_ok=True)
            shutil.copy(backup, self.file)
        if way == WAYS[2]:
            backups.backup(self.ctx, str(self.folder / "again.db"), now)
            older_copy.advance(self.ctx, now)
        self.ctx.store.close()
        self.ctx = self._context()

    def _calendar(self, now: datetime) -> Sequence[TableRow]:
        rows = []
        for number, ends_at in enumerate(self.visits):
            cells = {
                "appointment_ref": f"V{number}",
                "client_ref": f"C{number}",
                "therapist_email": "theo@riverside.example",
                "starts_at": (ends_at - timedelta(minutes=50)).isoformat(),
                "ends_at": ends_at.isoformat(),
                "status": "attended" if ends_at <= now else "booked",
            }
            rows.append(TableRow(number + 1, cells))
        return rows

    def _context(self) -> Context:
        config = Config(
            database_url=f"sqlite:///{self.file}", public_url="http://attune.example", pace=0,
            twilio_api_url="http://127.0.0.1:9",  # not the real one, which asks more of a practice
            secrets=("a-secret-for-tests-that-is-long-enough",),
        )  # fmt: skip
        return replace(context.build(config), channels={"sms": self.book})

    def _found(self) -> Practice:
        long_ago = START - timedelta(days=60)
        with self.ctx.store.transaction() as tx:
            practice = replace(practices.add(tx, "Riverside Counseling", long_ago), sms_name="Riverside")
            practices.save(tx, practice)
            theo, _ = people.save(tx, practice.id, name="Theo", email="theo@riverside.example", now=long_ago)
            people.give_role(tx, practice.id, theo, "therapist")
            for number in range(CLIENTS):
                phone = f"+1202555{number:04d}"
                entry = Entry(f"C{number}", "Ana", phone, "", "en", "America/New_York", "sms", long_ago, theo)
                clients.save(tx, practice.id, entry, long_ago)
        return practice


def main() -> None:
    """Exit 1 if anybody got anything twice."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.restores", description=__doc__)
    asked.add_argument("--seed", type=int, required=True)
    asked.add_argument("--restores", type=int, default=50)
    asked.add_argument("--plant", default="")
    given = asked.parse_args()
    log.set_up("faults")
    if given.plant:
        PLANTS[given.plant]()
    outcome = run(given.seed, given.restores)
    print(json.dumps({"violations": outcome.violations, "figures": outcome.figures}))
    sys.exit(1 if outcome.violations else 0)


if __name__ == "__main__":
    main()
