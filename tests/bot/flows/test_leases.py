"""Leases of calls under way: kept by one thread, where the machine has one to give; never for a call that is over."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from threading import Event, Thread
from typing import Any

import pytest

from bot.flows import leases, sending
from bot.flows.context import Context
from bot.flows.sending import Lane, Tempo
from bot.store import sends
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.post import Post, Scripted


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[leases._Keeper]:
    """One of our own, which no other test has set going."""
    own = leases._Keeper()
    monkeypatch.setattr(leases, "_keeper", own)
    yield own
    assert not own._calls


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of threads that the machine has no room for."""
    start, names = Thread.start, ["lease"]

    def start_or_not(thread: Thread) -> None:
        if thread.name in names:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", start_or_not)
    return names


def tell() -> datetime:
    return MONDAY_NOON


def test_where_no_thread_can_be_started_the_call_goes_on_without(
    ctx: Context, practice: Riverside, keeper: leases._Keeper, lacking: list[str]
) -> None:
    """It is sent, and nothing is renewed for ever once it is over."""
    post = Post(ctx, practice).by(Scripted())
    messages = [post.put("Theo", "alert"), post.put("Ines", "alert")]
    for _ in messages:
        sending.send_next(post.ctx, "worker", Lane("mail", False), tell, Tempo(lambda: 0.0))
    assert [post.state(message) for message in messages] == ["sent"] * 2
    assert keeper._thread is None


def test_the_next_call_tries_to_start_one_and_it_keeps_both(
    practice: Riverside, keeper: leases._Keeper, lacking: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that are due, by one commit."""
    ctx = replace(practice.ctx, config=replace(practice.ctx.config, lease_seconds=1))
    renewed, both, turns, at_both = set[str](), Event(), list[bool](), list[int]()
    plain = type(ctx.store)._outermost

    def renew(_tx: object, message_id: str, *_: object) -> None:
        renewed.add(message_id)
        if len(renewed) == 2 and not both.is_set():
            at_both.append(len(turns))
            both.set()

    def counted(self: Any, *args: Any) -> Any:
        turns.append(True)
        return plain(self, *args)

    monkeypatch.setattr(sends, "renew", renew)
    monkeypatch.setattr(type(ctx.store), "_outermost", counted)
    began = time.monotonic() - 60  # both are due long since
    calls = [leases._Call(ctx, [(name, "attempt")], tell, began) for name in ("one", "two")]
    with ExitStack() as over:
        for call in calls:
            over.callback(keeper.drop, call)
        keeper.add(calls[0])
        assert keeper._thread is None
        lacking.clear()
        keeper.add(calls[1])
        assert both.wait(20)
        assert at_both == [1]


def test_a_forked_child_has_a_keeper_of_its_own(ctx: Context) -> None:
    """Whatever the parent's was about to do: its lock may be held, its thread is gone, its calls are the parent's."""
    call = leases._Call(ctx, [("message", "attempt")], tell, time.monotonic())
    held, forked = Event(), Event()

    def hold() -> None:
        with leases._keeper._changed:
            held.set()
            forked.wait(20)

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(20)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that hangs
        leases._keeper.add(call)
        os._exit(0 if leases._keeper._calls == {call} and leases._keeper._thread else 1)
    forked.set()
    holder.join()
    assert os.waitpid(child, 0)[1] == 0
