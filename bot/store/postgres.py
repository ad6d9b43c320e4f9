"""The engine on PostgreSQL, for more than one machine. The same SQL, the same promises.

Everything above the store reads, decides and writes as if nobody else wrote meanwhile, which SQLite's single writer
gives. Here one advisory lock gives it, across all hosts: writers take turns. What that costs is told in
docs/operators.md; it is far more than a network of clinics needs.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bot.store import readiness
from bot.store.errors import NOTHING_KEPT, StoreError
from bot.store.postgres_link import LOST, Connection, Link
from bot.store.seal import Sealer
from bot.store.together import Result, Together
from bot.store.tx import ONLY_READS, PATIENCE, UPGRADE_PATIENCE, Row, Tx
from migrations import STEPS, statements

WRITERS_TURN = 7_461_001  # the advisory lock that writers of one database take in turn
SAFE_COMMITS = ("on", "remote_apply", "remote_write", "local")  # each waits for this server's own disk
SILENT = 0.25  # a writer that holds its turn may fall silent for this part of the time others wait for theirs
LONGEST = 3  # a statement may take so many times as long as a writer waits for its turn
GRACE = 5.0  # seconds that the server has beyond that to say that it ended it
_LOOK = "begin isolation level repeatable read read only"

# A name after a colon, but not within a literal, a quoted name, a comment or a cast.
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|::\s*\w+|(?<![:\w]):([A-Za-z_]\w*)|%""")


