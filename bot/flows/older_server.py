"""A PostgreSQL server that was brought back to an earlier time, replaced or promoted is noticed, and made safe before
anything is sent (P11).

Two things tell. The server's own number and the life it is in, which the database remembers: they change with a
restored dump, a recovery to a point in time, and a standby that took over and may lack the last commits. And a number
in the database that goes up every half minute, with a file on each host that holds the highest one seen there: what a
snapshot brought back is below it. A server can be brought back while workers wait for it, so they look at every pass,
and whoever claims a message looks in the same transaction.
"""

from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from bot import log
from bot.flows import backups, erasing, number_file
from bot.flows.context import Context
from bot.store import SqliteEngine, StoreError, Tx, system
from bot.store.sql import new_id

if TYPE_CHECKING:
    from bot.store import PostgresEngine

EPOCH, LINEAGE, INSTALLATION = "epoch", "lineage", "installation"
_tried: dict[Path, int] = {}
_keeping_up = Lock()


def guard(ctx: Context, now: datetime) -> bool:
    """Before a worker begins, and at each of its passes: whether the server wasn't as it was, and is now made safe.

    Looks only, where all is as it was. Raises StoreError where the server can't be reached.
    """
    store = _server_of(ctx)
    with store.transaction(write=False) as tx:
        known, older = system.value(tx, LINEAGE), is_older(ctx, tx)
    if known is not None and not older:
        _keep_up(ctx, store, now)
        return False
    with store.transaction() as tx:
        older = is_older(ctx, tx)  # another host may have made it safe in between
        if older:
            done = backups.put_in_doubt(tx, ctx, now)
            log.get().warning("an older copy of the database", count=done.check_ins + done.messages)
        _count_on(ctx, tx, store)
    erasing.at_start(ctx, now)
    _keep_up(ctx, store, now)
    return older


def advance(ctx: Context, now: datetime, made_safe: bool = False) -> None:
    """Another number, so that every earlier state of the server is known for one. A server that isn't as it was is
    left for `guard` to find, unless it was `made_safe`."""
    store = _server_of(ctx)
    with store.transaction() as tx:
        if is_older(ctx, tx) and not made_safe:
            return
        _count_on(ctx, tx, store)
    _keep_up(ctx, store, now)


def is_older(ctx: Context, tx: Tx) -> bool:
    """Whether the server isn't as this host last saw it, and nobody has made it safe yet: nothing may be sent."""
    facts = system.some(tx, (LINEAGE, EPOCH, INSTALLATION))  # asked at every claim, maybe of a server far away
    known = facts.get(LINEAGE)
    beside = number_file.read(_file_of(ctx, facts.get(INSTALLATION)))
    here = int(facts.get(EPOCH) or 0)
    return (known is not None and known != _server_of(ctx).lineage()) or (beside is not None and here < beside)


def begin_anew(tx: Tx) -> None:
    """Forget which server and number a database came from, and the files that hosts keep for it, as when it is copied
    to another place: a copy is the older copy of nothing."""
    for name in (EPOCH, LINEAGE, INSTALLATION):
        system.drop_value(tx, name)


def _server_of(ctx: Context) -> "PostgresEngine":
    assert not isinstance(ctx.store, SqliteEngine)
    return ctx.store


def _count_on(ctx: Context, tx: Tx, store: "PostgresEngine") -> None:
    if system.value(tx, INSTALLATION) is None:
        system.set_value(tx, INSTALLATION, new_id())
    system.set_value(tx, LINEAGE, store.lineage())
    system.set_value(tx, EPOCH, str(max(_here(tx), number_file.read(_file(ctx, tx)) or 0) + 1))


def _keep_up(ctx: Context, store: "PostgresEngine", now: datetime) -> None:
    """What this host keeps for the day the server is brought back follows the database: the number, and who was
    erased, whichever host did it."""
    with _keeping_up:  # a slower thread must not write an earlier number over a later one
        with store.transaction(write=False) as tx:
            here, file = _here(tx), _file(ctx, tx)
        if here in (number_file.read(file), _tried.get(file)):
            return
        _tried[file] = here  # a folder that can't be written is told of once a number, not at every pass
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            erasing.keep_list(ctx, now)
            number_file.write(file, here)
        except (OSError, StoreError) as error:
            log.get().warning("DATA_FOLDER can't be written", error=error.__class__.__name__)


def _here(tx: Tx) -> int:
    return int(system.value(tx, EPOCH) or 0)


def _file(ctx: Context, tx: Tx) -> Path:
    return _file_of(ctx, system.value(tx, INSTALLATION))


def _file_of(ctx: Context, installation: str | None) -> Path:
    """Named after the installation, not the server's address, which may change."""
    return Path(ctx.config.data_folder) / f"attune-{installation or 'new'}.epoch"
