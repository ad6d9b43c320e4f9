"""A clock that several processes share and that can be set: the machine's, moved by what a small file says."""

import mmap
import os
import random
import signal
import struct
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path


class SharedClock:
    """Epoch seconds by the machine's clock, plus the offset in the file. The file is read by every process."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def time(self) -> float:
        return time.time() + struct.unpack("d", self._memory[:])[0]

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def set(self, to: float) -> None:
        """Make it show this time (epoch seconds) from here on: forward or back."""
        self._memory[:] = struct.pack("d", to - time.time())

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for a worker here."""


class FreezingClock(SharedClock):
    """As a worker sees it: now and then the whole process stops (SIGSTOP) as it looks at the clock to send.

    That is where a frozen worker does most harm: between its claim, its checks and its call. `only_in` names the
    one function that is to freeze. Somebody else must let it go on.
    """

    def __init__(self, path: Path, rng: random.Random, share: float, only_in: str = "") -> None:
        super().__init__(path)
        self._rng, self._share, self._only_in = rng, share, only_in

    def now(self) -> datetime:
        seen = super().now()
        sends = threading.current_thread().name.startswith("send-")
        here = sys._getframe(1).f_code.co_name
        if sends and self._only_in in ("", here) and self._rng.random() < self._share:
            os.kill(os.getpid(), signal.SIGSTOP)
        return seen
