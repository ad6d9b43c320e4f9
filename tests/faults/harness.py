"""One run: a practice, a provider, a few worker processes that are killed and frozen, and a clock that is set.

With power cuts, the practice's files are on a disk that forgets what was not synced (`disk.py`). `server_sending.py`
plays the same on PostgreSQL.
"""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.config import Config
from bot.flows import context
from tests.faults.auditor import Auditor, Findings
from tests.faults.clock import JUST_SET, SharedClock
from tests.faults.crew import Crew, Power
from tests.faults.desk import Desk
from tests.faults.disk import AFTER, BEFORE, Disk
from tests.faults.practice import EDGE, NOON, found_practice
from tests.faults.provider import Heard, Provider, Taken

KILLS = {"kill_before": 0.07, "kill_at": 0.09, "kill_in": 0.04, "kill_after": 0.08}
ERRORS = {"lose": 0.05, "taken_503": 0.03, "refuse_503": 0.02, "reset": 0.02, "429": 0.02, "half": 0.02, "html": 0.01}


@dataclass(frozen=True)
class Plan:
    """What to do in a run. Seconds are real ones. `kills`, `cuts` (of the power): at least so many, if there is work
    enough for them."""

    seed: int
    clients: int = 200
    late: int = 20
    kills: int = 200
    cuts: int = 0
    workers: int = 3
    fates: dict[str, float] = field(default_factory=lambda: KILLS | ERRORS)
    settle: int = 4
    lease: int = 1
    lag: float = 2.5
    freeze: float = 0.02
    freeze_in: str = ""
    frozen_for: float = 2.5
    frozen_whole: float = 0.2
    stops: float = 0.15
    callbacks: float = 0.3
    random_kills: float = 2.0  # a second
    start: datetime = NOON
    evening: bool = True
    at_most: float = 600.0
    patience: float = 60.0  # what everything may take to come to rest once the faults are over
    plant: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    findings: Findings
    kills: int
    cuts: int
    freezes: int
    frozen_threads: int
    met: Counter[str]
    seconds: float


def run(plan: Plan) -> Outcome:
    """Play the plan and have it audited."""
    with tempfile.TemporaryDirectory(prefix="attune-faults-") as folder:
        return Run(plan, Path(folder)).play()


