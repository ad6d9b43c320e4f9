"""Whether a database may be used: its schema is this program's, its commits last, and it wasn't left for another."""

from contextlib import AbstractContextManager
from typing import Protocol

from bot.store.errors import StoreError
from bot.store.tx import PATIENCE, Tx

MOVED = "moved to another database"


class _Engine(Protocol):
    @property
    def place(self) -> str: ...

    def pending(self) -> list[str]: ...

    def check_durability(self) -> None: ...

    def transaction(self, write: bool = True, patience: float = PATIENCE) -> AbstractContextManager[Tx]: ...


def leaving_for(place: str) -> str:
    """What MOVED begins with from when a database is given up until its copy at `place` is known to be kept."""
    return f"to {place}, "


def check(engine: _Engine, leaving_for_place: str = "") -> None:
    """Raises StoreError, in words, unless it may. One that was being copied to `leaving_for_place` may be copied on."""
    if waiting := engine.pending():
        steps = f"{len(waiting)} upgrade step{'s' if len(waiting) > 1 else ''}"
        raise StoreError(f"The database lacks {steps}: run `attune migrate` first.")
    with engine.transaction(write=False) as tx:
        moved = (tx.one("select value from installation where name = :name", {"name": MOVED}) or {}).get("value", "")
    leaving, _, _ = moved.rpartition(", ")
    if leaving and not moved.startswith(leaving_for(leaving_for_place)):
        raise StoreError(
            f"{engine.place} was being copied {leaving} when `attune copy-database` was ended: begin it again, with "
            "the same two addresses. Nothing is lost; until then use neither of the two."
        )
    if moved and not leaving:
        raise StoreError(
            f"{engine.place} was copied to another database by `attune copy-database`, and the practice goes on "
            "there: set DATABASE_URL to that one. Used on, this one would write to the same people again."
        )
    engine.check_durability()
