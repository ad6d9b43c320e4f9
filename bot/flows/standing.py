"""What the practice says about one client: in care, on hold, discharged, died; and starting check-ins again."""

from dataclasses import dataclass
from datetime import datetime

from bot.flows.alerting import is_danger
from bot.flows.context import Context
from bot.flows.planning import askings_of, replan_client
from bot.flows.settings import BadSetting
from bot.store import Tx, alerts, check_ins, clients, delivery, inbox, outbox, practices, roster
from bot.store.check_ins import CheckIn
from bot.store.clients import Client
from bot.store.practices import Practice
from surveys import conversation, schedule
from surveys.conversation import Event, State

STATES = ("active", "on_hold", "discharged", "died")
_WHY = {"on_hold": schedule.ON_HOLD, "discharged": schedule.DISCHARGED, "died": schedule.DIED}
SPARED = ("crisis", "crisis_stopped", "stopped", "wrong_person")


def set_state(ctx: Context, practice: Practice, client_ref: str, state: str, who: str, now: datetime) -> bool:
    """Note how a client stands with the practice; False if it was so before. Raises BadSetting.

    Whoever is not active is asked nothing more: what is planned or waits to be sent is cancelled. For someone who
    died the open check-in is closed too.
    """
    if state not in STATES:
        raise BadSetting(f"state must be one of {', '.join(STATES)}; it is {state!r}.")
    with ctx.store.transaction() as tx:
        return put(tx, _find(tx, practice, client_ref), state, who, now)


def put(tx: Tx, client: Client, state: str, who: str, now: datetime) -> bool:
    """As `set_state`, for a client at hand, inside a transaction."""
    if client.state == state:
        return False
    practice_id = client.practice_id
    clients.set_state(tx, practice_id, client.id, state)
    practices.note(tx, practice_id, who, f"client {state}", client.id, now)
    if state != "active":
        outbox.cancel_waiting(tx, practice_id, client.id, _WHY[state], SPARED)
    if state == "died":
        _close_open(tx, client, schedule.DIED, now)
    replan_client(tx, practice_id, client.id, now)
    return True


def opt_out(tx: Tx, client: Client, who: str, now: datetime) -> bool:
    """The client told the practice to stop: as if they had written STOP, but that nothing is sent about it. False if
    they had."""
    if client.stopped:
        return False
    practice_id = client.practice_id
    for address in filter(None, (client.phone, client.email)):
        clients.stop(tx, practice_id, address, "practice", now)
    clients.mark_stopped(tx, practice_id, client.id, now)
    clients.note_consent(tx, practice_id, client.id, client.address, "stopped", "practice", now)
    practices.note(tx, practice_id, who, "client opted out", client.id, now)
    outbox.cancel_waiting(tx, practice_id, client.id, schedule.STOPPED, SPARED)
    _close_open(tx, client, schedule.STOPPED, now)
    replan_client(tx, practice_id, client.id, now)
    return True


def pause(tx: Tx, client: Client, until: datetime | None, who: str, now: datetime) -> None:
    """No check-ins about what falls due before then; None: they go on. What is queued already is stopped when its
    turn comes."""
    practice_id = client.practice_id
    roster.pause(tx, practice_id, client.id, until)
    practices.note(tx, practice_id, who, "check-ins paused" if until else "pause ended", client.id, now)
    replan_client(tx, practice_id, client.id, now)


def hold(tx: Tx, client: Client, who: str, now: datetime) -> bool:
    """No check-ins until a clinician resumes them; False if they waited for that already. What waits to be sent is
    cancelled and an open question closed, as after danger; what they answer to it counts (`still_counts`)."""
    if client.halted:
        return False
    practice_id = client.practice_id
    clients.halt(tx, practice_id, client.id, now)
    practices.note(tx, practice_id, who, "check-ins paused", client.id, now)
    outbox.cancel_waiting(tx, practice_id, client.id, schedule.HALTED, SPARED)
    _close_open(tx, client, schedule.HALTED, now)
    replan_client(tx, practice_id, client.id, now)
    return True


