"""Writers that wait together share one commit; one that fails takes no other along."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import FrameType
from typing import Any

import pytest

from bot.store import StoreError, bell, system, together
from tests.support.racers import store_at
from tests.support.strikes import Struck, unwatched
from tests.support.strikes import struck as struck_at

STEPS = (together.__file__, bell.__file__, contextlib.__file__, threading.__file__)


@pytest.fixture
def commits(store: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the outermost transactions."""
    found: list[int] = []
    plain = store._outermost

    @contextmanager
    def counted(write: bool, patience: float) -> Any:
        with plain(write, patience) as tx:
            yield tx
        if write:
            found.append(1)

    monkeypatch.setattr(store, "_outermost", counted)
    return found


def keep(store: Any, name: str) -> Callable[[], str]:
    """Work that begins a transaction as a flow does."""

    def work() -> str:
        with store.transaction() as tx:
            if name == "poison":
                raise ValueError(name)
            system.set_value(tx, name, "kept")
        return name

    return work


def at_once(store: Any, names: list[str]) -> dict[str, object]:
    """Every name written by a thread of its own while another process holds the turn, so that all wait together."""
    done: dict[str, object] = {}

    def run(name: str) -> None:
        try:
            done[name] = store.together(keep(store, name))
        except Exception as error:
            done[name] = error

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    with store._gate.turn(20):
        for thread in threads:
            thread.start()
        while len(store._together._waiting) < len(names):
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    return done


def stored(store: Any, names: list[str]) -> list[str]:
    with store.transaction(write=False) as tx:
        return [name for name in names if system.value(tx, name) == "kept"]


def test_those_who_wait_together_share_one_commit(store: Any, commits: list[int]) -> None:
    """Each gets its own result, once it is on disk."""
    names = [f"n{number}" for number in range(8)]
    assert at_once(store, names) == {name: name for name in names}
    assert stored(store, names) == names
    assert len(commits) == 1


def test_a_poison_piece_fails_alone(store: Any, commits: list[int]) -> None:
    """The others are stored, in the same commit."""
    done = at_once(store, ["a", "poison", "b"])
    assert isinstance(done["poison"], ValueError)
    assert stored(store, ["a", "poison", "b"]) == ["a", "b"]


