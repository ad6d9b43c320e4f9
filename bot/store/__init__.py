"""The only place that knows SQL. Modules of functions, one subject each; every call takes the practice.

A flow opens a transaction and passes it on:

    with store.transaction() as tx:
        client = clients.get(tx, practice_id, client_id)
"""

from bot.store.engine import SqliteEngine, StoreError, Tx, sqlite_path
from bot.store.postgres import PostgresEngine
from bot.store.seal import SealBroken, Sealer

Store = SqliteEngine | PostgresEngine

__all__ = ["PostgresEngine", "SealBroken", "Sealer", "SqliteEngine", "Store", "StoreError", "Tx", "open_store"]


def open_store(url: str, secrets: tuple[str, ...]) -> Store:
    """The store at a DATABASE_URL. Raises StoreError for an address it can't use."""
    sealer = Sealer(secrets)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresEngine(url, sealer)
    return SqliteEngine(sqlite_path(url), sealer)
