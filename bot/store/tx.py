"""A transaction: run SQL, seal and open fields. The same on both engines, but for how a statement is carried out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from bot.store.seal import Sealer

Row = dict[str, Any]
ONLY_READS = "A transaction that began with write=False can't write; begin it with write=True."
PATIENCE = 20.0  # seconds a writer waits for its turn
UPGRADE_PATIENCE = 600.0  # an upgrade of a large database takes its time, and others wait for it


class Tx(ABC):
    """One transaction. Nothing here talks to the network beyond the database."""

    lock = ""  # what a claim adds to its inner select, so that two don't wait for the same rows

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer

    @abstractmethod
    def all(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Every row the statement gives, writes with RETURNING included."""

    @abstractmethod
    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> int:
        """Run a statement that gives no rows; the number of rows it changed."""

    @abstractmethod
    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for many sets of parameters."""

    @abstractmethod
    def savepoint(self) -> AbstractContextManager[None]:
        """What fails inside is undone alone; the rest of the transaction stands."""

    def one(self, sql: str, params: Mapping[str, Any] | None = None) -> Row | None:
        """The first row, or None."""
        rows = self.all(sql, params)
        return rows[0] if rows else None

    def insert(self, table: str, row: Mapping[str, Any], unless: str = "") -> bool:
        """Insert one row; False if `unless` (an "on conflict ..." clause) kept it out."""
        return self.run(f"{_insertion(table, row)} {unless}", row) == 1

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows of one shape."""
        if rows:
            self.run_many(_insertion(table, rows[0]), rows)

    def seal(self, table: str, column: str, row_id: str, text: str | None) -> str | None:
        """Seal a field for its place; None and the empty text stay None."""
        return self.sealer.seal(f"{table}|{column}|{row_id}", text) if text else None

    def open(self, table: str, column: str, row_id: str, sealed: str | None) -> str:
        """Open a sealed field; the empty text for None."""
        return self.sealer.open(f"{table}|{column}|{row_id}", sealed) if sealed else ""


def _insertion(table: str, row: Mapping[str, Any]) -> str:
    # table and column names come from this program, never from input
    return f"insert into {table} ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})"
