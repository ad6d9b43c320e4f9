"""`make bench`: how fast the paths that matter are, at full durability, with yardsticks from the same run.

Figures depend on the machine and on what else runs there: read the ratios. Run it alone.
"""

import argparse
import logging
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from unittest import mock

import structlog
from flask import Flask
from twilio.request_validator import RequestValidator
from werkzeug.test import Client

from bot.channels import Outgoing
from bot.clock import SystemClock
from bot.config import Config
from bot.flows import asking, context, planning, sending
from bot.flows.context import Context
from bot.store import Store
from bot.store.gate import Gate
from bot.web import create_app
from surveys import instrument, rapport, replies
from tests import bench_pages
from tests.support.cast import ALWAYS_OPEN, MONDAY_NOON, Riverside, riverside

URL, TOKEN, SID = "http://attune.example", "bench-token", "AC" + "0" * 31 + "1"
THREADS = 4
SLOW_SYNC = 0.005  # seconds


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="how long each open measurement runs")
    parser.add_argument("--appointments", type=int, default=100_000)
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        ctx = _context(Path(folder))
        print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, {ctx.store.durability()}")
        _print("disk: fdatasync of one page", _syncs(Path(folder), chosen.seconds), "/s")
        practice = riverside(ctx, **ALWAYS_OPEN)
        bare = _rate(_bare_client(ctx.store), _post, chosen.seconds)
        ours = _rate(lambda: Client(create_app(ctx, SystemClock())), _post, chosen.seconds)
        _print("bare handler: signature, one row, one commit", bare, "/s")
        _print("replies through the whole path", ours, "/s")
        print(f"  ratio to the bare handler: {ours / bare:.2f}")
        _slow_disk(ctx, chosen.seconds)
        _plan(practice, chosen.appointments)
        _send(practice)
        bench_pages.measure(Path(folder) / "year.db")
    _reading()
    _signal()


def _context(folder: Path) -> Context:
    config = Config(
        database_url=f"sqlite:///{folder}/attune.db", public_url=URL, secrets=("a-secret-for-the-bench",),
        twilio_account_sid=SID, twilio_auth_tokens=(TOKEN,), twilio_from="+15005550006", pace=0,
    )  # fmt: skip
    ctx = context.build(config)
    ctx.store.migrate()
    return replace(ctx, channels={"sms": _Null()})


class _Null:
    """Takes everything at once."""

    sender = "null"
    _ids = count(1)

    def send(self, message: Outgoing) -> str:
        return f"SM{next(self._ids):032x}"


def _syncs(folder: Path, seconds: float) -> float:
    with (folder / "sync").open("wb", buffering=0) as file:
        done, end = 0, time.perf_counter() + min(seconds, 2)
        while time.perf_counter() < end:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            done += 1
    return done / min(seconds, 2)


def _rate(make_client: Callable[[], Client], post: Callable[[Client, int], int], seconds: float) -> float:
    """Requests a second from several threads, each answered 200."""
    done, client = [0] * THREADS, make_client()
    end = time.perf_counter() + seconds

    def run(thread: int) -> None:
        while time.perf_counter() < end:
            if post(client, next(_SERIAL)) != 200:
                raise SystemExit("a reply was refused")
            done[thread] += 1

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


_SERIAL = count(1)


def _slow_disk(ctx: Context, seconds: float) -> None:
    """With 5 ms more for each commit: requests that share one, beside one commit each."""
    plain = Gate.turn

    @contextmanager
    def slow(gate: Gate, patience: float) -> Iterator[None]:
        with plain(gate, patience):
            yield
            time.sleep(SLOW_SYNC)

    with mock.patch.object(Gate, "turn", slow):
        group = _rate(lambda: Client(create_app(ctx, SystemClock())), _post, seconds)
        with mock.patch.object(type(ctx.store), "together", lambda _store, work: work()):
            each = _rate(lambda: Client(create_app(ctx, SystemClock())), _post, seconds)
    _print("5 ms more a sync: replies with a shared commit", group, "/s")
    _print("5 ms more a sync: one commit each", each, "/s")
    print(f"  ratio: {group / each:.2f}")


