"""Asking: what is due becomes a message in the outbox; reminders and expiry; noticing silence."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot import log
from bot.flows import raising
from bot.flows.context import Context
from bot.flows.falling_back import ways
from bot.flows.planning import askings_of, replan_client, rule_for
from bot.flows.signal import belief_of
from bot.flows.speaking import say_to
from bot.store import Tx, check_ins, clients, inbox, outbox, practices
from bot.store.check_ins import CheckIn
from bot.store.clients import Client
from surveys import rapport
from surveys.conversation import Event, State, move
from surveys.schedule import SILENT_AFTER, UNREACHABLE, Schedule, gone_quiet
from surveys.wording import Say

AT_ONCE = 50  # in one transaction, so that replies don't wait for a long one
ROUNDS = 10  # transactions in one pass, so that what else is due doesn't wait for long either


def ask_due(ctx: Context, now: datetime) -> int:
    """Queue the check-ins whose time has come, each behind its client's welcome; how many were queued or closed."""
    return _each(ctx, check_ins.due, _ask, now)


def remind_due(ctx: Context, now: datetime) -> int:
    """Queue the one reminder of check-ins that had no answer; how many."""
    return _each(ctx, check_ins.to_remind, _remind, now)


def expire_due(ctx: Context, now: datetime) -> int:
    """Close the check-ins whose time is over, and tell the therapist of a long silence; how many."""
    return _each(ctx, check_ins.to_expire, _expire, now)


Find = Callable[[Tx, datetime, int], Sequence[CheckIn]]
Do = Callable[[Context, Tx, CheckIn, datetime], bool]


def _each(ctx: Context, find: Find, do: Do, now: datetime) -> int:
    """Do it to each check-in found, many in one transaction; a fault in one is undone alone and holds up no other."""
    with ctx.store.transaction(write=False) as tx:
        if not find(tx, now, 1):
            return 0
    done = 0
    for _ in range(ROUNDS):
        with ctx.store.transaction() as tx:
            found = find(tx, now, AT_ONCE)
            did = sum(_guarded(ctx, tx, do, check_in, now) for check_in in found)
        done += did
        if len(found) < AT_ONCE or did < AT_ONCE:  # those that can't be done would only be found again
            break
    return done


def _guarded(ctx: Context, tx: Tx, do: Do, check_in: CheckIn, now: datetime) -> bool:
    try:
        with tx.savepoint():
            return do(ctx, tx, check_in, now)
    except Exception as error:
        log.get().error("fault", what=do.__name__, check_in=check_in.id, error=error.__class__.__name__)
        return False


def _ask(ctx: Context, tx: Tx, check_in: CheckIn, now: datetime) -> bool:
    """The welcome first; the question once the provider has taken that. Whether anything was queued."""
    practice = practices.get(tx, check_in.practice_id)
    client = clients.get(tx, practice.id, check_in.client_id)
    rule = rule_for(tx, practice, client.therapist_id, client.id)
    way = next(iter(ways(tx, client, rule, now)), None)
    if way is None:
        _close(tx, check_in, Event.WITHDRAWN, UNREACHABLE, now)
        return True
    if not client.welcomed:
        # Tied to the check-in it comes before, so that a later one may welcome again if this one was refused.
        return _say(ctx, tx, check_in, way, Say("welcome"), now)
    feelings = _feelings(ctx, tx, check_in, rule)
    check_ins.set_feelings(tx, practice.id, check_in.id, feelings)
    return _say(ctx, tx, check_in, way, Say("check_in", feelings), now)


def _feelings(ctx: Context, tx: Tx, check_in: CheckIn, schedule: Schedule) -> tuple[str, ...]:
    """The core feelings, and a fourth every second time or when doubt is high (the signal chooses among those that
    the schedule allows)."""
    core = ctx.instruments.core
    if schedule.digits <= len(core):
        return core
    try:
        belief = belief_of(ctx, tx, check_in.practice_id, check_in.client_id, check_in.therapist_id)
        found = rapport.choose(belief, len(ctx.instruments.questions), always=core)
        further = [each for each in found if each not in core and each in (schedule.fourth or found)]
        return (*core, *further)[: schedule.digits]
    except Exception as error:  # a fault in the signal must not keep anyone from being asked
        log.get().error("fault", what="choosing a question", check_in=check_in.id, error=error.__class__.__name__)
        return core


def _remind(ctx: Context, tx: Tx, check_in: CheckIn, now: datetime) -> bool:
    """By the other channel where the rule names one: what went unanswered there may be seen here."""
    check_ins.no_reminder(tx, check_in.practice_id, check_in.id)
    practice = practices.get(tx, check_in.practice_id)
    client = clients.get(tx, practice.id, check_in.client_id)
    found = ways(tx, client, rule_for(tx, practice, client.therapist_id, client.id), now)
    asked_by = outbox.channels_of(tx, practice.id, check_in.id, "check_in")
    way = next((way for way in found if way.channel not in asked_by), next(iter(found), None))
    if way and not client.discreet:
        _say(ctx, tx, check_in, way, Say("reminder", check_in.feelings), now)
    return True


def _say(ctx: Context, tx: Tx, check_in: CheckIn, way: Client, say: Say, now: datetime) -> bool:
    """Each kind once a check-in; whether it was queued. `way`: the client, by the channel it goes by."""
    practice = practices.get(tx, check_in.practice_id)
    dedupe = f"{say.kind}:{check_in.id}"
    return say_to(ctx, tx, practice, way, say, dedupe, now, check_in.id) is not None


def _expire(_ctx: Context, tx: Tx, check_in: CheckIn, now: datetime) -> bool:
    reason = "its time was over before it could be sent" if check_in.state == State.PLANNED else None
    _close(tx, check_in, Event.TIMED_OUT, reason, now)
    if check_in.asked_at is not None:
        # An unanswered check-in is weak evidence too.
        check_ins.mark_to_assess(tx, check_in.practice_id, check_in.client_id, check_in.therapist_id)
        _notice_silence(tx, check_in, now)
        replan_client(tx, check_in.practice_id, check_in.client_id, now)
    return True


def _close(tx: Tx, check_in: CheckIn, event: Event, reason: str | None, now: datetime) -> None:
    state = move(State(check_in.state), event)
    if state is not None:
        check_ins.set_state(tx, check_in.practice_id, check_in.id, state, now, reason=reason)


def _notice_silence(tx: Tx, closed: CheckIn, now: datetime) -> None:
    """The check-in that makes it eight unanswered in a row: the schedule sends no more, the therapist is told."""
    client = clients.get(tx, closed.practice_id, closed.client_id)
    if client.stopped or client.halted or client.state != "active":
        return
    asked = check_ins.of_clients(tx, client.practice_id, [client.id])[client.id]
    heard = inbox.last_heard(tx, client.practice_id, [client.id]).get(client.id)
    before = [each for each in asked if each.id != closed.id]
    if gone_quiet(askings_of(asked), heard) and not gone_quiet(askings_of(before), heard):
        raising.silent(tx, client, SILENT_AFTER, closed.id, now)
