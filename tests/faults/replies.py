"""Replies under power cuts and kills: real web servers on a disk that forgets what was not synced (P5, P7).

Clients text by signed webhooks over real HTTP and book every 200. After each cut, and after each kill of everyone, the
auditor opens a copy of the database: each text that was answered 200 is in the inbox, once, and its answers count once.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from bot.config import Config
from bot.flows import context
from bot.sandbox.processes import free_port
from tests.faults.disk import AFTER, BEFORE, POWER, Disk, with_disk
from tests.faults.texting import PATIENCE, SID, THREADS, TOKEN, URL, Texters, answers_of, found_askers

TEXTS = "select provider_id, id from inbox order by id"
ANSWERS = "select inbox_id, feeling, score from answer order by id"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}


@dataclass(frozen=True)
class Plan:
    """`kills`: of one web process, or of all. `replies`: about so many, spread over the cuts and kills. `journal`:
    "delete" is what a SQLite gets whose WAL isn't safe."""

    seed: int
    cuts: int = 20
    kills: int = 60
    replies: int = 2000
    plant: str = ""
    journal: str = "wal"
    slow: float = 0.0002  # seconds that each sync takes


@dataclass
class Outcome:
    """What came of it."""

    violations: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


def run(plan: Plan) -> Outcome:
    """Play the plan, auditing all the way."""
    with tempfile.TemporaryDirectory(prefix="attune-power-") as folder:
        return Run(plan, Path(folder)).play()


