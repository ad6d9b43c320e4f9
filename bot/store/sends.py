"""A send, step by step: claim, attempt, and what became of it. Every step names the row it expects to find.

due -> claimed -> sent | refused | in_doubt | skipped; in_doubt -> sent | due | needs_person. One exception: when
the provider says that it has a message, the row is sent, whatever we had made of it meanwhile.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import log
from bot.store.engine import Row, Tx
from bot.store.outbox import ORDINARY, URGENT, Message, message_of
from bot.store.seal import SealBroken
from bot.store.sql import epoch, listed, moment, moment_of, new_id

# The order in which a text goes through them; any other word, such as `delivered`, is the last one.
DELIVERY = ("accepted", "scheduled", "queued", "sending", "sent")
SHUT = timedelta(minutes=5)  # how soon it is tried again to open a message whose seal is broken: a key may be put back
_OVER = "state = 'claimed' and (lease_until < :now or lease_until > :ahead)"


@dataclass(frozen=True)
class Attempt:
    """One call to the provider, written down before it is made. `doubt_since`: when it ended without an answer."""

    id: str
    practice_id: str
    outbox_id: str
    started_at: datetime
    doubt_since: datetime
    outcome: str | None


def release_expired(tx: Tx, now: datetime, lease: timedelta, settle: timedelta) -> int:
    """Free what a dead worker held: never attempted is due again, attempted is in doubt. A lease further ahead than
    two comes from a clock that was ahead, and would last as long; what a live worker reports later still counts."""
    at = _around(now, lease)
    freed = tx.run(f"update outbox set state = 'due', claim_token = null where {_OVER} and attempt_id is null", at)
    tx.run(
        "update attempt set ended_at = :now where id in (select attempt_id from outbox "
        f"where {_OVER} and attempt_id is not null)",
        at,
    )
    doubted = tx.run(
        f"update outbox set state = 'in_doubt', looks = 0, look_at = :look where {_OVER} and attempt_id is not null",
        {**at, "look": _no_sooner(now + settle / 10)},
    )
    return freed + doubted


def claim(
    tx: Tx, *, channel: str, urgent: bool, worker: str, now: datetime, lease: timedelta, most: int
) -> list[Message]:
    """Take up to `most` due messages of one lane, the most pressing first; nobody else gets them during the lease.
    One whose seal is broken is due again later, and keeps back none of those behind it."""
    until = now + lease
    while rows := _claim(tx, channel=channel, urgent=urgent, worker=worker, now=now, until=until, most=most):
        messages, shut = _opened(tx, sorted(rows, key=lambda r: (r["urgency"], r["due_at"], r["id"])))
        _set_aside(tx, shut, now + SHUT)
        if messages:
            return messages
    return []


def _claim(tx: Tx, *, channel: str, urgent: bool, worker: str, now: datetime, until: datetime, most: int) -> list[Row]:
    # "materialized": PostgreSQL may otherwise run the inner select once a row, and take more than `most`
    return tx.all(
        f"""with next as materialized (
              select id from outbox where state = 'due' and channel = :channel
                 and urgency between :first and :last and due_at <= :now
               order by urgency, due_at, id limit :most {tx.lock})
            update outbox set state = 'claimed', claim_token = :token, claimed_by = :worker,
                   lease_until = :until, attempt_id = null
             where id in (select id from next) and state = 'due'
            returning *""",
        {
            "token": new_id(),
            "channel": channel,
            "worker": worker,
            "until": epoch(until),
            "now": epoch(now),
            "most": most,
            "first": URGENT if urgent else URGENT + 1,
            "last": URGENT if urgent else ORDINARY,
        },
    )


def _opened(tx: Tx, rows: Sequence[Row]) -> tuple[list[Message], list[str]]:
    """The messages, and the ids of those whose seal is broken."""
    messages, shut = list[Message](), list[str]()
    for row in rows:
        try:
            messages.append(message_of(tx, row))
        except SealBroken as error:
            log.get().error("fault", what="opening a message", message=row["id"], error=error.__class__.__name__)
            shut.append(row["id"])
    return messages, shut


def _set_aside(tx: Tx, ids: Sequence[str], due_at: datetime) -> None:
    among, params = listed("id", ids)
    if ids:
        tx.run(
            "update outbox set state = 'due', due_at = :due, claim_token = null, "
            "reason = 'it does not open: its key is missing, or it was changed (see SECRET_KEY)' "
            f"where id in {among} and state = 'claimed'",
            {"due": epoch(due_at), **params},
        )


def due_counts(tx: Tx, now: datetime) -> dict[tuple[str, bool], int]:
    """How many messages are due to be sent, by channel and whether they are urgent."""
    rows = tx.all(
        "select channel, urgency, count(*) as n from outbox where state = 'due' and due_at <= :now "
        "group by channel, urgency",
        {"now": epoch(now)},
    )
    found: dict[tuple[str, bool], int] = {}
    for row in rows:
        lane = (row["channel"], row["urgency"] == URGENT)
        found[lane] = found.get(lane, 0) + int(row["n"])
    return found


def has_abandoned(tx: Tx, now: datetime, lease: timedelta) -> bool:
    """Whether a lease has run out, or comes from a clock that was ahead."""
    return tx.one(f"select 1 as yes from outbox where {_OVER} limit 1", _around(now, lease)) is not None


def doubtful_count(tx: Tx, now: datetime) -> int:
    """How many messages are due to be looked up."""
    row = tx.one("select count(*) as n from outbox where state = 'in_doubt' and look_at <= :now", {"now": epoch(now)})
    return int(row["n"]) if row else 0


def begin_attempt(tx: Tx, message: Message, now: datetime, lease: timedelta) -> str | None:
    """Write down that the provider is about to be called; the attempt's id, or None if the claim is lost."""
    attempt_id = new_id()
    held = tx.run(
        "update outbox set attempt_id = :attempt, lease_until = :until, attempts = attempts + 1 "
        "where id = :id and state = 'claimed' and claim_token = :token and attempt_id is null "
        "and lease_until >= :now",
        {
            "attempt": attempt_id,
            "until": epoch(now + lease),
            "id": message.id,
            "token": message.claim_token,
            "now": epoch(now),
        },
    )
    if held != 1:
        return None
    row = {"id": attempt_id, "practice_id": message.practice_id, "outbox_id": message.id}
    tx.insert("attempt", row | {"started_at": epoch(now)})
    return attempt_id


