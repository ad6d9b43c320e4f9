"""How long every main page takes at thirty therapists, a thousand clients and a year of check-ins.

    python -m tests.bench_pages [--database FILE] [--profile]

Requests go to the application in this process, signed in, without a network. Beside the time on the clock stands the
processor's: on a machine that does something else meanwhile, that one says more. `--database` keeps the year for the
next time; `--profile` prints what takes longest in each page that is over the goal.
"""

import argparse
import cProfile
import io
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.store import clients, people, practices
from tests.support.browsing import Browser
from tests.support.year import Year, a_year, settle

GOAL = 100  # ms
TIMES = 5
NOW = datetime(2026, 9, 18, 14, 0, tzinfo=UTC)  # a Friday, ten in New York
MANAGER = (
    "/setup", "/setup/first", "/schedules", "/schedules/therapists/{therapist}", "/schedules/clients/{client}",
    "/people", "/people?only=active&page=2", "/people?q=ana", "/people/clients/{client}",
    "/people/clients/{client}/edit", "/people/staff", "/people/staff/{therapist}", "/import", "/delivery", "/groups",
    "/insight", "/account",
)  # fmt: skip
THERAPIST = (
    "/caseload", "/clients/{client}", "/clients/{client}?all=yes", "/clients/{client}/print", "/notes", "/notes/{note}",
    "/insight", "/settings",
)  # fmt: skip
SUPERVISOR = ("/waiting",)
RULE = {
    "which": "attended", "every": "1", "first": "0", "when": "delay", "delay_hours": "3", "delay_minutes": "0",
    "opens": "09:00", "closes": "20:00", "days": ["mon", "tue", "wed", "thu", "fri", "sat"], "min_gap_days": "6",
    "reminder_hours": "24", "expiry_hours": "72", "digits": "4", "fourth": ["dependable", "accepted"], "channels": "",
    "link": "no", "paused_until": "", "holidays": "",
}  # fmt: skip


def main() -> None:
    """Print every page's median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="a file that keeps the year")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(chosen.database or f"{folder}/year.db"), chosen.profile)


def measure(file: Path, profile: bool = False) -> None:
    """Time every page, in a year made for it unless the file holds one."""
    fresh = not file.exists()
    ctx = _context(file)
    year = _made(ctx) if fresh else _found(ctx)
    print(f"pages at {len(year.therapists)} therapists, {len(year.clients)} clients, a year (goal {GOAL} ms each):")
    over = 0
    for page, took, cpu, what in _pages(ctx, year, profile):
        over += took > GOAL
        print(f"  {took:7.1f} ms ({cpu:6.1f} of the processor)  {page}{'  OVER' if took > GOAL else ''}", flush=True)
        if what and took > GOAL:
            print(what, flush=True)
    print(f"  over the goal: {over}")


def _context(file: Path) -> Context:
    config = Config(
        database_url=f"sqlite:///{file}", public_url="http://attune.example", secrets=("a-secret-for-the-bench",),
        mail_from="Riverside <notes@riverside.example>",
    )  # fmt: skip
    ctx = context.build(config)
    ctx.store.migrate()
    return ctx


def _made(ctx: Context) -> Year:
    start = time.perf_counter()
    year = a_year(ctx, NOW)
    settle(ctx, year)
    with ctx.store.transaction() as tx:
        sam, _ = people.save(tx, year.practice.id, name="Sam", email="sam@riverside.example", now=NOW)
        people.give_role(tx, year.practice.id, sam, "supervisor")
    print(f"a year was made in {time.perf_counter() - start:.0f} s")
    return year


def _found(ctx: Context) -> Year:
    with ctx.store.transaction(write=False) as tx:
        [practice] = practices.every(tx)
        therapists = [each.id for each in people.with_role(tx, practice.id, "therapist")]
        everyone = list(clients.refs(tx, practice.id).values())
    return Year(practice, therapists, everyone, NOW)


def _pages(ctx: Context, year: Year, profile: bool) -> Iterator[tuple[str, float, float, str]]:
    """Each page with its median in milliseconds and, where wanted, its profile."""
    places = _places(ctx, year)
    for name, paths in (("dana", MANAGER), (places["name"], THERAPIST), ("sam", SUPERVISOR)):
        browser = Browser(ctx, NOW).sign_in(year.practice.id, f"{name}@riverside.example")
        for path in paths:
            yield path, *_timed(partial(_status, browser.client.get, path.format(**places)), profile)
    browser = Browser(ctx, NOW).sign_in(year.practice.id, "dana@riverside.example")
    rule = {**RULE, "csrf_token": browser.token()}
    look = partial(_status, browser.client.post, "/schedules/preview", data=rule)
    yield "what a change of the schedule would do", *_timed(look, profile)


def _status(ask: Callable[..., TestResponse], path: str, **more: Any) -> int:
    return ask(path, **more).status_code


def _places(ctx: Context, year: Year) -> dict[str, str]:
    """A client about whom there is a note, with their therapist."""
    with ctx.store.transaction(write=False) as tx:
        note = tx.one("select id, client_id, therapist_id from alert where kind = 'rapport' order by id limit 1")
        assert note, "somebody declined in a year"
        therapist = people.get(tx, year.practice.id, note["therapist_id"])
    local = therapist.email.partition("@")[0]
    return {"note": note["id"], "client": note["client_id"], "therapist": therapist.id, "name": local}


def _timed(ask: Callable[[], int], profile: bool) -> tuple[float, float, str]:
    if (status := ask()) != 200:
        raise SystemExit(f"a page answered {status}")
    took, cpu = [], []
    for _ in range(TIMES):
        start, busy = time.perf_counter(), time.thread_time()
        ask()
        took.append((time.perf_counter() - start) * 1000)
        cpu.append((time.thread_time() - busy) * 1000)
    return statistics.median(took), statistics.median(cpu), _profile(ask) if profile else ""


def _profile(ask: Callable[[], int]) -> str:
    watched, out = cProfile.Profile(), io.StringIO()
    watched.runcall(ask)
    pstats.Stats(watched, stream=out).sort_stats("cumulative").print_stats(28)
    return "\n".join(line for line in out.getvalue().splitlines()[7:] if "site-packages" not in line)


if __name__ == "__main__":
    main()
