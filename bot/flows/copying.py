"""Moving an installation from one database to another: SQLite to PostgreSQL, or back.

Two that are used would write to the same people, so the source refuses to be used before the target holds anything:
it says where it is being copied to, then the target is committed, then the source says that it was moved. Ended in
between, neither is used, or the target alone; beginning again tells which, and goes on.
"""

from contextlib import suppress
from datetime import datetime
from functools import partial

from bot.flows import older_server
from bot.store import Store, StoreError, Tx, copying, open_store, readiness, system
from bot.store.copying import Copied
from bot.store.sql import epoch, new_id

BUSY = 120  # seconds since a worker's last sign of life in which the database may still be in use
ARRIVED = "arrived from another database"


def copy_database(source_url: str, target_url: str, secrets: tuple[str, ...], now: datetime) -> list[Copied]:
    """Copy every row and compare; what was copied, table by table. Web and worker must be stopped.

    The copy has everything, and the source refuses to be started again, so that two installations don't write to the
    same people. Raises StoreError; then the target holds nothing and the source is as it was, but where a server can't
    be asked whether it kept the copy: then the source refuses to be used. Killed at any moment, or after such an
    error, it can simply be begun again with the same two addresses.
    """
    source, target = open_store(source_url, secrets), open_store(target_url, secrets)
    if not source.exists():
        raise StoreError(f"There is no database at {source.place}; nothing was copied.")
    readiness.check(source, target.place)
    with source.transaction(write=False) as tx:
        beat = system.last_beat(tx)
    if beat and 0 <= (now - beat).total_seconds() < BUSY:
        raise StoreError("A worker was alive less than two minutes ago. Stop web and worker first; nothing was copied.")
    target.migrate()
    done = _kept(source, target) or _copy(source, target)
    with source.transaction() as tx:
        system.set_value(tx, readiness.MOVED, str(epoch(now)))
    with target.transaction() as tx:
        system.drop_value(tx, ARRIVED)
    return done


def _kept(source: Store, target: Store) -> list[Copied]:
    """What the target holds, if an earlier copy to it was ended between its commit and the source's last word."""
    with source.transaction(write=False) as here, target.transaction() as there:
        left = system.value(here, readiness.MOVED)
        return copying.fingerprints(there) if left is not None and system.value(there, ARRIVED) == left else []


def _copy(source: Store, target: Store) -> list[Copied]:
    left = f"{readiness.leaving_for(target.place)}{new_id()}"
    try:
        return copying.copy(source, target, partial(_hand_over, left))
    except BaseException:
        with suppress(StoreError):  # a server that can't be asked may have kept it
            _take_back(source, target, left)
        raise


def _hand_over(left: str, source: Tx, target: Tx) -> None:
    system.set_value(source, readiness.MOVED, left)
    system.drop_value(target, readiness.MOVED)
    system.set_value(target, ARRIVED, left)
    older_server.begin_anew(target)


def _take_back(source: Store, target: Store, left: str) -> None:
    """The source may be used again, unless the target was kept; whoever still commits it is waited for."""
    with source.transaction(write=False) as here:
        if system.value(here, readiness.MOVED) != left:
            return
    with target.transaction() as there, source.transaction() as here:
        if system.value(there, ARRIVED) != left:
            system.drop_value(here, readiness.MOVED)