def is_on(tx: Tx, message: Message, attempt_id: str, now: datetime) -> bool:
    """Whether a message is still on this attempt, and its lease lasts. To our own people it goes without a lease,
    and where it is looked up by now: one who is told twice is better than none."""
    held = "state in ('claimed', 'in_doubt')" if message.person_id else "state = 'claimed' and lease_until >= :now"
    row = tx.one(
        f"select 1 as yes from outbox where id = :id and attempt_id = :attempt and {held}",
        {"id": message.id, "attempt": attempt_id} | ({} if message.person_id else {"now": epoch(now)}),
    )
    return row is not None


def live_elsewhere(tx: Tx, message: Message) -> str | None:
    """How another message to the same address stands that is being sent or in doubt (`claimed` or `in_doubt`):
    a look-up couldn't tell two apart."""
    return _under_way(tx, message.address, "id <> :id and channel = 'sms'", {"id": message.id})


def asked_elsewhere(tx: Tx, message: Message) -> str | None:
    """How another client's check-in to the same address stands that is being sent or in doubt, by any channel."""
    return _under_way(tx, message.address, "client_id <> :client and kind = 'check_in'", {"client": message.client_id})


def _under_way(tx: Tx, address: str, which: str, params: Mapping[str, object]) -> str | None:
    """The state of a message to an address that is being sent or in doubt, among those that `which` chooses."""
    among, indexes = listed("i", tx.sealer.indexes(address))
    row = tx.one(
        f"select max(state) as state from outbox where address_index in {among} and {which} "
        "and (state = 'in_doubt' or (state = 'claimed' and attempt_id is not null))",
        {**params, **indexes},
    )
    return row["state"] if row else None


def attempt(tx: Tx, attempt_id: str) -> Attempt | None:
    """One attempt by its id (from a status callback's URL, so over all practices)."""
    row = tx.one("select * from attempt where id = :id", {"id": attempt_id})
    if row is None:
        return None
    started_at = moment_of(row["started_at"])
    # a clock that went back in between makes the wait longer, never shorter
    doubt_since = max(moment(row["ended_at"]) or started_at, started_at)
    return Attempt(row["id"], row["practice_id"], row["outbox_id"], started_at, doubt_since, row["outcome"])


