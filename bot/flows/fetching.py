"""Texts that came in while nobody answered the webhook: the provider doesn't try again, but keeps them, so we ask.

They are taken in as of the time they were sent, oldest first; one that the webhook brought too counts once.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels import InDoubt, Received
from bot.flows import receiving
from bot.flows.context import Context, Listing
from bot.store import system
from bot.store.inbox import Inbound
from bot.store.sql import epoch, moment_of

EVERY = timedelta(minutes=2)
OVERLAP = timedelta(minutes=15)  # how much later than it was sent a text may appear in the provider's list
YOUNG = timedelta(seconds=30)  # the webhook may still be bringing it, and says more than the list does
MOST = 5_000
FETCHED = "texts fetched until"


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
        if known is None:
            system.set_value(tx, FETCHED, str(epoch(now)))
            return 0
    try:
        found = channel.received(moment_of(int(known)) - OVERLAP, MOST)
    except InDoubt as error:
        log.get().warning("texts could not be listed", error=error.__class__.__name__)
        return 0
    taken = sum(_take_in(ctx, text, now) for text in found if now - (text.at or now - YOUNG) >= YOUNG)
    with ctx.store.transaction() as tx:
        system.set_value(tx, FETCHED, str(epoch(now)))
    if taken:
        log.get().info("missed texts fetched", count=taken)
    return taken


def _take_in(ctx: Context, text: Received, now: datetime) -> bool:
    body = text.body.replace("\x00", "")
    return receiving.receive(ctx, Inbound("sms", text.provider_id, text.sender, body), min(text.at or now, now))
