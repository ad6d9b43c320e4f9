"""Replies under power cuts and kills of a PostgreSQL server, whose files are on a disk that forgets (P5, P7).

Real web servers, on the server's machine or on another that stays up. After each blow the server recovers as it
would after a real one, and the auditor asks it what is there.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.faults import replies
from tests.faults.disk import Disk, library, with_disk
from tests.faults.replies import ANSWERS, TEXTS, Found, Outcome, Plan, found_in
from tests.hosts.server import Server

# Little memory and a short log, so that pages are written, synced and written anew all the time.
SETTINGS = ("shared_buffers=2MB", "max_wal_size=6MB", "min_wal_size=2MB", "checkpoint_warning=0",
            "wal_sync_method=fdatasync", "io_method=sync")  # fmt: skip
SPOILED = {"forgetful_server": ("fsync=off",)}


def run(plan: Plan) -> Outcome:
    """Play the plan, auditing all the way."""
    with tempfile.TemporaryDirectory(prefix="attune-power-") as folder:
        return _Run(plan, Path(folder)).play()


class _Run(replies.Run):
    def play(self) -> Outcome:
        try:
            return super().play()
        except (_NoServer, replies.Stuck) as error:
            self.outcome.violations.append(f"P5 {error}")
            return self.outcome
        finally:
            self.server.strike()

    def _database(self) -> str:
        self.server = Server(self.folder.resolve() / "pg")
        self._start("fsync=off")  # until it is on the disk that forgets
        self.url = self.server.url(self.server.fresh())
        return self.url

    def _put_on_disk(self) -> Disk:
        self.server.stop()
        disk = Disk(self.server.folder, self.folder / "book", journal=True)
        self.server.let_in(disk.book, library())
        self.server.env = with_disk(os.environ, disk)
        self._start()
        return disk

    def _environment(self) -> dict[str, str]:
        return replies.ENVIRONMENT

    def _start(self, *more: str) -> None:
        # what it says of processes that are gone is of no use, and may be torn
        (self.server.folder / "postmaster.pid").unlink(missing_ok=True)
        try:
            self.server.start(*SETTINGS, *SPOILED.get(self.plan.plant, ()), *more)
        except RuntimeError as error:
            raise _NoServer(f"the server doesn't start again: {str(error)[-500:]}") from error

    def _round(self, ending: str) -> None:
        if self.outcome.violations:  # one is enough to know
            return
        super()._round(ending)
        if self.outlived and not self.outcome.violations:
            self._go_on_with_the_same_webs()
        self._ask("end")

    def _drain(self) -> None:
        if not self.outcome.violations:
            super()._drain()

    def _die_at_a_sync(self, power: int) -> bool:
        """The first process of the server starts all others anew; it gives up if that fails, too."""
        died = super()._die_at_a_sync(power)
        if not power and self.server.has_ended():
            self.server.strike()
            self._start()
        return died

    def _end(self, ending: str) -> None:
        self._strike(ending)
        self.outlived = self.rng.random() < 0.5
        if not self.outlived:
            self._ask("end")
        self.server.strike()
        self._cut() if ending == "cut" else self.disk.begin()
        self.outcome.figures["cuts" if ending == "cut" else "kills"] += 1
        self._start()

    def _cut(self) -> None:
        way = self.disk.cut(self.rng)
        self.disk.slow(self.plan.slow)
        self.server.let_in(*(path for path in self.server.folder.rglob("*") if path.is_file()))
        self.outcome.figures[f"cuts, unsynced {way}"] += 1

    def _go_on_with_the_same_webs(self) -> None:
        self.clients.go_on()
        self._some_texts(at_least=1)
        self.clients.hold()
        self.outcome.figures["web servers that outlived the server"] += 1

    def _look(self) -> Found:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url) as conn:
            return self._read(conn)
        raise _NoServer("the server takes no connections")

    def _read(self, conn: "psycopg.Connection[tuple[object, ...]]") -> Found:
        """All rows, and whether the index names the same."""
        try:
            texts, given = conn.execute(TEXTS).fetchall(), conn.execute(ANSWERS).fetchall()
            conn.execute("set enable_seqscan = off")
            indexed = conn.execute("select provider_id from inbox where provider_id > '' order by provider_id")
            whole = sorted(text for text, _ in texts) == [row[0] for row in indexed]
            return found_in("ok" if whole else "the index names others than the table", texts, given)
        except psycopg.DatabaseError as error:
            return Found(str(error), replies.Counter(), {})


class _NoServer(Exception):
    """It does not come back."""
