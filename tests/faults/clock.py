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

from bot.store import Tx, sends

# offset, the offset before, when it was set (machine's time), whether workers may freeze, how many threads have
SHAPE = struct.Struct("5d")
MAY_FREEZE, FROZEN = 24, 32  # where they are in it: each process writes only what is its own
LAST_LOOK = "_call"  # the function in bot.flows.sending that looks whether its checks are fresh, and calls
JUST_SET = 8.0  # seconds for which a call may still go by the clock as it was before: a process may have been frozen


class SharedClock:
    """Epoch seconds by the machine's clock, plus the offset in the file. The file is read by every process."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(SHAPE.pack(0.0, 0.0, 0.0, 1.0, 0.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), SHAPE.size)

    def times(self) -> list[float]:
        """What it shows, and, just after it was set, what it would show otherwise."""
        real = time.time()
        offset, before, since, *_ = SHAPE.unpack(self._memory[:])
        return [real + offset] + ([real + before] if real - since < JUST_SET else [])

    def time(self) -> float:
        return self.times()[0]

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def set(self, to: float) -> None:
        """Make it show this time (epoch seconds) from here on: forward or back."""
        offset, *_ = SHAPE.unpack(self._memory[:])
        struct.pack_into("3d", self._memory, 0, to - time.time(), offset, time.time())

    def calm(self) -> None:
        """No freezing any more."""
        struct.pack_into("d", self._memory, MAY_FREEZE, 0.0)

    def may_freeze(self) -> bool:
        return bool(SHAPE.unpack(self._memory[:])[3])

    def frozen_threads(self) -> int:
        """How many threads have been frozen so far; about so many, if two were at the same moment."""
        return int(SHAPE.unpack(self._memory[:])[4])

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for a worker here."""


class FreezingClock(SharedClock):
    """As a worker sees it: now and then it freezes as it looks at the clock to send.

    That is where a frozen worker does most harm: between its claim, its checks and its call. `only_in` names the
    one function that is to freeze. Of the freezes, the share `whole` stops the whole process (SIGSTOP), until somebody
    else lets it go on. Such a one mostly holds the writers' turn, so that nobody else gets any further either. The
    others stop one of its threads, and the leases of that process aren't renewed meanwhile.
    """

    def __init__(
        self, path: Path, rng: random.Random, share: float, whole: float, seconds: float, only_in: str
    ) -> None:
        super().__init__(path)
        self._rng, self._share, self._whole = rng, share, whole
        self._seconds, self._only_in = seconds, only_in
        self._frozen: list[int] = []

    def spoil_leases(self) -> None:
        """From now on no lease is renewed in this process while one of its threads is frozen."""
        renew = sends.renew

        def renew_or_not(tx: Tx, message_id: str, attempt_id: str, until: datetime) -> None:
            if not self._frozen:
                renew(tx, message_id, attempt_id, until)

        sends.renew = renew_or_not

    def now(self) -> datetime:
        before = super().now()
        asks = sys._getframe(1).f_code.co_name
        ours = threading.current_thread().name.startswith("send-") and self._only_in in ("", asks)
        if ours and self._rng.random() < self._share and self.may_freeze():
            self._freeze()
        # whoever is about to send looks first and freezes then; the look before the call is the one after the thaw
        return super().now() if asks == LAST_LOOK else before

    def _freeze(self) -> None:
        if self._rng.random() < self._whole:
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        self._frozen.append(threading.get_ident())
        struct.pack_into("d", self._memory, FROZEN, self.frozen_threads() + 1)
        time.sleep(self._seconds)
        self._frozen.remove(threading.get_ident())