def _post(client: Client, number: int) -> int:
    form = {
        "AccountSid": SID, "MessageSid": f"SM{number:032x}", "From": "+12025550101", "To": "+15005550006",
        "Body": "5 4 5", "NumMedia": "0",
    }  # fmt: skip
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}/webhooks/twilio/sms", form)
    return client.post("/webhooks/twilio/sms", data=form, headers={"X-Twilio-Signature": signature}).status_code


def _bare_client(store: Store) -> Callable[[], Client]:
    app = Flask(__name__)
    with store.transaction() as tx:
        tx.run("create table bench (id text primary key, body text)")

    @app.post("/webhooks/twilio/sms")
    def sms() -> str:
        from flask import request

        url, signature = f"{URL}/webhooks/twilio/sms", request.headers["X-Twilio-Signature"]
        if not RequestValidator(TOKEN).validate(url, request.form, signature):
            return "no"
        with store.transaction() as tx:
            tx.run("insert into bench values (:id, :body)", {"id": request.form["MessageSid"], "body": "x"})
        return "ok"

    return lambda: Client(app)


def _plan(practice: Riverside, appointments: int) -> None:
    """Plan a year of weekly visits of many clients, through the store."""
    clients = max(1, appointments // 50)
    with practice.ctx.store.transaction() as tx:
        tx.insert_many("client", [_client_row(practice, i) for i in range(clients)])
        rows = [_visit_row(practice, i, week) for i in range(clients) for week in range(appointments // clients)]
        tx.insert_many("appointment", rows)
    start = time.perf_counter()
    planning.replan(practice.ctx, practice.practice.id, [f"bench{i}" for i in range(clients)], MONDAY_NOON)
    _print(f"planning {len(rows)} appointments", time.perf_counter() - start, "s")


def _client_row(practice: Riverside, number: int) -> dict[str, object]:
    sealer = practice.ctx.store.sealer
    phone = f"+1202{number + 6_000_000:07d}"
    return {
        "id": f"bench{number}", "practice_id": practice.practice.id, "client_ref": f"B{number}",
        "name_sealed": sealer.seal(f"client|name|bench{number}", "Somebody"),
        "phone_sealed": sealer.seal(f"client|phone|bench{number}", phone), "phone_index": sealer.index(phone),
        "language": "en", "timezone": "America/New_York", "channel": "sms", "consent_at": 1,
        "therapist_id": practice.staff["Theo"], "created_at": 1, "welcomed_at": 1,
    }  # fmt: skip


def _visit_row(practice: Riverside, number: int, week: int) -> dict[str, object]:
    ends = int((MONDAY_NOON + timedelta(weeks=week, hours=-3)).timestamp())
    return {
        "id": f"v{number}-{week}", "practice_id": practice.practice.id, "appointment_ref": f"v{number}-{week}",
        "client_id": f"bench{number}", "therapist_id": practice.staff["Theo"], "starts_at": ends - 3000,
        "ends_at": ends, "status": "attended",
    }  # fmt: skip


def _send(practice: Riverside) -> None:
    """Check again, commit and hand to a channel that takes everything, what is due at this moment."""
    ctx, start, sent = practice.ctx, time.perf_counter(), 0
    while asking.ask_due(ctx, MONDAY_NOON):
        while claimed := sending.claim(ctx, "bench", MONDAY_NOON):
            for message in claimed:
                sending.deliver(ctx, message, MONDAY_NOON)
            sent += len(claimed)
    _print(f"asking and sending {sent} check-ins, one worker", sent / (time.perf_counter() - start), "/s")


def _reading() -> None:
    instruments, took = instrument.load_all(), []
    for text in ("5 4 5", "respected 4, heard 5", "pls stop texting me", "It was fine, thank you") * 250:
        start = time.perf_counter()
        replies.parse(text, asked=("heard", "respected", "understood"), instruments=instruments)
        took.append(time.perf_counter() - start)
    _print("reading a reply, median", statistics.median(took) * 1000, "ms")


def _signal() -> None:
    feelings = tuple(instrument.load_all().questions)
    belief, took = rapport.begin(rapport.default_model(feelings)), []
    for number in range(60):
        seen = rapport.Observation(number, True, {"heard": 4, "respected": 5, "understood": 4}, None)
        start = time.perf_counter()
        belief = rapport.update(belief, seen)
        took.append(time.perf_counter() - start)
    _print("one update of the belief, median", statistics.median(took) * 1000, "ms")


def _print(what: str, figure: float, unit: str) -> None:
    print(f"{what}: {figure:,.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()
