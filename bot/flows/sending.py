"""Sending, step by step: claim, check everything again and write the attempt down; call; write what came of it.

No transaction is open while a provider is called. What the provider's answer leaves open is in doubt, and
`bot.flows.settling` looks it up before anything else happens to it.

Where a provider takes texts at once, a thread takes several together: their attempts are on disk by one commit
before the first of them is called for, and what came of them is by another. Nothing else differs: each is checked,
called for and fenced by itself. Mails go one by one: after a kill nobody could say which of several were taken.

Where the commit takes so long that the checks are stale by the time of the call (a slow disk, a server far away), all
is looked at again by a transaction that only reads: no sync stands between that look and the call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot import log
from bot.channels import DeliveryFailed, InDoubt, Outgoing
from bot.flows import leases, older_copy, outcomes, pace, refusals, to_staff
from bot.flows.context import Context
from bot.flows.rechecking import begin, check_again
from bot.flows.settling import first_look
from bot.store import Tx, sends
from bot.store.outbox import Message

AT_ONCE = 10
ROOM = 0.05  # seconds that the calls of one thread's batch should take together; a slow provider's come one by one
FRESH = timedelta(seconds=0.8)  # how old a look at a client's consent may be at the call, so that STOP holds within 1 s
HELD_UP = timedelta(seconds=3)  # how old the time may be by which all was checked; for our own people that is all
CHECKS = 3  # again, before one call: a check may itself have to wait for another writer's sync
Tell = Callable[[], datetime]


@dataclass(frozen=True)
class Lane:
    """Messages that wait for one another and for nothing else: of one channel, urgent or not."""

    channel: str
    urgent: bool


class Tempo:
    """How many messages a thread of a lane takes together: more while its provider takes them all, and fast.
    `stopwatch` counts seconds."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self.stopwatch, self.most = stopwatch, 1

    def note(self, calls: int, all_taken: bool, seconds: float) -> None:
        """So many calls took so long."""
        fit = int(ROOM * calls / seconds) if seconds > 0 else AT_ONCE
        self.most = max(1, min(fit, 2 * self.most, AT_ONCE)) if all_taken else 1


def lanes_of(ctx: Context) -> list[Lane]:
    """Every lane, the urgent ones first."""
    return [Lane(channel, urgent) for urgent in (True, False) for channel in ctx.channels]


def free_abandoned(ctx: Context, now: datetime) -> int:
    """Free what a dead worker held: due again, or in doubt if the provider was being called; how many."""
    lease, settle = (timedelta(seconds=s) for s in (ctx.config.lease_seconds, ctx.config.settle_seconds))
    with ctx.store.transaction(write=False) as tx:
        if not sends.has_abandoned(tx, now, lease):
            return 0
    with ctx.store.transaction() as tx:
        return sends.release_expired(tx, now, lease, settle)


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
            return _claimed(ctx, tx, [lane] if lane else lanes_of(ctx), worker, now, most)

    return ctx.store.together(work)


def deliver(ctx: Context, message: Message, now: datetime, tell: Tell | None = None) -> None:
    """Send one claimed message, if it is still right to send it at this moment.

    `tell` gives the time again: where more than a moment has gone by before the call (the worker was frozen, the
    disk was slow, the clock was set), the checks are stale. They are made again, and a message that may not go any
    more, or isn't ours any more, goes back for another turn.
    """
    clock = tell or (lambda: now)

    def work() -> _Batch:
        with ctx.store.transaction() as tx:
            looked_at = clock()
            outgoing = begin(ctx, tx, message, now)
        return _Batch([(message, outgoing)] if outgoing else [], now, looked_at)

    _hand_over(ctx, ctx.store.together(work), tell, None)


def send_next(ctx: Context, worker: str, lane: Lane, tell: Tell, tempo: Tempo) -> int:
    """Claim the next messages of a lane and send each that is still right to send, as `claim` and `deliver` do, but
    checked in the transaction that claims it; how many were claimed."""

    most = 1 if lane.urgent or lane.channel == "mail" else tempo.most

    def work() -> tuple[int, _Batch]:
        with ctx.store.transaction() as tx:
            now = tell()
            claimed = _claimed(ctx, tx, [lane], worker, now, most)
            begun = [(message, _guarded(ctx, tx, message, now)) for message in claimed]
        return len(claimed), _Batch([(message, out) for message, out in begun if out], now, now)

    claimed, batch = ctx.store.together(work)
    _hand_over(ctx, batch, tell, tempo)
    return claimed


@dataclass(frozen=True)
class _Batch:
    """Messages whose attempts are on disk. `now`: the time by which all was checked; `looked_at`: when consent was."""

    begun: Sequence[tuple[Message, Outgoing]]
    now: datetime
    looked_at: datetime


@dataclass(frozen=True)
class _Note:
    """What came of one message, to be written down. `taken`: the provider has it. `alone`: that it hasn't says nothing
    of the others."""

    message: Message
    write: Callable[[], object]
    taken: bool = False
    alone: bool = False


def _hand_over(ctx: Context, batch: _Batch, tell: Tell | None, tempo: Tempo | None) -> None:
    notes: list[_Note] = []
    began = tempo.stopwatch() if tempo else 0.0
    try:
        with leases.kept(ctx, [(message.id, out.attempt_id) for message, out in batch.begun], tell):
            _call_each(ctx, batch, tell or (lambda: batch.now), notes)
        if tempo and notes:
            tempo.note(len(notes), all(note.taken for note in notes), tempo.stopwatch() - began)
    finally:
        _write_down(ctx, notes)


