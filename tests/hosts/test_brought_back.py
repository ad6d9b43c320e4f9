"""A PostgreSQL server that is brought back to an earlier time sends nothing again, and erases again (P11, P16)."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner

from bot import worker
from bot.channels import Outgoing, Received
from bot.commands.copying import after_restore
from bot.flows import asking, context, erasing, fetching, older_copy, operating, receiving
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.store import StoreError, clients
from bot.store.inbox import Inbound
from bot.worker import tick_once
from tests.hosts.server import Server
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.managing import manager
from tests.support.weeks import At

HOUR = timedelta(hours=1)


@pytest.fixture
def work(ctx: Context, sandbox: Sandbox) -> Callable[[datetime], int]:
    """A worker that runs on without a new start; how many texts the provider has by then."""

    def go_on(at: datetime) -> int:
        tick_once(ctx, At(at))
        return len(sandbox.book.all())

    return go_on


def snapshot(server: Server, to: Path) -> None:
    """Of the server's disk, while it is down."""
    server.stop()
    server.copy_to(to)
    server.start()


def put_back(server: Server, kept: Path) -> None:
    """As an operator does, with workers waiting for the server to come back."""
    server.stop()
    shutil.rmtree(server.folder)
    shutil.copytree(kept, server.folder)
    server.start()


@pytest.fixture
def kept() -> Iterator[Path]:
    """Where a snapshot is put."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="attune-snapshot-", dir=memory) as folder:
        yield Path(folder) / "kept"


@pytest.fixture
def asked(
    practice: Riverside, server: Server, work: Callable[[datetime], int], kept: Path
) -> tuple[int, Callable[[], None]]:
    """Ana was welcomed and asked after a snapshot was made: how many texts that were, and what puts the snapshot
    back."""
    work(MONDAY_NOON)
    practice.visit("Ana", MONDAY_NOON - 3 * HOUR, now=MONDAY_NOON)
    snapshot(server, kept)
    older_copy.advance(practice.ctx, MONDAY_NOON)
    sent = work(MONDAY_NOON + HOUR)
    assert sent == 2
    return sent, lambda: put_back(server, kept)


def test_a_snapshot_put_back_under_a_running_worker_sends_nothing_again(
    asked: tuple[int, Callable[[], None]], work: Callable[[datetime], int]
) -> None:
    """The file on its host says that the database had come further."""
    sent, put_back_the_snapshot = asked
    put_back_the_snapshot()
    assert [work(MONDAY_NOON + hours * HOUR) for hours in (1, 2, 4)] == [sent] * 3


def test_without_looking_it_would_send_all_of_it_again(
    asked: tuple[int, Callable[[], None]], work: Callable[[datetime], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above."""
    sent, put_back_the_snapshot = asked
    put_back_the_snapshot()
    monkeypatch.setattr(older_copy, "look_again", lambda *_: "")
    monkeypatch.setattr(older_copy, "may_send", lambda *_: True)
    assert work(MONDAY_NOON + HOUR) > sent


class Interrupted:
    """A way to send texts on which something happens while the first one is on the wire."""

    def __init__(self, real: Any, happens: Callable[[], None]) -> None:
        self._real, self._happens, self._first = real, happens, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def send(self, message: Outgoing) -> str:
        taken: str = self._real.send(message)
        first, self._first = self._first, False
        if first:
            self._happens()
        return taken


