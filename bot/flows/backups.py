"""A backup, and coming back from one without sending anything again.

What a backup doesn't know of may have happened since it was made. So whatever waited then is looked up at the
provider before anything else, and what was due meanwhile is not asked. That holds for appointments that come in
anew after a restore, too: the backup can't tell whether they were asked about.
"""

import os
import secrets
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, count
from pathlib import Path

import requests

from bot.flows import erasing
from bot.flows.context import Context
from bot.flows.restored import BACKED_UP_AT, RESTORED_AT, doubt_welcome
from bot.flows.settling import LOOKS_AT
from bot.store import SealBroken, SqliteEngine, Store, StoreError, Tx, clients, doubts, people, practices, system
from bot.store.alone import alone_in
from bot.store.sql import epoch, moment_of

FRESH = timedelta(seconds=90)  # a worker beats every thirty
PATIENCE = 15.0  # seconds a web that is busy may take to say that it runs
GOOD_BACKUP_AT = "good_backup_at"  # BACKED_UP_AT is written before the copy is made, since it must be in it
BESIDE = ("-wal", "-shm", "-journal")  # SQLite takes what is there for a part of whatever file has the name


@dataclass(frozen=True)
class Restored:
    """How many check-ins were closed, and how many messages put in doubt, since they may have gone out."""

    check_ins: int
    messages: int


def backup(ctx: Context, path: str, now: datetime) -> None:
    """Write a consistent copy of the live database to `path`, checked by opening it. Raises StoreError, and then
    no earlier backup has changed, and the doctor still goes by the last good one."""
    _refuse_name(path)
    store = _file_of(ctx)
    with store.transaction() as tx:
        system.set_value(tx, BACKED_UP_AT, str(epoch(now)))
    part = f"{path}.{secrets.token_hex(4)}.part"  # nobody else's, should two be at it at once
    try:
        store.copy_to(part)
        _refuse_broken(part, ctx)
        _name(part, path)
    finally:
        _remove(part)
    with store.transaction() as tx:
        system.set_value(tx, GOOD_BACKUP_AT, str(epoch(now)))


def restore(ctx: Context, path: str, now: datetime, force: bool = False) -> Restored:
    """Put a backup in the place of the database, which must not be in use (`force`: don't look whether it is).

    All of it is done on a copy beside the database, which takes its place at the end; the one that was there is
    kept. Raises StoreError, and then nothing has changed. Should we be killed or the power fail, the old database is
    there or the new one; none is, for a moment, where the old one couldn't be brought into one file.
    """
    store = _file_of(ctx)
    folder = os.path.dirname(store.path)
    with alone_in(folder, f"Another restore is at work in {folder}: wait until it is done. Nothing was changed."):
        _refuse_file(path, store.path)
        if not force and (running := _running(ctx, now)):
            raise StoreError(f"{running} Nothing was changed.")
        return _put_in_place(path, store, ctx, now)


def after_restore(ctx: Context, made_at: datetime, now: datetime) -> Restored:
    """For a database that was brought back by other tools to how it was at `made_at`, before anything uses it: put in
    doubt what may have gone out since. Raises StoreError while a worker is alive."""
    with ctx.store.transaction(write=False) as tx:
        beats = system.beats(tx, now - FRESH, now + FRESH)
    if any(_lives(worker) for worker in beats):
        raise StoreError("A worker is running, or was a moment ago: stop web and worker first. Nothing was changed.")
    with ctx.store.transaction() as tx:
        system.set_value(tx, BACKED_UP_AT, str(epoch(made_at)))
        return put_in_doubt(tx, ctx, now)


