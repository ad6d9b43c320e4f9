"""What web and worker hold doesn't grow with what they do, and they load nothing that they don't use."""

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from twilio.request_validator import RequestValidator

from bot.calls import ClockFrom
from bot.channels import Outgoing
from bot.config import Config
from bot.flows import context, receiving
from bot.flows.context import Context
from bot.store.inbox import Inbound
from bot.web import create_app
from bot.worker import tick_once
from tests import bench_rows
from tests.bench_rows import Someone
from tests.support.cast import ALWAYS_OPEN, MONDAY_NOON, Riverside, riverside

FEW = 5  # pieces for a text or a check-in: the interpreter keeps one or two in reserve, less and less
TRIES = 3  # what else this process does may fall on one of them; what is kept for good shows in all


class Takes:
    """A channel that takes every message and keeps none."""

    sender = "+15005550006"

    def send(self, message: Outgoing) -> str:
        return f"SM{message.attempt_id}"


@pytest.fixture
def town(config: Config) -> Iterator[Riverside]:
    """A practice that asks by a channel which keeps nothing."""
    ctx = replace(context.build(replace(config, twilio_api_url="http://127.0.0.1:9")), channels={"sms": Takes()})
    ctx.store.migrate()
    yield riverside(ctx, **ALWAYS_OPEN)
    ctx.store.close()


def kept(ctx: Context, act: Callable[[], object], times: int) -> float:
    """How many pieces of memory each `act` leaves behind that nobody gives back, at the least of some tries."""
    found = []
    for _ in range(TRIES):
        before = _held(ctx)
        for _ in range(times):
            act()
        found.append((_held(ctx) - before) / times)
    return min(found)


def _held(ctx: Context) -> int:
    ctx.store.close()  # an open connection keeps up to two hundred cursors that are gone
    gc.collect()
    return sys.getallocatedblocks()


def test_a_web_process_keeps_nothing_of_the_texts_it_took_in(town: Riverside) -> None:
    """Signed texts through the whole application: a piece of memory for each would be a gigabyte one day."""
    whose = bench_rows.clients(town, 40 + TRIES * 60)
    bench_rows.opened(town, whose, MONDAY_NOON)
    app, waiting = create_app(town.ctx, ClockFrom(MONDAY_NOON)), iter(whose)
    for _ in range(40):
        _text(app, town.ctx, next(waiting))
    assert kept(town.ctx, lambda: _text(app, town.ctx, next(waiting)), 60) < FEW
    assert town.rows("select count(*) as n from check_in where state = 'answered'") == [{"n": len(whose)}]


def test_a_worker_keeps_nothing_of_the_days_that_passed(town: Riverside) -> None:
    """Check-ins asked, answered and judged, of ten clients day by day."""
    whose, days = bench_rows.clients(town, 10), iter(range(1, 1_000))
    for _ in range(4):
        _day(town, whose, MONDAY_NOON + timedelta(days=7 * next(days)))
    assert kept(town.ctx, lambda: _day(town, whose, MONDAY_NOON + timedelta(days=7 * next(days))), 4) < FEW * len(whose)
    assert town.rows("select distinct state from check_in") == [{"state": "answered"}]


def _text(app: Flask, ctx: Context, who: Someone) -> None:
    form = {"AccountSid": ctx.config.twilio_account_sid, "MessageSid": f"SM{who.id}", "From": who.phone,
            "To": ctx.config.twilio_from, "Body": "5 4 5 4"}  # fmt: skip
    where = "/webhooks/twilio/sms"
    signed = RequestValidator(ctx.config.twilio_auth_tokens[0]).compute_signature(ctx.config.public_url + where, form)
    assert app.test_client().post(where, data=form, headers={"X-Twilio-Signature": signed}).status_code == 200


def _day(town: Riverside, whose: list[Someone], noon: datetime) -> None:
    bench_rows.due(town, whose, noon)
    tick_once(town.ctx, ClockFrom(noon))
    for asked in town.rows("select c.id, c.client_id, c.feelings from check_in c where c.state = 'asked'"):
        body = " ".join("5" for _ in str(asked["feelings"]).split(","))
        sender = next(who.phone for who in whose if who.id == asked["client_id"])
        text = Inbound(channel="sms", provider_id=f"SM{asked['id']}", sender=sender, body=body)
        assert receiving.receive(town.ctx, text, noon + timedelta(hours=1))
    tick_once(town.ctx, ClockFrom(noon + timedelta(hours=2)))


@pytest.mark.parametrize(("first", "never"), [("bot.web.serving", "flask numpy"), ("bot.worker", "psycopg dns")])
def test_what_takes_room_is_loaded_in_its_turn_and_only_where_it_is_used(first: str, never: str) -> None:
    """The word lists come before the application, whose parts fill the holes that reading them leaves; PostgreSQL's
    driver isn't loaded beside SQLite."""
    look = f"import sys, {first}; print(*(set({never.split()}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
