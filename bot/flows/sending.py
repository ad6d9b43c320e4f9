"""Sending, step by step: claim; check everything again and write the attempt down; call; write what came of it.

No transaction is open while a provider is called. What the provider's answer leaves open is in doubt, and
`bot.flows.settling` looks it up before anything else happens to it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from bot import log
from bot.channels import DeliveryFailed, InDoubt, Outgoing, codes
from bot.flows import client_letters, older_copy, outcomes, to_staff
from bot.flows.context import Context
from bot.flows.falling_back import never_arrived
from bot.flows.planning import for_planning, for_schedule, rule_for, rule_of
from bot.flows.readiness import missing_for_going_live
from bot.flows.settling import first_look
from bot.store import Tx, appointments, check_ins, clients, outbox, practices, sends, system
from bot.store.clients import Client
from bot.store.outbox import URGENT, Message
from bot.store.practices import Practice
from surveys import courtesy
from surveys.conversation import OPEN, State
from surveys.schedule import Client as Stranger
from surveys.window import known_zone

AT_ONCE = 10
RETRY_AFTER = (30, 60, 120, 300, 900, 1800, 3600)  # seconds; the last one again and again
RETRY_STAFF = (30, 60, 120, 300, 300, 300, 600, 900, 1800)  # in minutes if it can: greylisting lets go after five
RETRY_URGENT = (5, 10, 30, 60)
MAIL_STAYS = timedelta(days=3)  # a mail put off for longer is given up; whoever should know is told of it
LONGEST_RETRY_AFTER = 3600  # what a provider may ask us to wait
LONGEST_HOLD = timedelta(minutes=5)  # what one "too many requests" may hold up the sender's other messages
CLOCK_JUMP = timedelta(minutes=10)  # a pace further ahead than this means that the clock went back
TURN = timedelta(seconds=5)  # two clients on one phone: how soon the second is looked at again
ASIDE = {"claimed": timedelta(seconds=1), "in_doubt": timedelta(seconds=5)}
FRESH = timedelta(seconds=1)  # how old the look at a client's consent may be when the provider is called
HELD_UP = timedelta(
    seconds=3
)  # how old the time may be by which all was checked, the wait for a turn at writing included
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALL = timedelta(seconds=30)  # the longest a call may take, with HELD_UP: validity counts from its end


@dataclass(frozen=True)
class Lane:
    """Messages that wait for one another and for nothing else: of one channel, urgent or not."""

    channel: str
    urgent: bool


def lanes_of(ctx: Context) -> list[Lane]:
    """Every lane, the urgent ones first."""
    return [Lane(channel, urgent) for urgent in (True, False) for channel in ctx.channels]


def free_abandoned(ctx: Context, now: datetime) -> int:
    """Free what a dead worker held: due again, or in doubt if the provider was being called; how many."""
    with ctx.store.transaction(write=False) as tx:
        if not sends.has_abandoned(tx, now):
            return 0
    with ctx.store.transaction() as tx:
        return sends.release_expired(tx, now, timedelta(seconds=ctx.config.settle_seconds))


def due_by_lane(ctx: Context, now: datetime) -> dict[Lane, int]:
    """How many messages could be claimed in each lane; a lane whose sender's pace is used up has none."""
    with ctx.store.transaction(write=False) as tx:
        found = sends.due_counts(tx, now)
        counts = {lane: found.get((lane.channel, lane.urgent), 0) for lane in lanes_of(ctx)}
        return {lane: n for lane, n in counts.items() if n and not _pause(ctx, tx, lane, now)}


def pause(ctx: Context, lane: Lane, now: datetime) -> timedelta:
    """How long the sender's pace keeps back what is due in a lane; zero when nothing is due."""
    with ctx.store.transaction(write=False) as tx:
        due = sends.due_counts(tx, now).get((lane.channel, lane.urgent), 0)
        return _pause(ctx, tx, lane, now) if due else timedelta()


def claim(ctx: Context, worker: str, now: datetime, lane: Lane | None = None, most: int = AT_ONCE) -> list[Message]:
    """Claim what is due (in one lane), as far as the sender's pace allows; urgent messages don't wait for it.

    On disk when this returns, as is every other step of a send; threads that wait for that together share a commit.
    Nothing is claimed in a database that was exchanged under us, until a pass has made it safe.
    """

    def work() -> list[Message]:
        with ctx.store.transaction() as tx:
            lanes = ([lane] if lane else lanes_of(ctx)) if older_copy.may_send(ctx, tx) else []
            return [message for each in lanes for message in _claim(ctx, tx, each, worker, now, most)]

    return ctx.store.together(work)


