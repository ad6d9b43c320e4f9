"""The only place that knows SQL. Modules of functions, one subject each; every call takes the practice.

A flow opens a transaction and passes it on:

    with store.transaction() as tx:
        client = clients.get(tx, practice_id, client_id)
"""

from typing import TYPE_CHECKING, Any, TypeAlias

from bot.store.engine import SqliteEngine, StoreError, Tx, sqlite_path
from bot.store.seal import SealBroken, Sealer

if TYPE_CHECKING:
    from bot.store.postgres import PostgresEngine

Store: TypeAlias = "SqliteEngine | PostgresEngine"

__all__ = ["PostgresEngine", "SealBroken", "Sealer", "SqliteEngine", "Store", "StoreError", "Tx", "open_store"]


def open_store(url: str, secrets: tuple[str, ...]) -> Store:
    """The store at a DATABASE_URL. Raises StoreError for an address it can't use."""
    sealer = Sealer(secrets)
    if url.startswith(("postgresql://", "postgres://")):
        from bot.store.postgres import PostgresEngine

        return PostgresEngine(url, sealer)
    return SqliteEngine(sqlite_path(url), sealer)


def __getattr__(name: str) -> Any:
    """PostgreSQL's driver takes 8 MB in each process, so it is loaded only where somebody asks for its engine."""
    if name == "PostgresEngine":
        from bot.store.postgres import PostgresEngine

        return PostgresEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