def _call_each(ctx: Context, batch: _Batch, clock: Tell, notes: list[_Note]) -> None:
    """One after the other. Once a provider is slow, fails or asks for patience, the others go back for another turn."""
    go_on = True
    for message, outgoing in batch.begun:
        if not go_on:
            notes.append(_put_off(ctx, message, outgoing, clock()))
            continue
        try:
            began = clock()
            note = _call(ctx, batch, message, outgoing, clock)
            notes.append(note)
            go_on = (note.taken or note.alone) and abs(clock() - began) <= FRESH
        except Exception as error:  # not the channel's; its lease will end, and the others needn't wait for that
            log.get().error("fault", what="sending", message=message.id, error=error.__class__.__name__)


def _call(ctx: Context, batch: _Batch, message: Message, outgoing: Outgoing, clock: Tell) -> _Note:
    outgoing = to_staff.with_picture(ctx, message, outgoing)
    looked_at, at, checks = batch.looked_at, clock(), 0
    while _is_stale(message, outgoing.now, looked_at, at) and not (checks and message.person_id):
        again = check_again(ctx, message, outgoing, at) if checks < CHECKS else None
        if again is None:
            return _put_off(ctx, message, outgoing, at)
        outgoing, looked_at, at, checks = again, at, clock(), checks + 1
    return _answer(ctx, message, outgoing, clock)


def _answer(ctx: Context, message: Message, outgoing: Outgoing, clock: Tell) -> _Note:
    """Call the provider; what it says."""
    now = outgoing.now
    try:
        provider_id = ctx.channels[message.channel].send(outgoing)
    except DeliveryFailed as failure:
        return _Note(message, partial(refusals.failed, ctx, message, outgoing, failure, now), alone=failure.permanent)
    except InDoubt as doubt:
        return _Note(message, partial(_in_doubt, ctx, message, outgoing, str(doubt), clock()))
    except Exception as error:
        # whatever went wrong, the provider may have it
        log.get().error("fault", what="channel", error=error.__class__.__name__, message=message.id)
        reason = f"the channel failed ({error.__class__.__name__})"
        return _Note(message, partial(_in_doubt, ctx, message, outgoing, reason, clock()))
    return _Note(message, partial(_accepted, ctx, message, outgoing.attempt_id, provider_id, now), taken=True)


def _is_stale(message: Message, now: datetime, looked_at: datetime, at: datetime) -> bool:
    """Our own people can't say STOP: a slow disk must not keep from them what they must know."""
    return abs(at - now) > HELD_UP or (message.person_id is None and abs(at - looked_at) > FRESH)


def _write_down(ctx: Context, notes: Sequence[_Note]) -> None:
    """What came of each, in one transaction; a fault in one is undone alone, and its lease will end."""

    def work() -> list[Message]:
        with ctx.store.transaction():
            return [note.message for note in notes if _written(ctx, note) and note.taken]

    for message in ctx.store.together(work) if notes else []:
        log.get().info("sent", message=message.id, kind=message.kind, channel=message.channel)


def _written(ctx: Context, note: _Note) -> bool:
    try:
        with ctx.store.transaction():
            note.write()
    except Exception as error:
        log.get().error("fault", what="sending", message=note.message.id, error=error.__class__.__name__)
        return False
    return True


def _accepted(ctx: Context, message: Message, attempt_id: str, provider_id: str, now: datetime) -> None:
    with ctx.store.transaction() as tx:
        outcomes.accepted(tx, message, attempt_id, provider_id, now)


def _put_off(ctx: Context, message: Message, outgoing: Outgoing, at: datetime) -> _Note:
    """Nobody was called: it is due at once, also where the clock was set back since it was claimed."""
    now = min(outgoing.now, at)

    def write() -> None:
        with ctx.store.transaction() as tx:
            sends.put_off(tx, message.id, outgoing.attempt_id, now, "the worker was held up", now)

    return _Note(message, write, alone=True)


def _in_doubt(ctx: Context, message: Message, outgoing: Outgoing, reason: str, now: datetime) -> None:
    log.get().warning("in doubt", message=message.id, kind=message.kind, attempt=outgoing.attempt_id)
    settle = timedelta(seconds=ctx.config.settle_seconds)
    with ctx.store.transaction() as tx:
        sends.set_in_doubt(tx, message.id, outgoing.attempt_id, reason, first_look(message, now, settle), now)


def _claimed(ctx: Context, tx: Tx, lanes: Sequence[Lane], worker: str, now: datetime, most: int) -> list[Message]:
    if not older_copy.may_send(ctx, tx):
        return []
    return [message for lane in lanes for message in _claim(ctx, tx, lane, worker, now, most)]


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
    pace.use(ctx, tx, lane.channel, sum(message.segments for message in claimed), now)
    return claimed


def _pause(ctx: Context, tx: Tx, lane: Lane, now: datetime) -> timedelta:
    return timedelta() if lane.urgent else pace.free_at(ctx, tx, lane.channel, now) - now


def _guarded(ctx: Context, tx: Tx, message: Message, now: datetime) -> Outgoing | None:
    """One that can't be judged waits for its lease to end; those behind it needn't."""
    try:
        with tx.savepoint():
            return begin(ctx, tx, message, now)
    except Exception as error:
        log.get().error("fault", what="sending", message=message.id, error=error.__class__.__name__)
        return None
