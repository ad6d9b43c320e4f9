"""Writers that are struck, and a disk that loses power under the rollback journal: what a thread or process that dies
in its turn may cost the others, and what a commit is worth where WAL isn't used.

`strike`: threads of two processes write together while exceptions strike them at any moment. Each books what it was
told; nobody may wait until patience ends, and the database must bear out every word.
`cut`: a process commits on a disk that forgets, tells each commit, and the power fails.
"""

import argparse
import ctypes
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from bot.store import StoreError, gate, sqlite, system, together, tx
from bot.store.errors import NOTHING_KEPT
from tests.faults.disk import Disk, with_disk
from tests.support.racers import store_at

THREADS, PROCESSES = 4, 2
PLANTED = 2.0  # so long a writer waits in vain where a guard is taken out


class Struck(BaseException):
    """Comes up in a thread at any moment."""


# --- plants


def lead_never_left() -> None:
    """A thread that is struck while it leads leads on."""

    def write(self: Any, work: Callable[[], Any]) -> Any:
        piece = together._Piece(work)
        self._go(piece)
        self._leave(piece)
        if piece.error is not None:
            raise piece.error
        return piece.result

    together.Together.write = write  # type: ignore[method-assign]


def turn_never_left() -> None:
    """A thread that is struck in its turn keeps the lock on the file."""
    leave, kept = gate._Turn.leave, list[gate._Turn]()

    def unless_struck(turn: gate._Turn) -> None:
        if sys.exc_info()[0] is None:
            leave(turn)
        else:
            kept.append(turn)

    gate._Turn.leave = unless_struck  # type: ignore[method-assign]


def folder_not_synced() -> None:
    """The rollback journal's removal doesn't wait for the disk."""
    sqlite.WITHOUT_WAL = "synchronous=full"


PLANTS = {plant.__name__: plant for plant in (lead_never_left, turn_never_left, folder_not_synced)}


# --- struck writers


def strike(seed: int, strikes: int, plant: str = "") -> tuple[list[str], dict[str, int]]:
    """Strike so many threads; what was violated, and the figures."""
    with tempfile.TemporaryDirectory(prefix="attune-turns-") as folder:
        path = Path(folder) / "attune.db"
        store_at(path).migrate()
        share = strikes // PROCESSES
        told = [
            _start(["strike", str(path), str(seed + number), str(share), plant], stdout=subprocess.PIPE)
            for number in range(PROCESSES)
        ]
        books = [json.loads(each.communicate()[0]) for each in told]
        with sqlite3.connect(path) as conn:
            rows = {row[0] for row in conn.execute("select name from installation where value = 'written'")}
    return _judge(books, rows), {
        "strikes": sum(book["strikes"] for book in books),
        "told stored": sum(len(book["stored"]) for book in books),
    }


def _judge(books: list[dict[str, Any]], rows: set[str]) -> list[str]:
    wrong = [f"{name} was told stored and isn't" for book in books for name in book["stored"] if name not in rows]
    wrong += [f"{name} was told not stored and is" for book in books for name in book["denied"] if name in rows]
    wrong += [f"{name} waited in vain" for book in books for name in book["in vain"]]
    return wrong + [f"{book['hanging']} threads hang" for book in books if book["hanging"]]


class _Writers:
    """The threads of one process, and their book."""

    def __init__(self, path: str, seed: int) -> None:
        self.store, self.rng = store_at(path), random.Random(seed)
        self.names = (f"{seed}-{number}" for number in itertools.count())
        self.book: dict[str, Any] = {"stored": [], "denied": [], "in vain": [], "strikes": 0, "hanging": 0}
        self.ended = threading.Event()
        gate.start_new_thread = _start_thread  # type: ignore[assignment]

    def strike(self, times: int) -> dict[str, Any]:
        threads = [self._begun() for _ in range(THREADS)]
        while self.book["strikes"] < times and not self.book["in vain"]:
            time.sleep(self.rng.random() * 0.01)
            which = self.rng.randrange(THREADS)
            if not threads[which].is_alive():
                threads[which] = self._begun()
            _strike(threads[which])
            self.book["strikes"] += 1
        self.ended.set()
        until = time.monotonic() + 3 * together.PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.book["hanging"] = sum(thread.is_alive() for thread in threads)
        return self.book

    def _begun(self) -> threading.Thread:
        thread = threading.Thread(target=self._write, daemon=True)
        thread.start()
        return thread

    def _write(self) -> None:
        while not self.ended.is_set():
            try:
                self._write_one(next(self.names))
            except (Struck, ValueError):  # two threads at the generator at once
                continue

    def _write_one(self, name: str) -> None:
        began = time.monotonic()
        try:
            self.store.together(lambda: self._put(name))
            self.book["stored"].append(name)
        except StoreError as error:
            if NOTHING_KEPT in str(error):
                self.book["denied"].append(name)
        finally:  # what it was told may have been struck from its hands
            if time.monotonic() - began > 0.9 * together.PATIENCE:
                self.book["in vain"].append(name)

    def _put(self, name: str) -> None:
        with self.store.transaction() as tx:
            system.set_value(tx, name, "written")


