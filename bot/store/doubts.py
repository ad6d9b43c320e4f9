"""After a restore: what may have gone out since the backup was made is put in doubt, so that it can't go out twice."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, new_id

KEEP_ASKING = timedelta(hours=24)  # a provider that can't be asked for so long leaves a message to a person
REASON = "restored from a backup; it may have been asked since"
_UNQUEUED = "not exists (select 1 from outbox o where o.check_in_id = check_in.id and o.kind = 'check_in')"
_CLOSE = "update check_in set state = 'cancelled', closed_at = :now, reason = :reason where state = 'planned'"


def put_all(tx: Tx, since: datetime, look_at: datetime) -> int:
    """Put every message that waits, is being sent or in doubt already, in doubt; how many.

    Each gets an attempt of its own, begun at `since`, from when on the provider's list is searched.
    """
    rows = tx.all("select id, practice_id from outbox where state in ('due', 'claimed', 'in_doubt')")
    for row in rows:
        put(tx, row["practice_id"], row["id"], since, look_at)
    return len(rows)


def put(tx: Tx, practice_id: str, message_id: str, since: datetime, look_at: datetime) -> None:
    """Put one message in doubt, as if an attempt at it had begun at `since`."""
    attempt_id = new_id()
    row = {"id": attempt_id, "practice_id": practice_id, "outbox_id": message_id, "started_at": epoch(since)}
    tx.insert("attempt", row)
    tx.run(
        "update outbox set state = 'in_doubt', attempt_id = :attempt, looks = 0, look_at = :look, "
        "reason = 'restored from a backup' where id = :id and practice_id = :p",
        {"attempt": attempt_id, "look": epoch(look_at), "id": message_id, "p": practice_id},
    )


def close_due(tx: Tx, now: datetime) -> list[Row]:
    """Close every check-in that fell due and whose question isn't in the outbox, where a look-up would settle it.

    Rows of id, practice_id, client_id. No reminder either: an answer that came since isn't in the backup.
    """
    tx.run("update check_in set remind_at = null where remind_at is not null")
    return tx.all(
        f"{_CLOSE} and due_at <= :now and {_UNQUEUED} returning id, practice_id, client_id",
        {"now": epoch(now), "reason": REASON},
    )


def close_about(tx: Tx, practice_id: str, refs: Iterable[str], ended_by: datetime, now: datetime) -> list[Row]:
    """Close the planned check-ins about these appointments, as far as they had ended by then; rows as above."""
    among, params = listed("ref", list(refs))
    return tx.all(
        f"{_CLOSE} and practice_id = :p and {_UNQUEUED} and appointment_id in (select id from appointment "
        f"where practice_id = :p and ends_at <= :ended and appointment_ref in {among}) "
        "returning id, practice_id, client_id",
        {"now": epoch(now), "reason": REASON, "p": practice_id, "ended": epoch(ended_by), **params},
    )


def waiting_to(tx: Tx, address: str) -> set[str]:
    """The texts that wait to be sent to a number."""
    among, params = listed("i", tx.sealer.indexes(address))
    rows = tx.all(f"select id from outbox where address_index in {among} and channel = 'sms' and state = 'due'", params)
    return {row["id"] for row in rows}


def settle_answers(tx: Tx, ids: Iterable[str], owed: Iterable[str], since: datetime, look_at: datetime) -> None:
    """What answers a message from before the restore was answered then, as far as we know: it is dropped, but for
    kinds `owed`, which are looked up and sent where the provider doesn't have them."""
    among, params = listed("id", list(ids))
    for row in tx.all(f"select id, practice_id, kind from outbox where id in {among} order by id", params):
        if row["kind"] in set(owed):
            put(tx, row["practice_id"], row["id"], since, look_at)
        else:
            reason = {"id": row["id"], "reason": REASON}
            tx.run("update outbox set state = 'skipped', reason = :reason where id = :id", reason)
