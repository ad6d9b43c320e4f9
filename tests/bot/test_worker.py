"""The worker: one pass does what is due, a provider that hangs holds up its own lane only, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event, Thread

import pytest

from bot import worker as worker_module
from bot.channels import Outgoing
from bot.clock import SystemClock
from bot.flows import asking, pace, sending
from bot.flows.context import Context
from bot.sandbox import Sandbox, twilio_api
from bot.store import Tx, system
from bot.store.outbox import URGENT
from bot.worker import THREADS, Worker, tick_once
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.post import Post, Scripted


@dataclass
class HeldClock:
    """Shows what it is told to."""

    at: datetime = MONDAY_NOON

    def now(self) -> datetime:
        return self.at

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody asks."""


class Hanging:
    """A provider that keeps every call waiting until it is let go."""

    def __init__(self) -> None:
        self.let_go = Event()

    def __call__(self, outgoing: Outgoing) -> str:
        assert self.let_go.wait(120)
        return f"SM{outgoing.attempt_id}"


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice)


def until(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for something to come true, by the machine's clock."""
    end = time.monotonic() + seconds
    while not (now := true()) and time.monotonic() < end:
        time.sleep(0.01)
    return now


def working(ctx: Context, clock: HeldClock | None = None) -> tuple[Worker, Thread]:
    """A worker whose passes are made one after the other beside us, as its scheduler would."""
    worker = Worker(ctx, clock or HeldClock())
    beside = Thread(target=lambda: [(worker._guarded(), time.sleep(0.02)) for _ in iter(worker._stopping.is_set, True)])
    beside.start()
    return worker, beside


def test_one_pass_asks_sends_and_sets_the_next_step_going(post: Post, sandbox: Sandbox) -> None:
    """Welcome, then the question, as far as this moment allows; then there is nothing more to do."""
    post.practice.visit("Ana", MONDAY_NOON - timedelta(hours=2))
    clock = HeldClock()
    assert tick_once(post.ctx, clock) > 0
    assert [row["kind"] for row in post.practice.rows("select kind from outbox order by created_at, kind desc")] == [
        "welcome",
        "check_in",
    ]
    assert post.practice.check_ins("Ana")[0].state == "asked"
    assert (tick_once(post.ctx, clock), len(sandbox.book.all())) == (0, 2)


def test_a_mail_server_that_hangs_holds_up_no_danger_mail_and_no_text(post: Post) -> None:
    """Every thread for ordinary mail waits on the server; danger goes out by its own, and so do texts."""
    hanging, mails, texts = Hanging(), Scripted(), Scripted()
    mails.answers = lambda out: f"id-{out.attempt_id}" if out.subject == "Danger" else hanging(out)
    ctx = replace(post.ctx, channels={"mail": mails, "sms": texts})
    for _ in range(THREADS + 2):
        post.put("Theo", "alert_rapport")
    worker, beside = working(ctx)
    try:
        assert until(lambda: len(mails.sent) == THREADS)
        danger = post.put("Theo", "alert_danger", subject="Danger", urgency=URGENT)
        text, crisis = post.put("Ana"), post.put("Ben", "crisis", urgency=URGENT)
        assert until(lambda: [post.state(each) for each in (danger, text, crisis)] == ["sent"] * 3)
        assert len(mails.sent) == THREADS + 1, "the other ordinary mails still wait"
    finally:
        hanging.let_go.set()
        worker._stopping.set()
        beside.join()
    assert until(lambda: not worker.tick() and len(mails.sent) == THREADS + 3)


def test_look_ups_that_hang_hold_up_no_message(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's list may be slow while it still takes texts."""
    let_go, channel = Event(), Scripted()

    def hang(*_: object) -> list[str]:
        let_go.wait(120)
        return []

    monkeypatch.setattr(channel, "find", hang, raising=False)
    doubtful = post.by(channel)
    for name in ("Ana", "Ben"):
        post.put(name)
    with post.ctx.store.transaction() as tx:
        tx.run("update outbox set state = 'in_doubt', look_at = 0, attempt_id = id")
        for row in tx.all("select id, practice_id from outbox"):
            tx.insert("attempt", {"id": row["id"], "outbox_id": row["id"], "practice_id": row["practice_id"],
                                  "started_at": 0})  # fmt: skip
    worker, beside = working(doubtful.ctx)
    try:
        other = post.put("Chidi")
        assert until(lambda: post.state(other) == "sent")
    finally:
        let_go.set()
        worker._stopping.set()
        beside.join()
        for hands in worker._hands():
            hands.wait()


def test_the_heartbeat_goes_on_while_providers_hang(post: Post) -> None:
    """Otherwise a slow provider would look like a dead worker."""
    hanging, clock = Hanging(), HeldClock()
    ctx = post.by(Scripted(hanging)).ctx
    for name in ("Ana", "Ben", "Chidi"):
        post.put(name)
    worker, beside = working(ctx, clock)
    try:
        clock.at += timedelta(seconds=45)

        def beaten() -> bool:
            with post.ctx.store.transaction(write=False) as tx:
                return system.last_beat(tx) == clock.at

        assert until(beaten)
    finally:
        hanging.let_go.set()
        worker._stopping.set()
        beside.join()
        for hands in worker._hands():
            hands.wait()


def test_a_worker_with_a_call_under_way_reports_that_it_is_busy(post: Post) -> None:
    """A held clock must not jump over a send."""
    hanging, reports = Hanging(), []

    class Asking(HeldClock):
        def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
            reports.append(busy)

    worker = Worker(post.by(Scripted(hanging)).ctx, Asking())
    post.put("Ana")
    worker._guarded()
    worker._guarded()
    hanging.let_go.set()
    for hands in worker._hands():
        hands.wait()
    worker._guarded()
    worker._guarded()
    assert reports == [True, True, True, False]


def test_one_message_that_cannot_be_judged_stops_no_other(
    post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for its lease to end; those behind it go out in the same pass, by the same thread."""
    monkeypatch.setattr(worker_module, "THREADS", 1)
    broken = post.put("Ana", "no_such_kind", MONDAY_NOON - timedelta(minutes=1))
    others = [post.put(f"+1202555019{n}", "unexpected") for n in range(6)]
    tick_once(post.ctx, HeldClock())
    assert {post.state(message) for message in others} == {"sent"}
    assert post.state(broken) == "claimed"


def test_a_fault_in_one_flow_stops_no_other(post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Danger climbs and messages go out whatever else is broken."""

    def broken(*_: object) -> int:
        raise RuntimeError("boom")

    for flow in ("ask_due", "expire_due", "remind_due"):
        monkeypatch.setattr(asking, flow, broken)
    message = post.put("Ana")
    tick_once(post.ctx, HeldClock())
    assert post.state(message) == "sent"


def test_seconds_without_threads_end_no_lane(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has none to give for a while; as soon as it has, all goes on, and meanwhile the worker lives."""
    channel, start, lacking = Scripted(), Thread.start, ["send-sms", "send-mail", "look-up", "chores"]

    def start_or_not(thread: Thread) -> None:
        if thread.name in lacking:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", start_or_not)
    danger, crisis = post.put("Theo", "alert_danger", urgency=URGENT), post.put("Ana", "crisis", urgency=URGENT)
    worker = Worker(post.by(channel).ctx, HeldClock())
    for _ in range(2 * THREADS):
        worker._guarded()
    assert post.practice.rows("select count(*) as n from worker") == [{"n": 1}]
    lacking.remove("send-mail")
    worker._guarded()
    assert until(lambda: post.state(danger) == "sent"), "each lane by itself"
    assert post.state(crisis) == "due"
    lacking.clear()
    worker._guarded()
    assert until(lambda: post.state(crisis) == "sent")
    for hands in worker._hands():
        hands.wait(60)


def test_a_lease_given_during_a_long_pass_is_not_taken_for_one_of_a_clock_that_was_ahead(
    post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass looks at the clock again before it frees what seems abandoned."""
    clock, message = HeldClock(), post.put("Ana")

    def long(*_: object) -> int:
        clock.at += timedelta(minutes=5)
        sending.claim(post.ctx, "another", clock.at)
        return 0

    monkeypatch.setattr(asking, "ask_due", long)
    Worker(post.ctx, clock)._pass()
    assert post.state(message) == "claimed"


def test_no_thread_keeps_its_connection_to_the_database(post: Post, sandbox: Sandbox) -> None:
    """A month in an hour: file handles stay constant."""
    worker, counts = Worker(post.ctx, HeldClock()), []
    for _ in range(4):
        for name in ("Ana", "Ben", "Chidi"):
            post.put(name)
        worker.tick()
        counts.append(len([fd for fd in os.listdir("/proc/self/fd") if _points_at(fd, post.ctx.store.path)]))
    assert counts[1:] == counts[:-1]


def _points_at(fd: str, path: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith(path)
    except OSError:
        return False


def test_by_the_machines_clock_the_pace_is_kept_to_the_second(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three segments take two seconds, not two and a half, and never less: nobody waits longer than for the next."""
    times, waits, use = list[datetime](), list[float](), pace.use

    def used(ctx: Context, tx: Tx, channel: str, segments: int, now: datetime) -> None:
        times.extend([now] * segments)
        use(ctx, tx, channel, segments, now)

    monkeypatch.setattr(pace, "use", used)
    with post.ctx.store.transaction() as tx:
        practice = post.practice.practice
        tx.run("update practice set schedule = :s where id = :id",
               {"s": '{"hours": "00:00-24:00", "days": "mon,tue,wed,thu,fri,sat,sun"}', "id": practice.id})  # fmt: skip
    clock = SystemClock()
    for name in ("Ana", "Ben", "Chidi"):
        post.put(name, at=clock.now() - timedelta(seconds=5))
    worker = Worker(post.by(Scripted(), pace=1.0).ctx, clock)
    wait = worker._stopping.wait
    monkeypatch.setattr(worker._stopping, "wait", lambda seconds: (waits.append(seconds), wait(seconds))[1])
    worker.tick()
    assert len(times) == 3
    assert all(after - before > timedelta(seconds=0.99) for before, after in pairwise(times))
    assert all(seconds <= 1 for seconds in waits)


def test_a_worker_told_to_stop_finishes_its_call_and_begins_no_other(
    post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM: what is under way gets its answer, so that nothing is left in doubt."""
    answer = Event()
    monkeypatch.setattr(twilio_api, "_answer_by_fault", lambda _parts: answer.wait(120))
    config = post.ctx.config
    env = os.environ | {
        "DATABASE_URL": config.database_url, "PUBLIC_URL": config.public_url, "SECRET_KEY": config.secrets[0],
        "TWILIO_ACCOUNT_SID": config.twilio_account_sid, "TWILIO_AUTH_TOKEN": config.twilio_auth_tokens[0],
        "TWILIO_FROM": config.twilio_from, "TWILIO_API_URL": sandbox.url, "SEND_PACE": "0",
    }  # fmt: skip
    message = post.put("Ana", "crisis", SystemClock().now(), urgency=URGENT)
    process = subprocess.Popen([sys.executable, "-m", "bot", "worker"], env=env, stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: len(sandbox.book.all()) == 1), "the call is under way"
        process.send_signal(signal.SIGTERM)
        due = SystemClock().now() + timedelta(seconds=2)  # by then the worker knows that it is to stop
        later = post.put("Ben", "crisis", due, urgency=URGENT)
        assert until(lambda: SystemClock().now() > due + timedelta(seconds=1.5)), "a worker that went on would have it"
        answer.set()
        assert process.wait(60) == 0
    finally:
        answer.set()
        process.kill()
    assert (post.state(message), post.state(later)) == ("sent", "due")


def test_an_abandoned_claim_is_noticed_in_a_pass(post: Post, sandbox: Sandbox) -> None:
    """Whoever died with it, the next worker frees and sends it."""
    message = post.put("Ana")
    sending.claim(post.ctx, "dead", MONDAY_NOON)
    tick_once(post.ctx, HeldClock(MONDAY_NOON + timedelta(seconds=61)))
    assert post.state(message) == "sent"