def _refuse_name(path: str) -> None:
    """Raises StoreError where no backup can have this name."""
    if os.path.exists(path):
        raise StoreError(f"{path} is there already; give the backup a name of its own.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise StoreError(f"{path} can't be written: its folder isn't there.")
    for ending in BESIDE:
        if os.path.exists(path + ending):
            raise StoreError(
                f"{path}{ending} is left over from another file, and would be taken for a part of the backup: move it "
                "away, or give the backup another name. Nothing was written."
            )


def _refuse_file(path: str, target: str) -> None:
    """Raises StoreError where this can't be what a database is to be brought back from."""
    if not os.path.isfile(path):
        raise StoreError(f"{path} isn't there; nothing was changed.")
    if os.path.exists(target) and os.path.samefile(path, target):
        raise StoreError(f"{path} is the database itself; nothing was changed.")
    for ending in ("-wal", "-journal"):  # neither says which file it belongs to
        if os.path.exists(path + ending) and os.path.getsize(path + ending):
            raise StoreError(
                f"{path}{ending} lies beside it, and would be taken for a part of it. If it is left over from another "
                "file, move it away. If both were copied from one database, bring them into one file first: "
                f"`DATABASE_URL=sqlite:///{os.path.abspath(path)} attune migrate`. Nothing was changed."
            )


def _put_in_place(path: str, store: SqliteEngine, ctx: Context, now: datetime) -> Restored:
    """By a copy beside the database. Nobody else may be at this."""
    part = _part_of(store.path)
    _remove(part)
    try:
        _copy(path, part)
        done = _made_safe(part, ctx, now)
        _close_up(store)
        _set_aside(store.path, now)
        _move(part, store.path)
    finally:
        _remove(part)
    return done


def _file_of(ctx: Context) -> SqliteEngine:
    """The database, which must be a file. Raises StoreError."""
    if not isinstance(ctx.store, SqliteEngine):
        raise StoreError(
            f"{ctx.store.place}: a PostgreSQL server is backed up and restored by its own tools; docs/operators.md, "
            '"PostgreSQL", says how, and what to do after a restore.'
        )
    return ctx.store


def _made_safe(part: str, ctx: Context, now: datetime) -> Restored:
    """Check a copy of a backup, upgrade it, and put in doubt what may have gone out since it was made."""
    store = SqliteEngine(part, ctx.store.sealer)
    try:
        if _fault_of(store):
            raise StoreError("The file isn't a whole backup of Attune; nothing was changed.")
        store.migrate()  # refuses one of a newer program
        with store.transaction() as tx:
            _check_key(tx)
            done = put_in_doubt(tx, ctx, now)
            if made_at := system.value(tx, BACKED_UP_AT):
                system.set_value(tx, GOOD_BACKUP_AT, made_at)
        erasing.erase_again(store, erasing.list_beside(_file_of(ctx).path), now)
        store.checkpoint()
    finally:
        store.close()
    if _has_more_beside(part):  # only the file itself is moved
        raise StoreError(f"{part} couldn't be brought into one file: does another program read it? Nothing changed.")
    return done


def refuse_cut_off(store: Store) -> None:
    """Raises StoreError where a restore was cut off before there was a database: to make an empty one now would look
    as if all had gone well."""
    if isinstance(store, SqliteEngine) and not store.exists() and os.path.exists(_part_of(store.path)):
        raise StoreError(
            f"A restore was cut off, so there is no database at {store.path} yet: give `attune restore` again. (To "
            f"begin with an empty one instead, remove {_part_of(store.path)}.)"
        )


def _refuse_broken(part: str, ctx: Context) -> None:
    """Raises StoreError unless a copy just made is whole."""
    copy = SqliteEngine(part, ctx.store.sealer)
    try:
        if fault := _fault_of(copy):
            raise StoreError(f"The copy isn't whole: {fault.rstrip('.')}. Nothing was kept of it.")
    finally:
        copy.close()


def _fault_of(store: SqliteEngine) -> str:
    """Why the file is no sound database of Attune; empty where it is one. SQLite's own check passes an empty file."""
    try:
        with store.transaction(write=False) as tx:
            practices.every(tx)
        found = store.integrity()
    except Exception as error:  # what reading a damaged file raises is of many kinds
        return str(error) or error.__class__.__name__
    return "" if found == "ok" else found


def _check_key(tx: Tx) -> None:
    try:
        for practice in practices.every(tx):
            clients.many(tx, practice.id, clients.ids(tx, practice.id)[:100])
            people.with_role(tx, practice.id, "therapist")
    except SealBroken:
        raise StoreError(
            "The backup was sealed with a key that is not in SECRET_KEY or its file; nothing was changed."
        ) from None


def put_in_doubt(tx: Tx, ctx: Context, now: datetime) -> Restored:
    """Whatever may have been sent since this copy was made is looked up, or not asked, from now on."""
    known = system.value(tx, BACKED_UP_AT)
    # What was in doubt when the backup was made had been tried before; what the provider took and we know of is
    # told apart by its id, so looking too far back does no harm. A copy made by other means has no time.
    since = moment_of(int(known)) - doubts.KEEP_ASKING if known else moment_of(0)
    system.set_value(tx, RESTORED_AT, str(epoch(now)))
    closed = doubts.close_due(tx, now)
    for row in closed:
        doubt_welcome(tx, ctx.instruments, row, now)
    look_at = now + timedelta(seconds=ctx.config.settle_seconds) * LOOKS_AT[0]
    return Restored(len(closed), doubts.put_all(tx, since, look_at))


def _web_answers(port: int) -> bool:
    """Whether Attune's web listens there; so does one that takes a connection and is too busy to say a word."""
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE, allow_redirects=False)
    except requests.ReadTimeout:
        return True
    except requests.RequestException:
        return False
    return answer.status_code == 200 and "worker_seen_seconds_ago" in answer.text


