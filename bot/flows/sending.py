"""Sending, step by step: claim; check everything again and write the attempt down; call; write what came of it.

No transaction is open while a provider is called. What the provider's answer leaves open is in doubt, and
`bot.flows.settling` looks it up before anything else happens to it.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels import DeliveryFailed, InDoubt, Outgoing
from bot.flows import outcomes
from bot.flows.context import Context
from bot.flows.planning import for_planning, for_schedule, rule_of
from bot.flows.readiness import missing_for_going_live
from bot.flows.settling import next_look
from bot.store import Tx, appointments, check_ins, clients, outbox, practices, sends, system
from bot.store.outbox import URGENT, Message
from bot.store.practices import Practice
from surveys import courtesy
from surveys.conversation import OPEN, State

AT_ONCE = 10
RETRY_AFTER = (30, 60, 120, 300, 900, 1800, 3600)  # seconds; the last one again and again
STAFF_STAY = timedelta(hours=10)
CLOCK_JUMP = timedelta(minutes=10)  # a pace further ahead than this means that the clock went back
ASIDE = timedelta(seconds=5)


def claim(ctx: Context, worker: str, now: datetime) -> list[Message]:
    """Claim what is due, as far as each sender's pace allows; urgent messages don't wait for the pace."""
    with ctx.store.transaction(write=False) as tx:
        if not sends.has_due(tx, now):
            return []
    with ctx.store.transaction() as tx:
        sends.release_expired(tx, now, timedelta(seconds=ctx.config.settle_seconds))
        return [message for channel in ctx.channels for message in _claim(ctx, tx, channel, worker, now)]


def deliver(ctx: Context, message: Message, now: datetime) -> None:
    """Send one claimed message, if it is still right to send it at this moment."""
    with ctx.store.transaction() as tx:
        outgoing = _prepare(ctx, tx, message, now)
    if outgoing is None:
        return
    try:
        provider_id = ctx.channels[message.channel].send(outgoing)
    except DeliveryFailed as failure:
        _failed(ctx, message, outgoing, failure, now)
    except InDoubt as doubt:
        _in_doubt(ctx, message, outgoing, str(doubt), now)
    else:
        with ctx.store.transaction() as tx:
            outcomes.accepted(tx, message, outgoing.attempt_id, provider_id, now)
        log.get().info("sent", message=message.id, kind=message.kind, channel=message.channel)


def _claim(ctx: Context, tx: Tx, channel: str, worker: str, now: datetime) -> list[Message]:
    lease = timedelta(seconds=ctx.config.lease_seconds)
    if channel != "sms" or not ctx.config.pace:
        return sends.claim(tx, channel=channel, worker=worker, now=now, lease=lease, most=AT_ONCE)
    sender = ctx.channels[channel].sender
    urgent = sends.claim(tx, channel=channel, worker=worker, now=now, lease=lease, most=AT_ONCE, least_urgency=URGENT)
    now_ms = int(now.timestamp() * 1000)
    free_at = system.free_at(tx, sender)
    if free_at > now_ms + CLOCK_JUMP // timedelta(milliseconds=1):
        free_at = now_ms
    if free_at > now_ms:
        return urgent
    most = max(1, int(ctx.config.pace))
    claimed = sends.claim(tx, channel=channel, worker=worker, now=now, lease=lease, most=most)
    used = sum(message.segments for message in claimed)
    if used:
        system.set_free_at(tx, sender, now_ms + int(1000 * used / ctx.config.pace))
    return urgent + claimed


def _prepare(ctx: Context, tx: Tx, message: Message, now: datetime) -> Outgoing | None:
    """Check everything again and write the attempt down; None when it isn't to be sent now."""
    verdict = _judge(ctx, tx, message, now)
    if isinstance(verdict, courtesy.Drop):
        outcomes.dropped(tx, message, verdict.reason, now)
        return None
    if isinstance(verdict, courtesy.Wait):
        sends.set_due(tx, message, verdict.until, verdict.reason, now)
        return None
    lease = timedelta(seconds=ctx.config.lease_seconds)
    attempt_id = sends.begin_attempt(tx, message, now, lease)
    if attempt_id is None:
        return None
    return Outgoing(
        to=message.address,
        subject=message.subject,
        body=message.body,
        html=message.html,
        message_id=message.id,
        attempt_id=attempt_id,
        valid_seconds=int((verdict.until - now).total_seconds()),
        now=now,
    )


