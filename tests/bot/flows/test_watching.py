"""When no worker is alive, the manager is told by mail, though nothing else can be sent (P10)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.flows import context, watching
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.store import system
from tests.support.cast import MONDAY_NOON, Riverside

MINUTE = timedelta(minutes=1)


@pytest.fixture
def alive(ctx: Context, practice: Riverside) -> Context:
    """A worker was alive at noon."""
    with ctx.store.transaction() as tx:
        system.beat(tx, "a worker", MONDAY_NOON)
    return ctx


def subjects(sandbox: Sandbox) -> list[str]:
    """What is in the mailbox."""
    return [mail.subject for mail in sandbox.mailbox.all()]


@pytest.mark.parametrize("killed_after", range(0, 50))
def test_every_kill_is_noticed_within_six_minutes(alive: Context, sandbox: Sandbox, killed_after: int) -> None:
    """Whenever it came between two of the web's looks, and once."""
    first = MONDAY_NOON + timedelta(seconds=killed_after)
    told = [watching.look(alive, first + timedelta(seconds=30 * n)) for n in range(12)]
    assert sum(told) == 1
    assert subjects(sandbox) == ["Attune has stopped sending"]


def test_a_worker_that_is_alive_is_no_news(alive: Context, sandbox: Sandbox) -> None:
    """Up to five minutes between two signs of life."""
    assert watching.look(alive, MONDAY_NOON + 5 * MINUTE) == 0
    assert subjects(sandbox) == []


def test_before_the_first_worker_there_is_nothing_to_miss(ctx: Context, practice: Riverside, sandbox: Sandbox) -> None:
    """As while an installation is being set up."""
    assert watching.look(ctx, MONDAY_NOON) == 0


def test_a_silence_that_lasts_is_told_again_after_six_hours(alive: Context, sandbox: Sandbox) -> None:
    """And a new silence at once."""
    looks = [MONDAY_NOON + 6 * MINUTE, MONDAY_NOON + 60 * MINUTE, MONDAY_NOON + 367 * MINUTE]
    assert [watching.look(alive, at) for at in looks] == [1, 0, 1]
    with alive.store.transaction() as tx:
        system.beat(tx, "a worker", looks[-1] + 10 * MINUTE)
    assert watching.look(alive, looks[-1] + 16 * MINUTE) == 1


def test_a_mail_server_that_is_down_is_tried_again(alive: Context, sandbox: Sandbox) -> None:
    """A minute later, until it takes the mail."""
    down = replace(alive.config, smtp_url="smtp://127.0.0.1:9")
    away = Context(down, alive.store, alive.instruments, context.build(down).channels)
    assert watching.look(away, MONDAY_NOON + 6 * MINUTE) == 0
    assert watching.look(alive, MONDAY_NOON + 7 * MINUTE) == 1


def test_the_mail_names_nobody_and_says_what_to_do(alive: Context, sandbox: Sandbox) -> None:
    """It goes to Dana, who looks after the practice."""
    watching.look(alive, MONDAY_NOON + 6 * MINUTE)
    mail = sandbox.mailbox.all()[0]
    assert "dana@riverside.example" in mail.recipients
    assert "start it" in mail.text
