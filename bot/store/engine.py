"""The engine under the store: transactions, one connection a thread, upgrades, durability.

SQLite by sqlite-utils. What differs between SQLite and PostgreSQL stays in this file and the five it uses
(`sqlite`, `gate`, `upgrades`, `errors`, `forks`): the SQL everywhere else is the subset both speak (see docs/design.md,
"One SQL text for two engines").
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakSet

import sqlite_utils

# pysqlite3 where it is installed: the two must never be mixed in one process
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from bot.store import forks, readiness, sqlite, upgrades
from bot.store.errors import NOTHING_KEPT, StoreError, told_in_words
from bot.store.gate import Gate
from bot.store.seal import Sealer
from bot.store.sqlite import sqlite_path, wal_is_safe
from bot.store.together import Result, Together
from bot.store.tx import ONLY_READS, PATIENCE, UPGRADE_PATIENCE, Row, Tx

__all__ = ["Row", "SqliteEngine", "StoreError", "Tx", "sqlite_path", "wal_is_safe"]

_READS = re.compile(r"\s*(select|with(?!.*\b(insert|update|delete|replace(?!\s*\())\b))\b", re.IGNORECASE | re.DOTALL)
ANALYZED_ROWS = 1_000  # of each index: enough to tell them apart, and done in a moment


class SqliteTx(Tx):
    """A transaction of SQLite, through sqlite-utils. It has one writer at a time, so there are no rows to skip."""

    def __init__(self, db: sqlite_utils.Database, sealer: Sealer, writes: bool) -> None:
        super().__init__(sealer)
        self._db = db
        self._writes = writes
        self.over = False  # or, in a forked child, the parent's

    def all(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        # not by `query`, which puts a savepoint around each question: two statements more
        cursor = self._live(sql).execute(sql, params or {})
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> int:
        return int(self._live(sql).execute(sql, params or {}).rowcount)

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._live(sql).executemany(sql, rows)

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        conn = self._live()
        conn.execute("savepoint inner_one")  # of several of one name the innermost is meant
        try:
            yield
        except BaseException:
            if not self.over and conn.in_transaction:  # else the fault has undone everything
                conn.execute("rollback to inner_one")
                conn.execute("release inner_one")
            raise
        conn.execute("release inner_one")

    def _live(self, sql: str = "select") -> Any:
        """The connection, for this statement. A pragma would keep a reader from writing too, but setting one throws
        away every statement that SQLite has ready."""
        # Some faults (a full disk) make SQLite undo the whole transaction by itself. What came after it, had
        # the fault been swallowed, would be stored statement by statement, and without what came before.
        if self.over or not self._db.conn.in_transaction:
            raise StoreError(f"This transaction is over. {NOTHING_KEPT}.")
        if not self._writes and not _READS.match(sql):
            raise RuntimeError(ONLY_READS)
        return self._db.conn


class SqliteEngine:
    """One SQLite file, one connection a thread, turns at writing by a gate beside the file."""

    dialect = "sqlite"

    def __init__(self, path: str, sealer: Sealer) -> None:
        self.path = os.path.abspath(path)
        self.sealer = sealer
        self._gate = Gate(f"{self.path}.writer")
        self._local = _OfThread()
        self._together = Together(self)
        _engines.add(self)

    @property
    def place(self) -> str:
        """Where the data is, for messages."""
        return self.path

    def exists(self) -> bool:
        """Whether the file is there."""
        return os.path.exists(self.path)

    @contextlib.contextmanager
    def transaction(self, write: bool = True, patience: float = PATIENCE) -> Iterator[Tx]:
        """All or nothing. Writers begin IMMEDIATE, behind the gate; inside another it is a savepoint.

        `db.atomic()` alone begins deferred, and a read followed by a write then fails at once when another
        writer came between. For the same reason one that began with write=False can't write.
        Raises StoreError, in words, when the disk or the file can't be used; then nothing was stored.
        """
        with told_in_words(self.path):
            outer = self._local.outer
            if outer is None:
                with self._outermost(write, patience) as tx:
                    yield tx
            elif write and not outer.writes:
                raise RuntimeError(ONLY_READS)
            else:
                with outer.tx.savepoint():
                    yield outer.tx

    def together(self, work: Callable[[], Result]) -> Result:
        """Run `work`, sharing one commit with whatever other threads of this process write at the same moment."""
        return work() if self._local.outer is not None else self._together.write(work)

    def migrate(self) -> list[str]:
        """Apply what is missing, safely beside other processes doing the same; the names applied.

        Raises StoreError when the database is newer than this program.
        """
        with told_in_words(self.path):
            conn = self._database().conn
            # rebuilding a table would otherwise delete the rows that refer to it
            conn.execute("pragma foreign_keys=off")
            try:
                with self.transaction(patience=UPGRADE_PATIENCE):
                    return upgrades.apply(self._database())
            finally:
                conn.execute("pragma foreign_keys=on")

    def pending(self) -> list[str]:
        """Names of migrations not yet applied. Raises StoreError when the database is newer."""
        with told_in_words(self.path):
            return upgrades.missing(self._database())

    def durability(self) -> dict[str, str]:
        """What the database says about surviving a power cut."""
        with told_in_words(self.path):
            conn = self._database().conn
            asked = ("journal_mode", "synchronous")
            read = {name: str(conn.execute(f"pragma {name}").fetchone()[0]) for name in asked}
        read["sqlite"] = sqlite3.sqlite_version
        return read

    def check_durability(self) -> None:
        """Raises StoreError unless an acknowledged commit survives a power cut (synchronous=FULL)."""
        found = self.durability()
        if found["synchronous"] not in ("2", "3"):
            raise StoreError(
                f"The database runs with synchronous={found['synchronous']}; replies could be lost in a power cut. "
                "Attune needs FULL (2): check that nothing else changes the setting of this connection."
            )
        if found["journal_mode"] not in ("wal", "delete", "truncate", "persist"):
            raise StoreError(
                f"The database runs with journal_mode={found['journal_mode']}; a crash could damage it. "
                "Attune needs wal or delete: check that nothing else changes the setting of this connection."
            )

    def check_ready(self) -> None:
        """Raises StoreError, in words, unless the schema is this program's and commits are durable."""
        readiness.check(self)

    def integrity(self) -> str:
        """`ok`, or what SQLite's own check found wrong."""
        with told_in_words(self.path):
            return str(self._database().conn.execute("pragma quick_check").fetchone()[0])

    def copy_to(self, path: str) -> None:
        """A consistent copy of the live database, readable by its owner alone."""
        with told_in_words(path):
            sqlite.copy(self._database().conn, path)

    def checkpoint(self) -> None:
        """Bring everything into the database file and empty its WAL, so that the WAL keeps nothing of old values."""
        with told_in_words(self.path):
            self._database().conn.execute("pragma wal_checkpoint(truncate)")

    def analyze(self) -> None:
        """Let SQLite look at how rows are spread, so that it picks the right index for a large practice.

        It counts all rows of an index, and nobody can write meanwhile: so each has a turn of its own, and only those of
        tables that have doubled since are looked at.
        """
        with told_in_words(self.path):
            conn = self._database().conn
            conn.execute(f"pragma analysis_limit={ANALYZED_ROWS}")
            for name in sqlite.grown(conn):
                with self._gate.turn(PATIENCE):
                    conn.execute(f'analyze "{name}"')

    def close(self) -> None:
        """Close this thread's connection."""
        db, self._local.db = self._local.db, None
        if db is not None and not forks.inherited(self.path):
            db.conn.close()
        self._local.mark = None

    @contextlib.contextmanager
    def _outermost(self, write: bool, patience: float) -> Iterator[Tx]:
        db = self._database()
        with self._gate.turn(patience) if write else contextlib.nullcontext():
            tx = SqliteTx(db, self.sealer, write)
            try:
                try:
                    db.conn.execute("begin immediate" if write else "begin")
                    self._local.outer = _Outer(tx, write)
                    yield tx
                    forks.check(self.path)
                    db.conn.execute("commit")
                finally:
                    self._end(db, tx)
            finally:  # twice, as an exception may strike at any line: see `gate`
                self._end(db, tx)

    def _end(self, db: sqlite_utils.Database, tx: SqliteTx) -> None:
        """Undo what wasn't committed, unless it is a parent's."""
        try:
            if not tx.over and db.conn.in_transaction:
                db.conn.execute("rollback")
        except sqlite3.Error:  # never use a connection again that can't even undo
            with contextlib.suppress(sqlite3.Error):
                self.close()
        tx.over, self._local.outer = True, None

    def _database(self) -> sqlite_utils.Database:
        forks.check(self.path)
        if self._local.db is None:
            mark = forks.Mark(self.path)
            db = sqlite.connect(self.path, self._gate)
            mark.conn = db.conn
            self._local.mark, self._local.db = mark, db
        return self._local.db

    def _before_fork(self) -> None:
        # A child that inherits an open connection believes in locks it doesn't hold: see `forks`.
        # https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
        if self._local.outer is None:
            self.close()

    def _after_fork(self) -> None:
        if self._local.outer is not None:
            self._local.outer.tx.over = True


class _Outer:
    """The transaction a thread is in."""

    def __init__(self, tx: SqliteTx, writes: bool) -> None:
        self.tx = tx
        self.writes = writes


class _OfThread(threading.local):
    """What belongs to one thread of one process."""

    def __init__(self) -> None:
        self.db: sqlite_utils.Database | None = None
        self.outer: _Outer | None = None
        self.mark: forks.Mark | None = None


_engines: "WeakSet[SqliteEngine]" = WeakSet()


def _each(do: str) -> None:
    for engine in list(_engines):
        getattr(engine, do)()


os.register_at_fork(before=lambda: _each("_before_fork"), after_in_child=lambda: _each("_after_fork"))
