"""Planted faults: each takes one guard out of this process, so that the harness can show that it would notice."""

from datetime import datetime, timedelta
from typing import Any

from bot.flows import sending, settling
from bot.store import Tx, sends
from bot.store.outbox import Message
from bot.store.sql import epoch, new_id
from surveys import courtesy


def begin_without_checking() -> None:
    """The attempt begins without checking that the claim is still ours."""

    def begin(tx: Tx, message: Message, now: datetime, lease: timedelta) -> str:
        attempt_id = new_id()
        tx.insert(
            "attempt",
            {
                "id": attempt_id,
                "practice_id": message.practice_id,
                "outbox_id": message.id,
                "started_at": epoch(now),
            },
        )
        tx.run("update outbox set attempt_id = :a where id = :id", {"a": attempt_id, "id": message.id})
        return attempt_id

    sends.begin_attempt = begin


def no_hours_at_sending() -> None:
    """The hours aren't looked at again at the moment of sending."""

    def go(*args: Any) -> courtesy.Go:
        return courtesy.Go(args[-1] + timedelta(hours=10))

    courtesy._in_hours = go


def retry_blindly() -> None:
    """What is in doubt is sent again without asking the provider."""

    def again(ctx: Any, message: Message, outgoing: Any, reason: str, now: datetime) -> None:
        with ctx.store.transaction() as tx:
            sends.try_again(tx, message.id, outgoing.attempt_id, now, reason, now)

    sending._in_doubt = again


def one_look() -> None:
    """One empty look at the provider, at once, counts as an answer."""
    settling.LOOKS_AT = (0.0,)  # type: ignore[assignment]

    def at_once(_message: Message, now: datetime, _settle: timedelta) -> datetime:
        return now

    def take(ctx: Any, message: Message, attempt: Any, now: datetime) -> None:
        with ctx.store.transaction() as tx:
            sends.try_again(tx, message.id, attempt.id, now, "not found", now)

    sending.first_look = at_once
    settling._not_found = take


def stale_checks() -> None:
    """A worker that was frozen after its checks calls the provider all the same."""
    sending.FRESH = timedelta(days=1)


def deaf_to_stop() -> None:
    """STOP isn't looked at again at the moment of sending."""
    judge = courtesy._why_never

    def never(errand: Any, manners: Any, client: Any, schedule: Any, now: datetime) -> str | None:
        reason = judge(errand, manners, client, schedule, now)
        return None if reason == courtesy.STOPPED else reason

    courtesy._why_never = never


def abandoned() -> None:
    """What a dead worker held is never freed."""
    sends.release_expired = lambda *_: 0


PLANTS = {
    plant.__name__: plant
    for plant in (
        begin_without_checking,
        no_hours_at_sending,
        retry_blindly,
        one_look,
        stale_checks,
        deaf_to_stop,
        abandoned,
    )
}
