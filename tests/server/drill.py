"""`python -m tests.server.drill --replies 1000000`: how long it takes from a backup in a fresh folder until Attune is
well again (P17), by its own commands; prints each step's time, and what the backup costs those who reply meanwhile."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import getloadavg
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from threading import Event, Thread

from bot.flows.context import Context
from bot.store import people, practices
from tests.bench_rows import FEELINGS, Someone, answered, clients, opened
from tests.server.site import Door, Site, a_site, text, until
from tests.support.cast import Riverside, riverside

GOAL = 60.0  # seconds, with a million replies
RATE = 50  # replies a second while the backup is made
BEFORE = 4  # seconds of them before it begins
MOST = RATE * 150  # clients with an open check-in


@dataclass
class Drill:
    """Seconds of each step, and what was there before and after."""

    seconds: dict[str, float] = field(default_factory=dict)
    megabytes: float = 0.0
    memory: float = 0.0  # megabytes that `attune backup` took
    worked: float = 0.0  # processor seconds of `attune restore`
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)
    waited: dict[str, float] = field(default_factory=dict)  # 99 % of replies no longer than this, in seconds

    @property
    def back(self) -> float:
        """From an empty folder with the backup beside it until web is well and a worker has begun."""
        return self.seconds["restore"] + self.seconds["web and worker"]


def practise(replies: int, folder: Path, kept: Path | None = None) -> Drill:
    """Fill a practice, back it up while clients reply, lose the machine, restore on another, start, and look. `kept`: a
    folder that stays, where the practice is filled the first time only."""
    drill, backup = Drill(), folder / "backup.db"
    place = kept or folder / "old"
    place.mkdir(exist_ok=True)
    (folder / "new").mkdir()
    with a_site(place) as old:
        practice = _filled(old, replies)
        drill.before = counts(old)
        with _replies(drill, old, practice):
            with _timed(drill, "backup"):
                old.run("backup", str(backup))
            drill.memory = getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024
    drill.megabytes = backup.stat().st_size / 1e6
    for path in [] if kept else list(place.iterdir()):
        path.unlink()
    with a_site(folder / "new") as new:
        with _timed(drill, "restore"):
            before = getrusage(RUSAGE_CHILDREN)
            new.run("restore", str(backup))
            after = getrusage(RUSAGE_CHILDREN)
        drill.worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        with _timed(drill, "web and worker"):
            new.start("web")
            new.start("worker")
            assert until(new.healthy, 300), new.log.read_text()[-2000:]
            assert until(lambda: "worker started" in new.log.read_text(), 300), new.log.read_text()[-2000:]
        drill.after = counts(new)
    return drill


def _filled(site: Site, replies: int) -> Riverside:
    """The practice with so many replies, unless it has them already."""
    ctx = site.context()
    if (practice := _there(ctx)) is None:
        practice = riverside(ctx)
        answered(practice, replies * len(FEELINGS), datetime.now(UTC))
        ctx.store.analyze()
    return practice


def _there(ctx: Context) -> Riverside | None:
    with ctx.store.transaction(write=False) as tx:
        found = practices.every(tx)
        if not found:
            return None
        staff = {each.name: each.id for each in people.with_role(tx, found[0].id, "therapist")}
    return Riverside(ctx, found[0], staff, {})


@contextmanager
def _replies(drill: Drill, site: Site, practice: Riverside) -> Iterator[None]:
    """Clients reply to open check-ins at a steady rate, a while before this block and as long as it runs."""
    whose = clients(practice, MOST)
    opened(practice, whose, datetime.now(UTC))
    practice.ctx.store.close()
    site.serve()
    first = RATE * BEFORE * 2
    for step, those in {"before": whose[:first], "meanwhile": whose[first:]}.items():
        over, took = Event(), list[float]()
        beside = _Sender(site, those, over, took)
        beside.start()
        try:
            if step == "before":
                over.wait(BEFORE)
            else:
                yield
        finally:
            over.set()
            beside.finish()
        drill.waited[step] = sorted(took)[int(0.99 * len(took))]


class _Sender:
    """Texts that are due at fixed times whatever became of those before; the time counts from then."""

    def __init__(self, site: Site, whose: Sequence[Someone], over: Event, took: list[float]) -> None:
        self._site, self._over, self._took = site, over, took
        self._whose = enumerate(whose)  # one for all threads
        self._threads = [Thread(target=self._send) for _ in range(8)]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Wait until the last one was answered."""
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        door = Door(self._site.port)
        for number, who in self._whose:
            due = self._began + number / RATE
            if self._over.wait(max(0.0, due - time.monotonic())):
                break
            assert door.post_text(text(int(who.phone[1:]), who.phone, "5 4 5 4")) == 200
            self._took.append(time.monotonic() - due)
        door.close()


def counts(site: Site) -> tuple[int, int]:
    """How many replies and answers there are, but for those that came in while a backup was made."""
    sql = (
        "select (select count(*) from inbox where {old}) as heard, (select count(*) from answer a where "
        "exists (select 1 from inbox where id = a.inbox_id and {old})) as answers"
    )
    with site.inside().store.transaction(write=False) as tx:
        row = tx.all(sql.format(old="provider_id = 'SM' || id"))[0]
    return row["heard"], row["answers"]


@contextmanager
def _timed(drill: Drill, step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    drill.seconds[step] = time.monotonic() - began


def main(say: Callable[[str], None] = print) -> None:
    """Exit 1 if anything was lost, or it took longer than the goal."""
    asked = argparse.ArgumentParser(prog="python -m tests.server.drill", description=__doc__)
    asked.add_argument("--replies", type=int, default=1_000_000)
    asked.add_argument("--kept", type=Path, help="a folder that stays: what was stored there once is used again")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-drill-") as folder:
        drill = practise(given.replies, Path(folder), given.kept)
    say(f"{drill.before[0]} replies, {drill.before[1]} answers, {drill.megabytes:.0f} MB, load {getloadavg()[0]:.1f}")
    for step, seconds in drill.seconds.items():
        say(f"  {step}: {seconds:.1f} s")
    say(f"the backup took {drill.memory:.0f} MB of memory; the restore {drill.worked:.1f} s of processor time")
    for step, waited in drill.waited.items():
        say(f"99 % of replies at {RATE}/s, {step}: within {waited * 1000:.0f} ms")
    kept = drill.before == drill.after
    reached = "reached" if drill.back <= GOAL else "not reached"
    say(f"from a fresh folder to well: {drill.back:.1f} s (goal {GOAL:.0f}: {reached})")
    say("everything is there" if kept else f"BROKEN: {drill.before} before, {drill.after} after")
    sys.exit(0 if kept and drill.back <= GOAL else 1)


if __name__ == "__main__":
    main()
