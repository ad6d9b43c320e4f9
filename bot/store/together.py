"""Group commit: what several threads want to write at the same moment is written in one transaction, with one sync.

Each piece is in a savepoint of its own, so that one that fails takes no other along. Whoever comes first does the work
of all who are there by the time the writers' turn has come, and of those who come while it is at it; nobody waits for
company.

No lock is held at any time, for a thread may be struck by an exception at any line, that of letting a lock go included:
each step here is one operation of a dict, a deque or a bell, and what a thread owes to others is done twice.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from bot.store.bell import Bell
from bot.store.errors import NOTHING_KEPT, StoreError
from bot.store.tx import PATIENCE, Tx

Result = TypeVar("Result")

_LEADER = "leader"
_TOO_LONG = f"Another thread of this process has been writing to the database for too long. {NOTHING_KEPT}; try again."
_NOT_KNOWN = (
    "The thread that was writing this to the database was broken off, or takes too long. Whether what was being done "
    "was stored isn't known; whoever asked for it must ask again."
)


class _Undone(Exception):
    """A piece failed, and goes alone."""


class _Engine(Protocol):
    def transaction(self, write: bool = True, patience: float = PATIENCE) -> AbstractContextManager[Tx]: ...


class _Piece(Generic[Result]):
    """One thread's work, and what came of it once its transaction is over."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.work = work
        self.result: Result | None = None
        self.error: Exception | None = None
        self.over = False
        self.bell = Bell()  # there is something to look at: it is over, or nobody leads
        self.taken: list[_Piece[Any]] = []  # by this thread, where it leads: all that it must tell how it went
        self.stored = False  # whether those are on disk
        self.fault: Exception | None = None  # what kept them from it


class Together:
    """The writers of one process on one database."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._begin()
        _everyone.add(self)

    def _begin(self) -> None:
        self._waiting: deque[_Piece[Any]] = deque()
        self._turn: dict[str, _Piece[Any]] = {}  # the piece whose thread does the others' work, if one does

    def write(self, work: Callable[[], Result]) -> Result:
        """Run `work`, which begins transactions as always; when this returns, they are committed. Raises what it
        raised, or what kept the shared transaction from being committed; then nothing of it is stored.

        Raises StoreError too where nobody has done the work in time; its words say where that leaves it.
        """
        piece = _Piece(work)
        try:
            try:
                self._go(piece)
            finally:
                self._leave(piece)
        finally:
            self._leave(piece)
        if piece.error is not None:
            raise piece.error
        if not piece.over:
            raise StoreError(_NOT_KNOWN)
        return piece.result  # type: ignore[return-value]  # set where there is no error

    def _go(self, piece: _Piece[Any]) -> None:
        self._waiting.append(piece)
        until = time.monotonic() + PATIENCE
        while not piece.over and self._turn.setdefault(_LEADER, piece) is not piece:
            self._wait(piece, until)
        if not piece.over:
            self._write_all(piece)

    def _wait(self, piece: _Piece[Any], until: float) -> None:
        if not piece.bell.wait(max(0.0, until - time.monotonic())):
            if self._off_the_list(piece):
                raise StoreError(_TOO_LONG)
            if not piece.bell.wait(PATIENCE):  # it is in the leader's hands
                raise StoreError(_NOT_KNOWN)

    def _write_all(self, leader: _Piece[Any]) -> None:
        try:
            with self._engine.transaction() as tx:
                while self._waiting:
                    for piece in self._take(leader):
                        self._try(tx, piece)
            leader.stored = True
        except Exception as error:
            leader.fault = error
            self._take(leader)  # they waited for the same turn

    def _take(self, leader: _Piece[Any]) -> list[_Piece[Any]]:
        """Those who wait. Each is noted before it is taken off the list, so that none can be forgotten."""
        some = list(self._waiting)
        leader.taken += some
        return [piece for piece in some if self._off_the_list(piece) and not piece.over]

    def _off_the_list(self, piece: _Piece[Any]) -> bool:
        """False where somebody else has taken it off."""
        try:
            self._waiting.remove(piece)
        except ValueError:
            return False
        return True

    def _leave(self, piece: _Piece[Any]) -> None:
        """Tell those whose work this thread did how it went, and let the next one lead. May be done again."""
        self._off_the_list(piece)
        for each in piece.taken:
            if not piece.stored and each.error is None:
                each.error = piece.fault or StoreError(_NOT_KNOWN)
            each.over = True
            each.bell.ring()
        if self._turn.get(_LEADER) is piece:
            del self._turn[_LEADER]
        if self._waiting and not self._turn:
            with suppress(IndexError):  # gone, or taken by someone who leads by now
                self._waiting[0].bell.ring()

    def _try(self, tx: Tx, piece: _Piece[Any]) -> None:
        """Raises what went wrong beside the work itself: whether that was undone alone isn't known then."""
        with suppress(_Undone), tx.savepoint():
            try:
                piece.result = piece.work()
            except Exception as error:
                piece.error = error
                raise _Undone from error


_everyone: "WeakSet[Together]" = WeakSet()


def _begin_anew() -> None:
    """In a forked child the threads that waited or led are gone."""
    for each in list(_everyone):
        each._begin()


os.register_at_fork(after_in_child=_begin_anew)
