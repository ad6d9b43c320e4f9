"""Status callbacks: what became of a text. They come late, twice and out of order; a final word wins.

Each carries our own attempt's id, so that one of them settles a send whose answer was lost, also when we had
given that attempt up meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime

from bot import log
from bot.channels import codes
from bot.flows import outcomes
from bot.flows.context import Context
from bot.store import outbox, sends

FAILED = ("undelivered", "failed")


@dataclass(frozen=True)
class Status:
    """One callback. `attempt_id` is our own, from the callback's address; `code` 0 when there is none."""

    attempt_id: str
    provider_id: str
    status: str
    code: int = 0


def report(ctx: Context, status: Status, now: datetime) -> None:
    """Take in one callback. One about an attempt whose answer was lost settles it."""
    ctx.store.together(lambda: _report(ctx, status, now))


def _report(ctx: Context, status: Status, now: datetime) -> None:
    with ctx.store.transaction() as tx:
        attempt = sends.attempt(tx, status.attempt_id) if status.attempt_id else None
        if attempt is not None:
            message = outbox.get(tx, attempt.practice_id, attempt.outbox_id)
            outcomes.accepted(tx, message, attempt.id, status.provider_id, now)
        known = outbox.by_provider_id(tx, status.provider_id)
        if known is None:
            log.get().warning("callback about a message that isn't ours", attempt=status.attempt_id)
            return
        first = sends.set_delivery(tx, known.id, status.status, str(status.code or ""))
        if first and status.status in FAILED:
            found = codes.code(status.code, 400)
            outcomes.unreachable(ctx, tx, known, meaning=found.meaning, reason=found.words, now=now)
    log.get().info("delivery", message=known.id, what=status.status, code=str(status.code or ""))
