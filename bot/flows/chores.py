"""What is to be done every so often, by whichever worker comes first: one turn at a time over all workers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import log
from bot.flows.context import Context
from bot.store import system


@dataclass(frozen=True)
class Chore:
    """`run` gets the time and says how many things it did; the next turn is `every` after this one began."""

    name: str
    every: timedelta
    run: Callable[[Context, datetime], int]


class Chores:
    """The chores of one worker process. One that still runs isn't begun again."""

    def __init__(self, ctx: Context, chores: tuple[Chore, ...]) -> None:
        self._ctx, self._chores = ctx, chores
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def due(self, now: datetime) -> int:
        """How many could be begun now."""
        with self._ctx.store.transaction(write=False) as tx:
            return sum(system.is_turn(tx, each.name, each.every, now) for each in self._idle())

    def run_due(self, now: datetime) -> int:
        """Run each whose turn it is; how many things they did. A fault in one is noted and costs that turn only."""
        return sum(self._run(chore, now) for chore in self._chores if self._take(chore, now))

    def _run(self, chore: Chore, now: datetime) -> int:
        try:
            return chore.run(self._ctx, now)
        except Exception as error:
            log.get().error("fault", what=chore.name, error=error.__class__.__name__)
            return 0
        finally:
            with self._lock:
                self._running.discard(chore.name)

    def _idle(self) -> list[Chore]:
        with self._lock:
            return [each for each in self._chores if each.name not in self._running]

    def _take(self, chore: Chore, now: datetime) -> bool:
        with self._lock:
            if chore.name in self._running:
                return False
            self._running.add(chore.name)
        with self._ctx.store.transaction() as tx:
            mine = system.take_turn(tx, chore.name, chore.every, now)
        if not mine:
            with self._lock:
                self._running.discard(chore.name)
        return mine
