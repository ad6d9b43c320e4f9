"""What is checked again at the moment of sending, in the transaction that writes the attempt down: consent and STOP,
the hours, the number, the appointment, the rule as it stands now, and whether somebody else is being asked. A call
that was held up is looked at once more, by the same rules."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot import log
from bot.channels import Outgoing
from bot.flows import client_letters, outcomes, pace, to_staff
from bot.flows.context import Context
from bot.flows.falling_back import never_arrived
from bot.flows.planning import for_planning, for_schedule, rule_for, rule_of
from bot.flows.readiness import missing_for_going_live
from bot.store import Tx, appointments, check_ins, clients, practices, sends
from bot.store.clients import Client
from bot.store.outbox import URGENT, Message
from bot.store.practices import Practice
from surveys import courtesy
from surveys.conversation import OPEN, State
from surveys.schedule import Client as Stranger
from surveys.window import known_zone

TURN = timedelta(seconds=5)  # two clients on one phone: how soon the second is looked at again
ASIDE = {"claimed": timedelta(seconds=1), "in_doubt": timedelta(seconds=5)}
CALL = timedelta(seconds=30)  # the longest a call may take, with what it is held up: validity counts from its end


def begin(ctx: Context, tx: Tx, message: Message, now: datetime) -> Outgoing | None:
    """Check everything again and write the attempt down; None when it isn't to be sent now."""
    verdict = _judge(ctx, tx, message, now)
    if not isinstance(verdict, courtesy.Go):
        pace.use(ctx, tx, message.channel, -message.segments, now)
    if isinstance(verdict, courtesy.Drop):
        outcomes.dropped(tx, message, verdict.reason, now)
        return None
    if isinstance(verdict, courtesy.Wait):
        sends.put_back(tx, message, verdict.until, verdict.reason)
        return None
    lease = timedelta(seconds=ctx.config.lease_seconds)
    attempt_id = sends.begin_attempt(tx, message, now, lease)
    if attempt_id is None:
        return None
    return _outgoing(ctx, tx, message, attempt_id, verdict.until, now)


def check_again(ctx: Context, message: Message, outgoing: Outgoing, now: datetime) -> Outgoing | None:
    """Check everything once more before a call that was held up; None when the attempt isn't ours any more, or the
    message isn't to be sent now, or that can't be told: nobody was called yet. Writes nothing. `now` is from before
    this begins, so what is read is no older. By a clock that was set back only our own people are told."""
    if now < outgoing.now and message.person_id is None:
        return None
    try:
        with ctx.store.transaction(write=False) as tx:
            on = sends.is_on(tx, message, outgoing.attempt_id, now)
            verdict = _judge(ctx, tx, message, now) if on else None
    except Exception as error:
        log.get().error("fault", what="checking again", message=message.id, error=error.__class__.__name__)
        return None
    if not isinstance(verdict, courtesy.Go):
        return None
    return replace(outgoing, valid_seconds=_valid_seconds(verdict.until, now), now=now)


def _valid_seconds(until: datetime, now: datetime) -> int:
    return int((until - now - CALL).total_seconds())


def _outgoing(ctx: Context, tx: Tx, message: Message, attempt_id: str, until: datetime, now: datetime) -> Outgoing:
    outgoing = Outgoing(
        to=message.address,
        subject=message.subject,
        body=message.body,
        html=message.html,
        message_id=message.id,
        attempt_id=attempt_id,
        valid_seconds=_valid_seconds(until, now),
        now=now,
    )
    if message.channel != "mail":
        return outgoing
    return (
        to_staff.dressed(tx, message, outgoing)
        if message.person_id
        else client_letters.dressed(ctx, tx, message, outgoing)
    )


def _judge(ctx: Context, tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    if message.urgency != URGENT and (state := sends.live_elsewhere(tx, message)):
        return courtesy.Wait(now + ASIDE[state], "another message to this number is on its way")
    if message.client_id is None:
        return _for_stranger(tx, message, now)
    return _for_client(ctx, tx, message, now)


def _for_stranger(tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    """Our own people are always told; a number we don't know is answered in the practice's own hours, unless it
    said STOP."""
    if message.person_id is not None:
        return to_staff.may_go(tx, message, now)
    practice = practices.get(tx, message.practice_id)
    stopped = clients.is_stopped(tx, practice.id, message.address)
    stranger = Stranger(zone=practice.timezone, consent_at=None, stopped=stopped)
    errand = courtesy.Errand(message.kind, message.created_at)
    return courtesy.judge(errand, stranger, rule_of(dict(practice.schedule)), now)


def _for_client(ctx: Context, tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    practice = practices.get(tx, message.practice_id)
    client = clients.get(tx, practice.id, message.client_id or "").by(message.channel)
    if courtesy.KINDS[message.kind].unasked:
        if client.address != message.address:
            return courtesy.Drop("the client's number or address has changed")
        if blocked := _not_yet(ctx, tx, practice, client, message, now):
            return blocked
    return _by_courtesy(tx, message, practice, client, now)


def _by_courtesy(
    tx: Tx, message: Message, practice: Practice, client: Client, now: datetime
) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    """Ask the table of manners. STOP holds for the person and for the number the message goes to."""
    rule = rule_for(tx, practice, client.therapist_id, client.id)
    found = replace(
        for_schedule(client, rule),
        zone=known_zone(client.timezone, practice.timezone),
        stopped=client.stopped or clients.is_stopped(tx, practice.id, message.address),
    )
    return courtesy.judge(_errand(tx, message), found, rule, now)


def _not_yet(
    ctx: Context, tx: Tx, practice: Practice, client: Client, message: Message, now: datetime
) -> courtesy.Wait | None:
    """What makes a check-in wait: a rule changed since, a practice that isn't ready, someone else's turn."""
    check_in = check_ins.get(tx, practice.id, message.check_in_id or "")
    if check_in.state == State.PLANNED and check_in.due_at > now:
        return courtesy.Wait(check_in.due_at, "the schedule has moved it")
    if ctx.config.real_twilio and missing_for_going_live(tx, practice):
        return courtesy.Wait(now + timedelta(minutes=15), "the practice isn't ready: see `attune doctor`")
    for practice_id, other in clients.sharing(tx, client):
        latest = check_ins.latest_asked(tx, practice_id, other)
        if latest is not None and latest.state in OPEN and latest.expires_at > now:
            return courtesy.Wait(min(now + TURN, latest.expires_at), "someone else is asked")
    # of texts to one number, whoever they are for, no two are under way anyhow
    if message.channel != "sms" and (state := sends.asked_elsewhere(tx, message)):
        return courtesy.Wait(now + ASIDE[state], "someone else is being asked")
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
        planned=check_in.state == State.PLANNED or never_arrived(tx, message, check_in),
        expires_at=check_in.expires_at,
    )
