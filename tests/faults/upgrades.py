"""Upgrades that die at every sync, with and without the power (P12).

A run counts the syncs of an upgrade, then plays it again and again, dying before and after each of them. What is left
must be the old database or the new one, with every row; the next upgrade, made by two processes at once, finishes it.
"""

import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from tests.faults.disk import AFTER, BEFORE, POWER, WAYS, Disk, with_disk

RELEASED = sorted(Path(__file__).parents[1].joinpath("data/databases").glob("*.sql"))
OURS = "_sqlite_migrations"
PATIENCE = 90.0

LOAD = """import shutil, sqlite3, sys
dump, path, kept = sys.argv[1:]
conn = sqlite3.connect(path)
conn.execute("pragma journal_mode=wal")
conn.executescript(open(dump).read())
for ending in ("", "-wal"):
    shutil.copy(path + ending, kept + ending)
conn.close()
"""


@dataclass
class Outcome:
    """What came of it."""

    violations: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


def run(seed: int, plant: str = "") -> Outcome:
    """From nothing, from each released database, and from each as a kill left it, with everything in its WAL."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="attune-upgrade-") as folder, _Upgrader(Path(folder), plant) as upgrader:
        for name, files in _sources(Path(folder) / "sources"):
            _Source(upgrader, name, files, random.Random(f"{seed}-{name}"), outcome).play()
    return outcome


class _Upgrader:
    """Runs `attune migrate` on a disk that forgets, in processes that are ready at once."""

    def __init__(self, folder: Path, plant: str) -> None:
        self.path = folder.resolve() / "disk" / "attune.db"
        self.path.parent.mkdir()
        self.disk = Disk(self.path.parent, folder / "book")
        env = {"DATABASE_URL": f"sqlite:///{self.path}", "SECRET_KEY": "a-secret-for-tests-that-is-long-enough"}
        home = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.webs", json.dumps({"env": env, "plant": plant})],
            env=with_disk(home, self.disk),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(folder / "log").open("ab"), text=True,
        )  # fmt: skip

    def __enter__(self) -> "_Upgrader":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait(PATIENCE)

    def migrate(self, processes: int = 1) -> list[int]:
        """The exit codes of so many upgrades at once."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"migrate {processes}\n")
        self._nursery.stdin.flush()
        return [int(code) for code in self._nursery.stdout.readline().split()]

    def put(self, files: Mapping[str, bytes]) -> None:
        """These files, and no others, are on the platter."""
        for path in self.path.parent.iterdir():
            path.unlink()
        for ending, content in files.items():
            self.path.with_name(self.path.name + ending).write_bytes(content)
        self.disk.begin()


@dataclass(frozen=True)
class Seen:
    """What a database holds: the steps it has had, each table's columns, a hash of its rows, SQLite's own check."""

    steps: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    rows: Mapping[str, str]
    whole: str


@dataclass
class _Source:
    """One database to upgrade."""

    upgrader: _Upgrader
    name: str
    files: Mapping[str, bytes]
    rng: random.Random
    outcome: Outcome

    def play(self) -> None:
        self.upgrader.put(self.files)
        self.before = self._look({})
        assert self.upgrader.migrate() == [0]
        syncs = self.upgrader.disk.syncs()
        self.outcome.figures[f"syncs of an upgrade from {self.name}"] = syncs
        self.goal = self._look({}).steps
        for sync in range(1, syncs + 1):
            for moment in (BEFORE, AFTER):
                for way in ("", *WAYS):
                    if not self.outcome.violations:  # one is enough to know
                        self._die(sync, moment, way)

    def _die(self, sync: int, moment: int, way: str) -> None:
        """Die there (`way`: and lose the power), look, and upgrade again."""
        where = f"{self.name}, {'before' if moment == BEFORE else 'after'} sync {sync}, {way or 'killed'}"
        self.upgrader.put(self.files)
        self.upgrader.disk.die_at(sync, moment | (POWER if way else 0))
        died = self.upgrader.migrate() == [-9]
        self.upgrader.disk.die_at(0)
        if way:
            self.upgrader.disk.cut(self.rng, way)
        self.outcome.figures["power cuts" if way else "kills"] += 1
        seen = self._look(self.before.columns)
        self.outcome.figures["found finished" if seen.steps == self.goal else "found untouched"] += 1
        if not died or seen.steps not in (self.before.steps, self.goal) or not self._is_kept(seen):
            self.outcome.violations.append(f"P12 {where}: died {died}; {seen}")
        codes = self.upgrader.migrate(2) + self.upgrader.migrate()
        seen = self._look(self.before.columns)
        if any(codes) or seen.steps != self.goal or not self._is_kept(seen):
            self.outcome.violations.append(f"P12 {where}: going on ended with {codes}; {seen}")

    def _is_kept(self, seen: Seen) -> bool:
        """Every row of before, in every column of before, and nothing else."""
        return seen.whole == "ok" and all(seen.rows.get(table) == rows for table, rows in self.before.rows.items())

    def _look(self, columns: Mapping[str, Sequence[str]]) -> Seen:
        """By a copy, so that nothing is mended by looking."""
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("", "-wal", "-journal"):
                if (file := self.upgrader.path.with_name(self.upgrader.path.name + ending)).exists():
                    shutil.copy(file, folder)
            return look(Path(folder) / self.upgrader.path.name, columns)


def look(path: Path, columns: Mapping[str, Sequence[str]]) -> Seen:
    """What is in a database file; its rows by these columns, or by all there are."""
    conn = sqlite3.connect(path)
    try:
        whole = conn.execute("pragma integrity_check").fetchone()[0]
        tables = [row[0] for row in conn.execute("select name from sqlite_master where type = 'table' order by name")]
        steps = [row[0] for row in conn.execute(f"select name from {OURS} order by id")] if OURS in tables else []
        found = {
            table: columns.get(table) or [row[1] for row in conn.execute(f"pragma table_info({table})")]
            for table in tables
            if table != OURS
        }
        rows = {table: _hash(conn, table, names) for table, names in found.items()}
        return Seen(steps, found, rows, whole)
    finally:
        conn.close()


def _hash(conn: sqlite3.Connection, table: str, columns: Sequence[str]) -> str:
    rows = sorted(repr(row) for row in conn.execute(f"select {', '.join(columns)} from {table}"))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _sources(folder: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    yield "nothing", {}
    folder.mkdir()
    for dump in RELEASED:
        path, kept = folder / f"{dump.stem}.db", folder / f"{dump.stem}-kept.db"
        # in a process of its own: two SQLite libraries don't mix in one
        subprocess.run([sys.executable, "-c", LOAD, str(dump), str(path), str(kept)], check=True)
        yield dump.stem, {"": path.read_bytes()}
        yield f"{dump.stem}, killed", {each: Path(f"{kept}{each}").read_bytes() for each in ("", "-wal")}
