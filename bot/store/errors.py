"""What can be wrong with a database, in words an operator can act on."""

import contextlib
from collections.abc import Iterator

# pysqlite3 where it is installed: the two must never be mixed in one process
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

NOTHING_KEPT = "Nothing of what was being done was stored"

# By SQLite's primary result code: https://www.sqlite.org/rescode.html
_WORDS = {
    3: "can't be used: this program may not open the file. Check the owner and mode of the file and its folder.",
    5: f"is held by another program. {NOTHING_KEPT}; close other tools that have the file open, and try again.",
    8: f"can't be written. {NOTHING_KEPT}; check the owner and mode of the file and its folder, and the disk.",
    10: f"can't be read or written: the disk reports an error. {NOTHING_KEPT}; look at the disk before going on.",
    11: "is damaged. Stop web and worker, keep a copy of the file, and restore the last backup.",
    13: f"is full, or its disk is. {NOTHING_KEPT}; make room, and try again.",
    14: "can't be opened: is the folder there, and may this program write in it?",
    26: "is not a database: DATABASE_URL leads to another file, or the file is damaged.",
}
# A copy that fails halfway says so in SQLite's own words alone, without a code.
_CODES = {"disk I/O error": 10, "database or disk is full": 13}


class StoreError(Exception):
    """The database can't be used as it is; the message says why and what to do."""


@contextlib.contextmanager
def told_in_words(path: str) -> Iterator[None]:
    """What SQLite says about the file or the disk becomes a StoreError; a fault in our SQL stays as it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        words = _words_for(error)
        if words is None:
            raise
        raise StoreError(f"The database {path} {words}") from error


@contextlib.contextmanager
def files_told_in_words(path: str) -> Iterator[None]:
    """What the system says about a file beside the database becomes a StoreError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error.__class__.__name__
        raise StoreError(f"{path} can't be used: {reason}. {NOTHING_KEPT}.") from error


def _words_for(error: sqlite3.DatabaseError) -> str | None:
    if str(error).startswith("no such table"):
        return "lacks its tables: run `attune migrate` first."
    code = getattr(error, "sqlite_errorcode", None) or _CODES.get(str(error), 0)
    return _WORDS.get(code & 0xFF)