def await_server(ctx: Context) -> None:
    """Until it is spoken with again: whoever found it gone leaves it alone for a moment."""
    until = time.monotonic() + 60
    while True:
        try:
            with ctx.store.transaction(write=False):
                return
        except StoreError:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_one_put_back_while_a_text_is_on_its_way_sends_nothing_again(
    ctx: Context, practice: Riverside, server: Server, sandbox: Sandbox, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that sent it goes on to the next message in the same pass, and finds what had gone out before."""
    monkeypatch.setattr(worker, "CHORES", ())
    tick_once(ctx, At(MONDAY_NOON))
    for name in ("Ana", "Ben"):
        practice.visit(name, MONDAY_NOON - 3 * HOUR, now=MONDAY_NOON)
    asking.ask_due(ctx, MONDAY_NOON + HOUR)
    snapshot(server, kept)
    older_copy.advance(ctx, MONDAY_NOON)
    tick_once(ctx, At(MONDAY_NOON + HOUR))
    practice.visit("Chidi", MONDAY_NOON - 2 * HOUR, now=MONDAY_NOON + HOUR)

    on_its_way, is_back = Event(), Event()

    def wait() -> None:
        on_its_way.set()
        assert is_back.wait(60)
        await_server(ctx)

    interrupted = replace(ctx, channels={**ctx.channels, "sms": Interrupted(ctx.channels["sms"], wait)})
    passes = worker.Worker(interrupted, At(MONDAY_NOON + 2 * HOUR))
    passes._guarded()
    assert on_its_way.wait(60)
    put_back(server, kept)
    is_back.set()
    for hands in passes._hands():
        hands.wait()
    await_server(ctx)
    for hours in (2, 4):
        tick_once(ctx, At(MONDAY_NOON + hours * HOUR))
    sent = [(text.to, text.body) for text in sandbox.book.all()]
    assert {PHONES[name] for name in ("Ana", "Ben", "Chidi")} == {to for to, _ in sent}
    assert len(sent) == len(set(sent)), sent


class Keeping:
    """A way to send texts whose provider keeps one that came in."""

    def __init__(self, real: Any, text: Received) -> None:
        self._real, self._text = real, text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def received(self, _since: datetime, _most: int) -> list[Received]:
        return [self._text]


@pytest.mark.parametrize("first", ["this host", "another host"])
def test_a_stop_that_the_server_brought_back_lacks_is_heard_before_anyone_is_asked(
    ctx: Context, practice: Riverside, server: Server, sandbox: Sandbox, kept: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, first: str,
) -> None:  # fmt: skip
    """Whichever host makes it safe first: the provider's list is asked before the pass goes on, as at a start, not
    when its turn comes."""
    monkeypatch.setattr(worker, "CHORES", ())
    older_copy.guard(ctx, MONDAY_NOON)
    fetching.fetch_missed(ctx, MONDAY_NOON)
    practice.visit("Ana", MONDAY_NOON, now=MONDAY_NOON)
    due = practice.check_ins("Ana")[0].due_at
    snapshot(server, kept)
    older_copy.advance(ctx, MONDAY_NOON)
    stop = Received(provider_id="SM" + "7" * 32, sender=PHONES["Ana"], body="STOP", at=due - timedelta(minutes=1))
    receiving.receive(ctx, Inbound("sms", stop.provider_id, stop.sender, stop.body), stop.at)
    put_back(server, kept)
    assert not practice.client("Ana").stopped
    if first == "another host":
        assert older_copy.guard(ctx, due - timedelta(seconds=3))
    here = replace(ctx, channels={**ctx.channels, "sms": Keeping(ctx.channels["sms"], stop)})
    for seconds in (-2, 1, 2):
        tick_once(here, At(due + timedelta(seconds=seconds)))
    assert practice.client("Ana").stopped
    assert not practice.rows("select kind from outbox where kind in ('welcome', 'check_in') and state = 'sent'")


def test_a_provider_whose_list_fails_holds_up_no_pass_twice(
    ctx: Context, practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for once; the list's own turn goes on asking."""
    monkeypatch.setattr(worker, "CHORES", ())
    asked_at = []
    older_copy.guard(ctx, MONDAY_NOON)
    monkeypatch.setattr(fetching, "fetch_missed", lambda _ctx, now: asked_at.append(now) or 0)
    monkeypatch.setattr(type(ctx.store), "lineage", lambda _: "7-00000002")
    passes, clock = worker.Worker(ctx, At(MONDAY_NOON + HOUR)), MONDAY_NOON + HOUR
    for _ in range(3):
        passes.tick()
    assert asked_at == [clock]


def test_a_recovery_to_a_point_in_time_is_noticed_on_a_host_that_never_saw_the_database(
    asked: tuple[int, Callable[[], None]], ctx: Context, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The server is in another life then, as after the promotion of a standby that may lack the last commits."""
    sent, put_back_the_snapshot = asked
    put_back_the_snapshot()
    server.stop()
    (server.folder / "recovery.signal").touch()
    server.start("restore_command=false")
    fresh_host = context.build(replace(ctx.config, data_folder=str(tmp_path / "fresh")))
    for hours in (1, 2, 4):
        tick_once(fresh_host, At(MONDAY_NOON + hours * HOUR))
    assert len(sandbox.book.all()) == sent


def test_an_ordinary_restart_and_another_host_change_nothing(ctx: Context, server: Server, tmp_path: Path) -> None:
    """However often; a host that is new to the database has no file or folder, and makes them."""
    assert not older_copy.guard(ctx, MONDAY_NOON)
    older_copy.advance(ctx, MONDAY_NOON)
    server.stop()
    server.start()
    other = context.build(replace(ctx.config, data_folder=str(tmp_path / "other")))
    assert [older_copy.guard(each, MONDAY_NOON) for each in (ctx, other, ctx)] == [False] * 3
    assert list((tmp_path / "other").glob("attune-*.epoch"))


def test_another_host_makes_it_safe_once(ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hosts notice the same; the first one acts."""
    other = context.build(replace(ctx.config, data_folder=str(tmp_path / "other")))
    assert not older_copy.guard(ctx, MONDAY_NOON)
    assert not older_copy.guard(other, MONDAY_NOON)
    monkeypatch.setattr(type(ctx.store), "lineage", lambda _: "7-00000002")
    assert [older_copy.guard(each, MONDAY_NOON) for each in (ctx, other, ctx)] == [True, False, False]


def erased(ctx: Context, practice: Riverside, name: str) -> bool:
    with ctx.store.transaction(write=False) as tx:
        return clients.get(tx, practice.practice.id, practice.clients[name]).erased


def test_whoever_was_erased_on_another_host_is_erased_again(
    practice: Riverside, ctx: Context, server: Server, tmp_path: Path, kept: Path
) -> None:
    """The web host writes its own list first; a worker's host hears of it from the database while it can."""
    web = context.build(replace(ctx.config, data_folder=str(tmp_path / "web")))
    older_copy.guard(ctx, MONDAY_NOON)
    snapshot(server, kept)
    dana = manager(web, practice.practice, practice.staff["Dana"])
    erasing.erase(web, dana, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    older_copy.advance(ctx, MONDAY_NOON)
    shutil.rmtree(tmp_path / "web")
    put_back(server, kept)
    assert not erased(ctx, practice, "Ana")
    older_copy.guard(ctx, MONDAY_NOON + HOUR)
    assert erased(ctx, practice, "Ana")
    assert not erased(ctx, practice, "Ben")


def test_an_operator_who_says_so_is_believed_and_it_is_done_once(
    asked: tuple[int, Callable[[], None]], ctx: Context, work: Callable[[datetime], int]
) -> None:
    """`attune after-restore`, before web and worker start: a worker then finds nothing more to do."""
    sent, put_back_the_snapshot = asked
    put_back_the_snapshot()
    settings = {
        "DATABASE_URL": ctx.config.database_url,
        "DATA_FOLDER": ctx.config.data_folder,
        "PUBLIC_URL": ctx.config.public_url,
        "SECRET_KEY": ctx.config.secrets[0],
    }
    done = CliRunner().invoke(after_restore, [(MONDAY_NOON - HOUR).isoformat()], env=settings)
    assert "check-ins closed" in done.output, done
    assert not older_copy.guard(ctx, MONDAY_NOON + HOUR)
    assert work(MONDAY_NOON + HOUR) == sent


def test_the_doctor_says_when_a_host_can_keep_nothing_outside_the_database(ctx: Context, tmp_path: Path) -> None:
    def said(folder: str) -> list[str]:
        asked = replace(ctx, config=replace(ctx.config, data_folder=folder))
        return [each.level for each in operating.doctor(asked, MONDAY_NOON) if each.subject == "DATA_FOLDER"]

    (tmp_path / "a file").touch()
    assert said(str(tmp_path / "not made yet")) == ["good"]
    assert said(str(tmp_path / "a file")) == ["bad"]
