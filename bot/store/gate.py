"""Turns at writing, over all processes, by a lock on a file beside the database.

SQLite's own busy handler sleeps and looks again, so that one busy writer starves the others. The system's
file locks wake whoever waits. They know no time limit, so a writer that has to wait waits in a thread of its
own: one process that hangs while it writes must not hang the rest without a word.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator

from bot.store.errors import NOTHING_KEPT, StoreError, files_told_in_words


class Gate:
    """One writer at a time. The file holds nothing and is never removed."""

    def __init__(self, path: str) -> None:
        self.path = path

    @contextlib.contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait for a turn, `patience` seconds at the most. Raises StoreError when it doesn't come."""
        with files_told_in_words(self.path):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked_at_once(handle):
            _Waiting(handle).wait(patience)
        try:
            yield
        finally:
            # unlock, not only close: a child forked meanwhile shares the lock
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


class _Waiting(threading.Thread):
    """Waits for the lock. Whoever gave up leaves the handle to this thread, which closes it in the end."""

    def __init__(self, handle: int) -> None:
        super().__init__(name="gate", daemon=True)
        self.handle = handle
        self._deciding = threading.Lock()
        self._ours = threading.Event()
        self._given_up = False

    def wait(self, patience: float) -> None:
        """Returns with the lock held. Raises StoreError when it takes too long."""
        self.start()
        try:
            in_time = self._ours.wait(patience)
        except BaseException:
            if not self._give_up():
                os.close(self.handle)
            raise
        if not in_time and self._give_up():
            raise StoreError(
                f"Another process has been writing to the database for {patience:g} seconds, so it may hang. "
                f"{NOTHING_KEPT}; try again, and restart web and worker if it goes on."
            )

    def run(self) -> None:
        fcntl.flock(self.handle, fcntl.LOCK_EX)
        with self._deciding:
            if self._given_up:
                os.close(self.handle)
            else:
                self._ours.set()

    def _give_up(self) -> bool:
        with self._deciding:
            self._given_up = not self._ours.is_set()
            return self._given_up


def _locked_at_once(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
