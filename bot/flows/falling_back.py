"""A question that never got there goes by the client's second channel, where the rule names one. Never both at once:
only once the first is known to have failed, or in place of the reminder."""

from datetime import datetime

from bot.flows.context import Context
from bot.flows.rules import rule_for
from bot.flows.speaking import say_to
from bot.store import Tx, check_ins, clients, outbox, practices, undeliverable
from bot.store.check_ins import CheckIn
from bot.store.clients import Client
from bot.store.outbox import Message
from surveys.conversation import State
from surveys.schedule import Schedule
from surveys.wording import Say

FALLS_BACK = ("welcome", "check_in")


def ways(tx: Tx, client: Client, rule: Schedule, now: datetime) -> list[Client]:
    """The client as reached by each channel of the rule, the best first: what has an address, didn't say STOP there,
    and isn't known to come back. A number is tried again all the same, where there is nothing else."""
    all_ways = [client.by(channel) for channel in rule.channels_for(client.channel)]
    open_ways = [way for way in all_ways if way.address and not clients.is_stopped(tx, way.practice_id, way.address)]
    bad = [way for way in open_ways if undeliverable.is_marked(tx, way.practice_id, way.address, now)]
    return [way for way in open_ways if way not in bad] + [way for way in bad if way.channel == "sms"]


def by_another_way(ctx: Context, tx: Tx, message: Message, now: datetime) -> bool:
    """Queue what never got there by the next channel; False where there is none left, or nothing to ask any more."""
    if message.kind not in FALLS_BACK or not message.check_in_id:
        return False
    check_in = check_ins.get(tx, message.practice_id, message.check_in_id)
    still = (State.PLANNED, State.ASKED) if message.kind == "check_in" else (State.PLANNED,)
    if check_in.state not in still or check_in.expires_at <= now:
        return False
    practice = practices.get(tx, check_in.practice_id)
    client = clients.get(tx, practice.id, check_in.client_id)
    tried = outbox.channels_of(tx, practice.id, check_in.id, message.kind)
    found = ways(tx, client, rule_for(tx, practice, client.therapist_id, client.id), now)
    way = next((way for way in found if way.channel not in tried), None)
    if way is None:
        return False
    say = Say(message.kind, check_in.feelings if message.kind == "check_in" else ())
    return say_to(ctx, tx, practice, way, say, f"{say.kind}:{check_in.id}:{way.channel}", now, check_in.id) is not None


def never_arrived(tx: Tx, message: Message, check_in: CheckIn) -> bool:
    """Whether this asks again what was asked by another channel and never got there."""
    return (
        message.kind == "check_in"
        and check_in.state == State.ASKED
        and outbox.failed_elsewhere(tx, message.practice_id, check_in.id, message.channel)
    )
