"""`python -m tests.server.drill --replies 1000000`: how long it takes from a backup in a fresh folder until Attune is
well again (P17), by its own commands; prints each step's time."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from tests.bench_rows import FEELINGS, answered
from tests.server.site import Site, a_site, until
from tests.support.cast import riverside

GOAL = 60.0  # seconds, with a million replies


@dataclass
class Drill:
    """Seconds of each step, and what was there before and after."""

    seconds: dict[str, float] = field(default_factory=dict)
    megabytes: float = 0.0
    worked: float = 0.0  # processor seconds of `attune restore`
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)

    @property
    def back(self) -> float:
        """From an empty folder with the backup beside it until web is well and a worker has begun."""
        return self.seconds["restore"] + self.seconds["web and worker"]


def practise(replies: int, folder: Path) -> Drill:
    """Fill a practice, back it up, lose the machine, restore on another, start, and look."""
    drill, backup = Drill(), folder / "backup.db"
    (folder / "old").mkdir()
    (folder / "new").mkdir()
    with a_site(folder / "old") as old:
        ctx = old.context()
        answered(riverside(ctx), replies * len(FEELINGS), datetime.now(UTC))
        ctx.store.analyze()
        drill.before = counts(old)
        with _timed(drill, "backup"):
            old.run("backup", str(backup))
    drill.megabytes = backup.stat().st_size / 1e6
    for path in (folder / "old").iterdir():
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


def counts(site: Site) -> tuple[int, int]:
    """How many replies and answers there are."""
    with site.inside().store.transaction(write=False) as tx:
        row = tx.all("select (select count(*) from inbox) as heard, (select count(*) from answer) as answers")[0]
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
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-drill-") as folder:
        drill = practise(given.replies, Path(folder))
    say(f"{given.replies} replies, {drill.before[1]} answers, {drill.megabytes:.0f} MB")
    for step, seconds in drill.seconds.items():
        say(f"  {step}: {seconds:.1f} s")
    kept = drill.before == drill.after
    reached = "reached" if drill.back <= GOAL else "not reached"
    say(f"from a fresh folder to well: {drill.back:.1f} s (goal {GOAL:.0f}: {reached})")
    say("everything is there" if kept else f"BROKEN: {drill.before} before, {drill.after} after")
    sys.exit(0 if kept and drill.back <= GOAL else 1)


if __name__ == "__main__":
    main()
