"""Counting what is tried at the door, for all processes together."""

from datetime import datetime, timedelta

from bot.flows.context import Context
from bot.store import attempts


def count(ctx: Context, name: str, lasts: timedelta, now: datetime, by: int = 1) -> int:
    """Count one more; how many there are now in the window that the first one began."""
    with ctx.store.transaction() as tx:
        return attempts.count(tx, name, lasts, now, by)


def counted(ctx: Context, name: str, now: datetime) -> tuple[int, datetime]:
    """How many there are now, and when their window ends."""
    with ctx.store.transaction(write=False) as tx:
        return attempts.counted(tx, name, now)


def clear(ctx: Context, name: str) -> None:
    """Forget what was counted."""
    with ctx.store.transaction() as tx:
        attempts.clear(tx, name)
