"""A database that was copied back by hand sends nothing again (P11)."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.flows import context, older_copy
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.worker import tick_once
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.weeks import At

HOUR = timedelta(hours=1)


@pytest.fixture
def work(ctx: Context, practice: Riverside, sandbox: Sandbox) -> Callable[[int], int]:
    """A worker starts some hours after noon, does what is due, and ends; how many texts the provider has by then."""

    def start(hours: int) -> int:
        at = MONDAY_NOON + hours * HOUR
        again = context.build(replace(ctx.config))
        older_copy.guard(again, at)
        tick_once(again, At(at))
        again.store.close()
        return len(sandbox.book.all())

    return start


def copy(ctx: Context, to: str) -> None:
    """As an operator would, with nothing running."""
    ctx.store.close()
    path = Path(ctx.config.database_url.removeprefix("sqlite:///"))
    shutil.copy(path, path.with_name(to))


def put_back(ctx: Context, copied: str) -> None:
    ctx.store.close()
    path = Path(ctx.config.database_url.removeprefix("sqlite:///"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    shutil.copy(path.with_name(copied), path)


def test_a_copy_put_back_by_hand_sends_nothing_again(
    ctx: Context, practice: Riverside, work: Callable[[int], int]
) -> None:
    """The welcome went out after the copy was made; with the copy in its place it is not sent a second time."""
    work(0)
    practice.visit("Ana", MONDAY_NOON - HOUR, now=MONDAY_NOON)
    copy(ctx, "copied.db")
    sent = work(2)
    assert sent > 0
    put_back(ctx, "copied.db")
    assert [work(hours) for hours in (2, 3, 4)] == [sent, sent, sent]


def test_an_ordinary_start_changes_nothing(ctx: Context, practice: Riverside, work: Callable[[int], int]) -> None:
    """However often a worker starts."""
    assert [older_copy.guard(ctx, MONDAY_NOON + hours * HOUR) for hours in range(3)] == [False, False, False]
    older_copy.advance(ctx, MONDAY_NOON)
    assert not older_copy.guard(ctx, MONDAY_NOON)


def test_a_database_brought_from_elsewhere_is_taken_for_an_older_copy(ctx: Context, practice: Riverside) -> None:
    """The file that says how far it had come stayed behind."""
    older_copy.guard(ctx, MONDAY_NOON)
    Path(ctx.config.database_url.removeprefix("sqlite:///") + ".epoch").unlink()
    assert older_copy.guard(ctx, MONDAY_NOON)
    assert not older_copy.guard(ctx, MONDAY_NOON)


def test_killed_between_the_database_and_the_file_it_goes_on(ctx: Context, practice: Riverside) -> None:
    """A database ahead of the file is the newest there is."""
    older_copy.guard(ctx, MONDAY_NOON)
    file = Path(ctx.config.database_url.removeprefix("sqlite:///") + ".epoch")
    before = file.read_text()
    older_copy.advance(ctx, MONDAY_NOON)
    file.write_text(before)
    assert not older_copy.guard(ctx, MONDAY_NOON)


def test_killed_before_the_file_was_ever_written_it_goes_on(
    ctx: Context, practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so does a worker that starts at the same moment as the first one."""
    monkeypatch.setattr(older_copy, "_keep_up", lambda _store: None)
    assert [older_copy.guard(ctx, MONDAY_NOON) for _ in range(2)] == [False, False]


def test_a_backup_made_of_an_older_copy_does_not_hide_what_it_is(ctx: Context, practice: Riverside) -> None:
    """A nightly backup may run before any worker has seen the copy."""
    older_copy.guard(ctx, MONDAY_NOON)
    copy(ctx, "copied.db")
    older_copy.advance(ctx, MONDAY_NOON)
    put_back(ctx, "copied.db")
    older_copy.advance(ctx, MONDAY_NOON + HOUR)
    assert older_copy.guard(ctx, MONDAY_NOON + HOUR)


def test_a_copy_made_safe_is_not_made_safe_again(ctx: Context, practice: Riverside) -> None:
    """As after `attune restore`, which has put in doubt what may have gone out."""
    older_copy.guard(ctx, MONDAY_NOON)
    copy(ctx, "copied.db")
    older_copy.advance(ctx, MONDAY_NOON)
    put_back(ctx, "copied.db")
    older_copy.advance(ctx, MONDAY_NOON + HOUR, made_safe=True)
    assert not older_copy.guard(ctx, MONDAY_NOON + HOUR)
