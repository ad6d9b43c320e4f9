"""What the commands of `attune` share: settings, the store, the time, and what was typed, read and checked."""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import config as settings
from bot.config import Config

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.flows.context import Context
    from bot.store import Store
    from bot.store.practices import Practice

LONGEST_WAIT = timedelta(minutes=1)

practice_option = click.option(
    "--practice", "practice_name", metavar="NAME", help="Which practice, where there are several."
)


class BadCall(ValueError):
    """The command can't be carried out as it was typed; the message says why."""


class ClockFrom:
    """For `tick --now`: shows that time at first, and goes on from there, so that a sender's pace can be waited for."""

    def __init__(self, at: datetime) -> None:
        self.at, self._began = at, time.monotonic()

    def now(self) -> datetime:
        """The time, UTC."""
        return self.at + timedelta(seconds=time.monotonic() - self._began)

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for us."""


def pass_over(ctx: "Context", clock: "Clock") -> int:
    """A worker's passes until nothing is left that is due, at the sender's pace; how many things were done."""
    from bot.flows import sending
    from bot.worker import tick_once

    done = tick_once(ctx, clock)
    while not ctx.config.clock_url:  # the sandbox's clock may stand, so that no waiting would help
        wait = max((sending.pause(ctx, lane, clock.now()) for lane in sending.lanes_of(ctx)), default=timedelta())
        if not timedelta() < wait <= LONGEST_WAIT:
            break
        time.sleep(wait.total_seconds())
        done += tick_once(ctx, clock)
    return done


def with_secrets() -> Config:
    """The settings of this process, with a key among them. Raises BadConfig."""
    config = settings.from_environment()
    settings.needs(config, "secrets")
    return config


def ready(config: Config) -> "Store":
    """The store, once it is sure that there is a database, that it is this program's, and that commits last."""
    from bot.store import StoreError, open_store

    store = open_store(config.database_url, config.secrets)
    if not store.exists():
        raise StoreError(f"There is no database at {store.place}: run `attune migrate` first, or see DATABASE_URL.")
    store.check_ready()
    if config.secrets:
        check_key(store)
    return store


def check_key(store: "Store") -> None:
    """Raises SealBroken where people were sealed with a key that isn't among ours: we wouldn't find them, and would
    store them again."""
    from bot.store import people, practices

    with store.transaction(write=False) as tx:
        for practice in practices.every(tx):
            people.with_role(tx, practice.id, "therapist")


def make_context(process: str = "command") -> "Context":
    """What flows work with; also sets up the log."""
    from bot import log
    from bot.flows import context

    log.set_up(process)
    ctx = context.build(with_secrets())
    ready(ctx.config)
    return ctx


def with_practice(name: str | None) -> "tuple[Store, Practice]":
    """The store, and the practice of that name (without one, the only one). Raises BadSetting."""
    from bot.flows.settings import find_practice

    config = with_secrets()
    store = ready(config)
    with store.transaction() as tx:
        return store, find_practice(tx, name, now_by(config))


def now_by(config: Config) -> datetime:
    """By the sandbox's clock where one is followed."""
    if not config.clock_url:
        return datetime.now(UTC)
    from bot.clock import clock_for

    return clock_for(config.clock_url).now()


def moment(text: str, name: str = "--now") -> datetime:
    """A time as typed, UTC where it has no offset. Raises BadCall."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadCall(f"{name} must be a time such as 2026-11-23T10:00:00-05:00.") from None


def read(file: Path) -> bytes:
    """A file's bytes, or those of standard input for "-". Raises BadCall."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadCall(f"{file} can't be read: {error.strerror}.") from None


def take_mail() -> None:
    """Store the mail on standard input. Raises whatever kept it from being stored."""
    from bot.flows import mail_in, receiving

    ctx = make_context()
    receiving.receive(ctx, mail_in.read_mail(read(Path("-"))), now_by(ctx.config))


def pairs_of(pairs: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE as typed, by key. Raises BadCall."""
    if bad := [pair for pair in pairs if "=" not in pair]:
        raise BadCall(f"{bad[0]!r} is not KEY=VALUE.")
    return {key.strip(): value for key, _, value in (pair.partition("=") for pair in pairs)}


def show(values: dict[str, str]) -> None:
    """Print values as they would be typed."""
    for key, value in values.items():
        click.echo(f"{key}={value}")