def deliver(ctx: Context, message: Message, now: datetime, tell: Callable[[], datetime] | None = None) -> None:
    """Send one claimed message, if it is still right to send it at this moment.

    `tell` gives the time again: where more than a moment has gone by before the call (the worker was frozen,
    the disk was slow, the clock was set), the checks are stale and the message goes back for another turn.
    """
    clock = tell or (lambda: now)
    outgoing, looked_at = ctx.store.together(lambda: _prepared(ctx, message, now, clock))
    if outgoing is None:
        return
    outgoing = to_staff.with_picture(ctx, message, outgoing)
    try:
        with _lease_kept(ctx, message, outgoing.attempt_id, tell):
            _check_fresh(message, now, looked_at, clock())
            provider_id = ctx.channels[message.channel].send(outgoing)
    except _HeldUp:
        with ctx.store.transaction() as tx:
            sends.try_again(tx, message.id, outgoing.attempt_id, now, "the worker was held up", now)
    except DeliveryFailed as failure:
        _failed(ctx, message, outgoing, failure, now)
    except InDoubt as doubt:
        _in_doubt(ctx, message, outgoing, str(doubt), tell() if tell else now)
    except Exception as error:
        # whatever went wrong, the provider may have it
        log.get().error("fault", what="channel", error=error.__class__.__name__, message=message.id)
        _in_doubt(ctx, message, outgoing, f"the channel failed ({error.__class__.__name__})", tell() if tell else now)
    else:
        ctx.store.together(lambda: _accepted(ctx, message, outgoing.attempt_id, provider_id, now))
        log.get().info("sent", message=message.id, kind=message.kind, channel=message.channel)


class _HeldUp(Exception):
    """The checks are stale."""


def _prepared(
    ctx: Context, message: Message, now: datetime, clock: Callable[[], datetime]
) -> tuple[Outgoing | None, datetime]:
    """What to send, if it is to be sent, and when its client's consent was looked at."""
    with ctx.store.transaction() as tx:
        looked_at = clock()
        return _prepare(ctx, tx, message, now), looked_at


def _check_fresh(message: Message, now: datetime, looked_at: datetime, at: datetime) -> None:
    """Raises _HeldUp. Our own people can't say STOP: a slow disk must not keep from them what they must know."""
    if abs(at - now) > HELD_UP or (message.person_id is None and abs(at - looked_at) > FRESH):
        raise _HeldUp


def _accepted(ctx: Context, message: Message, attempt_id: str, provider_id: str, now: datetime) -> None:
    with ctx.store.transaction() as tx:
        outcomes.accepted(tx, message, attempt_id, provider_id, now)


