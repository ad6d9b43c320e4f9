"""What follows when the provider has taken a message, or has refused it for good.

Called by sending, by the look-up of doubtful sends and by status callbacks, always inside the
transaction that moves the message's row; so each outcome has its consequences once.
"""

from datetime import datetime

from bot.channels.codes import BAD_ADDRESS, STOPPED
from bot.flows.context import Context
from bot.flows.falling_back import FALLS_BACK, by_another_way
from bot.flows.letters import notify_managers
from bot.flows.planning import askings_of, rule_for
from bot.store import Tx, alerts, appointments, check_ins, clients, people, practices, sends, undeliverable
from bot.store.check_ins import CheckIn
from bot.store.outbox import Message
from surveys import schedule as rule
from surveys.conversation import Event, State, move
from surveys.window import known_zone


def accepted(tx: Tx, message: Message, attempt_id: str, provider_id: str, now: datetime) -> bool:
    """The provider has it. False when that was known before, or this attempt isn't the present one."""
    if not sends.set_sent(tx, message.id, attempt_id, provider_id, now):
        return False
    if message.kind == "welcome" and message.client_id:
        clients.mark_welcomed(tx, message.practice_id, message.client_id, now)
    elif message.kind == "check_in" and message.check_in_id:
        _asked(tx, check_ins.get(tx, message.practice_id, message.check_in_id), now)
    elif message.kind == "reminder" and message.check_in_id:
        _move(tx, message, Event.REMINDED, now)
    elif message.alert_id:
        alerts.mark_sent(tx, message.practice_id, message.alert_id, now)
    return True


def refused(
    ctx: Context,
    tx: Tx,
    message: Message,
    attempt_id: str,
    *,
    code: str,
    meaning: str,
    reason: str,
    now: datetime,
) -> None:
    """The provider said a definite no."""
    if sends.set_refused(tx, message.id, attempt_id, code, reason, now):
        unreachable(ctx, tx, message, meaning=meaning, reason=reason, now=now)


def unreachable(ctx: Context, tx: Tx, message: Message, *, meaning: str, reason: str, now: datetime) -> None:
    """It never got there: keep our lists in step with the provider's, and go by another channel, or close the
    check-in it was about."""
    if meaning == STOPPED and not message.person_id:
        _stopped_there(tx, message, now)
    if message.client_id and meaning == BAD_ADDRESS:
        undeliverable.mark(tx, message.practice_id, message.address, now)
    if message.kind in FALLS_BACK and not by_another_way(ctx, tx, message, now):
        _not_asked(tx, message, Event.REFUSED, reason, now)
    if message.client_id and meaning == BAD_ADDRESS:
        notify_managers(ctx, tx, message.practice_id, "unreachable", f"unreachable:{message.address_index}", now)
    if message.person_id and message.kind != "notice":
        # the managers learn that a mail to one of their own didn't get there, not what was in it
        whose = people.get(tx, message.practice_id, message.person_id).name
        notify_managers(ctx, tx, message.practice_id, "undelivered", f"undelivered:{message.id}", now, whose)


def dropped(tx: Tx, message: Message, reason: str, now: datetime) -> None:
    """It was not to be sent any more: the row says why, and its check-in with it, unless that was asked meanwhile."""
    if sends.set_skipped(tx, message, reason) and message.kind in ("welcome", "check_in"):
        _not_asked(tx, message, Event.WITHDRAWN, reason, now)


def _not_asked(tx: Tx, message: Message, event: Event, reason: str, now: datetime) -> None:
    """Close the check-in, unless its question got there: a welcome lost later on takes no answers away."""
    check_in = check_ins.get(tx, message.practice_id, message.check_in_id or "")
    # once a reminder went out by another way, what comes back late of the first one closes nothing
    came_back = message.kind == "check_in" and event is Event.REFUSED and check_in.state == State.ASKED
    if came_back or check_in.state == State.PLANNED:
        _move(tx, message, event, now, reason)


def stop_client(tx: Tx, practice_id: str, client_id: str, address: str, source: str, now: datetime) -> None:
    """Someone opted out: the address, the person and the consent record agree."""
    clients.stop(tx, practice_id, address, source, now)
    clients.mark_stopped(tx, practice_id, client_id, now)
    clients.note_consent(tx, practice_id, client_id, address, "stopped", source, now)


def _stopped_there(tx: Tx, message: Message, now: datetime) -> None:
    """The provider knows of a STOP that we don't: our list follows, for everyone at this number."""
    if clients.is_stopped(tx, message.practice_id, message.address):
        return
    clients.stop(tx, message.practice_id, message.address, "provider", now)
    for client in clients.by_address(tx, message.address):
        stop_client(tx, client.practice_id, client.id, message.address, "provider", now)


def _asked(tx: Tx, check_in: CheckIn, now: datetime) -> None:
    state = move(State(check_in.state), Event.SENT)
    if state is None:  # withdrawn while the provider was being asked
        return
    client = clients.get(tx, check_in.practice_id, check_in.client_id)
    practice = practices.get(tx, check_in.practice_id)
    schedule = rule_for(tx, practice, client.therapist_id, client.id)
    earlier = check_ins.of_clients(tx, check_in.practice_id, [client.id])[client.id]
    visit = appointments.get(tx, check_in.practice_id, check_in.appointment_id)
    next_start = appointments.next_start(tx, check_in.practice_id, visit)
    expires_at = rule.expires_at(now, schedule, next_start)
    zone = known_zone(client.timezone, practice.timezone)
    remind_at = rule.reminder_due(now, schedule, zone, askings_of(earlier), expires=next_start)
    check_ins.set_state(tx, check_in.practice_id, check_in.id, state, now)
    check_ins.set_asked(tx, check_in.practice_id, check_in.id, now, remind_at, expires_at)


def _move(tx: Tx, message: Message, event: Event, now: datetime, reason: str | None = None) -> None:
    if message.check_in_id is None:
        return
    check_in = check_ins.get(tx, message.practice_id, message.check_in_id)
    state = move(State(check_in.state), event)
    if state is not None:
        check_ins.set_state(tx, message.practice_id, check_in.id, state, now, reason=reason)
