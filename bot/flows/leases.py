"""Leases of messages whose provider is being called: a slow provider must not be taken for a dead worker.

One thread of the process renews what is under way, and ends when nothing is.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import log
from bot.flows.context import Context
from bot.store import Store, Tx, sends

Attempts = Sequence[tuple[str, str]]  # message id and attempt id of each


@contextmanager
def kept(ctx: Context, attempts: Attempts, tell: Callable[[], datetime] | None) -> Iterator[None]:
    """Renew the leases of these attempts until it is over, the first time after a third of a lease; not without a
    clock to `tell` the time."""
    if tell is None or not attempts:
        yield
        return
    call = _Call(ctx, attempts, tell, time.monotonic())
    try:
        _keeper.add(call)
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

    def renew(self, tx: Tx) -> None:
        """Once more from now on."""
        until = self.tell() + timedelta(seconds=self.ctx.config.lease_seconds)
        for message_id, attempt_id in self.attempts:
            sends.renew(tx, message_id, attempt_id, until)


def _renew(store: Store, calls: Sequence[_Call]) -> None:
    """By one commit. A fault is told and no more: the leases end then, and the messages are looked up."""
    for call in calls:
        call.renewed = time.monotonic()
    try:
        with store.transaction() as tx:
            for call in calls:
                call.renew(tx)
    except Exception as error:
        log.get().error("fault", what="renewing leases", error=error.__class__.__name__)
    finally:
        store.close()


class _Keeper:
    """The thread, and the calls it renews."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """With nothing under way; in a forked child too, where the thread is gone and may have held the lock."""
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._thread: threading.Thread | None = None
        self._looks_at = 0.0

    def add(self, call: _Call) -> None:
        """Renew it from now on; as soon as another call comes, where the machine has no thread to give."""
        with self._changed:
            self._calls.add(call)
            if self._thread is None or not self._thread.is_alive():
                self._start(call.next)
            elif call.next < self._looks_at:
                self._changed.notify()

    def _start(self, looks_at: float) -> None:
        thread = threading.Thread(target=self._run, name="lease", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            log.get().error("fault", what="keeping leases", error=error.__class__.__name__)
            return
        self._thread, self._looks_at = thread, looks_at

    def drop(self, call: _Call) -> None:
        with self._changed:
            self._calls.discard(call)

    def _run(self) -> None:
        while calls := self._due():
            for store in {call.ctx.store for call in calls}:
                _renew(store, [call for call in calls if call.ctx.store is store])

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
os.register_at_fork(after_in_child=_keeper.begin)
