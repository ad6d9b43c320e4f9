"""Texts sent while nobody answered are fetched, once, and count as of when they were sent (P6)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.config import Config
from bot.flows import context, fetching
from bot.flows.context import Context
from bot.flows.restored import RESTORED_AT
from bot.sandbox import Sandbox, phones
from bot.sandbox.faults import Fault
from bot.store import system
from tests.conftest import ACCOUNT_SID, PUBLIC_URL, TOKEN
from tests.support.cast import MONDAY_NOON, PHONES, Riverside, riverside

MINUTE = timedelta(minutes=1)


@pytest.fixture
def held() -> Iterator[Sandbox]:
    """A provider whose clock stands still until it is set."""
    with Sandbox(PUBLIC_URL, ACCOUNT_SID, TOKEN, start_at=MONDAY_NOON.timestamp(), held=True) as running:
        running.faults.plan(Fault("inbound_lost", next=10_000))
        yield running


@pytest.fixture
def down(config: Config, held: Sandbox) -> Riverside:
    """Riverside, whose webhook nobody answers; the last fetch was at noon."""
    ctx = context.build(replace(config, twilio_api_url=held.url, twilio_messaging_service_sid="MG" + "0" * 32))
    ctx.store.migrate()
    practice = riverside(ctx)
    assert fetching.fetch_missed(ctx, MONDAY_NOON) == 0
    return practice


def say(held: Sandbox, name: str, words: str, after: timedelta) -> None:
    """A client texts, some time after noon."""
    held.clock.jump((MONDAY_NOON + after).timestamp())
    phones.text(held.parts, PHONES[name], words)


def kept(practice: Riverside) -> list[tuple[object, object]]:
    """What is in the inbox: the kind of message, and how long after noon it came."""
    rows = practice.rows("select kind, received_at from inbox order by received_at, id")
    return [(row["kind"], int(str(row["received_at"])) - int(MONDAY_NOON.timestamp())) for row in rows]


def test_what_came_while_nobody_answered_is_fetched_as_of_its_time(down: Riverside, held: Sandbox) -> None:
    """A STOP that was missed holds from when it is fetched, and says when it was sent."""
    say(held, "Ana", "STOP", 5 * MINUTE)
    say(held, "Ben", "thank you", 9 * MINUTE)
    assert fetching.fetch_missed(down.ctx, MONDAY_NOON + 60 * MINUTE) == 2
    assert [seconds for _, seconds in kept(down)] == [300, 540]
    assert down.client("Ana").stopped


def test_fetching_again_changes_nothing(down: Riverside, held: Sandbox) -> None:
    """The list reaches back over what is here already."""
    say(held, "Ana", "hello", 5 * MINUTE)
    assert [fetching.fetch_missed(down.ctx, MONDAY_NOON + n * MINUTE) for n in (7, 9, 11)] == [1, 0, 0]
    assert len(kept(down)) == 1


def test_a_text_that_may_still_be_on_its_way_is_left_to_the_webhook(down: Riverside, held: Sandbox) -> None:
    """The webhook says more than the list; what it doesn't bring is fetched the next time."""
    say(held, "Ana", "hello", 5 * MINUTE)
    soon = MONDAY_NOON + 5 * MINUTE + fetching.YOUNG / 2
    assert fetching.fetch_missed(down.ctx, soon) == 0
    assert fetching.fetch_missed(down.ctx, soon + fetching.EVERY) == 1


def test_danger_that_was_missed_is_told_at_once(down: Riverside, held: Sandbox) -> None:
    """However long ago it was written."""
    say(held, "Ana", "i want to kill myself", 5 * MINUTE)
    fetching.fetch_missed(down.ctx, MONDAY_NOON + 60 * MINUTE)
    assert [row["kind"] for row in down.rows("select kind from alert")] == ["danger"]
    assert "crisis" in {row["kind"] for row in down.rows("select kind from outbox")}


def test_a_thousand_texts_are_all_there_and_none_twice(down: Riverside, held: Sandbox) -> None:
    """P6: whatever was sent while we were down."""
    for number in range(1_000):
        say(held, ("Ana", "Ben", "Chidi")[number % 3], f"hello {number}", MINUTE + timedelta(seconds=number))
    assert fetching.fetch_missed(down.ctx, MONDAY_NOON + 60 * MINUTE) == 1_000
    assert len(kept(down)) == 1_000
    assert fetching.fetch_missed(down.ctx, MONDAY_NOON + 62 * MINUTE) == 0


def test_a_provider_that_is_down_costs_nothing_but_time(down: Riverside, held: Sandbox) -> None:
    """The next turn begins where the last good one ended."""
    say(held, "Ana", "hello", 5 * MINUTE)
    elsewhere = replace(down.ctx.config, twilio_api_url="http://127.0.0.1:9")
    away = Context(elsewhere, down.ctx.store, down.ctx.instruments, context.build(elsewhere).channels)
    assert fetching.fetch_missed(away, MONDAY_NOON + 60 * MINUTE) == 0
    assert fetching.fetch_missed(down.ctx, MONDAY_NOON + 180 * MINUTE) == 1


def test_after_a_restore_what_came_since_the_backup_is_fetched_and_not_answered_again(
    down: Riverside, held: Sandbox
) -> None:
    """STOP holds again and danger is told again; who asked to stop, or may be in danger, is looked up at the provider
    before anything goes to them."""
    for number, (name, words) in enumerate(
        (("Ana", "STOP please"), ("Ben", "i want to kill myself"), ("Chidi", "HELP"))
    ):
        say(held, name, words, (5 + number) * MINUTE)
    with down.ctx.store.transaction() as tx:
        system.set_value(tx, RESTORED_AT, str(int((MONDAY_NOON + 30 * MINUTE).timestamp())))
    fetching.fetch_missed(down.ctx, MONDAY_NOON + 60 * MINUTE)
    assert down.client("Ana").stopped
    assert down.client("Ben").halted
    queued = down.rows("select kind, state from outbox where channel = 'sms' and client_id is not null")
    states = {row["kind"]: row["state"] for row in queued}
    assert states == {"stopped": "in_doubt", "crisis": "in_doubt", "help": "skipped"}
