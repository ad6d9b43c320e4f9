"""Settling what is in doubt: ask the provider before anything else happens to the message.

"Not found" is an answer only after two empty looks well apart, the last a whole settling time after the
attempt (a provider's list lags). A clock that went backwards makes the wait longer, never shorter.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels import InDoubt
from bot.flows import outcomes
from bot.flows.context import Context, Finder
from bot.store import outbox, sends
from bot.store.outbox import Message
from surveys.courtesy import KINDS

AT_ONCE = 20
LOOKS_AT = (0.2, 1.0)  # shares of the settling time


def look_up_due(ctx: Context, now: datetime) -> int:
    """Look up every doubtful message whose look is due; how many."""
    with ctx.store.transaction(write=False) as tx:
        doubtful = sends.to_look_up(tx, now, AT_ONCE)
    for message in doubtful:
        settle_one(ctx, message, now)
    return len(doubtful)


def settle_one(ctx: Context, message: Message, now: datetime) -> None:
    """Look one message up and act on what the provider says."""
    with ctx.store.transaction() as tx:
        attempt = sends.last_attempt(tx, message)
        if attempt is None or not sends.take_look(tx, message, now, timedelta(seconds=ctx.config.lease_seconds)):
            return
    try:
        found = _find(ctx, message, attempt.started_at)
    except InDoubt:
        log.get().warning("look-up failed", message=message.id)
        return  # it stays in doubt; the next look comes when the lease of this one ends
    with ctx.store.transaction() as tx:
        unclaimed = [sid for sid in found if sid not in outbox.known_provider_ids(tx, found)]
        if unclaimed:
            outcomes.accepted(tx, message, attempt.id, unclaimed[-1], now)
            log.get().info("settled: it was taken", message=message.id)
            return
        looks = message.looks + 1
        settle = timedelta(seconds=ctx.config.settle_seconds)
        if looks < len(LOOKS_AT) or now - attempt.started_at < settle:
            sends.look_again(tx, message.id, looks, next_look(attempt.started_at, looks, now, settle))
            return
        _not_taken(ctx, message, now)


def next_look(started_at: datetime, looks: int, now: datetime, settle: timedelta) -> datetime:
    """When to look for the (looks + 1)th time at an attempt begun then."""
    share = LOOKS_AT[min(looks, len(LOOKS_AT) - 1)]
    return max(started_at + settle * share, now + timedelta(seconds=1))


def _find(ctx: Context, message: Message, since: datetime) -> list[str]:
    channel = ctx.channels.get(message.channel)
    if isinstance(channel, Finder):
        return channel.find(message.address, message.body, since)
    return []


def _not_taken(ctx: Context, message: Message, now: datetime) -> None:
    """The provider doesn't have it. Mail can't be looked up: to a client it waits for a person, since twice
    is worse than late; to our own people it goes again with the same Message-ID, since late is worse."""
    with ctx.store.transaction() as tx:
        if message.channel == "mail" and message.kind in KINDS:
            sends.set_needs_person(tx, message.id, "the mail server's answer was lost; mail can't be looked up")
        else:
            sends.set_due(tx, message, now, "the provider never had it", now)
    log.get().info("settled: it was not taken", message=message.id, channel=message.channel)
