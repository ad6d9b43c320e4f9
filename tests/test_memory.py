"""What web and worker hold doesn't grow with what they do, and they load nothing that they don't use."""

import gc
import os
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
from surveys import instrument, replies
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


# What glibc tells of its heaps, with sixteen threads that each hold a piece of one; nothing of another library.
HEAPS = """
import ctypes, tempfile, threading

def heaps():
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_info"):
        return 1
    both = threading.Barrier(17)
    def hold():
        piece = bytearray(100_000)
        both.wait(), both.wait()
    threads = [threading.Thread(target=hold) for _ in range(16)]
    [each.start() for each in threads]
    both.wait()
    libc.fopen.restype = ctypes.c_void_p
    libc.fclose.argtypes = [ctypes.c_void_p]
    libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
    with tempfile.NamedTemporaryFile() as told:
        stream = libc.fopen(told.name.encode(), b"w")
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        found = told.read().count(b"<heap nr=")
    both.wait()
    [each.join() for each in threads]
    return found
"""
WEB = "import bot.web.serving\n"
# The worker's command up to where it would open its database.
WORKER = """
from bot import calls, cli

class Here(Exception):
    pass

def stop(*_):
    raise Here

calls.make_context = stop
try:
    cli.main(["worker"], standalone_mode=False)
except Here:
    pass
"""
# How many word lists were in memory when the first large part was asked for.
ORDER = """
import sys
from surveys import vocabulary
from surveys.replies import weighing

def seen(event, args):
    if event == "import" and args[0] in ("bot.worker", "flask"):
        first.append(vocabulary.load.cache_info().currsize + weighing.load.cache_info().currsize)

first = []
sys.addaudithook(seen)
"""


def told(code: str, **env: str) -> str:
    """What a process of its own prints; nobody chose heaps for it unless `env` does."""
    around = {key: text for key, text in os.environ.items() if not key.startswith("MALLOC_")} | env
    done = subprocess.run([sys.executable, "-c", code], env=around, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("begun", [WEB, WORKER], ids=["web", "worker"])
def test_all_threads_of_web_and_worker_share_one_heap(begun: str) -> None:
    """Each heap of a thread's own keeps what it once held, for months."""
    assert told(HEAPS + begun + "print(heaps())") == "1"


def test_whoever_runs_it_may_choose_the_number_of_heaps() -> None:
    chosen = {"MALLOC_ARENA_MAX": "3"}
    assert told(HEAPS + WEB + "print(heaps())", **chosen) == told(HEAPS + "print(heaps())", **chosen)


@pytest.mark.parametrize("begun", [WEB + "import flask\n", WORKER], ids=["web", "worker"])
def test_the_word_lists_and_both_weights_are_in_memory_before_the_large_parts(begun: str) -> None:
    assert told(ORDER + begun + "print(first[0])") == "3"


def test_new_words_for_ever_take_no_more_room_than_some_thousand_of_them() -> None:
    """Less than half a piece for each: what is remembered of words met before has an end."""
    instruments = instrument.load_all()

    def read(since: int) -> int:
        for start in range(since, since + 10_000, 100):
            body = " ".join(f"w{_letters(n)}" for n in range(start, start + 100))
            replies.look(body, instruments=instruments)
        gc.collect()
        return sys.getallocatedblocks()

    read(0)
    before = read(10_000)
    assert read(20_000) - before < 5_000


def _letters(number: int) -> str:
    """A number as a word."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))