def run_in_parts(plan: Plan, parts: int, play: Callable[[Plan], Outcome] = run) -> Iterator[Outcome]:
    """The same in several practices, one after the other: an audit reads all of one's texts."""
    for part in range(parts):
        share = {name: getattr(plan, name) // parts for name in ("cuts", "kills", "replies")}
        yield play(Plan(**{**plan.__dict__, **share, "seed": plan.seed + part}))


class Stuck(AssertionError):
    """No text is answered any more."""


class Run:
    """On SQLite: web servers and database on one machine."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.rng = random.Random(plan.seed)
        self.port = free_port()
        env = {
            "DATABASE_URL": self._database(),
            "PUBLIC_URL": URL,
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "PORT": str(self.port),
        }
        ctx = context.build(Config.read(env))
        self.texts = plan.replies * 2 + (plan.cuts + plan.kills) * 5 * THREADS
        found_askers(ctx, self.texts)
        ctx.store.close()
        self.disk = self._put_on_disk()
        self.disk.slow(plan.slow)
        self.log = folder / "log"
        order = {"env": env, "plant": plan.plant, "journal": plan.journal}
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.webs", json.dumps(order)],
            env=self._environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log.open("ab"), text=True,
        )  # fmt: skip
        self.clients = Texters(self.port, self.texts, random.Random(f"{plan.seed}-texts"))
        self.outcome = Outcome()

    def _database(self) -> str:
        """Where it is to be."""
        (self.folder / "disk").mkdir()
        return f"sqlite:///{self.folder.resolve()}/disk/attune.db"

    def _put_on_disk(self) -> Disk:
        """From now on the database is on a disk that forgets."""
        return Disk(self.folder / "disk", self.folder / "book")

    def _environment(self) -> dict[str, str]:
        """Of the web servers."""
        return with_disk(ENVIRONMENT, self.disk)

    def play(self) -> Outcome:
        began = time.monotonic()
        try:
            for ending in self._endings():
                self._round(ending)
            self._drain()
        finally:
            self.clients.stop()
            self._ask("end")
            assert self.nursery.stdin is not None
            self.nursery.stdin.close()
            self.nursery.wait(PATIENCE)
        self.outcome.figures |= {"texts answered 200": len(self.clients.answered), **self._answers()}
        self.outcome.figures["seconds"] = int(time.monotonic() - began)
        return self.outcome

    def _answers(self) -> dict[str, int]:
        return {f"deliveries {status}": n for status, n in self.clients.met.items()}

    def _endings(self) -> list[str]:
        """How each round ends; in each, the kills of single processes come on top."""
        everyone = self.plan.kills // 3
        endings = ["cut"] * self.plan.cuts + ["kill"] * everyone
        self.rng.shuffle(endings)
        self.singles = [0] * len(endings)
        for _ in range(self.plan.kills - everyone):
            self.singles[self.rng.randrange(len(endings))] += 1
        self.share = self.plan.replies / max(1, self.plan.cuts + self.plan.kills)
        return endings

    def _round(self, ending: str) -> None:
        self._ask("start")
        self.clients.go_on()
        self._some_texts(at_least=1)
        for _ in range(self.singles.pop()):
            self._some_texts()
            self._kill_one()
        self._some_texts()
        self._end(ending)
        self._audit(ending)

    def _drain(self) -> None:
        """No more faults: the last texts are answered."""
        self._ask("start")
        self.clients.go_on()
        self._some_texts(at_least=max(THREADS, self.plan.replies - len(self.clients.answered)))
        self.clients.hold()
        self._ask("end")
        self._audit("end")

    # --- the faults

    def _kill_one(self) -> None:
        """kill -9 of one web process: at a sync of its own, or whenever."""
        if self.rng.random() < 0.7 and self._die_at_a_sync(0):
            self.outcome.figures["kills at a sync"] += 1
        else:
            self._until(lambda: int(self._ask(f"kill {self.rng.randrange(2)}")) > 0)
        self.outcome.figures["kills"] += 1

    def _die_at_a_sync(self, power: int) -> bool:
        """One of the next syncs is somebody's last; False when none of them came."""
        self.disk.die_at(self.disk.syncs() + self.rng.randrange(1, 8), self.rng.choice((BEFORE, AFTER)) | power)
        enough = self.clients.allow(3 * THREADS)
        self._within(PATIENCE, lambda: self.disk.died() or len(self.clients.answered) >= enough)
        died = self.disk.died()
        self.disk.die_at(0)
        return died

    def _strike(self, ending: str) -> None:
        """The blow, while texts come in; afterwards none do."""
        if ending == "cut":
            at_a_sync = self.rng.random() < 0.6 and self._die_at_a_sync(POWER)
            self.outcome.figures["cuts at a sync"] += at_a_sync
        self._strike_soon()
        if ending == "cut":
            self.disk.power_off()
        self.clients.hold()

    def _end(self, ending: str) -> None:
        self._strike(ending)
        self._ask("end")
        self.outcome.figures["cuts" if ending == "cut" else "kills"] += 1
        if ending == "cut":
            way = self.disk.cut(self.rng)
            self.disk.slow(self.plan.slow)
            self.outcome.figures[f"cuts, unsynced {way}"] += 1

    def _some_texts(self, at_least: int = 0) -> None:
        """Until some more texts are answered."""
        wanted = self.clients.allow(at_least + int(self.rng.random() * self.share))
        self._until(lambda: len(self.clients.answered) >= wanted)

    def _strike_soon(self) -> None:
        """In the middle of some texts."""
        self.clients.allow(2 * THREADS)
        time.sleep(self.rng.random() * 0.03)

    def _until(self, done: Callable[[], bool]) -> None:
        if not self._within(PATIENCE, done):
            words = self.log.read_text()[-2000:]
            raise Stuck(f"seed {self.plan.seed}: nothing moves; {self.clients.met}; {words}")

    def _within(self, seconds: float, done: Callable[[], bool]) -> bool:
        until = time.monotonic() + seconds
        while not (there := done()) and time.monotonic() < until:
            time.sleep(0.002)
        return there

    def _ask(self, line: str) -> str:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(f"{line}\n")
        self.nursery.stdin.flush()
        return self.nursery.stdout.readline().strip()

    # --- the auditor

    def _audit(self, after: str) -> None:
        """A 200 that is on its way just now is booked first."""
        answered = set(self.clients.answered)
        found = self._look()
        self.outcome.figures["audits"] += 1
        self.outcome.violations += [f"P5 after {after}: {each}" for each in audit(found, answered, self.clients.sent)]

    def _look(self) -> "Found":
        """On a copy: opening the database would already mend it."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for ending in ("", "-wal", "-journal"):
                with suppress(FileNotFoundError):
                    shutil.copy(self.folder / f"disk/attune.db{ending}", folder)
            return _read(Path(folder) / "attune.db")


@dataclass(frozen=True)
class Found:
    """What a database holds: SQLite's own check, how often each text is in the inbox, and each text's answers."""

    integrity: str
    inbox: Counter[int]
    answers: dict[int, list[tuple[str, int]]]


def _read(path: Path) -> Found:
    conn = sqlite3.connect(path)
    try:
        whole = conn.execute("pragma integrity_check").fetchone()[0]
        return found_in(whole, conn.execute(TEXTS).fetchall(), conn.execute(ANSWERS).fetchall())
    except sqlite3.DatabaseError as error:
        return Found(str(error), Counter(), {})
    finally:
        conn.close()


def found_in(whole: str, texts: Sequence[tuple[str, str]], given: Sequence[tuple[str, str, int]]) -> Found:
    """Of the rows that TEXTS and ANSWERS ask for."""
    number_of = {row_id: int(provider_id[2:], 16) for provider_id, row_id in texts}
    answers: dict[int, list[tuple[str, int]]] = {}
    for inbox_id, feeling, score in given:
        answers.setdefault(number_of.get(inbox_id, -1), []).append((feeling, score))
    return Found(whole, Counter(number_of.values()), answers)


def audit(found: Found, answered: set[int], sent: set[int]) -> list[str]:
    """What is wrong: with the file, with a text that was answered 200, with any that is there."""
    wrong = [] if found.integrity == "ok" else [f"integrity_check says {found.integrity}"]
    wrong += [f"text {number} was answered 200 and is lost" for number in answered - found.inbox.keys()]
    wrong += [f"text {number} is there {times} times" for number, times in found.inbox.items() if times != 1]
    wrong += [f"text {number} was never sent" for number in found.inbox.keys() - sent]
    for number in found.inbox:
        if sorted(found.answers.get(number, [])) != sorted(answers_of(number)):
            wrong.append(f"text {number} counts as {found.answers.get(number, [])}")
    if -1 in found.answers:
        wrong.append("answers of a text that isn't there")
    return wrong
