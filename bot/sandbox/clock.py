"""The sandbox's clock: web and worker follow it, so that ten weeks can pass in a minute.

It runs like the machine's, or is held still; either way it may jump forward. Its version counts what happened
(a jump, a message, a webhook answered): a worker that reports the version it read at the start of a pass has
seen everything up to there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

SILENT = 30.0  # seconds after which a worker that doesn't report any more is taken for dead


@dataclass(frozen=True)
class Report:
    """What a worker said at the end of a pass: `version` is the one it read when the pass began."""

    version: int
    busy: bool
    next_due: float | None
    heard: float


class SandboxClock:
    """A clock that can be held and that knows when everyone is done."""

    def __init__(self, start_at: float | None = None, *, held: bool = False) -> None:
        """`start_at`: epoch seconds to begin at, now if None. A held clock only moves by `jump`."""
        self._changed = Condition()
        self._held = held
        self._version = 1
        self._under_way = 0
        self._reports: dict[str, Report] = {}
        start = time.time() if start_at is None else start_at
        self._base = start if held else start - time.time()

    def now(self) -> float:
        """The sandbox's time in epoch seconds."""
        with self._changed:
            return self._base if self._held else self._base + time.time()

    @property
    def version(self) -> int:
        """Grows with every event and every jump."""
        with self._changed:
            return self._version

    @property
    def held(self) -> bool:
        """Whether the clock stands still between jumps."""
        return self._held

    def jump(self, to: float) -> None:
        """Move forward to `to` (epoch seconds). Raises ValueError when that lies in the past."""
        with self._changed:
            ahead = to - self.now()
            if ahead < 0:
                raise ValueError("the sandbox's clock only goes forward")
            self._base += ahead
            self.happened()

    def happened(self) -> None:
        """Something happened that a worker may have to act on: nobody is idle until the next pass."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def begin(self) -> None:
        """A callback or an inbound post is under way."""
        with self._changed:
            self._under_way += 1

    def end(self) -> None:
        """It has been answered, or given up."""
        with self._changed:
            self._under_way -= 1
            self.happened()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """`begin` and `end` around a block."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def report(self, who: str, *, version: int, busy: bool, next_due: float | None) -> None:
        """A worker ended a pass that began at `version`; its next own work is due at `next_due`."""
        with self._changed:
            self._reports[who] = Report(version, busy, next_due, time.monotonic())
            self._changed.notify_all()

    def forget(self, who: str) -> None:
        """A worker is gone (killed, say): don't wait for it."""
        with self._changed:
            self._reports.pop(who, None)
            self._changed.notify_all()

    def workers(self) -> dict[str, Report]:
        """Every worker heard of lately, with its last report."""
        with self._changed:
            alive = time.monotonic() - SILENT
            self._reports = {who: report for who, report in self._reports.items() if report.heard > alive}
            return dict(self._reports)

    def waiting_for(self) -> str:
        """Why nobody may move the clock yet, in plain words; empty when all are idle."""
        with self._changed:
            workers = self.workers()
            if self._under_way:
                return f"{self._under_way} message(s) on their way to Attune"
            if not workers:
                return "no worker has reported yet"
            late = [who for who, last in workers.items() if last.busy or last.version < self._version]
            return f"not through yet: {', '.join(sorted(late))}" if late else ""

    def idle(self) -> bool:
        """Every known worker made a whole pass since the last event, and nothing is on its way."""
        return not self.waiting_for()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until idle, at most `seconds` of real time; whether it came to that."""
        with self._changed:
            return self._changed.wait_for(self.idle, timeout=seconds)

    def wait_beyond(self, version: int, seconds: float) -> None:
        """Wait until the version is greater than `version`, at most `seconds` of real time."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > version, timeout=seconds)

    def next_due(self) -> float | None:
        """When the workers next have something to do (epoch seconds), None when nothing is planned."""
        return min((r.next_due for r in self.workers().values() if r.next_due is not None), default=None)
