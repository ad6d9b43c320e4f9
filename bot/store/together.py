"""Group commit: what several threads want to write at the same moment is written in one transaction, with one sync.

Each piece is in a savepoint of its own, so that one that fails takes no other along. Whoever comes first does the work
of all who are there by the time the writers' turn has come, and of those who come while it is at it; nobody waits for
company.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeVar

from bot.store.tx import PATIENCE, Tx

Result = TypeVar("Result")


class _Engine(Protocol):
    def transaction(self, write: bool = True, patience: float = PATIENCE) -> AbstractContextManager[Tx]: ...


class _Piece(Generic[Result]):
    """One thread's work, and what came of it once its transaction is over."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.work = work
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.over = False
        self.woken = threading.Event()  # it is over, or this thread is to do the work of all who wait


class Together:
    """The writers of one process on one database."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._waiting: list[_Piece[Any]] = []
        self._led = False  # whether a thread does the others' work, or has been told to
        self._list = threading.Lock()

    def write(self, work: Callable[[], Result]) -> Result:
        """Run `work`, which begins transactions as always; when this returns, they are committed. Raises what it
        raised, or what kept the shared transaction from being committed; then nothing of it is stored."""
        piece = _Piece(work)
        with self._list:
            self._waiting.append(piece)
            leads, self._led = not self._led, True
        if not leads:
            self._wait(piece)
        if not piece.over:
            self._write_all()
        if piece.error is not None:
            raise piece.error
        return piece.result  # type: ignore[return-value]  # set where there is no error

    def _wait(self, piece: _Piece[Any]) -> None:
        try:
            piece.woken.wait()
        except BaseException:  # nobody waits here any more, so the work isn't wanted, nor can it lead
            with self._list:
                if piece in self._waiting:
                    self._waiting.remove(piece)
            if piece.woken.is_set() and not piece.over:
                self._hand_on()
            raise

    def _write_all(self) -> None:
        pieces: list[_Piece[Any]] = []
        try:
            with self._engine.transaction() as tx:
                while some := self._take():
                    pieces += some
                    for piece in some:
                        self._try(tx, piece)
        except BaseException as error:
            pieces += self._take()  # they waited for the same turn
            for piece in pieces:
                piece.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for piece in pieces:
                piece.over = True
                piece.woken.set()
            self._hand_on()

    def _take(self) -> list[_Piece[Any]]:
        with self._list:
            pieces, self._waiting = self._waiting, []
        return pieces

    def _hand_on(self) -> None:
        """Whoever has waited longest goes on."""
        with self._list:
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].woken.set()

    def _try(self, tx: Tx, piece: _Piece[Any]) -> None:
        try:
            with tx.savepoint():
                piece.result = piece.work()
        except Exception as error:
            piece.error = error
