"""Forked children and the SQLite files their parent had open.

SQLite keeps a book in memory of the locks its process holds, and a child inherits the book without the locks. It would
write into a log that its parent removes under it, and be told that all was stored. So a file that was open at the
moment of a fork, in whatever thread, is refused to the child, and what was open is never closed there: closing would
roll back what the parent is writing.
"""

import ctypes
import os
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

IN_THE_MIDDLE = (
    "This process was forked in the middle of a transaction, or while another thread had the database open; it can't "
    "use the database. Start processes before threads use it, or as new programs."
)


class Mark:
    """A connection to a file. Made before the file is opened; it goes only once the file is closed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.conn: Any = None
        with _no_fork:
            _marks.add(self)

    def __del__(self) -> None:
        # not by its own end, which comes when nobody finds this any more: closing takes a while
        if self.conn is not None:
            with suppress(Exception):  # some other thread's; then by its own end
                self.conn.close()


def inherited(path: str) -> bool:
    """Whether this is a child whose parent had the file open."""
    return path in _inherited


def check(path: str) -> None:
    """Raises RuntimeError in such a child."""
    if inherited(path):
        raise RuntimeError(IN_THE_MIDDLE)


def before() -> None:
    """Hold what is open, lest the child close what belongs to threads it doesn't have; nobody opens anything now."""
    _no_fork.acquire()
    _held.extend(_marks)


def in_child() -> None:
    """Nothing of what was open is ever closed here, not even as the process ends."""
    for mark in _held:
        _inherited.add(mark.path)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(mark))


_no_fork = threading.Lock()
_marks: "WeakSet[Mark]" = WeakSet()
_held: list[Mark] = []
_inherited: set[str] = set()

# What lets go is the interpreter's own, so that no exception comes between.
os.register_at_fork(before=before, after_in_child=in_child)
os.register_at_fork(after_in_parent=_held.clear, after_in_child=_held.clear)
os.register_at_fork(after_in_parent=_no_fork.release, after_in_child=_no_fork.release)
