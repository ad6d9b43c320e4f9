"""The engine under the store: connections, transactions, the writer's gate, migrations.

SQLite by sqlite-utils. What differs between SQLite and PostgreSQL stays in this file: the SQL everywhere
else is the subset both speak (see docs/design.md, "One SQL text for two engines").
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlite_utils

# pysqlite3 where it is installed: the two must never be mixed in one process
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from bot.store.seal import Sealer
from migrations import STEPS, statements

Row = dict[str, Any]
WAL_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))  # releases with the WAL-reset corruption bug mended


class StoreError(Exception):
    """The database can't be used as it is; the message says why and what to do."""


class Tx:
    """One transaction: run SQL, seal and open fields. Nothing here talks to the network."""

    lock = ""  # PostgreSQL's "for update skip locked"; SQLite has one writer, so nothing to skip

    def __init__(self, db: sqlite_utils.Database, sealer: Sealer) -> None:
        self._db = db
        self.sealer = sealer

    def all(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Every row the statement gives, writes with RETURNING included."""
        return list(self._db.query(sql, dict(params or {})))

    def one(self, sql: str, params: Mapping[str, Any] | None = None) -> Row | None:
        """The first row, or None."""
        rows = self.all(sql, params)
        return rows[0] if rows else None

    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> int:
        """Run a statement that gives no rows; the number of rows it changed."""
        return int(self._db.execute(sql, dict(params or {})).rowcount)

    def insert(self, table: str, row: Mapping[str, Any], unless: str = "") -> bool:
        """Insert one row; False if `unless` (an "on conflict ..." clause) kept it out."""
        names = list(row)
        values = ", ".join(f":{name}" for name in names)
        # table and column names come from this program, never from input
        sql = f"insert into {table} ({', '.join(names)}) values ({values}) {unless}"
        return self.run(sql, row) == 1

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows of one shape."""
        if rows:
            names = list(rows[0])
            values = ", ".join(f":{name}" for name in names)
            sql = f"insert into {table} ({', '.join(names)}) values ({values})"
            self._db.conn.executemany(sql, [dict(row) for row in rows])

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for many sets of parameters."""
        if rows:
            self._db.conn.executemany(sql, [dict(row) for row in rows])

    def seal(self, table: str, column: str, row_id: str, text: str | None) -> str | None:
        """Seal a field for its place; None and the empty text stay None."""
        return self.sealer.seal(f"{table}|{column}|{row_id}", text) if text else None

    def open(self, table: str, column: str, row_id: str, sealed: str | None) -> str:
        """Open a sealed field; the empty text for None."""
        return self.sealer.open(f"{table}|{column}|{row_id}", sealed) if sealed else ""

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """What fails inside is undone alone; the rest of the transaction stands."""
        with self._db.atomic():
            yield


class SqliteEngine:
    """One SQLite file, one connection a thread, turns at writing by a gate beside the file."""

    dialect = "sqlite"

    def __init__(self, path: str, sealer: Sealer) -> None:
        self.path = os.path.abspath(path)
        self.sealer = sealer
        self._local = threading.local()

    @contextlib.contextmanager
    def transaction(self, write: bool = True) -> Iterator[Tx]:
        """All or nothing. Writers begin IMMEDIATE, behind the gate; inside another it is a savepoint.

        `db.atomic()` alone begins deferred, and a read followed by a write then fails at once when another
        writer came between. SQLite's own busy handler is unfair, so writers take turns by a file lock.
        """
        db = self._database()
        if db.conn.in_transaction:
            with db.atomic():
                yield Tx(db, self.sealer)
            return
        with self._gate() if write else contextlib.nullcontext():
            db.conn.execute("begin immediate" if write else "begin")
            try:
                yield Tx(db, self.sealer)
            except BaseException:
                db.rollback()
                raise
            else:
                db.conn.execute("commit")

    def migrate(self) -> list[str]:
        """Apply what is missing, safely beside other processes doing the same; the names applied.

        Raises StoreError when the database is newer than this program.
        """
        db = self._database()
        db.conn.execute("pragma foreign_keys=off")
        try:
            with self.transaction() as tx:
                done = _migrate(db)
                if tx.all("pragma foreign_key_check"):
                    raise StoreError("The migration left rows without their parents; nothing was changed.")
            return done
        finally:
            db.conn.execute("pragma foreign_keys=on")

    def pending(self) -> list[str]:
        """Names of migrations not yet applied. Raises StoreError when the database is newer."""
        db = self._database()
        migrations = _migrations()
        _refuse_newer(db, migrations)
        return [migration.name for migration in migrations.pending(db)]

    def durability(self) -> dict[str, str]:
        """What the database says about surviving a power cut."""
        conn = self._database().conn
        asked = ("journal_mode", "synchronous")
        read = {name: str(conn.execute(f"pragma {name}").fetchone()[0]) for name in asked}
        read["sqlite"] = sqlite3.sqlite_version
        return read

    def check_durability(self) -> None:
        """Raises StoreError unless an acknowledged commit survives a power cut (synchronous=FULL)."""
        level = self.durability()["synchronous"]
        if level not in ("2", "3"):
            raise StoreError(
                f"The database runs with synchronous={level}; replies could be lost in a power cut. "
                "Attune needs FULL (2): check that nothing else changes the setting of this connection."
            )

    def check_ready(self) -> None:
        """Raises StoreError, in words, unless the schema is this program's and commits are durable."""
        if waiting := self.pending():
            raise StoreError(f"The database lacks {len(waiting)} upgrade steps: run `attune migrate` first.")
        self.check_durability()

    def integrity(self) -> str:
        """`ok`, or what SQLite's own check found wrong."""
        return str(self._database().conn.execute("pragma quick_check").fetchone()[0])

    def copy_to(self, path: str) -> None:
        """A consistent copy of the live database, by SQLite's online backup."""
        target = sqlite3.connect(path)
        try:
            self._database().conn.backup(target)
        finally:
            target.close()

    def close(self) -> None:
        """Close this thread's connection."""
        if getattr(self._local, "db", None) is not None:
            self._local.db.conn.close()
            os.close(self._local.gate)
            self._local.db = None

    def _database(self) -> sqlite_utils.Database:
        # A connection belongs to its thread, and never crosses a fork.
        if getattr(self._local, "db", None) is None or self._local.pid != os.getpid():
            self._local.db = _connect(self.path)
            self._local.gate = os.open(f"{self.path}.writer", os.O_RDWR | os.O_CREAT, 0o600)
            self._local.pid = os.getpid()
        db: sqlite_utils.Database = self._local.db
        return db

    @contextlib.contextmanager
    def _gate(self) -> Iterator[None]:
        fcntl.flock(self._local.gate, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._local.gate, fcntl.LOCK_UN)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the WAL-reset corruption bug mended (3.51.3, or a backport of the fix)."""
    newest, *backports = WAL_FIXED
    return version >= newest or any(version[:2] == fix[:2] and version >= fix for fix in backports)


def sqlite_path(url: str) -> str:
    """The path in `sqlite:///path` (relative) or `sqlite:////path` (absolute). Raises StoreError."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
        raise StoreError(
            f"DATABASE_URL must look like sqlite:///attune.db (or sqlite:////full/path); its scheme is "
            f"{parts.scheme or 'missing'!r}."
        )
    return unquote(parts.path[1:])


def _connect(path: str) -> sqlite_utils.Database:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    existed = os.path.exists(path)
    conn = sqlite3.connect(path, timeout=20, isolation_level=None)
    if not existed:
        os.chmod(path, 0o600)
    for pragma in ("foreign_keys=on", "synchronous=full", "temp_store=memory", "trusted_schema=off"):
        conn.execute(f"pragma {pragma}")
    # Freed pages must not keep what was erased.
    conn.execute("pragma secure_delete=on")
    if wal_is_safe(sqlite3.sqlite_version_info):
        _switch_to_wal(conn)
    return sqlite_utils.Database(conn, strict=True, execute_plugins=False)


def _switch_to_wal(conn: Any) -> None:
    """The switch ignores the busy timeout when a writer is active, so try a bounded number of times."""
    for wait in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 0.0):
        try:
            conn.execute("pragma journal_mode=wal")
            return
        except sqlite3.OperationalError:
            if not wait:
                raise
            time.sleep(wait)


def _migrations() -> sqlite_utils.Migrations:
    migrations = sqlite_utils.Migrations("attune")
    for name, step in STEPS:
        migrations(name=name)(_runner(statements(step, "sqlite")))
    return migrations


def _runner(sql: list[str]) -> Any:
    def run(db: sqlite_utils.Database) -> None:
        for statement in sql:
            db.execute(statement)

    return run


def _migrate(db: sqlite_utils.Database) -> list[str]:
    migrations = _migrations()
    _refuse_newer(db, migrations)
    names = [migration.name for migration in migrations.pending(db)]
    migrations.apply(db)
    return names


def _refuse_newer(db: sqlite_utils.Database, migrations: sqlite_utils.Migrations) -> None:
    known = {name for name, _ in STEPS}
    unknown = [step.name for step in migrations.applied(db) if step.name not in known]
    if unknown:
        raise StoreError(
            f"This database was upgraded by a newer Attune (step {unknown[-1]}). Nothing was changed. "
            "Start the newer program again, or restore the backup made before the upgrade."
        )
