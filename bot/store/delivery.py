"""What was due, what went out, what came back: counted over a practice, by index. No answer, score or word is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, moment_of

# Leaves the choice of index to what is looked for: SQLite would else take one of keys that begin with the practice.
_PRACTICE = "practice_id || '' = :p"


@dataclass(slots=True)
class Due:
    """One appointment that ended, with what became of asking about it. `channel`, `delivery`: of the message with the
    question, the last one where a second channel was tried. `held`: a message of it waits for a person.

    Times are epoch seconds, since a page counts thousands of these.
    """

    ended_at: int
    zone: str
    state: str | None
    asked_at: int | None
    answered_at: int | None
    reason: str | None
    channel: str | None
    delivery: str | None
    held: bool


@dataclass(frozen=True)
class Stuck:
    """A message of which nobody knows whether it went out. `kind`: as told to a manager."""

    id: str
    kind: str
    channel: str
    address: str
    client_id: str | None
    person_id: str | None
    reason: str
    started_at: datetime | None


def due_between(tx: Tx, practice_id: str, since: datetime, until: datetime) -> list[Due]:
    """Every appointment that ended in a period (since <= end < until), in that order, and what became of asking."""
    rows = tx.all(
        f"""select v.id, v.ends_at, v.not_asked, c.timezone, k.id as check_in_id, k.state, k.asked_at,
                  k.answered_at, k.reason, o.channel, o.delivery
             from appointment v join client c on c.id = v.client_id left join check_in k on k.appointment_id = v.id
             left join outbox o on o.check_in_id = k.id and o.kind = 'check_in'
            where v.{_PRACTICE} and v.ends_at >= :since and v.ends_at < :until
            order by v.ends_at, v.id, o.created_at, o.id""",
        {"p": practice_id, "since": epoch(since), "until": epoch(until)},
    )
    held = _held(tx, practice_id)
    return [_due(row, held) for row in {row["id"]: row for row in rows}.values()]


def skipped(tx: Tx, practice_id: str, since: datetime, until: datetime) -> list[tuple[str, str, str]]:
    """Client id, appointment reference and check-in's or planner's reason of what ended in a period unasked."""
    rows = tx.all(
        f"""select v.client_id, v.appointment_ref, coalesce(k.reason, v.not_asked) as reason, k.state
             from appointment v left join check_in k on k.appointment_id = v.id
            where v.{_PRACTICE} and v.ends_at >= :since and v.ends_at < :until and k.asked_at is null
              and (k.id is null or k.state <> 'planned') order by v.ends_at, v.id""",
        {"p": practice_id, "since": epoch(since), "until": epoch(until)},
    )
    return [(row["client_id"], row["appointment_ref"], row["reason"] or row["state"] or "") for row in rows]


def waiting_for(tx: Tx, practice_id: str, client_id: str) -> int:
    """How many messages to a client are queued and not being sent yet."""
    sql = f"""select count(*) as n from outbox where client_id = :c and {_PRACTICE} and attempt_id is null
              and state in ('due', 'claimed')"""
    return int(tx.all(sql, {"c": client_id, "p": practice_id})[0]["n"])


def segments(tx: Tx, practice_id: str, since: datetime) -> tuple[int, int]:
    """How many texts went out since then, and in how many segments."""
    # found by time alone: by practice, state or channel the database would go through every text ever sent
    sql = """select sum(case when channel = 'sms' and state = 'sent' then 1 else 0 end) as n,
                    sum(case when channel = 'sms' and state = 'sent' then segments else 0 end) as s
               from outbox where practice_id || '' = :p and created_at >= :since"""
    row = tx.all(sql, {"p": practice_id, "since": epoch(since)})[0]
    return int(row["n"] or 0), int(row["s"] or 0)


def opt_outs(tx: Tx, practice_id: str, since: datetime) -> list[tuple[str, datetime]]:
    """Each time a client stopped or came back since then: ("stopped" or "restored", when), in order."""
    rows = tx.all(
        f"""select what, min(at) as at from consent_event where {_PRACTICE} and what in ('stopped', 'restored')
            and at >= :since and client_id is not null group by what, client_id, at order by at, what""",
        {"p": practice_id, "since": epoch(since)},
    )
    return [(row["what"], moment_of(row["at"])) for row in rows]


def stuck(tx: Tx, practice_id: str) -> list[Stuck]:
    """The messages that wait for a person, oldest first."""
    rows = tx.all(
        f"""select o.*, a.started_at from outbox o left join attempt a on a.id = o.attempt_id
            where o.state = 'needs_person' and o.{_PRACTICE} order by o.created_at, o.id""",
        {"p": practice_id},
    )
    return [_stuck(tx, row) for row in rows]


def unread(tx: Tx, practice_id: str, since: datetime) -> int:
    """How many messages came in since then that the program couldn't read."""
    sql = f"""select count(*) as n from inbox where {_PRACTICE} and received_at >= :since and kind = 'unread'"""
    return int(tx.all(sql, {"p": practice_id, "since": epoch(since)})[0]["n"])


