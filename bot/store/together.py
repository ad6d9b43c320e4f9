"""Group commit: what several threads want to write at the same moment is written in one transaction, with one sync.

Each piece is in a savepoint of its own, so that one that fails takes no other along. Whoever comes first does the work
of all who wait by then; nobody waits for company.
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


class Together:
    """The writers of one process on one database."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._waiting: list[_Piece[Any]] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    def write(self, work: Callable[[], Result]) -> Result:
        """Run `work`, which begins transactions as always; when this returns, they are committed. Raises what it
        raised, or what kept the shared transaction from being committed; then nothing of it is stored."""
        piece = _Piece(work)
        with self._list:
            self._waiting.append(piece)
        with self._turn:
            if not piece.over:
                self._write_all()
        if piece.error is not None:
            raise piece.error
        return piece.result  # type: ignore[return-value]  # set where there is no error

    def _write_all(self) -> None:
        with self._list:
            pieces, self._waiting = self._waiting, []
        try:
            with self._engine.transaction() as tx:
                for piece in pieces:
                    self._try(tx, piece)
        except BaseException as error:
            for piece in pieces:
                piece.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for piece in pieces:
                piece.over = True

    def _try(self, tx: Tx, piece: _Piece[Any]) -> None:
        try:
            with tx.savepoint():
                piece.result = piece.work()
        except Exception as error:
            piece.error = error
