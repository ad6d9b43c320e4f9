"""What a provider's no makes of a message: never again, or when again."""

from datetime import datetime, timedelta

from bot import log
from bot.channels import DeliveryFailed, Outgoing, codes
from bot.flows import outcomes, pace
from bot.flows.context import Context
from bot.store import Tx, outbox, sends
from bot.store.outbox import URGENT, Message

RETRY_AFTER = (30, 60, 120, 300, 900, 1800, 3600)  # seconds; the last one again and again
RETRY_STAFF = (30, 60, 120, 300, 300, 300, 600, 900, 1800)  # in minutes if it can: greylisting lets go after five
RETRY_URGENT = (5, 10, 30, 60)
MAIL_STAYS = timedelta(days=3)  # a mail put off for longer is given up; whoever should know is told of it
LONGEST_RETRY_AFTER = 3600  # what a provider may ask us to wait
LONGEST_HOLD = timedelta(minutes=5)  # what one "too many requests" may hold up the sender's other messages


def failed(ctx: Context, message: Message, outgoing: Outgoing, failure: DeliveryFailed, now: datetime) -> None:
    """The provider said no: the row says so, and is due again later, or never."""
    log.get().warning("not taken", message=message.id, kind=message.kind, code=failure.code, what=failure.meaning)
    with ctx.store.transaction() as tx:
        if failure.permanent or (message.channel == "mail" and now - message.created_at > MAIL_STAYS):
            outcomes.refused(
                ctx,
                tx,
                message,
                outgoing.attempt_id,
                code=failure.code,
                meaning=failure.meaning,
                reason=failure.reason,
                now=now,
            )
        else:
            due_at = now + _retry_after(ctx, tx, message, failure, now)
            sends.try_again(tx, message.id, outgoing.attempt_id, due_at, failure.reason, now)


def _retry_after(ctx: Context, tx: Tx, message: Message, failure: DeliveryFailed, now: datetime) -> timedelta:
    """How long to wait; a provider that asks for patience gets it for everything that isn't urgent."""
    if failure.meaning == codes.BUSY and failure.retry_after:
        wait = timedelta(seconds=min(failure.retry_after, LONGEST_RETRY_AFTER))
        free_at = pace.free_at(ctx, tx, message.channel, now)
        pace.hold(ctx, tx, message.channel, max(free_at, now + min(wait, LONGEST_HOLD)))
        return wait
    times = RETRY_URGENT if message.urgency == URGENT else RETRY_STAFF if message.person_id else RETRY_AFTER
    attempts = outbox.get(tx, message.practice_id, message.id).attempts
    return timedelta(seconds=times[min(attempts, len(times)) - 1])