class Run:
    """On SQLite: workers and database on one machine."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed)
        self.clock = SharedClock(folder / "clock")
        self.clock.set(plan.start.timestamp())
        self.provider = Provider(random.Random(f"{plan.seed}-provider"), self.clock.times, plan.fates, plan.lag)
        env = {
            "DATABASE_URL": self._database(folder),
            "PUBLIC_URL": "http://attune.example",
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "a-token-for-tests",
            "TWILIO_FROM": "+15005550006",
            "TWILIO_API_URL": self.provider.url,
            "SEND_SETTLE_SECONDS": str(plan.settle),
            "SEND_LEASE_SECONDS": str(plan.lease),
            "SEND_PACE": "0",
            "ATTUNE_CLOCK_URL": f"{self.provider.url}/clock",  # only its being there counts: it makes workers quick
        }
        self.ctx = context.build(Config.read(env))
        self.ctx.store.migrate()
        self.zones = found_practice(self.ctx, plan.clients, plan.late, self.rng)
        self.ctx.store.close()
        power = self._power(folder) if plan.cuts else None
        self.disk = power.disk if power else None
        self.desk = Desk(folder / "desk")
        order = {
            "env": env,
            "provider": self.provider.url,
            "plant": plan.plant,
            "seed": plan.seed,
            "clock": str(folder / "clock"),
            "desk": str(folder / "desk"),
            "freeze": [plan.freeze, plan.frozen_whole, plan.frozen_for, plan.freeze_in],
        }
        self.log = folder / "log"
        self.crew = Crew(plan.workers, plan.frozen_for, order, self.log, power)
        self.side = ThreadPoolExecutor(4)
        self.to_stop = self._draw_stops()

    def _database(self, folder: Path) -> str:
        """Where it is to be."""
        (folder / "disk").mkdir()
        return f"sqlite:///{folder}/disk/attune.db"

    def _power(self, folder: Path) -> Power:
        """From now on what is not synced may be lost."""
        return Power(Disk(folder / "disk", folder / "book"))

    def play(self) -> Outcome:
        self.provider.hooks.kill = self.crew.kill
        self.provider.hooks.step = self._step
        self.crew.start()
        began = time.monotonic()
        try:
            self._day(began + self.plan.at_most)
            if self.plan.evening:
                self._evening()
            self._calm()
        finally:
            self.desk.close()
            self.crew.end()
            self.side.shutdown(wait=True)
            self.provider.stop()
        auditor = Auditor(self.provider.book, self.provider.heard, self.ctx.store, self.zones)
        seconds = time.monotonic() - began
        crew, threads = self.crew, self.clock.frozen_threads()
        return Outcome(auditor.audit(), crew.killed, crew.cuts, crew.freezes, threads, self.provider.met, seconds)

    # --- the day, the evening, the morning after

    def _day(self, until: float) -> None:
        """Noon: most are due. Kill until there were kills enough, or until all is quiet."""
        self.provider.kill_at_listing = 0.02 if self.plan.kills else 0.0
        set_back = False
        while time.monotonic() < until and self._more_to_come() and not self._quiet():
            time.sleep(1 / self.plan.random_kills)
            self._strike()
            if self.crew.killed > self.plan.kills / 2 and not set_back:
                set_back = True
                self._set_clock_back()
        if not self.plan.kills:
            self._wait(self._quiet, self.plan.at_most)

    def _more_to_come(self) -> bool:
        return self.crew.killed < self.plan.kills or self.crew.cuts < self.plan.cuts

    def _strike(self) -> None:
        """kill -9 of somebody, now or at their sync; power cuts are spread evenly among the kills."""
        cuts, plan = self.crew.cuts, self.plan
        if cuts < plan.cuts and self.crew.killed * (plan.cuts + 1) >= plan.kills * (cuts + 1):
            self.crew.cut(self.rng)
        elif self.disk and self.rng.random() < 0.5:
            self.disk.die_at(self.disk.syncs() + self.rng.randrange(1, 8), self.rng.choice((BEFORE, AFTER)))
        elif plan.kills:
            self.side.submit(self.crew.kill, self.rng.randrange(plan.workers))

    def _set_clock_back(self) -> None:
        """Two hours back for three seconds: waits grow longer, and nothing may go out twice."""
        shown = self.clock.time()
        self.clock.set(shown - 7200)
        time.sleep(3)
        self.clock.set(shown + 3)

    def _evening(self) -> None:
        """The hours end while messages are on their way; then night; then the next morning. What matters comes when
        no call can go by the clock as it was any more: a minute before the end, the end, the beginning."""
        soon, stay = JUST_SET + 1, JUST_SET + 4
        for start in (-150, -60 - soon, -soon, 3 * 3600, 13 * 3600 - soon):
            self.clock.set(EDGE.timestamp() + start)
            time.sleep(stay)

    def _calm(self) -> None:
        """No more faults; the clock moves on until every zone's hours have come round and all is at rest."""
        self.provider.fates, self.provider.kill_at_listing = {}, 0.0
        if self.disk:
            self.disk.die_at(0)
        self.clock.calm()
        self.to_stop.clear()
        self.provider.hooks.step = lambda *_: None
        self.side.shutdown(wait=True)
        if self.plan.evening:
            self.clock.set(max(self.clock.time(), EDGE.timestamp() + 16.5 * 3600))
        self._wait(self._quiet, self.plan.patience)
        if self.plan.freeze:
            time.sleep(self.plan.frozen_for)  # whoever is frozen still thaws, and may do harm
            self._wait(self._quiet, self.plan.patience)

    def _quiet(self) -> bool:
        """Nothing is due, claimed or in doubt, and no check-in is still to be asked."""
        return self.desk.waiting(self.clock.time()) == 0

    def _wait(self, done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not done():
            time.sleep(0.2)

    # --- what clients and the provider's callbacks do meanwhile

    def _draw_stops(self) -> dict[str, str]:
        """Who says STOP, and at which step of a send to them."""
        numbers = [number for number in self.zones if self.rng.random() < self.plan.stops]
        return {number: self.rng.choice(("before", "at", "after", "later")) for number in numbers}

    def _step(self, step: str, number: str, taken: Taken | None) -> None:
        wanted = self.to_stop.get(number)
        if wanted == step or (wanted == "later" and step == "after"):
            del self.to_stop[number]
            if wanted == "later":
                self.side.submit(self._say_stop, number, self.rng.random() * 2)
            else:
                self._say_stop(number)
        if step == "at" and taken and self.rng.random() < self.plan.callbacks:
            self.side.submit(self._call_back, taken, self.rng.random() * 3)

    def _say_stop(self, number: str, after: float = 0.0) -> None:
        time.sleep(after)
        if self.desk.text(f"SM{self.rng.getrandbits(128):032x}", number, "stop", self.clock.time()):
            self.provider.heard.append(Heard(number, "stop", time.time()))

    def _call_back(self, taken: Taken, after: float) -> None:
        """Late, twice and out of order, as callbacks come."""
        time.sleep(after)
        for status in self.rng.choice((("queued", "sent", "delivered"), ("delivered", "sent", "delivered"))):
            self.desk.call_back(taken.attempt, taken.sid, status, self.clock.time())
