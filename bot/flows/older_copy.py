"""An older copy of the database put in its place by hand is noticed, and made safe before anything is sent (P11).

A number in the database goes up now and then, and a file beside it holds the same number. A database whose number is
below the file's, or whose file isn't there, was copied back or brought here from elsewhere: what has been sent since
isn't in it.
"""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from bot import log
from bot.flows import backups
from bot.flows.context import Context
from bot.store import SqliteEngine, system

EVERY = timedelta(seconds=30)
EPOCH = "epoch"


def guard(ctx: Context, now: datetime) -> bool:
    """Before a worker begins: whether the database was an older copy, now made safe. A PostgreSQL server is brought
    back by its operator, who says so by `attune after-restore`."""
    if not isinstance(ctx.store, SqliteEngine):
        return False
    file = _file(ctx.store)
    with ctx.store.transaction() as tx:
        here, beside = int(system.value(tx, EPOCH) or 0), _read(file)
        older = here > 0 and (beside is None or here < beside)
        if older:
            done = backups.put_in_doubt(tx, ctx, now)
            log.get().warning("an older copy of the database", count=done.check_ins + done.messages)
        system.set_value(tx, EPOCH, str(max(here, beside or 0) + 1))
    _keep_up(ctx.store)
    return older


def advance(ctx: Context, _now: datetime) -> int:
    """Another number, so that every copy made before is known to be older. Nothing that counts as work done: 0."""
    if not isinstance(ctx.store, SqliteEngine):
        return 0
    with ctx.store.transaction() as tx:
        system.set_value(tx, EPOCH, str(max(int(system.value(tx, EPOCH) or 0), _read(_file(ctx.store)) or 0) + 1))
    _keep_up(ctx.store)
    return 0


def _keep_up(store: SqliteEngine) -> None:
    """The file follows the database, never ahead of what is committed."""
    with store.transaction(write=False) as tx:
        number = system.value(tx, EPOCH) or "0"
    file = _file(store)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(number)
    part.chmod(0o600)
    os.replace(part, file)


def _file(store: SqliteEngine) -> Path:
    return Path(f"{store.path}.epoch")


def _read(file: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return None