class PostgresTx(Tx):
    """A transaction of PostgreSQL."""

    lock = "for update skip locked"

    def __init__(self, conn: Connection, sealer: Sealer) -> None:
        super().__init__(sealer)
        self._conn = conn

    def all(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        return self._conn.execute(_native(sql), params or {}).fetchall()

    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> int:
        return self._conn.execute(_native(sql), params or {}).rowcount

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            with self._conn.cursor() as cursor:
                cursor.executemany(_native(sql), rows)

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        with self._conn.transaction():
            yield


class PostgresEngine:
    """One database of a PostgreSQL server, one connection a thread. A thread's connection goes to the next one."""

    dialect = "postgresql"

    def __init__(self, url: str, sealer: Sealer) -> None:
        self.url, self.sealer = url, sealer
        self._local = _OfThread()
        self._link = Link(url)
        self._together = Together(self)

    @property
    def place(self) -> str:
        """Where the data is, without password, for messages."""
        parts = urlsplit(self.url)
        return f"PostgreSQL at {parts.hostname or 'this machine'}, database {parts.path.lstrip('/')}"

    def exists(self) -> bool:
        """Whether the database is there. Raises StoreError where the server can't be reached."""
        with self._told_in_words():
            return bool(self._connection())

    @contextlib.contextmanager
    def transaction(self, write: bool = True, patience: float = PATIENCE) -> Iterator[Tx]:
        """All or nothing; writers of all hosts take turns. Inside another it is a savepoint.

        Raises StoreError, in words, when the server can't be used; then nothing was stored, except where it says that
        the connection broke during the commit. A writer that asks nothing of the server for a quarter of `patience`
        (seconds) loses its turn and its transaction, so that a machine that is cut off holds nobody up for longer.
        """
        outer = self._local.outer
        if outer is not None:
            if write and not outer.writes:
                raise RuntimeError(ONLY_READS)
            with outer.tx.savepoint():
                yield outer.tx
            return
        with self._told_in_words(), self._outermost(write, patience) as tx:
            yield tx

    def together(self, work: Callable[[], Result]) -> Result:
        """Run `work`, sharing one commit with whatever other threads of this process write at the same moment."""
        return work() if self._local.outer is not None else self._together.write(work)

    def migrate(self) -> list[str]:
        """Apply what is missing, one process at a time; the names applied. Raises StoreError when the database is
        newer than this program."""
        with self.transaction(patience=UPGRADE_PATIENCE) as tx:
            tx.run("create table if not exists attune_step (name text primary key, applied_at bigint not null)")
            missing = _missing(tx)
            for name, step in STEPS:
                if name in missing:
                    for statement in statements(step, self.dialect):
                        tx.run(statement)
                    tx.insert("attune_step", {"name": name, "applied_at": int(datetime.now(UTC).timestamp())})
            return missing

    def pending(self) -> list[str]:
        """Names of migrations not yet applied. Raises StoreError when the database is newer."""
        with self.transaction(write=False) as tx:
            if tx.one("select to_regclass('attune_step') as t") == {"t": None}:
                return [name for name, _ in STEPS]
            return _missing(tx)

    def durability(self) -> dict[str, str]:
        """What the server says about surviving a power cut."""
        with self.transaction(write=False) as tx:
            asked = ("synchronous_commit", "fsync", "full_page_writes", "server_version")
            return {name: str((tx.one(f"select current_setting('{name}') as v") or {})["v"]) for name in asked}

    def check_durability(self) -> None:
        """Raises StoreError unless an acknowledged commit survives a power cut."""
        found = self.durability()
        unsafe = [name for name in ("fsync", "full_page_writes") if found[name] != "on"]
        unsafe += [] if found["synchronous_commit"] in SAFE_COMMITS else ["synchronous_commit"]
        if unsafe:
            said = " and ".join(f"{name}={found[name]}" for name in unsafe)
            raise StoreError(
                f"{self.place} runs with {said}; replies could be lost in a power cut. Attune needs it on: see the "
                "server's postgresql.conf."
            )

    def check_ready(self) -> None:
        """Raises StoreError, in words, unless the schema is this program's and commits are durable."""
        readiness.check(self)

    def integrity(self) -> str:
        """`ok` when the server answers: it checks its own pages as it reads them."""
        with self.transaction(write=False) as tx:
            return "ok" if tx.one("select 1 as one") == {"one": 1} else "no answer"

    def analyze(self) -> None:
        """Nothing to do: the server looks at its tables by itself."""

    def checkpoint(self) -> None:
        """Nothing to do: the server looks after its own log."""

    def lineage(self) -> str:
        """Which server this is, and in which of its lives: another one once it was promoted or brought back. Inside a
        transaction it is one trip to the server."""
        if self._local.outer is not None:
            return _lineage(self._local.outer.tx)
        with self.transaction(write=False) as tx:
            return _lineage(tx)

    def close(self) -> None:
        """This thread needs its connection no more: another may have it."""
        conn, self._local.conn = self._local.conn, None
        if conn is not None and self._local.pid == os.getpid():
            self._link.leave(conn)

    @contextlib.contextmanager
    def _outermost(self, write: bool, patience: float) -> Iterator[Tx]:
        conn = self._begun(_turn(patience) if write else _LOOK, patience)
        tx = PostgresTx(conn, self.sealer)
        try:
            try:
                self._local.outer = _Outer(tx, write)
                yield tx
                self._commit(conn)
            except psycopg.errors.ReadOnlySqlTransaction as error:
                if write:
                    raise
                raise RuntimeError(ONLY_READS) from error
            finally:
                self._end(conn)
        finally:  # twice, as an exception may strike at any line: see `gate`
            self._end(conn)

    def _end(self, conn: Connection) -> None:
        """Undo what wasn't committed, unless it is a parent's."""
        if conn.maker == os.getpid() and not conn.idle:
            self._undo(conn)
        self._local.outer = None

    def _begun(self, begin: str, patience: float) -> Connection:
        """A connection on which a transaction has begun. One that broke while it waited is made anew: nothing was
        asked of it yet."""
        for last in (False, True):
            conn = self._connection()
            conn.longest = patience + GRACE
            try:
                conn.execute(begin.encode())
                conn.longest = LONGEST * patience + GRACE
                return conn
            except BaseException as error:
                self._undo(conn)
                if last or not (isinstance(error, LOST) and conn.closed):
                    raise
        raise AssertionError("the second try returns or raises")

    def _commit(self, conn: Connection) -> None:
        try:
            said = conn.execute("commit").statusmessage
        except LOST as error:
            raise StoreError(
                f"{self.place} broke off during a commit ({error.__class__.__name__}). Whether what was being done was "
                "stored isn't known; whoever asked for it must ask again."
            ) from error
        if said != "COMMIT":  # a statement had failed, and nobody minded
            raise StoreError(f"{self.place} didn't commit. {NOTHING_KEPT}.")

    def _undo(self, conn: Connection) -> None:
        try:
            conn.execute("rollback")
        except psycopg.Error:  # never use a connection again that can't even undo
            conn.close()
            self._local.conn = None
            self._link.lost()

    def _connection(self) -> Connection:
        if self._local.pid != os.getpid():
            self._local.conn, self._local.outer, self._local.pid = None, None, os.getpid()
        mine, self._local.conn = self._local.conn, None
        self._local.conn = self._link.connection(mine)
        return self._local.conn

    @contextlib.contextmanager
    def _told_in_words(self) -> Iterator[None]:
        """What the server says of itself becomes a StoreError; a fault in our SQL stays as it is."""
        try:
            yield
        except psycopg.errors.UndefinedTable as error:
            raise StoreError(f"{self.place} lacks its tables: run `attune migrate` first.") from error
        except psycopg.errors.ReadOnlySqlTransaction as error:
            raise StoreError(
                f"{self.place} takes no writes: it is a standby, or is still being brought back. {NOTHING_KEPT}."
            ) from error
        except psycopg.errors.LockNotAvailable as error:
            raise StoreError(f"{self.place}: someone else has been writing for too long. {NOTHING_KEPT}.") from error
        except LOST as error:
            self.close()
            raise StoreError(f"{self.place} can't be used ({error.__class__.__name__}). {NOTHING_KEPT}.") from error


class _Outer:
    """The transaction a thread is in."""

    def __init__(self, tx: PostgresTx, writes: bool) -> None:
        self.tx = tx
        self.writes = writes


class _OfThread(threading.local):
    """What belongs to one thread of one process. A connection is never shared with a child."""

    def __init__(self) -> None:
        self.conn: Connection | None = None
        self.outer: _Outer | None = None
        self.pid = os.getpid()


def _turn(patience: float) -> str:
    """Begin writing, once it is our turn: one trip to the server."""
    return (
        f"begin; set local synchronous_commit = on; set local lock_timeout = {int(patience * 1000)}; "
        f"set local idle_in_transaction_session_timeout = {int(patience * SILENT * 1000)}; "
        f"set local statement_timeout = {int(patience * LONGEST * 1000)}; "
        f"select pg_advisory_xact_lock({WRITERS_TURN}); set local lock_timeout = 0"
    )


def _lineage(tx: Tx) -> str:
    row = tx.one(
        "select system_identifier as server, case when pg_is_in_recovery() then '' "
        "else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end as life from pg_control_system()"
    )
    return f"{row['server']}-{row['life']}" if row else ""


@lru_cache(maxsize=2_000)
def _native(sql: str) -> bytes:
    """SQL with :name parameters in psycopg's own form."""
    return _TOKEN.sub(lambda m: f"%({m[1]})s" if m[1] else m[0].replace("%", "%%"), sql).encode()


def _missing(tx: Tx) -> list[str]:
    applied = [row["name"] for row in tx.all("select name from attune_step order by name")]
    known = [name for name, _ in STEPS]
    if unknown := [name for name in applied if name not in known]:
        raise StoreError(
            f"This database was upgraded by a newer Attune (step {unknown[-1]}). Nothing was changed. "
            "Start the newer program again, or restore the backup made before the upgrade."
        )
    return [name for name in known if name not in applied]
