"""Many processes and threads on one database: turns at writing, nothing lost, nobody starved, nobody hangs."""

import contextlib
import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils.utils import sqlite3

from bot.store import Store, StoreError, sqlite, system
from tests.support import racers
from tests.support.racers import alone, held_by_another, race, store_at


def number(store: Store) -> int:
    with store.transaction(write=False) as tx:
        return int(system.value(tx, "number") or 0)


@pytest.mark.parametrize("safe_wal", [True, False], ids=["wal", "rollback journal"])
def test_reading_and_then_writing_loses_no_update(path: Path, safe_wal: bool) -> None:
    """Four processes read a number and write the next: none fails, none waits long, and every step counts."""
    store = store_at(path)
    store.migrate()
    with store.transaction() as tx:
        system.set_value(tx, "number", "0")
    store.close()
    waits = race(4, racers.count_up, str(path), 25, safe_wal)
    assert all(isinstance(wait, float) for wait in waits), waits
    assert number(store) == 100


def test_nobody_writes_between_a_read_and_the_write_that_follows_it(store: Store, path: Path) -> None:
    """Not even a program that knows nothing of the gate, such as the sqlite3 command."""
    stranger = sqlite3.connect(str(path), timeout=0.1, isolation_level=None)
    with store.transaction() as tx:
        assert system.value(tx, "number") is None
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            stranger.execute("insert into installation values ('number', '7')")
        system.set_value(tx, "number", "1")
    stranger.close()
    assert number(store) == 1


def test_writers_take_turns(store: Store, path: Path) -> None:
    """SQLite alone gives one of four nearly everything; behind the gate each gets a fair share."""
    fairest = 0
    for race_number in range(3):  # a busy machine may keep one of them waiting for a while, not three times over
        with store.transaction() as tx:
            tx.insert_many("worker", [{"id": f"{race_number}{i:04}", "seen_at": i} for i in range(400)])
        shares = race(4, racers.share_out, str(path))
        assert all(isinstance(share, int) for share in shares), shares
        assert sum(shares) == 400
        fairest = max(fairest, min(shares))
        if fairest >= 50:
            return
    raise AssertionError(f"half of what is fair is 50; the least of four had {fairest} at best")


def test_a_writer_that_hangs_does_not_hang_the_others_without_a_word(store: Store, path: Path) -> None:
    """Waiting for a turn ends in words; when the turn comes free it is taken, though some gave up before."""
    process = held_by_another(path)
    os.kill(process.pid, signal.SIGSTOP)
    start = time.monotonic()
    try:
        for _ in range(2):
            with (
                pytest.raises(StoreError, match=r"writing to the database for 0\.2 seconds"),
                store.transaction(patience=0.2),
            ):
                pass
        with store.transaction(write=False) as tx:
            assert system.value(tx, "held") is None, "readers don't wait"
        assert time.monotonic() - start < 30
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    with store.transaction(patience=20) as tx:
        assert system.value(tx, "held") is None
        system.set_value(tx, "number", "1")
    assert number(store) == 1


def test_a_writer_killed_half_way_leaves_nothing_and_blocks_nobody(store: Store, path: Path) -> None:
    """kill -9 in the middle of a transaction."""
    assert alone(racers.die_while_writing, str(path)) == -signal.SIGKILL
    with store.transaction(patience=5) as tx:
        assert system.value(tx, "half") is None
    assert store.integrity() == "ok"


def test_threads_share_one_store(store: Store) -> None:
    """Each thread has a connection of its own; every write counts."""

    def add() -> None:
        for _ in range(10):
            with store.transaction() as tx:
                system.set_value(tx, "number", str(int(system.value(tx, "number") or 0) + 1))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert number(store) == 60


def test_threads_that_end_leave_no_files_open(store: Store, path: Path) -> None:
    """A server whose threads come and go must not run out of handles."""

    def write() -> None:
        with store.transaction() as tx:
            system.set_value(tx, "number", "1")

    def run(times: int) -> int:
        for _ in range(times):
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        return sum(name.startswith(str(path)) for name in _handles())

    assert run(3) == run(30)


def test_after_a_fork_parent_and_child_both_write(store: Store, path: Path) -> None:
    """No connection crosses a fork: the child opens its own, and what the child closes leaves the parent's locks."""
    with store.transaction() as tx:
        system.set_value(tx, "number", "1")
    child = os.fork()
    if child == 0:
        held = sum(name.startswith(str(path)) for name in _handles())
        with store.transaction() as tx:
            system.set_value(tx, "held", str(held))
        os._exit(0)
    with store.transaction() as tx:
        system.set_value(tx, "number", "2")
    assert os.waitpid(child, 0)[1] == 0
    with store.transaction(write=False) as tx:
        assert system.value(tx, "number") == "2"
        assert system.value(tx, "held") == "0", "the child inherited an open connection"
    assert store.integrity() == "ok"


def _handles() -> list[str]:
    """Where the handles of this process lead; other threads may close theirs meanwhile."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return found


def test_a_child_forked_in_a_transaction_is_refused(store: Store) -> None:
    """It would believe in locks it doesn't hold."""
    with store.transaction() as tx:
        child = os.fork()
        if child == 0:
            try:
                store.pending()
            except RuntimeError as error:
                os._exit(7 if "forked in the middle" in str(error) else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        system.set_value(tx, "number", "1")
    assert number(store) == 1


@pytest.mark.parametrize("safe_wal", [True, False], ids=["wal", "rollback journal"])
def test_a_child_that_leaves_the_transaction_it_was_forked_in_spoils_nothing(
    store: Any, safe_wal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither adds to it nor commits it nor undoes it, not even as it ends, and lets nobody write before time."""
    store.close()
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: safe_wal)
    parent, child = os.getpid(), -1
    try:
        with store.transaction() as tx:
            system.set_value(tx, "number", "1")
            child = os.fork()
            if child == 0:
                with contextlib.suppress(StoreError):
                    system.set_value(tx, "number", "2")
            else:
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
                with pytest.raises(StoreError), store._gate.turn(0):
                    pass
                system.set_value(tx, "more", "1")
    except RuntimeError as error:
        assert os.getpid() != parent
        store.close()
        del tx, store
        gc.collect()
        os._exit(7 if "forked in the middle" in str(error) else 1)
    finally:
        if os.getpid() != parent:
            os._exit(1)
    assert number(store) == 1
    assert store.integrity() == "ok"


def test_a_child_forked_while_another_thread_has_the_file_open_is_refused(store: Store, path: Path) -> None:
    """It would write into a log that the parent removes, and be told that it is stored; not by a new store either."""
    opened, end = threading.Event(), threading.Event()

    def reads() -> None:
        number(store)
        opened.set()
        end.wait(20)

    other = threading.Thread(target=reads)
    other.start()
    assert opened.wait(20)
    child = os.fork()
    if child == 0:
        refused = 0
        for each in (store, store_at(path)):
            try:
                with each.transaction() as tx:
                    system.set_value(tx, "number", "7")
            except RuntimeError as error:
                refused += "while another thread had the database open" in str(error)
        os._exit(refused)
    end.set()
    other.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    with store.transaction() as tx:
        system.set_value(tx, "number", "1")
    assert number(store) == 1
    assert store.integrity() == "ok"


def test_a_child_may_use_a_file_that_its_parents_threads_have_closed(store: Store) -> None:
    """Threads that have ended keep nothing."""
    thread = threading.Thread(target=number, args=(store,))
    thread.start()
    thread.join()
    child = os.fork()
    if child == 0:
        with store.transaction() as tx:
            system.set_value(tx, "number", "7")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert number(store) == 7