def _strike(thread: threading.Thread) -> None:
    with _starting:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Struck))


def _start_thread(work: Callable[[], None], _none: tuple[()]) -> None:
    """Until a thread has begun, Python takes it for the one that starts it, and a strike would hit the wrong one."""
    begun = threading.Lock()
    begun.acquire()

    def run() -> None:
        begun.release()
        work()

    with _starting:
        start_new_thread(run, ())
        begun.acquire()


_starting = threading.Lock()


# --- power cuts under the rollback journal


def cut(seed: int, cuts: int, plant: str = "") -> tuple[list[str], dict[str, int]]:
    """Cut the power so many times; what was violated, and the figures."""
    rng, wrong, commits = random.Random(seed), list[str](), 0
    with tempfile.TemporaryDirectory(prefix="attune-journal-") as folder:
        place = Path(folder).resolve()
        (place / "disk").mkdir()
        sqlite.make_private(str(place / "disk" / "attune.db"))
        path = place / "disk" / "attune.db"
        with sqlite3.connect(path) as conn:
            conn.execute("create table committed (number integer primary key, filler text) strict")
        conn.close()
        disk = Disk(place / "disk", place / "book")
        for _ in range(cuts):
            told = list(_commits_until_cut(disk, path, rng, plant, commits))
            commits = max([commits, *told])
            disk.cut(rng)
            wrong += _missing(path, told)
            disk.begin()
    return wrong, {"cuts": cuts, "commits told": commits}


def _commits_until_cut(disk: Disk, path: Path, rng: random.Random, plant: str, since: int) -> Iterator[int]:
    writer = _start(["commit", str(path), str(since), "0", plant], with_disk(os.environ, disk), stdout=subprocess.PIPE)
    assert writer.stdout
    for _ in range(rng.randrange(3, 30)):
        yield int(writer.stdout.readline())
    disk.power_off()
    writer.kill()
    yield from (int(line) for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith("\n"))


def _commit(path: str, since: int) -> None:
    sqlite.wal_is_safe = lambda _version: False
    store = store_at(path)
    for number in itertools.count(since + 1):
        with store.transaction() as tx:
            tx.run("insert into committed values (:n, :f) on conflict do nothing", {"n": number, "f": "x" * 3000})
        print(number, flush=True)


def _missing(path: Path, told: list[int]) -> list[str]:
    conn = sqlite3.connect(path)
    try:
        there = {row[0] for row in conn.execute("select number from committed")}
        whole = conn.execute("pragma integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    finally:
        conn.close()
    wrong = [f"commit {number} was told and is lost" for number in told if number not in there]
    return wrong + ([] if whole == "ok" else [whole])


# --- twins, and the processes


TWINS: Mapping[str, Callable[[int], tuple[list[str], dict[str, int]]]] = {
    "lead_never_left": lambda seed: strike(seed, 400, "lead_never_left"),
    "turn_never_left": lambda seed: strike(seed, 400, "turn_never_left"),
    "folder_not_synced": lambda seed: cut(seed, 12, "folder_not_synced"),
}
"""By the name of the plant: a short run with that guard taken out."""


def _start(order: list[str], env: Mapping[str, str] | None = None, **pipes: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.turns", *order],
        cwd=Path(__file__).parents[2], env=env, text=True, stderr=subprocess.DEVNULL, **pipes,
    )  # fmt: skip


def main() -> None:
    """One writing process."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.turns", description=__doc__)
    asked.add_argument("what", choices=["strike", "commit"])
    asked.add_argument("path")
    asked.add_argument("seed", type=int, help="or the number of the last commit")
    asked.add_argument("strikes", type=int)
    asked.add_argument("plant")
    given = asked.parse_args()
    if given.plant:
        PLANTS[given.plant]()
        together.PATIENCE = tx.PATIENCE = PLANTED
    if given.what == "commit":
        _commit(given.path, given.seed)
    print(json.dumps(_Writers(given.path, given.seed).strike(given.strikes)))


if __name__ == "__main__":
    main()
