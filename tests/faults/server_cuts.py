"""Replies under power cuts and kills of a PostgreSQL server, whose files are on a disk that forgets (P5, P7).

Real web servers, on the server's machine or on another that stays up. After each blow the server recovers as it
would after a real one, and the auditor asks it what is there.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.faults import replies
from tests.faults.disk import Disk
from tests.faults.replies import ANSWERS, TEXTS, Found, Outcome, Plan, found_in
from tests.faults.served import NoServer, Served

SPOILED = {"forgetful_server": ("fsync=off",)}


def run(plan: Plan) -> Outcome:
    """Play the plan, auditing all the way."""
    with tempfile.TemporaryDirectory(prefix="attune-power-") as folder:
        return _Run(plan, Path(folder)).play()


class _Run(replies.Run):
    def play(self) -> Outcome:
        try:
            return super().play()
        except (NoServer, replies.Stuck) as error:
            self.outcome.violations.append(f"P5 {error}")
            return self.outcome
        finally:
            self.server.strike()

    def _database(self) -> str:
        self.server = Served(self.folder, SPOILED.get(self.plan.plant, ()))
        return self.server.url

    def _put_on_disk(self) -> Disk:
        return self.server.put_on_disk()

    def _environment(self) -> dict[str, str]:
        return replies.ENVIRONMENT

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
        died = super()._die_at_a_sync(power)
        if not power:
            self.server.mend()
        return died

    def _end(self, ending: str) -> None:
        self._strike(ending)
        self.outlived = self.rng.random() < 0.5
        if not self.outlived:
            self._ask("end")
        self.server.strike()
        self._cut() if ending == "cut" else self.disk.begin()
        self.outcome.figures["cuts" if ending == "cut" else "kills"] += 1
        self.server.start()

    def _cut(self) -> None:
        way = self.server.cut(self.rng)
        self.disk.slow(self.plan.slow)
        self.outcome.figures[f"cuts, unsynced {way}"] += 1

    def _go_on_with_the_same_webs(self) -> None:
        self.clients.go_on()
        self._some_texts(at_least=1)
        self.clients.hold()
        self.outcome.figures["web servers that outlived the server"] += 1

    def _look(self) -> Found:
        with suppress(psycopg.OperationalError), psycopg.connect(self.server.url) as conn:
            return self._read(conn)
        raise NoServer("the server takes no connections")

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
