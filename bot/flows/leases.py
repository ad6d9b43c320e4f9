"""Leases of messages whose provider is being called: a slow provider must not be taken for a dead worker.

One thread of the process renews what is under way, and ends when nothing is.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import log
from bot.flows.context import Context
from bot.store import sends

Attempts = Sequence[tuple[str, str]]  # message id and attempt id of each


@contextmanager
def kept(ctx: Context, attempts: Attempts, tell: Callable[[], datetime] | None) -> Iterator[None]:
    """Renew the leases of these attempts until it is over, the first time after a third of a lease; not without a
    clock to `tell` the time."""
    if tell is None or not attempts:
        yield
        return
    call = _Call(ctx, attempts, tell, time.monotonic())
    _keeper.add(call)
    try:
        yield
    finally:
        _keeper.drop(call)


@dataclass(eq=False)
class _Call:
    """Attempts under way. `renewed`: when, by the machine's own seconds."""

    ctx: Context
    attempts: Attempts
    tell: Callable[[], datetime]
    renewed: float

    @property
    def next(self) -> float:
        """When the leases are to be renewed."""
        return self.renewed + self.ctx.config.lease_seconds / 3

    def renew(self) -> None:
        """Once more from now on. A fault is told and no more: the lease ends then, and the message is looked up."""
        self.renewed = time.monotonic()
        try:
            with self.ctx.store.transaction() as tx:
                until = self.tell() + timedelta(seconds=self.ctx.config.lease_seconds)
                for message_id, attempt_id in self.attempts:
                    sends.renew(tx, message_id, attempt_id, until)
        except Exception as error:
            log.get().error("fault", what="renewing a lease", error=error.__class__.__name__)
        finally:
            self.ctx.store.close()


class _Keeper:
    """The thread, and the calls it renews."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._thread: threading.Thread | None = None
        self._looks_at = 0.0

    def add(self, call: _Call) -> None:
        with self._changed:
            self._calls.add(call)
            if self._thread is None or not self._thread.is_alive():  # in a forked child it is gone
                self._looks_at = call.next
                self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
                self._thread.start()
            elif call.next < self._looks_at:
                self._changed.notify()

    def drop(self, call: _Call) -> None:
        with self._changed:
            self._calls.discard(call)

    def _run(self) -> None:
        while calls := self._due():
            for call in calls:
                call.renew()

    def _due(self) -> list[_Call]:
        """Wait for calls whose leases are to be renewed; none when nothing is under way any more."""
        with self._changed:
            while self._calls:
                now = time.monotonic()
                if due := [call for call in self._calls if call.next <= now]:
                    return due
                self._looks_at = min(call.next for call in self._calls)
                self._changed.wait(self._looks_at - now)
            self._thread = None
            return []


_keeper = _Keeper()
