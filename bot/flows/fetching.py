"""Texts that came in while nobody answered the webhook: the provider doesn't try again, but keeps them, so we ask.

They are taken in as of the time they were sent, oldest first; one that the webhook brought too counts once.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels import InDoubt, Received
from bot.flows import receiving
from bot.flows.context import Context, Listing
from bot.flows.restored import RESTORED_AT
from bot.flows.settling import LOOKS_AT
from bot.store import doubts, system
from bot.store.inbox import Inbound
from bot.store.sql import epoch, moment, moment_of

EVERY = timedelta(minutes=2)
OVERLAP = timedelta(minutes=15)  # how much later than it was sent a text may appear in the provider's list
YOUNG = timedelta(seconds=30)  # the webhook may still be bringing it, and says more than the list does
MOST = 5_000
FETCHED = "texts fetched until"
OWED = ("crisis", "crisis_stopped", "stopped")  # what someone should get rather twice than never


def fetch_missed(ctx: Context, now: datetime) -> int:
    """Take in every text since the last time this was done that we don't have; how many.

    The first time there is nothing to catch up on. Where the list can't be had, the next turn goes on from the same
    place.
    """
    channel = ctx.channels.get("sms")
    if not isinstance(channel, Listing):
        return 0
    with ctx.store.transaction() as tx:
        known = system.value(tx, FETCHED)
        restored = moment(int(system.value(tx, RESTORED_AT) or 0) or None)
        if known is None:
            system.set_value(tx, FETCHED, str(epoch(now)))
            return 0
    try:
        found = channel.received(moment_of(int(known)) - OVERLAP, MOST)
    except InDoubt as error:
        log.get().warning("texts could not be listed", error=error.__class__.__name__)
        return 0
    taken = sum(_take_in_any(ctx, text, restored, now) for text in found if now - (text.at or now - YOUNG) >= YOUNG)
    with ctx.store.transaction() as tx:
        system.set_value(tx, FETCHED, str(epoch(now)))
    if taken:
        log.get().info("missed texts fetched", count=taken)
    return taken


def owed_since(ctx: Context) -> str:
    """When the database was last made safe, in epoch seconds, if texts haven't been fetched since; else empty."""
    with ctx.store.transaction(write=False) as tx:
        restored, fetched = system.value(tx, RESTORED_AT), system.value(tx, FETCHED)
    return restored if restored is not None and int(fetched or 0) < int(restored) else ""


def _take_in_any(ctx: Context, text: Received, restored: datetime | None, now: datetime) -> bool:
    """One from before a restore may have been answered already, by an Attune that the backup knows nothing of."""
    if restored is None or (text.at or now) > restored:
        return _take_in(ctx, text, now)
    with ctx.store.transaction() as tx:
        before = doubts.waiting_to(tx, text.sender)
        taken = _take_in(ctx, text, now)
        new = doubts.waiting_to(tx, text.sender) - before
        look_at = now + timedelta(seconds=ctx.config.settle_seconds) * LOOKS_AT[0]
        doubts.settle_answers(tx, new, OWED, (text.at or now) - OVERLAP, look_at)
    return taken


def _take_in(ctx: Context, text: Received, now: datetime) -> bool:
    body = text.body.replace("\x00", "")
    return receiving.receive(ctx, Inbound("sms", text.provider_id, text.sender, body), min(text.at or now, now))