def failed(tx: Tx, practice_id: str, since: datetime) -> list[tuple[str, str, datetime]]:
    """Clients whose last check-in due since then never got there: id, why, when it was due."""
    rows = tx.all(
        f"""select client_id, reason, due_at from check_in k where {_PRACTICE} and due_at >= :since
            and state = 'failed' and not exists (select 1 from check_in later where later.client_id = k.client_id
            and later.due_at > k.due_at and later.asked_at is not null) order by due_at desc, id""",
        {"p": practice_id, "since": epoch(since)},
    )
    return [(row["client_id"], row["reason"] or "", moment_of(row["due_at"])) for row in rows]


def without_address(tx: Tx, practice_id: str) -> list[tuple[str, str]]:
    """Id and reference of clients in care who agreed, and whose number or address (by their channel) is missing."""
    rows = tx.all(
        """select id, client_ref from client where practice_id = :p and state = 'active' and consent_at is not null
            and stopped_at is null and merged_into is null and erased_at is null
            and ((channel = 'sms' and phone_sealed is null) or (channel = 'mail' and email_sealed is null))
            order by client_ref""",
        {"p": practice_id},
    )
    return [(row["id"], row["client_ref"]) for row in rows]


def bouncing(tx: Tx, practice_id: str) -> list[tuple[str, str]]:
    """Id and reference of clients in care who are asked by mail, and whose mail came back."""
    rows = tx.all(
        """select c.id, c.client_ref from undeliverable u join client c on c.email_index = u.address_index
            and c.practice_id = u.practice_id where u.practice_id = :p and c.state = 'active' and c.channel = 'mail'
            order by c.client_ref""",
        {"p": practice_id},
    )
    return [(row["id"], row["client_ref"]) for row in rows]


def refs(tx: Tx, practice_id: str, client_ids: Sequence[str]) -> dict[str, str]:
    """The references of clients, by id."""
    among, params = listed("id", client_ids)
    rows = tx.all(
        f"select id, client_ref from client where practice_id = :p and id in {among}", {"p": practice_id, **params}
    )
    return {row["id"]: row["client_ref"] for row in rows}


def _held(tx: Tx, practice_id: str) -> set[str]:
    """The check-ins of which a message waits for a person."""
    sql = f"""select check_in_id from outbox where state = 'needs_person' and {_PRACTICE}
              and kind in ('welcome', 'check_in') and check_in_id is not null"""
    return {row["check_in_id"] for row in tx.all(sql, {"p": practice_id})}


def _due(row: Row, held: set[str]) -> Due:
    return Due(
        ended_at=row["ends_at"],
        zone=row["timezone"],
        state=row["state"],
        asked_at=row["asked_at"],
        answered_at=row["answered_at"],
        reason=row["reason"] if row["state"] else row["not_asked"],
        channel=row["channel"],
        delivery=row["delivery"],
        held=row["check_in_id"] in held and row["state"] == "planned",
    )


def _stuck(tx: Tx, row: Row) -> Stuck:
    address = tx.open("outbox", "address", row["id"], row["address_sealed"])
    return Stuck(row["id"], row["kind"], row["channel"], address, row["client_id"], row["person_id"],
                 row["reason"] or "", moment(row["started_at"]))  # fmt: skip