def _running(ctx: Context, now: datetime) -> str:
    """What still uses the database, in a sentence; empty where nothing does, or there is no database to ask."""
    if _web_answers(ctx.config.port):
        return f"Attune's web is still running on port {ctx.config.port}: stop it first, or add --force."
    if not ctx.store.exists():
        return ""
    try:
        with ctx.store.transaction(write=False) as tx:
            beats = system.beats(tx, now - FRESH, now + FRESH)
    except StoreError:
        return ""  # there is no working database that anyone could use
    if any(_lives(worker) for worker in beats):
        return "A worker is still running, or was a moment ago: stop it first, wait two minutes, or add --force."
    return ""


def _lives(worker: str) -> bool:
    """Whether a worker (host-process-random) may be alive: surely not where its process is gone from this host."""
    host, process, _ = worker.rsplit("-", 2)
    return host != socket.gethostname() or os.path.exists(f"/proc/{process}") or not os.path.isdir("/proc")


def _copy(path: str, part: str) -> None:
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        shutil.copyfile(path, part)
    except OSError as error:
        raise StoreError(
            f"{path} can't be copied beside the database: {error.strerror}. Nothing was changed."
        ) from None


def _part_of(target: str) -> str:
    """Where a restore prepares what will take the database's place."""
    return f"{target}.restoring"


def _close_up(store: SqliteEngine) -> None:
    """Have SQLite bring what is beside the database into it, where it can, and nobody else has it open."""
    if store.exists():
        with suppress(Exception):  # what reading a damaged file raises is of many kinds
            store.pending()
    store.close()


def _set_aside(target: str, now: datetime) -> None:
    """Keep the old database under another name, too, so that the one that matters always leads to one of the two. A
    file with others beside it has to go first: they would be taken for a part of the new one."""
    kept = _free(f"{target}.before-{now:%Y%m%d-%H%M%S}")
    if not _has_more_beside(target):
        with suppress(OSError):  # no such file, or a disk that knows no second names
            os.link(target, kept)
            return
    for ending in ("", *BESIDE):
        if os.path.exists(target + ending):
            os.rename(target + ending, kept + ending)


def _free(name: str) -> str:
    """This name, or the first after it that nothing has, with nothing beside it either."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if not (os.path.lexists(each) or _has_more_beside(each)))


def _has_more_beside(path: str) -> bool:
    """Whether part of what is in this database may not be in the file itself, or somebody has it open."""
    return any(os.path.exists(path + ending) for ending in BESIDE)


def _name(part: str, path: str) -> None:
    """Give it this name, so that it is there after a power cut. Raises StoreError where the name was taken by now."""
    _sync(part)
    try:
        os.link(part, path)
    except FileExistsError:
        raise StoreError(f"{path} is there already; give the backup a name of its own.") from None
    except OSError:  # a disk that knows no second names
        os.rename(part, path)
    _sync(os.path.dirname(os.path.abspath(path)))


def _move(part: str, path: str) -> None:
    """To its place, so that it is there after a power cut."""
    _sync(part)
    os.rename(part, path)
    _sync(os.path.dirname(os.path.abspath(path)))


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(part: str) -> None:
    for ending in ("", *BESIDE, ".writer"):
        Path(f"{part}{ending}").unlink(missing_ok=True)
