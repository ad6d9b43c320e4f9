"""`python -m tests.hosts.run`: two web and two worker hosts with a PostgreSQL server, and a network that is cut.

Each host is a network namespace with processes of its own (`attune web`, `attune worker`); the provider stands outside
and keeps its own book. One after the other, hosts are cut off while they send and receive: both ways, and one way
only, so that what was committed is never heard of. Then the server is killed again and again. Prints the seed, the
figures, and what broke.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import requests

from bot import log
from bot.config import Config
from bot.flows import context
from bot.flows.planning import replan
from bot.store import Tx, appointments, clients, people, practices
from bot.store.clients import Entry
from tests.faults.auditor import Auditor
from tests.faults.provider import Provider
from tests.hosts.clients import GIVES_UP, SCORES, Clients
from tests.hosts.proxy import Relay
from tests.hosts.server import Server
from tests.hosts.world import HERE, World, way_in
from tests.support.cast import ALWAYS_OPEN

PUBLIC_URL, TOKEN = "http://attune.example", "a-token-for-tests"
FATES = {"lose": 0.04, "taken_503": 0.03, "429": 0.02, "reset": 0.02}
WEBS, WORKERS = ("web1", "web2"), ("work1", "work2")
ZONE = "America/New_York"
TALKERS = "+12028880"  # whoever writes without having been asked


def main() -> None:
    """Exit 1 if a promise was broken, 3 where no world can be made here."""
    asked = argparse.ArgumentParser(prog="python -m tests.hosts.run", description=__doc__)
    asked.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked.add_argument("--rounds", type=int, default=10, help="how often all cuts are made")
    asked.add_argument("--kills", type=int, default=30, help="how often the server is killed after that")
    asked.add_argument("--seconds", type=float, default=12.0, help="how long each lasts")
    asked.add_argument("--pause", type=float, default=6.0, help="how long all is well in between")
    asked.add_argument("--patience", type=float, default=GIVES_UP, help="how long a webhook may take at most")
    asked.add_argument("--clients", type=int, default=0, help="how many are asked; 4 for each second, unless given")
    asked.add_argument("--inside", default="", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.inside:
        sys.exit(_Run(given, Path(given.inside)).play())
    if not way_in():
        print("This machine allows no network namespaces: run it as root, or allow users to make them.")
        sys.exit(3)
    with tempfile.TemporaryDirectory(prefix="attune-hosts-") as folder:
        told = [f"--{name}={value}" for name, value in vars(given).items() if name != "inside"]
        command = [*way_in(), sys.executable, "-m", "tests.hosts.run", *told, f"--inside={folder}"]
        sys.exit(subprocess.run(command, check=False).returncode)


class _Run:
    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given, self.folder, self.rng = given, folder, random.Random(given.seed)
        self.cuts = self._cuts()
        self.lasts = given.rounds * len(self.cuts) * (given.seconds + given.pause) + 2 * given.kills
        self.world = World()
        for name in ("db", *WEBS, *WORKERS):
            self.world.add(name)
        db = self.world.hosts["db"]
        self.server = Server(folder / "pg", 5432, db.inside, db.address)
        self.server.start()
        self.provider = Provider(random.Random(f"{given.seed}-provider"), lambda: [time.time()], FATES, lag=1.0)
        self.relay = Relay(("127.0.0.1", int(self.provider.url.rpartition(":")[2])), HERE)
        self.env = self._settings()
        self.ctx = context.build(Config.read(self.env))
        self.ctx.store.migrate()
        self.zones: dict[str, str] = {}
        addresses = [(name, f"http://{self.world.hosts[name].address}:8000") for name in WEBS]
        self.clients = Clients(self.provider, addresses, PUBLIC_URL, TOKEN, random.Random(f"{given.seed}-clients"))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.over = Event()

    def play(self) -> int:
        given = self.given
        try:
            self._start()
            self._found()
            for _ in range(given.rounds):
                for ways in self.cuts:
                    with self.world.lost(*ways):
                        time.sleep(given.seconds)
                    time.sleep(given.pause)
            for _ in range(given.kills):
                time.sleep(self.rng.uniform(0.2, 2.0))
                self.server.kill()
                self.server.start()
            self.provider.fates = {}
            self.clients.hush()
            self._settle()
        finally:
            self.over.set()
            for process in self.processes.values():
                process.kill()
        self.clients.close()
        found = self._audit()
        print(json.dumps(found), flush=True)
        return 1 if found["broken"] else 0

    def _cuts(self) -> list[list[tuple[str, str]]]:
        """Which ways are lost together: a worker and a web host each time, so that one of each goes on."""
        whole = [(one, other) for pair in (("work1", "db"), ("work1", ""), ("web1", "db"))
                 for one, other in (pair, pair[::-1])]  # fmt: skip
        answers = [("db", "work2"), ("db", "web2")]  # what was asked of the server is done; nobody hears of it
        questions = [("work1", "db"), ("web1", "db")]
        return [whole, answers, questions]

    def _settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.server.url(self.server.fresh()),
            "PUBLIC_URL": PUBLIC_URL,
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": "+15005550006",
            "TWILIO_API_URL": f"http://{HERE}:{self.relay.port}/w0",
            "SEND_SETTLE_SECONDS": "4",
            "SEND_LEASE_SECONDS": "2",
            "SEND_PACE": "0",
            "PORT": "8000",
        }

    def _found(self) -> None:
        """The practice, its clients, and what they talk about."""
        how_many = self.given.clients or int(4 * self.lasts)
        with self.ctx.store.transaction() as tx:
            practice_id, self.zones = found_practice(tx, how_many, self.lasts)
            ids = clients.ids(tx, practice_id)
        replan(self.ctx, practice_id, ids, datetime.now(UTC) - timedelta(hours=3))
        self.clients.chat([phone for phone in self.zones if phone >= TALKERS])
        print(f"seed {self.given.seed}: {how_many} clients asked, {self.given.rounds} rounds of "
              f"{len(self.cuts)} cuts of {self.given.seconds:g} s, {self.given.kills} kills", flush=True)  # fmt: skip

    def _start(self) -> None:
        for name in (*WEBS, *WORKERS):
            (self.folder / name).mkdir()
            self.processes[name] = self._begin(name)
        Thread(target=self._look_after, daemon=True).start()
        self._wait(lambda: all(self._answers(name) for name in WEBS), 300)

    def _begin(self, name: str) -> "subprocess.Popen[bytes]":
        # in a folder of its own: what is kept outside the database each host keeps for itself
        kind, place = ("web" if name in WEBS else "worker"), self.folder / name
        with (place / "log").open("ab") as told:
            command = [*self.world.hosts[name].inside, sys.executable, "-m", "bot", kind]
            env = os.environ | self.env | {"PYTHONPATH": os.getcwd()}
            return subprocess.Popen(command, env=env, cwd=place, stdout=told, stderr=told)

    def _look_after(self) -> None:
        """What ended is started again, as by systemd: a worker that finds no server as it starts says so and ends."""
        while not self.over.wait(0.5):
            for name, process in self.processes.items():
                if process.poll() is not None:
                    self.processes[name] = self._begin(name)

    def _answers(self, name: str) -> bool:
        try:
            answer = requests.get(f"http://{self.world.hosts[name].address}:8000/healthz", timeout=2)
        except requests.RequestException:
            return False
        return bool(answer.ok and answer.json()["worker_seen_seconds_ago"] is not None)

    def _wait(self, done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not done():
            time.sleep(0.2)

    def _settle(self) -> None:
        """Wait until nothing is left to be done, as long as there is any progress in it."""
        left, since = self._left(), time.monotonic()
        while left and time.monotonic() < since + 90:
            time.sleep(0.5)
            if (now := self._left()) != left:
                left, since = now, time.monotonic()

    def _left(self) -> int:
        with self.ctx.store.transaction(write=False) as tx:
            row = tx.one("select (select count(*) from outbox where state in ('due', 'claimed', 'in_doubt')) + "
                         "(select count(*) from check_in where state = 'planned') as n")  # fmt: skip
        return int((row or {})["n"]) + self.clients.under_way

    def _audit(self) -> dict[str, object]:
        """From the provider's book, the clients' own, and the database."""
        judge = Auditor(self.provider.book, self.provider.heard, self.ctx.store, self.zones)
        judge._in_hours = lambda _figures: []  # type: ignore[method-assign]  # always open
        findings = judge.audit()
        with self.ctx.store.transaction(write=False) as tx:
            broken = [*findings.violations, *self._replies(tx)]
            taken_over = tx.one("select count(*) as n from outbox where looks > 0") or {}
        broken += [f"P5 {len(self.clients.gave_up)} texts that nobody took"] if self.clients.gave_up else []
        tries = self.clients.tries
        slow = [each for each in tries if each.seconds > self.given.patience]
        broken += [f"a webhook to {each.host} took {each.seconds:.0f} s ({each.status})" for each in slow]
        return {
            "seed": self.given.seed, "broken": broken[:20], "figures": findings.figures,
            "replies answered 200": len(self.clients.accepted), "looked up": taken_over.get("n"),
            "webhooks": dict(sorted(Counter(f"{each.host} {each.status}" for each in tries).items())),
            "slowest webhook": round(max((each.seconds for each in tries), default=0), 1),
            "slowest refused": round(max((t.seconds for t in tries if t.status != 200), default=0), 1),
            "cuts": self.given.rounds * len(self.cuts), "kills": self.given.kills,
        }  # fmt: skip

    def _replies(self, tx: Tx) -> list[str]:
        """P5 and P7: what was answered 200 is there, once, and counted once."""
        kept = Counter(row["provider_id"] for row in tx.all("select provider_id from inbox"))
        wrong = [f"P5 {sid} was answered 200, and is there {kept[sid]} times"
                 for sid in self.clients.accepted if kept[sid] != 1]  # fmt: skip
        wrong += [f"P7 {sid} came from nowhere" for sid in kept.keys() - self.clients.accepted.keys()]
        twice = "select check_in_id from answer group by check_in_id, feeling having count(*) > 1"
        wrong += [f"P7 an answer of check-in {row['check_in_id']} counts twice" for row in tx.all(twice)]
        said = sum(words == SCORES for _, words in self.clients.accepted.values())
        row = tx.one("select count(distinct check_in_id) as n from answer") or {}
        return wrong + ([f"P7 {said} clients answered, {row['n']} are counted"] if said != row["n"] else [])


def found_practice(tx: Tx, how_many: int, seconds: float) -> tuple[str, dict[str, str]]:
    """A practice that is always open, whose clients fall due one after the other from now on; its id, and each
    number's zone."""
    now = datetime.now(UTC)
    long_ago = now - timedelta(days=60)
    made = practices.add(tx, "Riverside Counseling", long_ago)
    practice = replace(made, sms_name="Riverside", schedule={**ALWAYS_OPEN, "delay_minutes": "120"})
    practices.save(tx, practice)
    theo, _ = people.save(tx, practice.id, name="Theo", email="theo@riverside.example", now=long_ago)
    people.give_role(tx, practice.id, theo, "therapist")
    zones = {}
    for number in range(how_many + 20):
        phone = f"+1202{5550000 + number:07d}" if number < how_many else f"{TALKERS}{number - how_many:02d}"
        entry = Entry(f"C{number}", "Ana", phone, "", "en", ZONE, "sms", long_ago, theo)
        client_id, _ = clients.save(tx, practice.id, entry, long_ago)
        zones[phone] = ZONE
        if number >= how_many:
            continue
        ended = now + timedelta(seconds=2 + seconds * number / how_many) - timedelta(hours=2)
        appointments.save(
            tx, practice.id, appointment_ref=f"A{number}", client_id=client_id, therapist_id=theo,
            starts_at=ended - timedelta(minutes=50), ends_at=ended, status="attended",
        )  # fmt: skip
    return practice.id, zones


if __name__ == "__main__":
    log.set_up("faults")
    main()
