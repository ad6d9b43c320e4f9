"""A sender's pace: how many segments a second it may send, over all workers, and what a provider's "too many requests"
adds to that. Urgent messages don't wait for it."""

from datetime import UTC, datetime, timedelta

from bot.flows.context import Context
from bot.store import Tx, system

CLOCK_JUMP = timedelta(minutes=10)  # a pace further ahead than this means that the clock went back
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def free_at(ctx: Context, tx: Tx, channel: str, now: datetime) -> datetime:
    """From when on the sender's pace allows the next message; now, if it does already."""
    free = system.free_at(tx, ctx.channels[channel].sender)
    ahead = timedelta(milliseconds=free) - (now - _EPOCH)
    return now + ahead if timedelta() < ahead <= CLOCK_JUMP else now


def use(ctx: Context, tx: Tx, channel: str, segments: int, now: datetime) -> None:
    """Use up (or, below zero, give back) the sender's pace."""
    if channel == "sms" and ctx.config.pace and segments:
        until = free_at(ctx, tx, channel, now) + timedelta(seconds=segments / ctx.config.pace)
        hold(ctx, tx, channel, until)


def hold(ctx: Context, tx: Tx, channel: str, until: datetime) -> None:
    system.set_free_at(tx, ctx.channels[channel].sender, (until - _EPOCH) // timedelta(milliseconds=1))
