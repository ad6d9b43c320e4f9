"""Every message received, once, by the provider's id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment_of, new_id


@dataclass(frozen=True)
class Inbound:
    """A message as it came in, before anyone has looked at what it means. A mail's headers are read, not stored."""

    channel: str
    provider_id: str
    sender: str
    body: str
    opt_out_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Kept:
    """A message in the inbox with how it was read."""

    id: str
    client_id: str | None
    check_in_id: str | None
    kind: str | None
    body: str
    reading: str
    received_at: datetime
    channel: str = "sms"


def remember(tx: Tx, practice_id: str, inbound: Inbound, now: datetime) -> str | None:
    """Keep a message; its inbox id, or None when it is a repeat delivery."""
    inbox_id = new_id()
    row = {
        "id": inbox_id,
        "practice_id": practice_id,
        "channel": inbound.channel,
        "provider_id": inbound.provider_id,
        "address_index": tx.sealer.index(inbound.sender),
        "sender_sealed": tx.seal("inbox", "sender", inbox_id, inbound.sender),
        # an empty reply is kept too: sealing the empty text would give null
        "body_sealed": tx.sealer.seal(f"inbox|body|{inbox_id}", inbound.body),
        "received_at": epoch(now),
        "opt_out_type": inbound.opt_out_type or None,
    }
    kept = tx.insert("inbox", row, "on conflict (channel, provider_id) do nothing")
    return inbox_id if kept else None


def is_latest(tx: Tx, practice_id: str, check_in_id: str, channel: str, provider_id: str) -> bool:
    """Whether the newest message about a check-in, on whatever channel, has this name."""
    row = tx.one(
        "select channel, provider_id from inbox where check_in_id = :c and practice_id = :p "
        "order by received_at desc, id desc limit 1",
        {"c": check_in_id, "p": practice_id},
    )
    return row is not None and (row["channel"], row["provider_id"]) == (channel, provider_id)


def count_by_form(tx: Tx, practice_id: str, check_in_id: str) -> int:
    """How many forms about one check-in are kept."""
    row = tx.one(
        "select count(*) as n from inbox where check_in_id = :c and practice_id = :p and channel = 'web'",
        {"c": check_in_id, "p": practice_id},
    )
    return int(row["n"]) if row else 0


def note_reading(
    tx: Tx, inbox_id: str, *, client_id: str | None, check_in_id: str | None, kind: str, reading: str
) -> None:
    """Write down whose message it was, about which check-in, and how it was read (JSON, sealed)."""
    tx.run(
        "update inbox set client_id = :client, check_in_id = :check_in, kind = :kind, reading_sealed = :reading "
        "where id = :id",
        {
            "client": client_id,
            "check_in": check_in_id,
            "kind": kind,
            "reading": tx.seal("inbox", "reading", inbox_id, reading),
            "id": inbox_id,
        },
    )


def of_client(tx: Tx, practice_id: str, client_id: str) -> list[Kept]:
    """A client's messages, oldest first."""
    rows = tx.all(
        "select * from inbox where client_id = :c and practice_id = :p order by received_at, id",
        {"c": client_id, "p": practice_id},
    )
    return [_kept(tx, row) for row in rows]


def last_heard(tx: Tx, practice_id: str, client_ids: Sequence[str]) -> dict[str, datetime]:
    """When each client last wrote (machines don't count) or was started again by the practice; silence counts anew."""
    among, params = listed("id", client_ids)
    rows = tx.all(
        f"""select client_id, max(at) as at from (
              select client_id, received_at as at from inbox
               where practice_id = :p and client_id in {among} and kind <> 'autoreply'
              union all
              select client_id, at from consent_event
               where practice_id = :p and client_id in {among} and what in ('restored', 'resumed')) as heard
            group by client_id""",
        {"p": practice_id, **params},
    )
    return {row["client_id"]: moment_of(row["at"]) for row in rows}


def _kept(tx: Tx, row: Row) -> Kept:
    plain = ("id", "client_id", "check_in_id", "kind", "channel")
    return Kept(
        **{name: row[name] for name in plain},
        body=tx.open("inbox", "body", row["id"], row["body_sealed"]),
        reading=tx.open("inbox", "reading", row["id"], row["reading_sealed"]),
        received_at=moment_of(row["received_at"]),
    )