def test_a_commit_that_fails_is_told_to_all(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that something was stored which isn't."""

    @contextmanager
    def failing(write: bool, patience: float) -> Any:
        with store._gate.turn(patience):
            raise StoreError("The disk is full.")
        yield

    monkeypatch.setattr(store, "_outermost", failing)
    done = at_once(store, ["a", "b"])
    assert [type(each) for each in done.values()] == [StoreError, StoreError]


def test_inside_a_transaction_it_belongs_to_that(store: Any, commits: list[int]) -> None:
    """No second one is begun, which would wait for the first for ever."""

    def undone() -> None:
        with store.transaction():
            store.together(keep(store, "inner"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert stored(store, ["inner"]) == []


def test_those_who_come_while_others_are_written_go_with_them(store: Any, commits: list[int]) -> None:
    """The commit hasn't begun yet, so it may as well be theirs."""
    late: list[threading.Thread] = []

    def first() -> str:
        late.append(threading.Thread(target=store.together, args=(keep(store, "late"),)))
        late[0].start()
        while not store._together._waiting:
            threading.Event().wait(0.001)
        return keep(store, "first")()

    assert store.together(first) == "first"
    late[0].join()
    assert stored(store, ["first", "late"]) == ["first", "late"]
    assert len(commits) == 1


def test_whoever_comes_during_a_commit_is_written_next(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself: nobody else is there to wake it later."""
    during, plain = threading.Event(), store._outermost
    late = threading.Thread(target=store.together, args=(keep(store, "late"),))

    @contextmanager
    def slow(write: bool, patience: float) -> Any:
        with plain(write, patience) as tx:
            yield tx
        if write and not during.is_set():
            during.set()
            late.start()
            while not store._together._waiting:
                threading.Event().wait(0.001)

    monkeypatch.setattr(store, "_outermost", slow)
    store.together(keep(store, "first"))
    late.join(10)
    assert stored(store, ["first", "late"]) == ["first", "late"]


def behind(store: Any, work: Callable[[], object]) -> list[BaseException]:
    """`work` in a thread of its own, while another one leads and doesn't get on; what it raised."""
    found: list[BaseException] = []

    def other() -> None:
        try:
            work()
        except BaseException as error:
            found.append(error)

    def leads() -> None:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)

    store.together(leads)
    return found


def test_one_who_is_called_off_while_it_waits_keeps_nobody_waiting(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wanted isn't written, and whoever comes next writes as always."""

    def called_off(_piece: Any, _until: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store._together, "_wait", called_off)
    [error] = behind(store, lambda: store.together(keep(store, "called off")))
    assert isinstance(error, KeyboardInterrupt)
    assert store.together(keep(store, "next")) == "next"
    assert stored(store, ["called off", "next"]) == ["next"]


def test_one_whose_turn_does_not_come_gives_up_and_is_not_written_later(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that hangs while it leads doesn't hang the others without a word."""
    monkeypatch.setattr(together, "PATIENCE", 0.05)
    [error] = behind(store, lambda: store.together(keep(store, "late")))
    assert isinstance(error, StoreError)
    assert "Nothing of what was being done was stored" in str(error)
    assert store.together(keep(store, "next")) == "next"
    assert stored(store, ["late", "next"]) == ["next"]


def test_one_that_is_in_the_hands_of_a_thread_that_hangs_is_told_that_nothing_is_known(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be stored yet, so it isn't told that it wasn't."""
    hangs, told = threading.Event(), threading.Event()
    found: list[BaseException] = []

    def follower() -> None:
        try:
            store.together(keep(store, "taken"))
        except StoreError as error:
            found.append(error)
        told.set()

    def first() -> None:
        threading.Thread(target=follower).start()
        while not store._together._waiting:
            threading.Event().wait(0.001)

    real, waits = together.Together._try, together.Together._wait

    def hanging(self: Any, tx: Any, piece: Any) -> None:
        if piece.work is not first:
            hangs.set()
            told.wait(20)
        real(self, tx, piece)

    def out_of_patience(self: Any, piece: Any, _until: float) -> None:
        hangs.wait(20)
        waits(self, piece, 0.0)

    monkeypatch.setattr(together, "PATIENCE", 0.05)
    monkeypatch.setattr(together.Together, "_try", hanging)
    monkeypatch.setattr(together.Together, "_wait", out_of_patience)
    store.together(first)
    assert hangs.is_set()
    assert "isn't known" in str(found[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_a_thread_ends_the_one_it_came_up_in_alone(store: Any, error: BaseException) -> None:
    """The others are told that theirs wasn't stored, as they are of any fault of the database."""

    def ends() -> None:
        raise error

    works = {"a": keep(store, "a"), "ends": ends, "b": keep(store, "b")}
    raised: dict[str, BaseException] = {}

    def run(name: str) -> None:
        try:
            store.together(works[name])
        except BaseException as caught:
            raised[name] = caught

    threads = [threading.Thread(target=run, args=(name,)) for name in works]
    with store._gate.turn(20):
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(store._together._waiting) < number:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join(10)
    assert raised["a"] is error
    assert {type(caught) for name, caught in raised.items() if name != "a"} == {StoreError}
    assert store.together(keep(store, "next")) == "next"
    assert stored(store, ["a", "b", "next"]) == ["next"]


def struck(store: Any, work: Callable[[], object], number: int) -> bool:
    """`work` shared in this thread, which is struck at the line of `together.py` that it comes to as the so-manieth;
    False if there are fewer."""
    lines = 0

    def line(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal lines
        lines += event == "line"
        if event == "line" and lines == number:
            raise MemoryError
        return line

    def call(frame: FrameType, _event: str, _arg: object) -> Any:
        return line if frame.f_code.co_filename == together.__file__ else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        store.together(work)
    except (MemoryError, StoreError):
        pass
    finally:
        sys.settrace(before)
    return lines >= number


def test_a_leader_that_is_lost_at_any_line_hands_on(store: Any) -> None:
    """The one who waited behind it is served, or told in words; so is whoever comes next."""
    number, more = 0, True
    while more:
        number += 1
        done: list[object] = []

        def follows(number: int = number, done: list[object] = done) -> None:
            try:
                done.append(store.together(keep(store, f"n{number}")))
            except (StoreError, MemoryError) as error:
                done.append(error)
            finally:
                store.close()

        follower = threading.Thread(target=follows, daemon=True)

        def leads(follower: threading.Thread = follower) -> None:
            follower.start()
            while not store._together._waiting:
                threading.Event().wait(0.001)

        more = struck(store, leads, number)
        if follower.ident is not None:
            follower.join(10)
            assert done, f"the follower hangs after a fault at line number {number}"
            assert stored(store, [f"n{number}"]) == [f"n{number}"] or done[0] != f"n{number}"
        next_ = threading.Thread(target=store.together, args=(keep(store, "next"),), daemon=True)
        next_.start()
        next_.join(10)
        assert not next_.is_alive(), f"the next one hangs after a fault at line number {number}"
    assert number > 30


class NoDatabase:
    """SQLite itself can't be carried over a fork by a thread that has it open: here it is about the turns alone."""

    @contextmanager
    def transaction(self, write: bool = True, patience: float = 0) -> Iterator[Any]:
        yield self

    def savepoint(self) -> AbstractContextManager[None]:
        return nullcontext()


@pytest.mark.parametrize("error", [Struck, MemoryError])
def test_a_leader_struck_at_any_step_keeps_nobody_waiting(error: type[BaseException]) -> None:
    """Neither who waited behind it nor who comes next; at every step of the interpreter, in a bell and in what ends a
    `with` too."""
    writers, number, more = together.Together(NoDatabase()), 0, True
    while more:
        number += 1
        told: list[object] = []
        follower = threading.Thread(target=answer, args=(writers, told), daemon=True)

        def begin(follower: threading.Thread = follower) -> None:
            follower.start()
            while not writers._waiting:
                threading.Event().wait(0.0001)

        more = struck_at(lambda begin=begin: writers.write(lambda: unwatched(begin)), number, STEPS, error=error)
        next_ = threading.Thread(target=answer, args=(writers, told), daemon=True)
        next_.start()
        for thread in (next_, follower):
            if thread.ident is not None:  # it was struck before it led
                thread.join(10)
                assert not thread.is_alive(), f"one hangs after a fault at step {number}"
        assert "done" in told
    assert number > 300


@pytest.mark.parametrize("error", [Struck, MemoryError])
def test_one_struck_at_any_step_while_it_waits_keeps_nobody_waiting(error: type[BaseException]) -> None:
    """The leader goes on, and whoever comes next leads or is led."""
    writers, number, more = together.Together(NoDatabase()), 0, [True]
    while more[0]:
        number += 1
        told: list[object] = []

        def waits(number: int = number) -> None:
            more[0] = struck_at(lambda: writers.write(lambda: None), number, STEPS, error=error)

        waiting = threading.Thread(target=waits, daemon=True)

        def leads(waiting: threading.Thread = waiting) -> None:
            waiting.start()
            while not writers._waiting and waiting.is_alive():
                threading.Event().wait(0.0001)

        writers.write(leads)
        next_ = threading.Thread(target=answer, args=(writers, told), daemon=True)
        next_.start()
        for thread in (waiting, next_):
            thread.join(10)
            assert not thread.is_alive(), f"one hangs after a fault at step {number}"
        assert told == ["done"]
    assert number > 100


def answer(writers: together.Together, told: list[object]) -> None:
    try:
        told.append(writers.write(lambda: "done"))
    except (StoreError, MemoryError) as error:
        told.append(type(error))


def test_a_child_forked_while_a_thread_leads_leads_itself() -> None:
    """The thread that led isn't in the child."""
    writers, begun, go_on = together.Together(NoDatabase()), threading.Event(), threading.Event()

    def hangs() -> None:
        begun.set()
        go_on.wait(20)

    leader = threading.Thread(target=writers.write, args=(hangs,))
    leader.start()
    assert begun.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        with suppress(Exception):
            os._exit(writers.write(lambda: 7))
        os._exit(1)
    go_on.set()
    leader.join(10)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_alone_it_waits_for_nobody(store: Any, commits: list[int]) -> None:
    """The usual case on a quiet day."""
    assert store.together(keep(store, "alone")) == "alone"
    assert len(commits) == 1


def test_on_another_process_what_was_told_stored_is_there(store: Any, path: Any) -> None:
    """As soon as the call returns."""
    store.together(keep(store, "seen"))
    assert stored(store_at(path), ["seen"]) == ["seen"]
