"""Every message to be sent: rows, never deleted by sending. `bot.store.sends` moves them on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, moment_of, new_id

URGENT, REPLY, ORDINARY = 0, 1, 2


@dataclass(frozen=True)
class Draft:
    """A message to put into the outbox. `dedupe` names it: a second one with the same name is not kept. `id` only where
    its words depend on it."""

    kind: str
    dedupe: str
    channel: str
    address: str
    body: str
    subject: str = ""
    html: str = ""
    segments: int = 1
    urgency: int = ORDINARY
    client_id: str | None = None
    person_id: str | None = None
    check_in_id: str | None = None
    alert_id: str | None = None
    id: str = ""


@dataclass(frozen=True)
class Message:
    """A message in the outbox."""

    id: str
    practice_id: str
    kind: str
    client_id: str | None
    person_id: str | None
    check_in_id: str | None
    alert_id: str | None
    channel: str
    address: str
    address_index: str
    subject: str
    body: str
    html: str
    segments: int
    urgency: int
    due_at: datetime
    state: str
    claim_token: str | None
    attempts: int
    attempt_id: str | None
    provider_id: str | None
    looks: int
    created_at: datetime


def put(tx: Tx, practice_id: str, draft: Draft, due_at: datetime, now: datetime) -> str | None:
    """Queue a message; its id, or None when one of that name is there already."""
    message_id = draft.id or new_id()
    row = {
        "id": message_id,
        "practice_id": practice_id,
        "address_sealed": tx.seal("outbox", "address", message_id, draft.address),
        "address_index": tx.sealer.index(draft.address),
        "subject_sealed": tx.seal("outbox", "subject", message_id, draft.subject),
        "body_sealed": tx.seal("outbox", "body", message_id, draft.body),
        "html_sealed": tx.seal("outbox", "html", message_id, draft.html),
        "due_at": epoch(due_at),
        "created_at": epoch(now),
    }
    plain = ("kind", "dedupe", "channel", "segments", "urgency")
    owners = ("client_id", "person_id", "check_in_id", "alert_id")
    row |= {name: getattr(draft, name) for name in (*plain, *owners)}
    kept = tx.insert("outbox", row, "on conflict (practice_id, dedupe) do nothing")
    return message_id if kept else None


def get(tx: Tx, practice_id: str, message_id: str) -> Message:
    """One message. Raises KeyError."""
    row = tx.one("select * from outbox where id = :id and practice_id = :p", {"id": message_id, "p": practice_id})
    if row is None:
        raise KeyError(message_id)
    return message_of(tx, row)


def anywhere(tx: Tx, message_id: str) -> Message | None:
    """A message by its id alone, over all practices: for ids that came back to us from outside."""
    row = tx.one("select * from outbox where id = :id", {"id": message_id})
    return message_of(tx, row) if row else None


def by_provider_id(tx: Tx, provider_id: str) -> Message | None:
    """The message the provider knows by this id."""
    row = tx.one("select * from outbox where provider_id = :id", {"id": provider_id})
    return message_of(tx, row) if row else None


def provider_ids_to(tx: Tx, message: Message) -> set[str]:
    """The provider's ids of everything it is known to have taken for the same number or address."""
    among, params = listed("i", tx.sealer.indexes(message.address))
    rows = tx.all(
        "select a.provider_id from outbox o join attempt a on a.outbox_id = o.id "
        f"where o.address_index in {among} and a.provider_id is not null",
        params,
    )
    return {row["provider_id"] for row in rows}


def cancel_waiting(tx: Tx, practice_id: str, client_id: str, reason: str, spare: Sequence[str] = ()) -> int:
    """Skip every message to a client that isn't being sent yet, but for the kinds to spare."""
    among, params = listed("kind", list(spare))
    sql = f"""update outbox set state = 'skipped', reason = :reason, claim_token = null
               where client_id = :client and practice_id = :p and attempt_id is null
                 and state in ('due', 'claimed') and kind not in {among}"""
    if not spare:
        sql = sql.replace(f" and kind not in {among}", "")
    return tx.run(sql, {"reason": reason, "client": client_id, "p": practice_id, **params})


