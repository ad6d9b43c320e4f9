"""Processes of their own that work on one database at the same time. `race` starts them together."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from bot.store import Sealer, SqliteEngine, StoreError, open_store, sends, sqlite, upgrades

SECRET = "a-secret-for-tests-that-is-long-enough"
NOBODY = 65534
_spawn = multiprocessing.get_context("spawn")


def store_at(path: Path | str, *secrets: str) -> Any:
    """The store in a file, or at a PostgreSQL address."""
    if str(path).startswith("postgresql:"):
        return open_store(str(path), secrets or (SECRET,))
    return SqliteEngine(str(path), Sealer(secrets or (SECRET,)))


def race(runners: int, target: Callable[..., Any], *args: Any) -> list[Any]:
    """What `target(together, *args)` returns in each of the processes; `together()` waits for all of them.

    A process that fails gives its exception's name and words.
    """
    barrier = _spawn.Barrier(runners)
    pipes = [_spawn.Pipe(duplex=False) for _ in range(runners)]
    processes = [_spawn.Process(target=_runner, args=(there, barrier, target, args)) for _, there in pipes]
    for process in processes:
        process.start()
    results = [here.recv() if here.poll(120) else "no answer" for here, _ in pipes]
    for process in processes:
        process.join(30)
    return results


def alone(target: Callable[..., Any], *args: Any) -> int | None:
    """Run `target(*args)` in a process of its own that may die of it; its exit code."""
    process = _spawn.Process(target=target, args=args)
    process.start()
    process.join(60)
    return process.exitcode


def _runner(answer: Connection, barrier: Barrier, target: Callable[..., Any], args: Sequence[Any]) -> None:
    try:
        answer.send(target(lambda: barrier.wait(60), *args))
    except BaseException as error:
        barrier.abort()
        answer.send(f"{type(error).__name__}: {error}")


def count_up(together: Callable[[], Any], path: str, times: int, safe_wal: bool = True) -> float:
    """Read a number and write the next, again and again; the longest wait in seconds."""
    if not safe_wal:
        sqlite.wal_is_safe = lambda version: False
    store, longest = store_at(path), 0.0
    together()
    for _ in range(times):
        start = time.monotonic()
        with store.transaction() as tx:
            row = tx.one("select value from installation where name = 'number'")
            assert row is not None
            tx.run("update installation set value = :v where name = 'number'", {"v": str(int(row["value"]) + 1)})
        longest = max(longest, time.monotonic() - start)
    return longest


def share_out(together: Callable[[], Any], path: str) -> int:
    """Take one row a transaction until none is left; how many."""
    store, taken = store_at(path), 0
    store.pending()  # connect first, so that all start level
    together()
    while True:
        with store.transaction() as tx:
            rows = tx.all("delete from worker where id in (select id from worker order by id limit 1) returning id")
            time.sleep(0.002)  # long enough that a busy machine's other work doesn't decide
        if not rows:
            return taken
        taken += 1


def claim_all(together: Callable[[], Any], url: str, now: datetime) -> list[str]:
    """Claim what is due, a few at a time, until nothing is left; the ids claimed."""
    store, claimed = store_at(url), []
    store.pending()
    together()
    while True:
        with store.transaction() as tx:
            some = sends.claim(
                tx, channel="sms", urgent=False, worker=str(os.getpid()), now=now, lease=timedelta(hours=1), most=3
            )
        if not some:
            return claimed
        claimed += [message.id for message in some]


def die_while_claiming(url: str, now: datetime) -> None:
    """Kill this process in the middle of a claim's transaction."""
    with store_at(url).transaction() as tx:
        sends.claim(tx, channel="sms", urgent=False, worker="dying", now=now, lease=timedelta(hours=1), most=10)
        os.kill(os.getpid(), signal.SIGKILL)


def migrate_one(together: Callable[[], Any], url: str) -> int:
    """Upgrade a database that others upgrade at the same moment; how many steps fell to us."""
    store = store_at(url)
    together()
    return len(store.migrate())


def migrate_each(together: Callable[[], Any], folder: str, rounds: int) -> list[int]:
    """Upgrade fresh databases one after the other, all processes the same one at the same moment."""
    done = []
    for number in range(rounds):
        store = store_at(f"{folder}/{number}.db")
        together()
        done.append(len(store.migrate()))
        store.check_ready()
    return done


def die_while_upgrading(path: str, at_statement: int) -> None:
    """Kill this process in the middle of the first upgrade."""
    wanted = upgrades._runner

    def runner(sql: list[str]) -> Callable[..., None]:
        def run(db: Any) -> None:
            wanted(sql[:at_statement])(db)
            os.kill(os.getpid(), signal.SIGKILL)

        return run

    upgrades._runner = runner
    store_at(path).migrate()


def die_while_writing(path: str) -> None:
    """Kill this process in the middle of a transaction."""
    with store_at(path).transaction() as tx:
        tx.insert("installation", {"name": "half", "value": "done"})
        os.kill(os.getpid(), signal.SIGKILL)


def hold(path: str, ready: Connection) -> None:
    """Begin to write, say so, and never come to an end."""
    with store_at(path).transaction() as tx:
        tx.insert("installation", {"name": "held", "value": "open"})
        ready.send(os.getpid())
        time.sleep(120)


def held_by_another(path: Path) -> Any:
    """A process that has begun to write and hangs."""
    here, there = _spawn.Pipe(duplex=False)
    process = _spawn.Process(target=hold, args=(str(path), there))
    process.start()
    assert here.poll(60)
    here.recv()
    return process


def write_on_a_small_disk(together: Callable[[], Any], path: str, size: int) -> str:
    """Write until the files may not grow any more; what the store says about it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    store = store_at(path)
    try:
        for number in range(100):
            with store.transaction() as tx:
                rows = [{"name": f"{number}-{i}", "value": "x" * 1000} for i in range(20)]
                tx.insert_many("installation", rows)
    except StoreError as error:
        return str(error)
    return "all written"


def write_as_nobody(together: Callable[[], Any], path: str) -> str:
    """Write without the right to; what the store says about it."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        with store_at(path).transaction() as tx:
            tx.insert("installation", {"name": "a", "value": "b"})
    except StoreError as error:
        return str(error)
    return "written"
