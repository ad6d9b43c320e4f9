"""Asking: what is due becomes a message in the outbox; reminders and expiry."""

from datetime import datetime

from bot.flows.context import Context
from bot.flows.planning import rule_of
from bot.flows.signal import belief_of
from bot.flows.speaking import say_to
from bot.store import Tx, check_ins, clients, practices
from bot.store.check_ins import CheckIn
from bot.store.clients import Client
from surveys import rapport
from surveys.conversation import Event, State, move
from surveys.wording import Say

AT_ONCE = 100


def ask_due(ctx: Context, now: datetime) -> int:
    """Queue the check-ins whose time has come, each behind its client's welcome; how many were looked at."""
    with ctx.store.transaction(write=False) as tx:
        if not check_ins.due(tx, now, 1):
            return 0
    with ctx.store.transaction() as tx:
        due = check_ins.due(tx, now, AT_ONCE)
        return sum(_ask(ctx, tx, check_in, now) for check_in in due)


def remind_due(ctx: Context, now: datetime) -> int:
    """Queue the one reminder of check-ins that had no answer; how many."""
    with ctx.store.transaction() as tx:
        due = check_ins.to_remind(tx, now, AT_ONCE)
        for check_in in due:
            _remind(ctx, tx, check_in, now)
        return len(due)


def expire_due(ctx: Context, now: datetime) -> int:
    """Close the check-ins whose time is over; how many."""
    with ctx.store.transaction() as tx:
        due = check_ins.to_expire(tx, now, AT_ONCE)
        for check_in in due:
            _expire(tx, check_in, now)
        return len(due)


def _ask(ctx: Context, tx: Tx, check_in: CheckIn, now: datetime) -> bool:
    """The welcome first; the question once the provider has taken that. Whether anything was queued."""
    practice = practices.get(tx, check_in.practice_id)
    client = clients.get(tx, practice.id, check_in.client_id)
    if not client.address:
        _close(tx, check_in, Event.WITHDRAWN, "no number or address to write to", now)
        return True
    if not client.welcomed:
        # Tied to the check-in it comes before, so that a later one may welcome again if this one was refused.
        return _say(ctx, tx, check_in, client, Say("welcome"), f"welcome:{check_in.id}", now)
    feelings = _feelings(ctx, tx, check_in, rule_of(dict(practice.schedule)).digits)
    check_ins.set_feelings(tx, practice.id, check_in.id, feelings)
    say = Say("check_in", feelings=feelings, initial=_initial(tx, client))
    return _say(ctx, tx, check_in, client, say, f"check_in:{check_in.id}", now)


def _feelings(ctx: Context, tx: Tx, check_in: CheckIn, digits: int) -> tuple[str, ...]:
    """The core feelings, and a fourth every second time or when doubt is high (the signal chooses)."""
    core = ctx.instruments.core
    if digits <= len(core):
        return core
    belief = belief_of(ctx, tx, check_in.practice_id, check_in.client_id, check_in.therapist_id)
    return rapport.choose(belief, digits, always=core)


def _remind(ctx: Context, tx: Tx, check_in: CheckIn, now: datetime) -> None:
    check_ins.no_reminder(tx, check_in.practice_id, check_in.id)
    client = clients.get(tx, check_in.practice_id, check_in.client_id)
    if client.address:
        say = Say("reminder", feelings=check_in.feelings, initial=_initial(tx, client))
        _say(ctx, tx, check_in, client, say, f"reminder:{check_in.id}", now)


def _say(ctx: Context, tx: Tx, check_in: CheckIn, client: Client, say: Say, dedupe: str, now: datetime) -> bool:
    practice = practices.get(tx, check_in.practice_id)
    queued = say_to(tx, ctx.instruments, practice, client, say, dedupe, now, check_in.id)
    return queued is not None


def _initial(tx: Tx, client: Client) -> str:
    """Two clients on one phone are told apart by their initial."""
    return client.name[:1].upper() if clients.sharing(tx, client) else ""


def _expire(tx: Tx, check_in: CheckIn, now: datetime) -> None:
    reason = "its time was over before it could be sent" if check_in.state == State.PLANNED else None
    _close(tx, check_in, Event.TIMED_OUT, reason, now)


def _close(tx: Tx, check_in: CheckIn, event: Event, reason: str | None, now: datetime) -> None:
    state = move(State(check_in.state), event)
    if state is None:
        return
    check_ins.set_state(tx, check_in.practice_id, check_in.id, state, now, reason=reason)
    if check_in.asked_at is not None:
        # An unanswered check-in is weak evidence too.
        check_ins.mark_to_assess(tx, check_in.practice_id, check_in.client_id, check_in.therapist_id)
