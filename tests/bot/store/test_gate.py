"""Whoever is struck by an exception while it takes its turn at writing, waits for it or leaves it keeps nobody out."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.store import StoreError, bell, engine, gate, system
from bot.store.gate import Gate
from tests.support.racers import store_at
from tests.support.strikes import Struck, struck

OURS = (gate.__file__, bell.__file__)


@pytest.fixture
def turns(tmp_path: Path) -> Gate:
    return Gate(str(tmp_path / "writer"))


@contextlib.contextmanager
def held(turns: Gate) -> Iterator[Callable[[], None]]:
    """Another process's turn; ends when the function is called, at the latest here."""
    handle = os.open(turns.path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield lambda: fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)


def one_turn(turns: Gate, patience: float = 20) -> None:
    with turns.turn(patience):
        pass


def each_step(work: Callable[[], object], kept: list[BaseException] | None = None) -> Iterator[int]:
    """Struck at the first step, the second and so on, and at none in the end."""
    number, more = 0, True
    while more:
        number += 1
        more = struck(work, number, OURS, kept)
        yield number
    assert number > 30


def test_a_turn_struck_at_any_step_is_over(turns: Gate) -> None:
    """At once, even where somebody keeps the exception, and all that hangs on it, for later."""
    kept: list[BaseException] = []
    for _ in each_step(lambda: one_turn(turns), kept):
        one_turn(turns, patience=0)
    assert {type(each) for each in kept} == {Struck}


def test_a_wait_struck_at_any_step_takes_no_turn(turns: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the turn comes just then or later."""
    start, let_go = gate.start_new_thread, [lambda: None]

    def comes_free(*given: Any) -> None:
        start(*given)
        let_go[0]()

    monkeypatch.setattr(gate, "start_new_thread", comes_free)

    def waits() -> None:
        with held(turns) as let_go[0]:
            one_turn(turns)

    for _ in each_step(waits):
        let_go[0] = lambda: None  # its thread may hold the lock for another moment
        one_turn(turns)


def test_who_gives_up_at_any_step_takes_no_turn_later(turns: Gate) -> None:
    """Its thread, which waits still, lets go of what it gets."""

    def gives_up() -> None:
        with held(turns):
            one_turn(turns, patience=0)

    for _ in each_step(gives_up):
        one_turn(turns)


def test_a_waiting_thread_that_is_struck_at_any_step_hangs_nobody(turns: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writer gets the turn, or is told in words when its patience ends."""
    start, number, more = gate.start_new_thread, 0, [True]

    def strikes(wait: Callable[[], None], _none: tuple[()]) -> None:
        def work() -> None:
            more[0] = struck(wait, number, OURS)

        start(work, ())
        let_go()

    monkeypatch.setattr(gate, "start_new_thread", strikes)
    while more[0]:
        number += 1
        with held(turns) as let_go, contextlib.suppress(StoreError):
            one_turn(turns, patience=0.2)
        one_turn(turns)
    assert number > 30


def test_a_transaction_struck_at_any_step_holds_nothing_and_the_next_one_is_stored(path: Path) -> None:
    """Neither the turn, nor SQLite's lock, nor its thread, which would take what comes next for a part of it."""
    store, other = store_at(path), store_at(path)
    store.migrate()
    names: list[str] = []

    def writes() -> None:
        names.append(f"n{len(names)}")
        with store.transaction() as tx:
            system.set_value(tx, names[-1], "kept")

    def kept() -> int:
        with other.transaction(patience=0) as tx:
            row = tx.one("select count(*) as n from installation where value = 'kept'")
            assert row is not None
            return int(row["n"])

    number, more = 0, True
    while more:
        number += 1
        more = struck(writes, number, (*OURS, engine.__file__, contextlib.__file__))
        before = kept()
        writes()
        assert kept() == before + 1, f"after a fault at step {number}"
    assert number > 300


def test_a_child_forked_in_another_threads_turn_neither_ends_nor_holds_it(turns: Gate) -> None:
    """It is the parent's: it lasts while a child ends, and is over when the parent says so, though a child lives."""
    begun, go_on = threading.Event(), threading.Event()

    def takes() -> None:
        with turns.turn(20):
            begun.set()
            go_on.wait(20)

    other = threading.Thread(target=takes)
    other.start()
    assert begun.wait(20)
    end, ends = os.pipe()
    lives = os.fork()
    if lives == 0:
        os.close(ends)
        os.read(end, 1)
        os._exit(0)
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitpid(ended, 0)
    with pytest.raises(StoreError):
        one_turn(turns, patience=0)
    go_on.set()
    other.join()
    one_turn(turns, patience=0)
    os.close(ends)
    assert os.waitpid(lives, 0)[1] == 0
