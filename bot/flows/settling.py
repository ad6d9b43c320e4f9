"""Settling what is in doubt: ask the provider before anything else happens to the message.

"Not found" is an answer only after two empty looks well apart, the last a whole settling time after the
attempt (a provider's list lags). A clock that went backwards makes the wait longer, never shorter; one that
leapt ahead still leaves most of a settling time between the looks.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels import InDoubt
from bot.flows import outcomes
from bot.flows.context import Context, Finder
from bot.store import doubts, outbox, sends
from bot.store.outbox import Message
from bot.store.sends import Attempt

AT_ONCE = 20
LOOKS_AT = (0.2, 1.0)  # shares of the settling time
APART = LOOKS_AT[1] - LOOKS_AT[0]  # at least this share between two looks, whatever the clock does
NO_LOOK = timedelta(seconds=30)  # mail can't be looked up: nothing is gained by waiting longer


def look_up_due(ctx: Context, now: datetime, most: int = AT_ONCE) -> int:
    """Look up doubtful messages whose look is due; how many. One whose seal is broken comes later, and alone."""
    with ctx.store.transaction(write=False) as tx:
        doubtful, shut = sends.to_look_up(tx, now, most)
    if shut:
        with ctx.store.transaction() as tx:
            sends.look_later(tx, shut, now + sends.SHUT)
    for message in doubtful:
        settle_one(ctx, message, now)
    return len(doubtful) + len(shut)


def due_count(ctx: Context, now: datetime) -> int:
    """How many doubtful messages are due to be looked up."""
    with ctx.store.transaction(write=False) as tx:
        return sends.doubtful_count(tx, now)


def settle_one(ctx: Context, message: Message, now: datetime) -> None:
    """Look one message up and act on what the provider says."""
    with ctx.store.transaction() as tx:
        attempt = sends.last_attempt(tx, message)
        if attempt is None or not sends.take_look(tx, message, now, timedelta(seconds=ctx.config.lease_seconds)):
            return
    try:
        found = _find(ctx, message, attempt.started_at)
    except InDoubt:
        _not_answered(ctx, message, attempt, now)
        return
    with ctx.store.transaction() as tx:
        known = outbox.provider_ids_to(tx, message)
        taken = [provider_id for provider_id in found if provider_id not in known]
        if taken:
            outcomes.accepted(tx, message, attempt.id, taken[-1], now)
            log.get().info("settled: it was taken", message=message.id)
        else:
            _not_found(ctx, message, attempt, now)


def first_look(message: Message, now: datetime, settle: timedelta) -> datetime:
    """When to look for the first time at an attempt whose answer was lost just now."""
    at = next_look(now, 0, now, settle)
    return min(at, now + NO_LOOK) if message.channel == "mail" else at


def next_look(doubt_since: datetime, looks: int, now: datetime, settle: timedelta) -> datetime:
    """When to look for the (looks + 1)th time at an attempt in doubt since then."""
    share = LOOKS_AT[min(looks, len(LOOKS_AT) - 1)]
    apart = settle * APART if looks else timedelta(seconds=1)
    return max(doubt_since + settle * share, now + apart)


def _find(ctx: Context, message: Message, since: datetime) -> list[str]:
    if message.channel == "mail":
        return []
    channel = ctx.channels.get(message.channel)
    if not isinstance(channel, Finder):
        raise InDoubt("there is no account to ask any more")
    return channel.find(message.address, message.body, since)


def _not_found(ctx: Context, message: Message, attempt: Attempt, now: datetime) -> None:
    """The provider doesn't know it. Our own people are written to again after one look, since late is worse than
    twice (a mail keeps its Message-ID); a client only when it is certain, since twice is worse than late."""
    looks, settle = message.looks + 1, timedelta(seconds=ctx.config.settle_seconds)
    to_staff = message.person_id is not None
    certain = looks >= len(LOOKS_AT) and now - attempt.doubt_since >= settle
    with ctx.store.transaction() as tx:
        if message.channel == "mail" and not to_staff:
            reason = "the mail server's answer was lost; mail can't be looked up"
            sends.set_needs_person(tx, message.id, attempt.id, reason)
            log.get().warning("a person must look", message=message.id)
        elif certain or to_staff:
            sends.try_again(tx, message.id, attempt.id, now, "the provider never had it", now)
            log.get().info("settled: it was not taken", message=message.id, channel=message.channel)
        else:
            look_at = next_look(attempt.doubt_since, looks, now, settle)
            sends.look_again(tx, message.id, attempt.id, looks, look_at)


def _not_answered(ctx: Context, message: Message, attempt: Attempt, now: datetime) -> None:
    """It stays in doubt, and the next look comes when the lease of this one ends."""
    log.get().warning("look-up failed", message=message.id)
    if now - attempt.started_at > doubts.KEEP_ASKING:
        with ctx.store.transaction() as tx:
            reason = "the provider could not be asked for a day"
            sends.set_needs_person(tx, message.id, attempt.id, reason)
