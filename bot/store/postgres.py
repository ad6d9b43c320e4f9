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
from psycopg.rows import dict_row
from psycopg.types.numeric import FloatLoader

from bot.store import readiness
from bot.store.errors import NOTHING_KEPT, StoreError
from bot.store.seal import Sealer
from bot.store.together import Result, Together
from bot.store.tx import ONLY_READS, PATIENCE, UPGRADE_PATIENCE, Row, Tx
from migrations import STEPS, statements

WRITERS_TURN = 7_461_001  # the advisory lock that writers of one database take in turn
SAFE_COMMITS = ("on", "remote_apply", "remote_write", "local")  # each waits for this server's own disk

# A name after a colon, but not within a literal, a quoted name, a comment or a cast.
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|::\s*\w+|(?<![:\w]):([A-Za-z_]\w*)|%""")


class PostgresTx(Tx):
    """A transaction of PostgreSQL."""

    lock = "for update skip locked"

    def __init__(self, conn: "psycopg.Connection[Row]", sealer: Sealer) -> None:
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
    """One database of a PostgreSQL server, one connection a thread."""

    dialect = "postgresql"

    def __init__(self, url: str, sealer: Sealer) -> None:
        self.url, self.sealer = url, sealer
        self._local = _OfThread()
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

        Raises StoreError, in words, when the server can't be used; then nothing was stored, except where the
        connection broke during the commit: then nobody knows, as with any database.
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
        if found["synchronous_commit"] not in SAFE_COMMITS or found["fsync"] != "on":
            raise StoreError(
                f"The server runs with synchronous_commit={found['synchronous_commit']} and fsync={found['fsync']}; "
                "replies could be lost in a power cut. Attune needs both on: see the server's postgresql.conf."
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

    def close(self) -> None:
        """Close this thread's connection."""
        conn, self._local.conn = self._local.conn, None
        if conn is not None:
            conn.close()

    @contextlib.contextmanager
    def _outermost(self, write: bool, patience: float) -> Iterator[Tx]:
        conn = self._connection()
        tx = PostgresTx(conn, self.sealer)
        self._local.outer = _Outer(tx, write)
        try:
            conn.execute(_turn(patience) if write else "begin isolation level repeatable read read only")
            yield tx
            conn.execute("commit")
        except BaseException as error:
            self._undo(conn)
            if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                raise RuntimeError(ONLY_READS) from error
            raise
        finally:
            self._local.outer = None

    def _undo(self, conn: "psycopg.Connection[Row]") -> None:
        try:
            conn.execute("rollback")
        except psycopg.Error:  # never use a connection again that can't even undo
            self.close()

    def _connection(self) -> "psycopg.Connection[Row]":
        if self._local.pid != os.getpid():
            self._local.conn, self._local.outer, self._local.pid = None, None, os.getpid()
        if self._local.conn is None or self._local.conn.closed:
            self._local.conn = _connect(self.url)
        return self._local.conn

    @contextlib.contextmanager
    def _told_in_words(self) -> Iterator[None]:
        """What the server says of itself becomes a StoreError; a fault in our SQL stays as it is."""
        try:
            yield
        except psycopg.errors.UndefinedTable as error:
            raise StoreError(f"{self.place} lacks its tables: run `attune migrate` first.") from error
        except psycopg.errors.LockNotAvailable as error:
            raise StoreError(f"{self.place}: someone else has been writing for too long. {NOTHING_KEPT}.") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
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
        self.conn: psycopg.Connection[Row] | None = None
        self.outer: _Outer | None = None
        self.pid = os.getpid()


def _connect(url: str) -> "psycopg.Connection[Row]":
    # Parameters are put in on our side: the server then guesses their types as it does for literals, and no prepared
    # statements get in the way of a pooler in between.
    conn = psycopg.connect(
        url, autocommit=True, row_factory=dict_row, cursor_factory=psycopg.ClientCursor, connect_timeout=10
    )
    conn.adapters.register_loader("numeric", FloatLoader)
    conn.execute("set synchronous_commit = on")
    conn.execute("set time zone 'UTC'")
    return conn


def _turn(patience: float) -> str:
    """Begin writing, once it is our turn: one trip to the server."""
    return (
        f"begin; set local lock_timeout = {int(patience * 1000)}; "
        f"select pg_advisory_xact_lock({WRITERS_TURN}); set local lock_timeout = 0"
    )


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
