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

SHAPE = struct.Struct("4d")  # offset, the offset before, when it was set (machine's time), whether workers may freeze
JUST_SET = 3.0  # seconds for which a call may still go by the clock as it was before


class SharedClock:
    """Epoch seconds by the machine's clock, plus the offset in the file. The file is read by every process."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(SHAPE.pack(0.0, 0.0, 0.0, 1.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), SHAPE.size)

    def times(self) -> list[float]:
        """What it shows, and, just after it was set, what it would show otherwise."""
        real = time.time()
        offset, before, since, _ = SHAPE.unpack(self._memory[:])
        return [real + offset] + ([real + before] if real - since < JUST_SET else [])

    def time(self) -> float:
        return self.times()[0]

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def set(self, to: float) -> None:
        """Make it show this time (epoch seconds) from here on: forward or back."""
        offset, _, _, mischief = SHAPE.unpack(self._memory[:])
        self._memory[:] = SHAPE.pack(to - time.time(), offset, time.time(), mischief)

    def calm(self) -> None:
        """No freezing any more."""
        self._memory[:] = SHAPE.pack(*SHAPE.unpack(self._memory[:])[:3], 0.0)

    def may_freeze(self) -> bool:
        return bool(SHAPE.unpack(self._memory[:])[3])

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for a worker here."""


class FreezingClock(SharedClock):
    """As a worker sees it: now and then it freezes as it looks at the clock to send.

    That is where a frozen worker does most harm: between its claim, its checks and its call. `only_in` names the
    one function that is to freeze. Of the freezes, the share `whole` stops the whole process (SIGSTOP), until somebody
    else lets it go on; the others stop one of its threads.
    """

    def __init__(
        self, path: Path, rng: random.Random, share: float, whole: float, seconds: float, only_in: str
    ) -> None:
        super().__init__(path)
        self._rng, self._share, self._whole = rng, share, whole
        self._seconds, self._only_in = seconds, only_in

    def now(self) -> datetime:
        before = super().now()
        asks = sys._getframe(1).f_code.co_name
        sends = threading.current_thread().name.startswith("send-") and self._only_in in ("", asks)
        if sends and self._rng.random() < self._share and self.may_freeze():
            self._freeze()
        # whoever is about to send looks first and freezes then; `deliver` looks a last time once it is thawed
        return super().now() if asks == "deliver" else before

    def _freeze(self) -> None:
        if self._rng.random() < self._whole:
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            time.sleep(self._seconds)
