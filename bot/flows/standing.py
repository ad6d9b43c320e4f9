"""What the practice says about one client: in care, on hold, discharged, died; and starting check-ins again."""

from datetime import datetime

from bot.flows.context import Context
from bot.flows.planning import askings_of, replan_client
from bot.flows.settings import BadSetting
from bot.store import Tx, check_ins, clients, inbox, outbox, practices
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
        client = _find(tx, practice, client_ref)
        if client.state == state:
            return False
        clients.set_state(tx, practice.id, client.id, state)
        practices.note(tx, practice.id, who, f"client {state}", client.id, now)
        if state != "active":
            outbox.cancel_waiting(tx, practice.id, client.id, _WHY[state], SPARED)
        if state == "died":
            _close_open(tx, client, now)
        replan_client(tx, practice.id, client.id, now)
    return True


def resume(ctx: Context, practice: Practice, client_ref: str, who: str, now: datetime) -> bool:
    """A clinician lets check-ins go on, after danger or after a long silence; False if nothing held them up.

    Raises BadSetting where it isn't ours to say: for a client who said STOP, or isn't in care.
    """
    with ctx.store.transaction() as tx:
        client = _find(tx, practice, client_ref)
        if client.stopped:
            raise BadSetting(f"{client_ref} said STOP; only they can take that back, by texting START.")
        if client.state != "active":
            raise BadSetting(f"{client_ref} is {client.state}: set state=active first.")
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


def _close_open(tx: Tx, client: Client, now: datetime) -> None:
    latest = check_ins.latest_asked(tx, client.practice_id, client.id)
    state = conversation.move(State(latest.state), Event.WITHDRAWN) if latest else None
    if latest and state:
        check_ins.set_state(tx, client.practice_id, latest.id, state, now, reason=schedule.DIED)