@contextmanager
def _lease_kept(ctx: Context, message: Message, attempt_id: str, tell: Callable[[], datetime] | None) -> Iterator[None]:
    """Renew the lease while the call is open: a slow provider must not be taken for a dead worker."""
    lease, ended = timedelta(seconds=ctx.config.lease_seconds), Event()

    def renew() -> None:
        while tell is not None and not ended.wait(ctx.config.lease_seconds / 3):
            try:
                with ctx.store.transaction() as tx:
                    sends.renew(tx, message.id, attempt_id, tell() + lease)
            except Exception as error:  # the lease ends then, and the message is looked up
                log.get().error("fault", what="renewing a lease", error=error.__class__.__name__)
        ctx.store.close()

    Thread(target=renew, name="lease", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _claim(ctx: Context, tx: Tx, lane: Lane, worker: str, now: datetime, most: int) -> list[Message]:
    if _pause(ctx, tx, lane, now):
        return []
    paced = ctx.config.pace and lane.channel == "sms"
    claimed = sends.claim(
        tx,
        channel=lane.channel,
        urgent=lane.urgent,
        worker=worker,
        now=now,
        lease=timedelta(seconds=ctx.config.lease_seconds),
        most=1 if paced and not lane.urgent else most,
    )
    _use_pace(ctx, tx, lane.channel, sum(message.segments for message in claimed), now)
    return claimed


def _pause(ctx: Context, tx: Tx, lane: Lane, now: datetime) -> timedelta:
    if lane.urgent:
        return timedelta()
    return _free_at(ctx, tx, lane.channel, now) - now


def _free_at(ctx: Context, tx: Tx, channel: str, now: datetime) -> datetime:
    """From when on the sender's pace allows the next message; now, if it does already."""
    free_at = system.free_at(tx, ctx.channels[channel].sender)
    ahead = timedelta(milliseconds=free_at) - (now - _EPOCH)
    return now + ahead if timedelta() < ahead <= CLOCK_JUMP else now


def _use_pace(ctx: Context, tx: Tx, channel: str, segments: int, now: datetime) -> None:
    """Use up (or, below zero, give back) the sender's pace."""
    if channel == "sms" and ctx.config.pace and segments:
        free_at = _free_at(ctx, tx, channel, now) + timedelta(seconds=segments / ctx.config.pace)
        _hold(ctx, tx, channel, free_at)


def _hold(ctx: Context, tx: Tx, channel: str, until: datetime) -> None:
    system.set_free_at(tx, ctx.channels[channel].sender, (until - _EPOCH) // timedelta(milliseconds=1))


def _prepare(ctx: Context, tx: Tx, message: Message, now: datetime) -> Outgoing | None:
    """Check everything again and write the attempt down; None when it isn't to be sent now."""
    verdict = _judge(ctx, tx, message, now)
    if not isinstance(verdict, courtesy.Go):
        _use_pace(ctx, tx, message.channel, -message.segments, now)
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
    outgoing = Outgoing(
        to=message.address,
        subject=message.subject,
        body=message.body,
        html=message.html,
        message_id=message.id,
        attempt_id=attempt_id,
        valid_seconds=int((verdict.until - now - CALL).total_seconds()),
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
        return _judge_for_stranger(tx, message, now)
    return _judge_for_client(ctx, tx, message, now)


def _judge_for_stranger(tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
    """Our own people are always told; a number we don't know is answered in the practice's own hours, unless it
    said STOP."""
    if message.person_id is not None:
        return to_staff.may_go(tx, message, now)
    practice = practices.get(tx, message.practice_id)
    stopped = clients.is_stopped(tx, practice.id, message.address)
    stranger = Stranger(zone=practice.timezone, consent_at=None, stopped=stopped)
    errand = courtesy.Errand(message.kind, message.created_at)
    return courtesy.judge(errand, stranger, rule_of(dict(practice.schedule)), now)


def _judge_for_client(
    ctx: Context, tx: Tx, message: Message, now: datetime
) -> courtesy.Go | courtesy.Wait | courtesy.Drop:
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


def _failed(ctx: Context, message: Message, outgoing: Outgoing, failure: DeliveryFailed, now: datetime) -> None:
    log.get().warning("not taken", message=message.id, kind=message.kind, code=failure.code, what=failure.meaning)
    with ctx.store.transaction() as tx:
        if failure.permanent or (message.channel == "mail" and now - message.created_at > MAIL_STAYS):
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
            due_at = now + _retry_after(ctx, tx, message, failure, now)
            sends.try_again(tx, message.id, outgoing.attempt_id, due_at, failure.reason, now)


def _retry_after(ctx: Context, tx: Tx, message: Message, failure: DeliveryFailed, now: datetime) -> timedelta:
    """How long to wait; a provider that asks for patience gets it for everything that isn't urgent."""
    if failure.meaning == codes.BUSY and failure.retry_after:
        wait = timedelta(seconds=min(failure.retry_after, LONGEST_RETRY_AFTER))
        _hold(ctx, tx, message.channel, max(_free_at(ctx, tx, message.channel, now), now + min(wait, LONGEST_HOLD)))
        return wait
    times = RETRY_URGENT if message.urgency == URGENT else RETRY_STAFF if message.person_id else RETRY_AFTER
    attempts = outbox.get(tx, message.practice_id, message.id).attempts
    return timedelta(seconds=times[min(attempts, len(times)) - 1])


def _in_doubt(ctx: Context, message: Message, outgoing: Outgoing, reason: str, now: datetime) -> None:
    log.get().warning("in doubt", message=message.id, kind=message.kind, attempt=outgoing.attempt_id)
    settle = timedelta(seconds=ctx.config.settle_seconds)
    with ctx.store.transaction() as tx:
        sends.set_in_doubt(tx, message.id, outgoing.attempt_id, reason, first_look(message, now, settle), now)