def danger_waits(tx: Tx, practice_id: str, client_id: str) -> bool:
    """Whether a message of theirs that may mean danger waits to be looked at."""
    return any(each.waiting and is_danger(each) for each in alerts.of_client(tx, practice_id, client_id))


def still_counts(tx: Tx, check_in: CheckIn, now: datetime) -> bool:
    """Whether an answer to a question that was closed with the pause of its client counts all the same: it had been
    asked, its time isn't over, and no danger waits.

    The question stays closed until then, since after danger it is: managers mustn't tell the two apart.
    """
    closed = (check_in.state, check_in.reason) == (State.CANCELLED, schedule.HALTED)
    in_time = check_in.asked_at is not None and now < check_in.expires_at
    return closed and in_time and not danger_waits(tx, check_in.practice_id, check_in.client_id)


@dataclass(frozen=True)
class Hanging:
    """What hangs on a client's standing now. `planned`: when each check-in not yet asked is due; `open`: a question
    waits for their answer; `waiting`: messages queued to them."""

    planned: list[datetime]
    open: bool
    waiting: int


def hanging(tx: Tx, client: Client, now: datetime) -> Hanging:
    """What would be taken back if this client were asked nothing more."""
    asked = check_ins.of_clients(tx, client.practice_id, [client.id])[client.id]
    planned = [each.due_at for each in asked if each.state == State.PLANNED]
    open_ = any(each.state in check_ins.OPEN and each.expires_at > now for each in asked)
    return Hanging(planned, open_, delivery.waiting_for(tx, client.practice_id, client.id))


def resume(ctx: Context, practice: Practice, client_ref: str, who: str, now: datetime) -> bool:
    """A clinician lets check-ins go on, after danger or after a long silence; False if nothing held them up.

    Raises BadSetting, in words, while a message that may mean danger waits for somebody to look, and where it isn't
    ours to say: for a client who said STOP, or isn't in care.
    """
    with ctx.store.transaction() as tx:
        client = _find(tx, practice, client_ref)
        if client.stopped:
            raise BadSetting(f"{client_ref} said STOP; only they can take that back, by texting START.")
        if client.state != "active":
            raise BadSetting(f"{client_ref} is {client.state}: set state=active first.")
        if danger_waits(tx, practice.id, client.id):
            raise BadSetting("A message that may mean danger waits to be looked at. That comes first.")
        quiet = _gone_quiet(tx, client)
        if not client.halted and not quiet:
            return False
        clients.resume(tx, practice.id, client.id)
        clients.note_consent(tx, practice.id, client.id, None, "resumed", who, now)
        practices.note(tx, practice.id, who, "check-ins resumed", client.id, now)
        replan_client(tx, practice.id, client.id, now)
    return True


def _find(tx: Tx, practice: Practice, client_ref: str) -> Client:
    client_id = clients.refs(tx, practice.id).get(client_ref)
    if client_id is None:
        raise BadSetting(f"{client_ref} is not on the roster.")
    return clients.get(tx, practice.id, client_id)


def _gone_quiet(tx: Tx, client: Client) -> bool:
    asked = check_ins.of_clients(tx, client.practice_id, [client.id])[client.id]
    heard = inbox.last_heard(tx, client.practice_id, [client.id]).get(client.id)
    return schedule.unanswered(askings_of(asked), heard) >= schedule.SELDOM_AFTER


def _close_open(tx: Tx, client: Client, reason: str, now: datetime) -> None:
    latest = check_ins.latest_asked(tx, client.practice_id, client.id)
    state = conversation.move(State(latest.state), Event.WITHDRAWN) if latest else None
    if latest and state:
        check_ins.set_state(tx, client.practice_id, latest.id, state, now, reason=reason)