def last_attempt(tx: Tx, message: Message) -> Attempt | None:
    """The attempt a message is on, if any."""
    return attempt(tx, message.attempt_id) if message.attempt_id else None


def set_sent(tx: Tx, message_id: str, attempt_id: str, provider_id: str, now: datetime) -> bool:
    """The provider has it, by this attempt or an earlier one. False when that was known before.

    Whatever else was about to happen to the message is off: a worker that has claimed it again finds its
    claim gone.
    """
    _end(tx, attempt_id, "sent", now, provider_id)
    changed = tx.run(
        "update outbox set state = 'sent', provider_id = :provider, sent_at = :now, attempt_id = :attempt, "
        "claim_token = null, look_at = null, reason = null where id = :id and state <> 'sent' "
        "and exists (select 1 from attempt a where a.id = :attempt and a.outbox_id = :id)",
        {"provider": provider_id, "now": epoch(now), "id": message_id, "attempt": attempt_id},
    )
    return changed == 1


def set_refused(tx: Tx, message_id: str, attempt_id: str, code: str, reason: str, now: datetime) -> bool:
    """The provider said a definite no. False when this attempt isn't the present one any more."""
    _end(tx, attempt_id, "refused", now)
    changed = tx.run(
        "update outbox set state = 'refused', code = :code, reason = :reason, look_at = null "
        "where id = :id and attempt_id = :attempt and state in ('claimed', 'in_doubt')",
        {"code": code, "reason": reason, "id": message_id, "attempt": attempt_id},
    )
    return changed == 1


def renew(tx: Tx, message_id: str, attempt_id: str, until: datetime) -> None:
    """The call is still open: keep others from taking the attempt for a dead one."""
    tx.run(
        "update outbox set lease_until = :until where id = :id and attempt_id = :attempt and state = 'claimed'",
        {"until": epoch(until), "id": message_id, "attempt": attempt_id},
    )


def set_in_doubt(tx: Tx, message_id: str, attempt_id: str, reason: str, look_at: datetime, now: datetime) -> bool:
    """Nobody knows whether the provider has it: look it up before anything else happens."""
    tx.run("update attempt set ended_at = :now where id = :id", {"now": epoch(now), "id": attempt_id})
    changed = tx.run(
        "update outbox set state = 'in_doubt', reason = :reason, looks = 0, look_at = :look "
        "where id = :id and attempt_id = :attempt and state = 'claimed'",
        {"reason": reason, "look": _no_sooner(look_at), "id": message_id, "attempt": attempt_id},
    )
    return changed == 1


def put_back(tx: Tx, message: Message, due_at: datetime, reason: str) -> bool:
    """Claimed, but not to be sent now: later. False when the claim was lost meanwhile."""
    changed = tx.run(
        "update outbox set state = 'due', due_at = :due, reason = :reason, claim_token = null "
        "where id = :id and state = 'claimed' and claim_token = :token and attempt_id is null",
        {"due": epoch(due_at), "reason": reason, "id": message.id, "token": message.claim_token},
    )
    return changed == 1


def try_again(tx: Tx, message_id: str, attempt_id: str, due_at: datetime, reason: str, now: datetime) -> bool:
    """The provider doesn't have it: later. False when this attempt isn't the present one any more."""
    changed = tx.run(
        "update outbox set state = 'due', due_at = :due, reason = :reason, claim_token = null, attempt_id = null, "
        "look_at = null where id = :id and attempt_id = :attempt and state in ('claimed', 'in_doubt')",
        {"due": epoch(due_at), "reason": reason, "id": message_id, "attempt": attempt_id},
    )
    if changed == 1:
        _end(tx, attempt_id, "not taken", now)
    return changed == 1


def put_off(tx: Tx, message_id: str, attempt_id: str, due_at: datetime, reason: str, now: datetime) -> bool:
    """The provider was never called: later, as if this attempt hadn't been. False when it isn't the present one."""
    if not try_again(tx, message_id, attempt_id, due_at, reason, now):
        return False
    return tx.run("update outbox set attempts = attempts - 1 where id = :id", {"id": message_id}) == 1


