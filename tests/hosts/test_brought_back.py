"""A PostgreSQL server that is brought back to an earlier time sends nothing again, and erases again (P11, P16)."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from bot.commands.copying import after_restore
from bot.flows import context, erasing, older_copy, operating
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.store import clients
from bot.worker import tick_once
from tests.hosts.server import Server
from tests.support.cast import MONDAY_NOON, Riverside
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
    monkeypatch.setattr(older_copy, "look_again", lambda *_: 0)
    assert work(MONDAY_NOON + HOUR) > sent


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
