"""`python -m tests.faults.coming_back --seed N`: `attune restore` and `attune backup` that die at every sync, with and
without the power (P11).

After each death there is the old database, with every row, or the new one, with all that waited in it in doubt. Given
again, the command comes to its end. An `attune migrate` between the two makes no empty database where one is missing.
A backup is there whole or not at all, and the database goes by the last one that is.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from bot import cli
from bot.config import Config
from bot.flows import asking, backups, context, older_copy
from bot.sandbox.processes import free_port
from tests.faults.disk import AFTER, BEFORE, POWER, WAYS, Disk, with_disk
from tests.faults.upgrades import Seen, look
from tests.support.cast import ALWAYS_OPEN, MONDAY_NOON, riverside

SECRET = "a-secret-for-tests-that-is-long-enough"
ABOUT_ITSELF = ("installation", "worker")  # tables in which both commands write, whatever comes of them
WHOLE, IN_ITS_LOG, NOTHING = "a database", "a database with all of it in its log", "an empty folder"
PATIENCE = 60.0
PLANTS = {"unsynced": lambda: setattr(backups, "_sync", lambda _path: None)}


@dataclass
class Outcome:
    """What came of it."""

    violations: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Death:
    """At which sync, BEFORE or AFTER it, and how the power fails then (empty: it doesn't)."""

    sync: int
    moment: int
    way: str

    def __str__(self) -> str:
        return f"{'before' if self.moment == BEFORE else 'after'} sync {self.sync}, {self.way or 'killed'}"


def run(seed: int, each: int = 0, plant: str = "", restores: bool = True) -> Outcome:
    """Die at every sync in every way, or in `each` of the ways, picked by the seed. `restores`: or backups alone."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="attune-back-") as name:
        folder = Path(name).resolve()
        made = _Made(folder / "made")
        with _Commands(folder, plant) as commands:
            for source, files in made.sources.items() if restores else ():
                rng = random.Random(f"{seed}-{source}")
                _Play(commands, made, f"restore over {source}", files, rng, outcome, each).run()
            rng = random.Random(f"{seed}-backup")
            _Backups(commands, made, "backup", made.sources[WHOLE], rng, outcome, each).run()
    return outcome


class _Made:
    """A practice backed up while a question waits, and the database as it went on from there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.backup = folder / "backup.db"
        file = folder / "attune.db"
        ctx = context.build(Config(database_url=f"sqlite:///{file}", secrets=(SECRET,)))
        ctx.store.migrate()
        practice = riverside(ctx, **ALWAYS_OPEN)
        practice.visit("Ana", MONDAY_NOON, now=MONDAY_NOON)
        asking.ask_due(ctx, MONDAY_NOON + timedelta(days=1))
        backups.backup(ctx, str(self.backup), MONDAY_NOON + timedelta(days=1))
        practice.visit("Ben", MONDAY_NOON + timedelta(days=1), now=MONDAY_NOON + timedelta(days=1))
        in_log = {ending: file.with_name(f"attune.db{ending}").read_bytes() for ending in ("", "-wal")}
        ctx.store.close()
        self.sources = {WHOLE: {"": file.read_bytes()}, IN_ITS_LOG: in_log, NOTHING: {}}
        self.old = look(file, {})
        self.waiting = waiting(self.backup)
        assert self.waiting["due"] > 0, "else nothing could be put in doubt"


def waiting(path: Path) -> Counter[str]:
    """How many messages are in each state."""
    conn = sqlite3.connect(path)
    try:
        return Counter(dict(conn.execute("select state, count(*) from outbox group by state")))
    finally:
        conn.close()


def value(path: Path, name: str) -> str | None:
    """A fact about the installation."""
    conn = sqlite3.connect(path)
    try:
        row = conn.execute("select value from installation where name = ?", (name,)).fetchone()
        return row[0] if row else None
    finally:
        conn.close()


class _Commands:
    """Runs `attune` on a disk that forgets, in processes that are ready at once."""

    def __init__(self, folder: Path, plant: str) -> None:
        self.path = folder / "disk" / "attune.db"
        self.path.parent.mkdir()
        self.disk = Disk(self.path.parent, folder / "book")
        env = {
            "DATABASE_URL": f"sqlite:///{self.path}", "SECRET_KEY": SECRET, "PORT": str(free_port()),
            "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path(__file__).parents[2]),
        }  # fmt: skip
        self._log = (folder / "log").open("ab")
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.coming_back", "--serve", "--plant", plant],
            env=with_disk(env, self.disk),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip

    def __enter__(self) -> "_Commands":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait(PATIENCE)
        self._log.close()

    def attune(self, *command: str) -> int:
        """The exit code, negative for a signal."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(command) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())

    def said(self) -> str:
        """The last lines of what commands said of their faults."""
        return Path(self._log.name).read_text(errors="replace")[-600:].strip() or "nothing was said"

    def put(self, files: Mapping[str, bytes]) -> None:
        """These files of the database, and no others, are on the platter."""
        for path in self.path.parent.iterdir():
            path.unlink()
        for ending, content in files.items():
            self.path.with_name(self.path.name + ending).write_bytes(content)
        self.disk.begin()


@dataclass
class _Play:
    """A restore over what is in a folder."""

    commands: _Commands
    made: _Made
    name: str
    files: Mapping[str, bytes]
    rng: random.Random
    outcome: Outcome
    each: int

    def run(self) -> None:
        self.commands.put(self.files)
        if ended := self.commands.attune(*self.command):
            said = self.commands.said()
            self.outcome.violations.append(f"{self.name}: when nothing dies, it ends with {ended}: {said}")
            return
        syncs = self.commands.disk.syncs()
        self.outcome.figures[f"syncs of a {self.name}"] = syncs
        for death in self._deaths(syncs):
            if not self.outcome.violations:  # one is enough to know
                self._die(death)

    @property
    def command(self) -> Sequence[str]:
        return "restore", str(self.made.backup)

    def _deaths(self, syncs: int) -> Iterator[Death]:
        for sync in range(syncs, 0, -1):  # the last ones first: most has been done by then
            ways = [Death(sync, moment, way) for moment in (BEFORE, AFTER) for way in ("", *WAYS)]
            yield from self.rng.sample(ways, self.each) if self.each else ways

    def _die(self, death: Death) -> None:
        self.commands.put(self.files)
        disk = self.commands.disk
        disk.die_at(death.sync, death.moment | (POWER if death.way else 0))
        died = self.commands.attune(*self.command)
        disk.die_at(0)
        if death.way:
            disk.cut(self.rng, death.way)
        self.outcome.figures["power cuts" if death.way else "kills"] += 1
        wrong = [] if died == -9 else [f"it ended with {died}"]
        self.outcome.violations += [f"{self.name}, {death}: {each}" for each in wrong + self._judge()]

    def _judge(self) -> list[str]:
        """What is wrong with what is left, and after the command was given again."""
        found = self._found()
        self.outcome.figures[f"found {found}"] += 1
        if found not in ("the old one", "the new one", "none"):
            return [f"found {found}"]
        if found == "none" and self.files:
            return ["there was a database, and now there is none"]
        if self.commands.attune("migrate") == 0 and found == "none" and self._part().exists():
            return ["an empty database was made beside a restore that was cut off"]
        again = self.commands.attune(*self.command)
        after = self._found()
        return [] if (again, after) == (0, "the new one") else [f"given again, it ended with {again}: {after}"]

    def _part(self) -> Path:
        return self.commands.path.with_name(f"{self.commands.path.name}.restoring")

    def _found(self) -> str:
        """Which database is there, by a copy, so that nothing is mended by looking."""
        with tempfile.TemporaryDirectory() as folder:
            path = copied(self.commands.path, Path(folder))
            if path is None:
                return "none"
            try:
                return self._which(path)
            except sqlite3.DatabaseError as error:
                return f"a damaged one ({error})"

    def _which(self, path: Path) -> str:
        seen = look(path, self.made.old.columns)
        if seen.whole != "ok":
            return f"a damaged one ({seen.whole})"
        if "outbox" not in seen.rows:
            return "an empty one"
        if is_same(seen, self.made.old):
            return "the old one"
        states = waiting(path)
        if states["due"] or states["in_doubt"] != self.made.waiting["due"] or not value(path, backups.RESTORED_AT):
            return f"the backup, with what waited as it was: {dict(states)}"
        return "the new one"


class _Backups(_Play):
    """A backup of the database; the old one must stay as it is."""

    @property
    def command(self) -> Sequence[str]:
        return "backup", str(self._copy())

    def _copy(self) -> Path:
        return self.commands.path.with_name("copy.db")

    def _judge(self) -> list[str]:
        if (found := self._found()) != "the old one":
            return [f"the database itself: {found}"]
        wrong = self._wrong_with_copy()
        self._copy().unlink(missing_ok=True)
        if again := self.commands.attune(*self.command):
            return [*wrong, f"given again, it ended with {again}"]
        return wrong + self._wrong_with_copy(must_be=True)

    def _wrong_with_copy(self, must_be: bool = False) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            path, live = copied(self._copy(), Path(folder)), copied(self.commands.path, Path(folder))
            assert live
            known_good = value(live, backups.GOOD_BACKUP_AT) != value_before(self.made)
            self.outcome.figures["backups found" if path else "backups not there"] += 1
            if path is None:
                return ["there is none, and the database goes by it"] * (known_good or must_be)
            seen = look(path, self.made.old.columns)
            return [] if seen.whole == "ok" and is_same(seen, self.made.old) else ["the backup isn't whole"]


def value_before(made: _Made) -> str | None:
    """By which backup the database went before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "attune.db"
        path.write_bytes(made.sources[WHOLE][""])
        return value(path, backups.GOOD_BACKUP_AT)


def is_same(seen: Seen, other: Seen) -> bool:
    """Whether two databases hold the same of everybody."""
    return all(seen.rows.get(table) == rows for table, rows in other.rows.items() if table not in ABOUT_ITSELF)


def copied(path: Path, folder: Path) -> Path | None:
    """The database and what SQLite would take for a part of it, copied there; None where there is none."""
    if not path.exists():
        return None
    for ending in ("", "-wal", "-journal"):
        if (file := path.with_name(path.name + ending)).exists():
            shutil.copy(file, folder)
    return folder / path.name


def serve(plant: str) -> None:
    """For each line, a command of `attune` in a process of its own; the answer is its exit code."""
    context.build(Config.read(dict(os.environ)))
    assert older_copy.guard, "loaded here: each command would load it anew, from files that may be edited meanwhile"
    if plant:
        PLANTS[plant]()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            _command(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _command(command: Sequence[str]) -> None:
    code = 1
    try:
        code = cli.main(list(command), standalone_mode=False) or 0
    except BaseException as error:
        print(f"{command[0]}: {error.__class__.__name__}: {error}", file=sys.stderr, flush=True)
    os._exit(code)


def main() -> None:
    """Exit 1 if anything half done was found."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.coming_back", description=__doc__)
    asked.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked.add_argument("--each", type=int, default=0, help="in how many ways to die at each sync; 0: in all eight")
    asked.add_argument("--plant", choices=["", *PLANTS], default="", help="take a guard out")
    asked.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.serve:
        serve(given.plant)
        return
    outcome = run(given.seed, given.each, given.plant)
    print(f"seed {given.seed}")
    print(", ".join(f"{name}: {figure}" for name, figure in outcome.figures.items()))
    for violation in outcome.violations:
        print(f"BROKEN {violation}")
    sys.exit(1 if outcome.violations else 0)


if __name__ == "__main__":
    main()
