"""An older copy of the database put in its place by hand is noticed, and made safe before anything is sent (P11).

A number in the database goes up now and then, and a file beside it holds the same number. A database whose number is
below the file's, or whose file isn't there, was copied back or brought here from elsewhere: what has been sent since
isn't in it.
"""

from datetime import datetime, timedelta
from pathlib import Path

from bot import log
from bot.flows import backups, fetching, number_file, older_server
from bot.flows.context import Context
from bot.store import SqliteEngine, Tx, system

EVERY = timedelta(seconds=30)
EPOCH = "epoch"


def guard(ctx: Context, now: datetime) -> bool:
    """Before a worker begins: whether the database was an older copy, now made safe."""
    if not isinstance(ctx.store, SqliteEngine):
        return older_server.guard(ctx, now)
    file = _file(ctx.store)
    with ctx.store.transaction() as tx:
        older = _is_older(tx, file)
        if older:
            done = backups.put_in_doubt(tx, ctx, now)
            log.get().warning("an older copy of the database", count=done.check_ins + done.messages)
        _count_on(tx, file)
    _keep_up(ctx.store)
    return older


def look_again(ctx: Context, now: datetime) -> str:
    """At every pass of a worker: a file isn't exchanged under a running program, a server may be, and is made safe.

    What clients wrote since may not be in it: then this is when it was made safe, by whichever host, as long as their
    texts haven't been fetched since; else empty. Raises StoreError; then nothing may be sent in this pass.
    """
    if isinstance(ctx.store, SqliteEngine):
        return ""
    older_server.guard(ctx, now)
    return fetching.owed_since(ctx)


def may_send(ctx: Context, tx: Tx) -> bool:
    """Whether the database is still the one that was looked at, by the transaction that is about to claim a message:
    a server may have been exchanged since the pass began. If it was, the next pass makes it safe."""
    return isinstance(ctx.store, SqliteEngine) or not older_server.is_older(ctx, tx)


def advance(ctx: Context, now: datetime, made_safe: bool = False) -> int:
    """Another number, so that every copy made before is known to be older. Nothing that counts as work done: 0.

    A database that is an older copy itself is left as it is, for `guard` to find, unless it was `made_safe`.
    """
    if not isinstance(ctx.store, SqliteEngine):
        older_server.advance(ctx, now, made_safe)
        return 0
    file = _file(ctx.store)
    with ctx.store.transaction() as tx:
        if _is_older(tx, file) and not made_safe:
            return 0
        _count_on(tx, file)
    _keep_up(ctx.store)
    return 0


def _is_older(tx: Tx, file: Path) -> bool:
    here, beside = _here(tx), number_file.read(file)
    return here > 0 and (beside is None or here < beside)


def _count_on(tx: Tx, file: Path) -> None:
    """The file is there before the first number is: who dies in between must not leave a number without a file."""
    here, beside = _here(tx), number_file.read(file)
    if here == 0 and beside is None:
        number_file.write(file, here)
    system.set_value(tx, EPOCH, str(max(here, beside or 0) + 1))


def _keep_up(store: SqliteEngine) -> None:
    """The file follows the database, never ahead of what is committed."""
    with store.transaction(write=False) as tx:
        here = _here(tx)
    number_file.write(_file(store), here)


def _here(tx: Tx) -> int:
    return int(system.value(tx, EPOCH) or 0)


def _file(store: SqliteEngine) -> Path:
    return Path(f"{store.path}.epoch")
