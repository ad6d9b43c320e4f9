"""Planted faults: each takes one guard out of this process, so that the harness can show that it would notice."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bot.flows import backups, receiving, sending, settling
from bot.flows.backups import Restored
from bot.flows.context import Context
from bot.store import PostgresEngine, SqliteEngine, Tx, inbox, postgres, practices, sends, sqlite, upgrades
from bot.store.inbox import Inbound
from bot.store.outbox import Message
from bot.store.sql import epoch, new_id
from migrations import STEPS, statements
from surveys import courtesy


def begin_without_checking() -> None:
    """A message is claimed first and begun later, without checking that the claim is still ours."""

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

    def send_next(ctx: Context, worker: str, lane: Any, tell: Callable[[], datetime], _tempo: Any) -> int:
        claimed = sending.claim(ctx, worker, tell(), lane, most=1)
        for message in claimed:
            sending.deliver(ctx, message, tell(), tell)
        return len(claimed)

    sends.begin_attempt = begin
    sending.send_next = send_next


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
    sending.FRESH = sending.HELD_UP = timedelta(days=1)


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


def settle_too_short() -> None:
    """Looks at the provider come at once, one right after the other, whatever time its list takes."""
    settling.LOOKS_AT = (0.0, 0.1)  # type: ignore[assignment]
    settling.APART = 0.1

    def certain(ctx: Context, message: Message, attempt: sends.Attempt, now: datetime) -> None:
        with ctx.store.transaction() as tx:
            if message.looks:
                sends.try_again(tx, message.id, attempt.id, now, "the provider never had it", now)
            else:
                sends.look_again(tx, message.id, attempt.id, 1, now + timedelta(seconds=1))

    settling._not_found = certain


def relaxed_disk() -> None:
    """Commits don't wait for the disk: synchronous=NORMAL, and nobody looks."""
    relaxed = [each.replace("synchronous=full", "synchronous=normal") for each in sqlite.PRAGMAS]
    assert "synchronous=normal" in relaxed
    sqlite.PRAGMAS = tuple(relaxed)  # type: ignore[assignment]
    SqliteEngine.check_durability = lambda _self: None  # type: ignore[method-assign]


def unhurried_server() -> None:
    """Commits don't wait for a PostgreSQL server's disk."""
    turn = postgres._turn
    postgres._turn = lambda patience: turn(patience).replace("synchronous_commit = on", "synchronous_commit = off")
    assert "synchronous_commit = off" in postgres._turn(1.0)


def forgetful_server() -> None:
    """Nobody looks whether a PostgreSQL server syncs at all; this one doesn't (`server_cuts.SPOILED`)."""
    PostgresEngine.check_durability = lambda _self: None  # type: ignore[method-assign]


def remembered_first() -> None:
    """A text is remembered in one transaction, and what it says is stored in the next."""
    remember = inbox.remember

    def receive(ctx: Context, inbound: Inbound, now: datetime) -> bool:
        with ctx.store.transaction() as tx:
            inbox_id = remember(tx, practices.first(tx, now).id, inbound, now)
        if inbox_id is None:
            return False
        with ctx.store.transaction() as tx:
            sender = receiving.who(ctx.config, tx, inbound, now)
            receiving._Reception(ctx, tx, sender, inbound, inbox_id, now).take_in()
        return True

    receiving.receive = receive


def upgraded_bit_by_bit() -> None:
    """An upgrade commits after each of its statements."""

    def apply(db: Any) -> list[str]:
        names = upgrades.missing(db)
        db.execute("commit")
        upgrades._steps().ensure_migrations_table(db)
        for name, step in STEPS:
            if name in names:
                for sql in statements(step, "sqlite"):
                    db.execute(sql)
                db.execute(
                    f"insert into {upgrades._steps().migrations_table} (migration_set, name, applied_at) "
                    "values ('attune', ?, '')",
                    [name],
                )
        db.execute("begin")
        return names

    SqliteEngine.migrate = _migrate_by(apply)  # type: ignore[method-assign]


def _migrate_by(apply: Any) -> Any:
    def migrate(engine: SqliteEngine) -> list[str]:
        with engine.transaction():
            done: list[str] = apply(engine._database())
            return done

    return migrate


def restored_without_doubt() -> None:
    """After a restore all goes on as if nothing had been sent since the backup."""
    backups.put_in_doubt = lambda *_: Restored(0, 0)


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
        settle_too_short,
        relaxed_disk,
        unhurried_server,
        forgetful_server,
        remembered_first,
        upgraded_bit_by_bit,
        restored_without_doubt,
    )
}