def set_skipped(tx: Tx, message: Message, reason: str) -> bool:
    """Not to be sent, and why. False when the claim was lost meanwhile."""
    changed = tx.run(
        "update outbox set state = 'skipped', reason = :reason where id = :id and attempt_id is null "
        "and state in ('due', 'claimed') and (claim_token = :token or state = 'due')",
        {"reason": reason, "id": message.id, "token": message.claim_token},
    )
    return changed == 1


def set_needs_person(tx: Tx, message_id: str, attempt_id: str, reason: str) -> bool:
    """A person must look: the provider can't say whether it went out."""
    changed = tx.run(
        "update outbox set state = 'needs_person', reason = :reason, look_at = null "
        "where id = :id and attempt_id = :attempt and state = 'in_doubt'",
        {"reason": reason, "id": message_id, "attempt": attempt_id},
    )
    return changed == 1


def free_settled(tx: Tx, message_id: str, attempt_id: str, now: datetime) -> bool:
    """A person says that it never went out: it is due again, and checked once more before it is sent."""
    _end(tx, attempt_id, "not taken", now)
    changed = tx.run(
        "update outbox set state = 'due', due_at = :now, claim_token = null, attempt_id = null, "
        "reason = 'a person says it was not sent' where id = :id and attempt_id = :attempt and state = 'needs_person'",
        {"now": epoch(now), "id": message_id, "attempt": attempt_id},
    )
    return changed == 1


def look_again(tx: Tx, message_id: str, attempt_id: str, looks: int, look_at: datetime) -> None:
    """The provider had nothing; look once more later."""
    tx.run(
        "update outbox set looks = :looks, look_at = :at "
        "where id = :id and attempt_id = :attempt and state = 'in_doubt'",
        {"looks": looks, "at": _no_sooner(look_at), "id": message_id, "attempt": attempt_id},
    )


def to_look_up(tx: Tx, now: datetime, most: int) -> tuple[list[Message], list[str]]:
    """Messages in doubt whose next look is due, and the ids of those among them whose seal is broken."""
    rows = tx.all(
        "select * from outbox where state = 'in_doubt' and look_at <= :now order by look_at, id limit :most",
        {"now": epoch(now), "most": most},
    )
    return _opened(tx, rows)


def look_later(tx: Tx, ids: Sequence[str], look_at: datetime) -> None:
    """These can't be looked up now; others can."""
    among, params = listed("id", ids)
    tx.run(
        f"update outbox set look_at = :at where id in {among} and state = 'in_doubt'",
        {"at": _no_sooner(look_at), **params},
    )


def take_look(tx: Tx, message: Message, now: datetime, lease: timedelta) -> bool:
    """Keep other workers from looking at the same moment; False if one already does."""
    changed = tx.run(
        "update outbox set look_at = :later where id = :id and state = 'in_doubt' and attempt_id = :attempt "
        "and looks = :looks and look_at <= :now",
        {
            "later": epoch(now + lease),
            "id": message.id,
            "attempt": message.attempt_id,
            "looks": message.looks,
            "now": epoch(now),
        },
    )
    return changed == 1


def set_delivery(tx: Tx, message_id: str, delivery: str, code: str) -> bool:
    """What the carrier said last. False, and nothing changes, when something as late or later was known already."""
    surpassed = DELIVERY[: DELIVERY.index(delivery)] if delivery in DELIVERY else DELIVERY
    among, params = listed("d", surpassed)
    changed = tx.run(
        "update outbox set delivery = :delivery, code = coalesce(:code, code) where id = :id "
        f"and (delivery is null or delivery in {among})",
        {"delivery": delivery, "code": code or None, "id": message_id, **params},
    )
    return changed == 1


def _around(now: datetime, lease: timedelta) -> dict[str, int]:
    return {"now": epoch(now), "ahead": _no_sooner(now + 2 * lease)}


def _no_sooner(at: datetime) -> int:
    """In whole seconds, rounded up: a look may come late, never early."""
    return math.ceil(at.timestamp())


def _end(tx: Tx, attempt_id: str, outcome: str, now: datetime, provider_id: str | None = None) -> None:
    tx.run(
        "update attempt set ended_at = :now, outcome = :outcome, provider_id = coalesce(:provider, provider_id) "
        "where id = :id",
        {"now": epoch(now), "outcome": outcome, "provider": provider_id, "id": attempt_id},
    )
