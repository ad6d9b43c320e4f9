"""A connection to one SQLite file, set so that a commit that was acknowledged survives a power cut."""

import contextlib
import os
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlite_utils

# pysqlite3 where it is installed: the two must never be mixed in one process
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from bot.store.errors import StoreError, files_told_in_words
from bot.store.gate import Gate

WAL_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))  # releases with the WAL-reset corruption bug mended
BUSY_SECONDS = 20
STATEMENTS = 500  # kept ready in each connection: a few more than there are
PRAGMAS = (
    "foreign_keys=on",
    "synchronous=full",
    "fullfsync=on",  # macOS alone: there a plain fsync doesn't reach the disk
    "temp_store=memory",
    "cache_size=-1000",  # KB for each thread: whatever another connection writes empties it anyway
    "trusted_schema=off",
    "secure_delete=on",  # freed pages must not keep what was erased
    "wal_autocheckpoint=8000",  # 32 MB: the same pages, written again and again, go into the file once
)
# There a commit is the journal's removal, which lasts once its folder is synced, too.
WITHOUT_WAL = "synchronous=extra"


def connect(path: str, gate: Gate) -> sqlite_utils.Database:
    """Open the file, making it (readable by its owner alone) and its folder where they are missing.

    Where this SQLite isn't safe with WAL, the rollback journal is used, also for a file that was in WAL mode.
    """
    with files_told_in_words(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        make_private(path)
    safe = wal_is_safe(sqlite3.sqlite_version_info)
    # whoever has looked into a file in WAL mode keeps it there: to take it out of it, one at a time
    with contextlib.nullcontext() if safe else gate.turn(BUSY_SECONDS):
        conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=STATEMENTS)
        for pragma in PRAGMAS:
            conn.execute(f"pragma {pragma}")
        _set_journal(conn, "wal" if safe else "delete")
        if not safe:
            conn.execute(f"pragma {WITHOUT_WAL}")
    return sqlite_utils.Database(conn, strict=True, execute_plugins=False)


def make_private(path: str) -> None:
    """Make an empty file that only its owner can read; one that is there already isn't touched.

    Opening and closing a database in use would drop the locks SQLite holds on it, hence only a new one.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the WAL-reset corruption bug mended (3.51.3, or a backport of the fix)."""
    newest, *backports = WAL_FIXED
    return version >= newest or any(version[:2] == fix[:2] and version >= fix for fix in backports)


def sqlite_path(url: str) -> str:
    """The path in `sqlite:///path` (relative) or `sqlite:////path` (absolute). Raises StoreError."""
    parts = urlsplit(url)
    path = unquote(parts.path[1:])
    if parts.scheme != "sqlite":
        raise _bad_address(f"its scheme is {parts.scheme or 'missing'!r}")
    if parts.netloc or not path or path.endswith("/"):
        raise _bad_address("it names no file (three slashes come before a relative path, four before a full one)")
    if parts.query or parts.fragment:
        raise _bad_address("it has a ? or # in it, which a file name writes as %3F and %23")
    if path == ":memory:":
        raise _bad_address("web and worker are processes of their own and can't share a database in memory")
    return path


def copy(conn: Any, path: str) -> None:
    """A consistent copy of a live database, by SQLite's online backup; nothing is left of one that fails."""
    with files_told_in_words(path):
        make_private(path)
    target = sqlite3.connect(path, isolation_level=None)
    try:
        conn.backup(target)
    except BaseException:
        target.close()
        os.unlink(path)
        raise
    target.close()


def grown(conn: Any) -> list[str]:
    """The indexes of tables with twice the rows they had when SQLite last looked at them, or never looked at."""
    tables = conn.execute(
        "select distinct tbl_name from sqlite_master where type = 'index' and tbl_name not like 'sqlite%' order by 1"
    ).fetchall()
    return [index for (table,) in tables if _has_grown(conn, table) for index in _indexes(conn, table)]


def _has_grown(conn: Any, table: str) -> bool:
    now = conn.execute(f'select max(rowid) from "{table}"').fetchone()[0] or 0
    return bool(now >= 2 * _counted(conn, table)) and now > 0


def _counted(conn: Any, table: str) -> int:
    """How many rows there were then; 0 where it never looked."""
    if not conn.execute("select 1 from sqlite_master where name = 'sqlite_stat1'").fetchone():
        return 0
    stats = conn.execute("select stat from sqlite_stat1 where tbl = ?", (table,)).fetchall()
    return max((int(stat.split()[0]) for (stat,) in stats if stat), default=0)


def _indexes(conn: Any, table: str) -> list[str]:
    sql = "select name from sqlite_master where type = 'index' and tbl_name = ? order by name"
    return [name for (name,) in conn.execute(sql, (table,)).fetchall()]


def _bad_address(reason: str) -> StoreError:
    # the address itself is not repeated: another database's may hold a password
    return StoreError(
        f"DATABASE_URL must look like sqlite:///attune.db, sqlite:////full/path/attune.db or "
        f"postgresql://user:password@host/attune; {reason}."
    )


def _set_journal(conn: Any, mode: str) -> None:
    """The switch ignores the busy timeout when someone else is at work, so try a bounded number of times."""
    for wait in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 0.0):
        try:
            conn.execute(f"pragma journal_mode={mode}")
            return
        except sqlite3.OperationalError:
            if not wait:
                raise
            time.sleep(wait)
