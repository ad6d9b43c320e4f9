"""Writers that wait together share one commit; one that fails takes no other along."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from bot.store import StoreError, system
from tests.support.racers import store_at


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


def test_one_who_is_called_off_while_it_waits_keeps_nobody_waiting(store: Any) -> None:
    """What it wanted isn't written, and whoever comes next writes as always."""
    piece: list[Any] = []

    def called_off() -> None:
        with store._together._list:
            piece.append(store._together._waiting[-1])
        piece[0].woken.wait = interrupted

    def interrupted() -> None:
        raise KeyboardInterrupt

    def first() -> str:
        asks = threading.Thread(target=refused)
        asks.start()
        asks.join(10)
        return "first"

    found: list[BaseException] = []

    def refused() -> None:
        plain = store._together._wait

        def wait(which: Any) -> None:
            called_off()
            plain(which)

        store._together._wait = wait
        try:
            store.together(keep(store, "called off"))
        except KeyboardInterrupt as error:
            found.append(error)
        finally:
            store._together._wait = plain

    assert store.together(first) == "first"
    assert store.together(keep(store, "next")) == "next"
    assert stored(store, ["called off", "next"]) == ["next"]
    assert len(found) == 1


def test_alone_it_waits_for_nobody(store: Any, commits: list[int]) -> None:
    """The usual case on a quiet day."""
    assert store.together(keep(store, "alone")) == "alone"
    assert len(commits) == 1


def test_on_another_process_what_was_told_stored_is_there(store: Any, path: Any) -> None:
    """As soon as the call returns."""
    store.together(keep(store, "seen"))
    assert stored(store_at(path), ["seen"]) == ["seen"]