def of_client(tx: Tx, practice_id: str, client_id: str) -> list[Message]:
    """A client's messages, oldest first."""
    rows = tx.all(
        "select * from outbox where client_id = :c and practice_id = :p order by created_at, id",
        {"c": client_id, "p": practice_id},
    )
    return [message_of(tx, row) for row in rows]


def latest_address(tx: Tx, practice_id: str, check_in_id: str) -> str:
    """Where the newest message about a check-in went; empty where there is none, or it was erased."""
    row = tx.one(
        "select id, address_sealed from outbox where check_in_id = :c and practice_id = :p and person_id is null "
        "and state in ('sent', 'claimed', 'in_doubt', 'needs_person') and kind in ('check_in', 'reminder') "
        "order by created_at desc, id desc limit 1",
        {"c": check_in_id, "p": practice_id},
    )
    return tx.open("outbox", "address", row["id"], row["address_sealed"]) if row else ""


def channels_of(tx: Tx, practice_id: str, check_in_id: str, kind: str) -> list[str]:
    """By which channels a kind of message about a check-in was queued, in that order."""
    rows = tx.all(
        "select channel from outbox where check_in_id = :c and practice_id = :p and kind = :kind "
        "order by created_at, id",
        {"c": check_in_id, "p": practice_id, "kind": kind},
    )
    return [row["channel"] for row in rows]


def failed_elsewhere(tx: Tx, practice_id: str, check_in_id: str, channel: str) -> bool:
    """Whether a check-in's question went by another channel and never got there."""
    row = tx.one(
        "select 1 as yes from outbox where check_in_id = :c and practice_id = :p and kind = 'check_in' "
        "and channel <> :channel and (state = 'refused' or delivery in ('failed', 'undelivered')) limit 1",
        {"c": check_in_id, "p": practice_id, "channel": channel},
    )
    return row is not None


def first_about(tx: Tx, practice_id: str, alert_id: str, person_id: str) -> str | None:
    """The first mail to a person about an alert."""
    row = tx.one(
        "select id from outbox where alert_id = :a and practice_id = :p and person_id = :who and channel = 'mail' "
        "order by created_at, id limit 1",
        {"a": alert_id, "p": practice_id, "who": person_id},
    )
    return row["id"] if row else None


def answered_since(tx: Tx, practice_id: str, client_id: str, since: datetime) -> bool:
    """Whether an automatic answer went to a client by mail since then; those that confirm a STOP don't count."""
    row = tx.one(
        "select 1 as yes from outbox where client_id = :c and practice_id = :p and channel = 'mail' "
        "and urgency = :reply and kind <> 'stopped' and state <> 'skipped' and created_at > :since limit 1",
        {"c": client_id, "p": practice_id, "reply": REPLY, "since": epoch(since)},
    )
    return row is not None


def need_a_person(tx: Tx) -> int:
    """How many messages wait for a person. Asked all the time, so that no other state is counted."""
    row = tx.one("select count(*) as n from outbox where state = 'needs_person'")
    return int(row["n"]) if row else 0


def next_due(tx: Tx) -> datetime | None:
    """When a message next wants attention (to be sent, looked up, or freed of a dead worker's lease)."""
    row = tx.one(
        "select min(at) as at from ("
        "select min(due_at) as at from outbox where state = 'due' union all "
        "select min(look_at) from outbox where state = 'in_doubt' union all "
        "select min(lease_until) + 1 from outbox where state = 'claimed') as soonest"
    )
    return moment(row["at"]) if row else None


_PLAIN = (
    "id",
    "practice_id",
    "kind",
    "client_id",
    "person_id",
    "check_in_id",
    "alert_id",
    "channel",
    "address_index",
    "segments",
    "urgency",
    "state",
    "claim_token",
    "attempts",
    "attempt_id",
    "provider_id",
    "looks",
)


def message_of(tx: Tx, row: Row) -> Message:
    opened: dict[str, Any] = {
        c: tx.open("outbox", c, row["id"], row[f"{c}_sealed"]) for c in ("address", "subject", "body", "html")
    }
    return Message(
        **{name: row[name] for name in _PLAIN},
        **opened,
        due_at=moment_of(row["due_at"]),
        created_at=moment_of(row["created_at"]),
    )