def _judge(ctx: Context, tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    if message.urgency != URGENT and sends.live_elsewhere(tx, message):
        return courtesy.Wait(now + ASIDE, "another message to this number is on its way")
    if message.client_id is None:
        return _judge_for_stranger(tx, message, now)
    return _judge_for_client(ctx, tx, message, now)


def _judge_for_stranger(tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Drop:
    """Our own people are always told; a number we don't know is answered unless it said STOP."""
    stranger = message.person_id is None
    obeys_stop = stranger and not courtesy.KINDS[message.kind].after_stop
    if obeys_stop and clients.is_stopped(tx, message.practice_id, message.address):
        return courtesy.Drop("the person said STOP")
    return courtesy.Go(now + STAFF_STAY)


def _judge_for_client(
    ctx: Context, tx: Tx, message: Message, now: datetime
) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    practice = practices.get(tx, message.practice_id)
    client = clients.get(tx, practice.id, message.client_id or "")
    schedule = rule_of(dict(practice.schedule))
    if courtesy.KINDS[message.kind].unasked:
        if client.address != message.address:
            return courtesy.Drop("the client's number or address has changed")
        if blocked := _not_yet(ctx, tx, practice, message, now):
            return blocked
    errand = _errand(tx, message)
    return courtesy.judge(errand, for_schedule(client), schedule, now)


def _not_yet(ctx: Context, tx: Tx, practice: Practice, message: Message, now: datetime) -> courtesy.Wait | None:
    """What makes a check-in wait: a rule changed since, a practice that isn't ready, someone else's turn."""
    check_in = check_ins.get(tx, practice.id, message.check_in_id or "")
    if check_in.state == State.PLANNED and check_in.due_at > now:
        return courtesy.Wait(check_in.due_at, "the schedule has moved it")
    if ctx.config.real_twilio and missing_for_going_live(tx, practice):
        return courtesy.Wait(now + timedelta(minutes=15), "the practice isn't ready: see `attune doctor`")
    client = clients.get(tx, practice.id, message.client_id or "")
    for other in clients.sharing(tx, client):
        latest = check_ins.latest_asked(tx, practice.id, other)
        if latest is not None and latest.state in OPEN and latest.expires_at > now:
            return courtesy.Wait(min(now + timedelta(minutes=30), latest.expires_at), "someone else is asked")
    return None


def _errand(tx: Tx, message: Message) -> courtesy.Errand:
    if message.check_in_id is None:
        return courtesy.Errand(message.kind, message.created_at)
    check_in = check_ins.get(tx, message.practice_id, message.check_in_id)
    visit = appointments.get(tx, message.practice_id, check_in.appointment_id)
    awaited = (State.ASKED,) if message.kind == "reminder" else OPEN
    return courtesy.Errand(
        kind=message.kind,
        written_at=message.created_at,
        appointment=for_planning(visit),
        open=check_in.state in awaited,
        planned=check_in.state == State.PLANNED,
        expires_at=check_in.expires_at,
    )


def _failed(ctx: Context, message: Message, outgoing: Outgoing, failure: DeliveryFailed, now: datetime) -> None:
    log.get().warning("not taken", message=message.id, kind=message.kind, code=failure.code, what=failure.meaning)
    with ctx.store.transaction() as tx:
        if failure.permanent:
            outcomes.refused(
                ctx,
                tx,
                message,
                outgoing.attempt_id,
                code=failure.code,
                meaning=failure.meaning,
                reason=failure.reason,
                now=now,
            )
        else:
            current = outbox.get(tx, message.practice_id, message.id)
            pause = failure.retry_after or RETRY_AFTER[min(current.attempts, len(RETRY_AFTER)) - 1]
            sends.set_due(tx, current, now + timedelta(seconds=pause), failure.reason, now)


def _in_doubt(ctx: Context, message: Message, outgoing: Outgoing, reason: str, now: datetime) -> None:
    log.get().warning("in doubt", message=message.id, kind=message.kind, attempt=outgoing.attempt_id)
    settle = timedelta(seconds=ctx.config.settle_seconds)
    with ctx.store.transaction() as tx:
        sends.set_in_doubt(tx, message.id, outgoing.attempt_id, reason, next_look(now, 0, now, settle))
