"""`python -m tests.server.restarts --times 100`: SIGTERM to web and worker at random moments while texts come in and
check-ins go out; prints the seed, the figures, and what broke.

The judge reads the book of the provider double, the book of what the clients were answered, and the database.
"""

import argparse
import http.client
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from bot.flows.context import Context
from bot.flows.planning import replan
from bot.store import appointments, clients, people, practices
from bot.store.clients import Entry
from tests.faults.provider import Provider
from tests.server.site import Door, Site, a_site, text, until
from tests.support.cast import ALWAYS_OPEN

SENDERS = 4  # threads that post texts
TAKES = 0.1  # seconds the provider takes to answer, on average
STAYS = 1.0  # seconds a process runs before it is told to stop, on average
ENOUGH = 20  # texts that must be taken for a run to mean anything
REST = 300.0  # seconds in which all must come to its end, on a slow machine
EARLY = 0.25  # the share that is told so at a random moment of its start


@dataclass
class Told:
    """What the clients were answered, and how long the processes took to end."""

    taken: list[str] = field(default_factory=list)  # ids of texts answered 200, as often as they were
    unanswered: int = 0  # tries that met a closed door, or were cut off
    refused: Counter[int] = field(default_factory=Counter)  # other answers than 200
    slowest: Counter[str] = field(default_factory=Counter)  # milliseconds from SIGTERM to the end, by process
    ends: Counter[tuple[str, int]] = field(default_factory=Counter)  # by process and exit code
    restarts: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of it. `violations` is empty if nothing was lost and nothing went out twice."""

    told: Told
    sent: int
    heard: int
    doubtful: int
    violations: list[str]


def play(times: int, seed: int, folder: Path) -> Outcome:
    """Restart web and worker so often, half and half, under load, and judge."""
    provider = Provider(random.Random(f"{seed}-provider"), lambda: [time.time()], {})
    pauses = random.Random(f"{seed}-pauses")
    provider.hooks.step = lambda step, *_: time.sleep(pauses.expovariate(1 / TAKES)) if step == "at" else None
    changes = {
        "TWILIO_API_URL": f"{provider.url}/w0", "SEND_PACE": "0", "SEND_SETTLE_SECONDS": "2", "SEND_LEASE_SECONDS": "2",
    }  # fmt: skip
    try:
        with a_site(folder, **changes) as site:
            return _Run(site, provider, times, seed).play()
    finally:
        provider.stop()


class _Run:
    def __init__(self, site: Site, provider: Provider, times: int, seed: int) -> None:
        self.site, self.provider, self.times = site, provider, times
        self.rng, self.told, self._lock, self._over = random.Random(seed), Told(), Lock(), Event()
        self.ctx = site.context()
        self.numbers = _people(self.ctx, 40 + 4 * times)

    def play(self) -> Outcome:
        beside = [Thread(target=self._text, args=(n,), daemon=True) for n in range(SENDERS)]
        keepers = [
            Thread(target=self._keep, args=(name, random.Random(self.rng.random())), daemon=True)
            for name in ("web", "worker")
        ]
        for thread in [*keepers, *beside]:
            thread.start()
        for thread in keepers:
            thread.join()
        until(lambda: len(self.told.taken) > ENOUGH, REST)  # by the last web, where the others lived but a moment
        self._over.set()
        for thread in beside:
            thread.join()
        at_rest = until(self._quiet, REST)
        return self._judge([] if at_rest else [f"after {REST:.0f} s something still waits"])

    def _keep(self, name: str, rng: random.Random) -> None:
        """Start one process again and again; SIGTERM ends it, mostly in the middle of its work."""
        for _ in range(self.times // 2):
            process = self.site.start(name)
            if rng.random() > EARLY:
                self._wait_for(name, process.pid)
                time.sleep(rng.expovariate(1 / STAYS))
            else:
                time.sleep(rng.random())
            self._end(name, process)
        last = self.site.start(name)  # for what is left
        assert name == "worker" or until(self.site.healthy), last.poll()

    def _end(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(120)
        took = int((time.monotonic() - began) * 1000)
        with self._lock:
            self.told.restarts += 1
            self.told.slowest[name] = max(self.told.slowest[name], took)
            self.told.ends[name, code] += 1

    def _text(self, sender: int) -> None:
        """Send one text after the other, each until it is answered 200, as a provider that tries again."""
        rng, number = random.Random(self.rng.random() + sender), 0
        while not self._over.is_set():
            number += 1
            form = text(
                sender * 10**6 + number, rng.choice(self.numbers), rng.choice(("5 4 5", "4", "hello", "3 3 2 1"))
            )
            while not self._posted(form):
                time.sleep(0.1)

    def _posted(self, form: dict[str, str]) -> bool:
        try:
            status = Door(self.site.port).post_text(form)
        except (OSError, http.client.HTTPException):
            with self._lock:
                self.told.unanswered += 1
            return False
        with self._lock:
            if status == 200:
                self.told.taken.append(form["MessageSid"])
            else:
                self.told.refused[status] += 1
        return status == 200

    def _wait_for(self, name: str, pid: int) -> None:
        """Until web answers, or the worker has made its first pass."""
        until(self.site.healthy if name == "web" else lambda: self._beats(pid))

    def _beats(self, pid: int) -> bool:
        return any(f"-{pid}-" in str(row["id"]) for row in self._rows("select id from worker"))

    def _quiet(self) -> bool:
        waiting = "select id from outbox where state in ('due', 'claimed', 'in_doubt')"
        due = "select id from check_in where state = 'planned'"
        return not self._rows(waiting) and not self._rows(due)

    def _rows(self, sql: str) -> list[dict[str, object]]:
        with self.ctx.store.transaction(write=False) as tx:
            return tx.all(sql)

    def _judge(self, wrong: list[str]) -> Outcome:
        heard = Counter(str(row["provider_id"]) for row in self._rows("select provider_id from inbox"))
        rows = {row["id"]: row for row in self._rows("select id, kind, state, looks, provider_id from outbox")}
        owner = {row["id"]: row["outbox_id"] for row in self._rows("select id, outbox_id from attempt")}
        booked = Counter(owner.get(taken.attempt) for taken in self.provider.book)
        wrong += [f"{sid} was answered 200 and isn't there" for sid in set(self.told.taken) - set(heard)]
        wrong += [f"{sid} is there {n} times" for sid, n in heard.items() if n > 1]
        wrong += [f"row {row} was taken by the provider {n} times" for row, n in booked.items() if n > 1]
        wrong += [f"row {row} is {found['state']}, taken: {booked[row]}" for row, found in rows.items()
                  if (found["state"] == "sent") != (booked[row] == 1)]  # fmt: skip
        words = Counter((taken.to, taken.body) for taken in self.provider.book if owner.get(taken.attempt) in rows
                        and rows[owner[taken.attempt]]["kind"] in ("welcome", "check_in"))  # fmt: skip
        wrong += [f"{to} got the same check-in {n} times" for (to, _), n in words.items() if n > 1]
        wrong += [f"{status} was answered {n} times" for status, n in self.told.refused.items()]
        wrong += [f"{name} ended with {code}, {n} times" for (name, code), n in self.told.ends.items()
                  if code not in (0, -signal.SIGTERM)]  # fmt: skip
        doubtful = sum(int(str(row["looks"])) > 0 for row in rows.values())
        return Outcome(self.told, len(self.provider.book), len(heard), doubtful, wrong)


def _people(ctx: Context, how_many: int) -> list[str]:
    """Clients who are to be asked from now on, three a second; their numbers."""
    now = datetime.now(UTC)
    ago = now - timedelta(days=60)
    with ctx.store.transaction() as tx:
        practice = replace(practices.add(tx, "Riverside Counseling", ago), sms_name="Riverside", schedule=ALWAYS_OPEN)
        practices.save(tx, practice)
        theo, _ = people.save(tx, practice.id, name="Theo", email="theo@riverside.example", now=ago)
        people.give_role(tx, practice.id, theo, "therapist")
        ids, numbers = [], []
        for n in range(how_many):
            numbers.append(f"+1202556{n:04d}")
            entry = Entry(f"C{n}", "Ana", numbers[-1], "", "en", "America/New_York", "sms", ago, theo)
            ids.append(clients.save(tx, practice.id, entry, ago)[0])
            ends_at = now - timedelta(hours=2) + timedelta(seconds=n / 3)
            appointments.save(
                tx, practice.id, appointment_ref=f"A{n}", client_id=ids[-1], therapist_id=theo,
                starts_at=ends_at - timedelta(minutes=50), ends_at=ends_at, status="attended",
            )  # fmt: skip
    replan(ctx, practice.id, ids, now - timedelta(hours=3))
    return numbers


def lines(outcome: Outcome) -> Iterator[str]:
    """What to print of it."""
    told = outcome.told
    yield f"{told.restarts} restarts; {len(set(told.taken))} texts answered 200, {outcome.heard} on disk"
    yield f"{told.unanswered} tries met a closed door and were made again"
    yield f"{outcome.sent} texts taken by the provider; {outcome.doubtful} were ever in doubt"
    yield "slowest to end: " + ", ".join(f"{name} {ms / 1000:.1f} s" for name, ms in sorted(told.slowest.items()))
    yield "exit codes: " + ", ".join(f"{name} {code} x{n}" for (name, code), n in sorted(told.ends.items()))
    yield from (f"BROKEN {violation}" for violation in outcome.violations[:20])
    yield "nothing was lost, nothing twice" if not outcome.violations else f"BROKEN {len(outcome.violations)} times"


def main() -> None:
    """Exit 1 if anything was lost or went out twice."""
    asked = argparse.ArgumentParser(prog="python -m tests.server.restarts", description=__doc__)
    asked.add_argument("--times", type=int, default=100)
    asked.add_argument("--seed", type=int, default=None, help="play a run again")
    given = asked.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}: {given.times} restarts", flush=True)
    with tempfile.TemporaryDirectory(prefix="attune-restarts-") as folder:
        outcome = play(given.times, seed, Path(folder))
    print(*lines(outcome), sep="\n")
    sys.exit(1 if outcome.violations else 0)


if __name__ == "__main__":
    main()
