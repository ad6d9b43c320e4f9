"""A bell that wakes one thread. `threading.Event` is written in Python, and a thread that is struck by an exception
while it is in there may leave the Event's own lock held; here each step is one of the interpreter's."""

import threading
from contextlib import suppress


class Bell:
    """Rung before or while someone waits, it wakes them, once; rung twice before that, once all the same."""

    def __init__(self) -> None:
        self._quiet = threading.Lock()
        self._quiet.acquire()

    def ring(self) -> None:
        """Wake whoever waits, or will."""
        with suppress(RuntimeError):  # it has been rung, and nobody came yet
            self._quiet.release()

    def wait(self, seconds: float) -> bool:
        """Whether it was rung in time."""
        return self._quiet.acquire(timeout=seconds)
