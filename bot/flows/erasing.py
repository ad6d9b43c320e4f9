"""Erasing a client for good: from the database, its log and its free pages, and again whenever a backup that still
holds them is restored. What is to be erased again stands in a file beside the database, outside every backup."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from bot import log
from bot.flows.access import Me
from bot.flows.alerting import is_danger
from bot.flows.client_record import living
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of
from bot.store import SqliteEngine, Store, StoreError, Tx, alerts, audit, clients, erasing, practices
from bot.store.alerts import Alert
from bot.store.clients import Client
from bot.store.sql import epoch, moment_of

LATE = timedelta(hours=1)  # what came in before a line was written may be read after it
AGAIN = "after a restore"  # who, in the audit trail


def list_beside(path: str) -> str:
    """Where the ids of erased clients are kept, for the database at this path."""
    return f"{path}.erased"


def list_of(ctx: Context) -> str:
    """The same for the database in use; that of a PostgreSQL server is in each host's own DATA_FOLDER."""
    if isinstance(ctx.store, SqliteEngine):
        return list_beside(ctx.store.path)
    return os.path.join(ctx.config.data_folder, "attune.erased")


def erase(ctx: Context, me: Me, client_id: str, typed_ref: str, now: datetime) -> None:
    """Erase a client once their reference was typed. Raises NotHere or Refused; then nothing is changed.

    The list beside the database is on disk before this is committed. Should we end between the two, the worker's next
    start goes on, unless they have written something since that somebody is to look at.
    """
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        if _owed(tx, practice.id, client.id):
            raise Refused({"ref": "Something they wrote waits for somebody to look at it: that comes first."})
        if " ".join(typed_ref.split()) != client.client_ref:
            raise Refused({"ref": "Type the client's reference as it stands above."})
        ids = erasing.ids_of(tx, practice.id, client.id)
        _append(list_of(ctx), [(practice.id, each) for each in ids], now)
        _erase(tx, practice.id, client.id, me.person.id, now)
        practices.note(tx, practice.id, me.person.id, "client erased", client.id, now)
    _tidy(ctx.store)


def _owed(tx: Tx, practice_id: str, client_id: str) -> list[Alert]:
    return [each for each in alerts.of_client(tx, practice_id, client_id) if _is_owed(each)]


def _is_owed(alert: Alert) -> bool:
    """Words of danger, or a wish to be called, that nobody has taken up. A manager isn't told which."""
    return alert.waiting and (is_danger(alert) or alert.kind == "call")


def erase_again(store: Store, list_path: str, now: datetime) -> int:
    """Erase whoever is on the list and in this database all the same, as after a restore; how many.

    Nobody is erased while owed for what they wrote after their line: then it came to nothing at that time.
    """
    count = 0
    for practice_id, client_id, at in _listed(list_path):
        with store.transaction() as tx:
            if any(each.opened_at > at - LATE for each in _owed(tx, practice_id, client_id)):
                log.get().warning("not erased: a note waits", practice=practice_id, client=client_id)
                continue
            count += _erase(tx, practice_id, client_id, AGAIN, now)
    if count:
        _tidy(store)
        log.get().info("erased again", count=count)
    return count


def at_start(ctx: Context, now: datetime) -> int:
    """What a worker does when it starts: finish what was begun, or was brought back by other means; how many."""
    return erase_again(ctx.store, list_of(ctx), now)


def keep_list(ctx: Context, now: datetime) -> None:
    """Let this host know of everyone who was erased by another one. Raises StoreError."""
    with ctx.store.transaction(write=False) as tx:
        erased = erasing.everyone(tx)
    known = {(practice_id, client_id) for practice_id, client_id, _ in _listed(list_of(ctx))}
    if new := [each for each in erased if each not in known]:
        _append(list_of(ctx), new, now)


def _erase(tx: Tx, practice_id: str, client_id: str, who: str, now: datetime) -> bool:
    try:
        client = clients.get(tx, practice_id, client_id)
    except KeyError:
        return False
    if not client.erased:
        for each in erasing.ids_of(tx, practice_id, client_id):
            audit.erase_words(tx, practice_id, who, each, now)
    return erasing.erase(tx, practice_id, client_id, _own_indexes(tx, client), now)


def _own_indexes(tx: Tx, client: Client) -> list[str]:
    """Under which indexes they are reached and nobody else is."""
    found: list[str] = []
    rows = [clients.get(tx, client.practice_id, each) for each in erasing.ids_of(tx, client.practice_id, client.id)]
    for address in filter(None, (address for row in rows for address in (row.phone, row.email))):
        if all(other.id == client.id for other in clients.by_address(tx, address)):
            found += tx.sealer.indexes(address)
    return found


def _tidy(store: Store) -> None:
    """Freed pages are zeroed as they are freed; the log must be emptied too, since it keeps pages as they were."""
    try:
        store.checkpoint()
    except StoreError:  # somebody reads at this moment; it is emptied when they are done, by whoever writes next
        log.get().warning("the log wasn't emptied")


def _append(path: str, erased: Iterable[tuple[str, str]], now: datetime) -> None:
    # begun on a line of its own, whatever a power cut left at the end
    lines = ["\n", *(json.dumps({"practice": p, "client": c, "at": epoch(now)}) + "\n" for p, c in erased)]
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, "".join(lines).encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{path} can't be written ({error.strerror}). Nothing was erased.") from None


def _listed(path: str) -> Iterator[tuple[str, str, datetime]]:
    """Practice, client and time of each line; one that a power cut cut off is passed over, as nothing was erased."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        for line in filter(str.strip, file):
            try:
                found = json.loads(line)
            except ValueError:
                log.get().warning("a line of the list of erased clients can't be read")
                continue
            yield found["practice"], found["client"], moment_of(found["at"])
