"""Turns at writing, over all processes, by a lock on a file beside the database.

SQLite's own busy handler sleeps and looks again, so that one busy writer starves the others. The system's
file locks wake whoever waits. They know no time limit, so a writer that has to wait waits in a thread of its
own: one process that hangs while it writes must not hang the rest without a word.

A thread may be struck by an exception at any line (Ctrl-C, a server that ends its worker, no memory). So whose the
lock is gets settled in one operation of a dict, and what must be let go is let go twice.
"""

import contextlib
import fcntl
import os
from _thread import start_new_thread
from collections.abc import Iterator
from functools import partial
from io import FileIO
from weakref import WeakSet

from bot.store.bell import Bell
from bot.store.errors import NOTHING_KEPT, StoreError, files_told_in_words

_TAKEN, _GIVEN_UP = "taken", "given up"
_private = partial(os.open, mode=0o600)


class Gate:
    """One writer at a time. The file holds nothing and is never removed."""

    def __init__(self, path: str) -> None:
        self.path = path

    @contextlib.contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait for a turn, `patience` seconds at the most. Raises StoreError when it doesn't come."""
        turn = _Turn(self.path)
        try:
            try:
                turn.take(patience)
                yield
            finally:
                turn.leave()
        finally:
            turn.leave()


class _Turn:
    """The file opened once: the lock belongs to that. Whoever gives up leaves it to the thread that waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waits = False  # a thread waits for the lock, or did
        self._fate: dict[str, str] = {}  # how its wait ended: the first word stands
        self._over = Bell()
        with files_told_in_words(path):
            self._file = FileIO(path, "a", opener=_private)
        _turns.add(self)

    def take(self, patience: float) -> None:
        """Returns with the lock held. Raises StoreError when it takes too long."""
        if self._at_once():
            return
        self._waits = True
        start_new_thread(self._wait, ())
        self._over.wait(patience)
        if self._given_up():
            raise StoreError(
                f"Another process has been writing to the database for {patience:g} seconds, so it may hang. "
                f"{NOTHING_KEPT}; try again, and restart web and worker if it goes on."
            )

    def leave(self) -> None:
        """Let go of the lock, or of the wait for it. May be done again."""
        if not (self._waits and self._given_up()):
            self._close()

    def disown(self) -> None:
        """In a forked child: the lock is the parent's, and must not outlive it here. Closing doesn't let it go."""
        self._file.close()

    def _at_once(self) -> bool:
        with files_told_in_words(self._path), contextlib.suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def _wait(self) -> None:
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
                self._fate.setdefault("fate", _TAKEN)
            finally:
                self._tell()
        finally:
            self._tell()

    def _tell(self) -> None:
        if self._given_up():
            self._close()
        self._over.ring()

    def _given_up(self) -> bool:
        """From here on it is, unless the lock was taken before."""
        return self._fate.setdefault("fate", _GIVEN_UP) == _GIVEN_UP

    def _close(self) -> None:
        if not self._file.closed:
            # unlock, not only close: a child being forked just now shares the lock
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()


_turns: "WeakSet[_Turn]" = WeakSet()


def _disown_all() -> None:
    for each in list(_turns):
        each.disown()


os.register_at_fork(after_in_child=_disown_all)
