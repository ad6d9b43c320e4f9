"""Moving an installation from one database to another: SQLite to PostgreSQL, or back."""

from datetime import datetime

from bot.flows import older_server
from bot.store import StoreError, copying, open_store, readiness, system
from bot.store.copying import Copied
from bot.store.sql import epoch

BUSY = 120  # seconds since a worker's last sign of life in which the database may still be in use


def copy_database(source_url: str, target_url: str, secrets: tuple[str, ...], now: datetime) -> list[Copied]:
    """Copy every row and compare; what was copied, table by table. Web and worker must be stopped.

    The copy has everything, and the source refuses to be started again, so that two installations don't write to the
    same people. Raises StoreError; then the target holds nothing and the source is as it was. Killed half way, it
    leaves both as they were, but for the tables the target has by then; it can simply be begun again.
    """
    source, target = open_store(source_url, secrets), open_store(target_url, secrets)
    if not source.exists():
        raise StoreError(f"There is no database at {source.place}; nothing was copied.")
    source.check_ready()
    with source.transaction(write=False) as tx:
        beat = system.last_beat(tx)
    if beat and 0 <= (now - beat).total_seconds() < BUSY:
        raise StoreError("A worker was alive less than two minutes ago. Stop web and worker first; nothing was copied.")
    target.migrate()
    done = copying.copy(source, target)
    with target.transaction() as tx:
        older_server.begin_anew(tx)  # it isn't an older copy of anything
    with source.transaction() as tx:
        system.set_value(tx, readiness.MOVED, str(epoch(now)))
    return done
