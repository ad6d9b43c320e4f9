"""Rapport over time, for groups large enough that nobody can be told apart (`surveys.groups`).

Only months that are over are shown, and each is counted once: figures that moved with every reply would tell what
the last one said, and a group that could be cut anew would tell who was moved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.managing import practice_of
from bot.store import Tx, groups, practices
from bot.store.groups import Cell
from bot.store.practices import Practice
from surveys import groups as rule
from surveys.groups import EVERYONE, Hidden
from surveys.window import clock_shows

EVERY = timedelta(hours=12)  # how often a worker looks for months that are over
MONTHS = 12
SETTLED = timedelta(days=7)  # answers may be put right, and check-ins stay open, for some days
NOTHING = "nobody answered"
KNOWN = (EVERYONE, "language=en", "language=es", "language=fr", "channel=sms", "channel=mail")


@dataclass(frozen=True)
class Groups:
    """One group over the last months. `cells` by question and month; `groups`: those that were shown in some month.
    `next_at`: the day on which the next month can be seen."""

    group: str
    months: list[str]
    feelings: list[str]
    cells: Mapping[tuple[str, str], Cell]
    groups: set[str]
    next_month: str
    next_at: date

    @property
    def counted(self) -> list[str]:
        """The months in which something was answered."""
        return [month for month in self.months if any(month == each for _, each in self.cells)]

    def why_all(self, month: str) -> str:
        """Why nothing of a month is shown, where it is the same for every question asked in it; else empty."""
        found = [cell for (_, each), cell in self.cells.items() if each == month]
        reasons = {cell.why for cell in found}
        return reasons.pop() if len(reasons) == 1 and not any(cell.shown for cell in found) else ""


def show(ctx: Context, me: Me, group: str, now: datetime) -> Groups:
    """One group's months. Raises NotHere for a group that doesn't exist."""
    practice = practice_of(me)
    if group not in KNOWN:
        raise NotHere
    close(ctx, practice, now)
    running = _running(practice, now)
    shown = [_back(running, n) for n in range(MONTHS, 0, -1)]
    with ctx.store.transaction(write=False) as tx:
        cells = groups.cells(tx, practice.id, _name(shown[0]))
    mine = {(each.feeling, each.month): each for each in cells if each.group == group and each.feeling}
    return Groups(
        group=group,
        months=[_name(month) for month in shown],
        feelings=[feeling for feeling in ctx.instruments.questions if any(key[0] == feeling for key in mine)],
        cells=mine,
        groups={each.group for each in cells if each.shown},
        next_month=_name(running),
        next_at=_back(running, -1) + SETTLED,
    )


def close_months(ctx: Context, now: datetime) -> int:
    """Count every month that has closed, for all practices; how many."""
    with ctx.store.transaction(write=False) as tx:
        everyone = practices.every(tx)
    return sum(close(ctx, practice, now) for practice in everyone)


def close(ctx: Context, practice: Practice, now: datetime) -> int:
    """Count a practice's months that have closed and aren't counted yet; how many."""
    with ctx.store.transaction(write=False) as tx:
        missing = list(_missing(tx, practice, now))
        counted = {month: _count(tx, practice, month) for month in missing}
    for month, by_feeling in counted.items():
        with ctx.store.transaction() as tx:
            if not groups.begin(tx, practice.id, _name(month), NOTHING):
                continue
            for feeling, cells in by_feeling.items():
                groups.keep(tx, practice.id, _name(month), feeling, cells)
    return len(missing)


def _count(tx: Tx, practice: Practice, month: date) -> dict[str, dict[str, rule.Shown | Hidden]]:
    since, until = (clock_shows(day, 0, practice.timezone) for day in (month, _back(month, -1)))
    return {feeling: rule.choose(given) for feeling, given in groups.answers(tx, practice.id, since, until).items()}


def _missing(tx: Tx, practice: Practice, now: datetime) -> Iterator[date]:
    """The closed months since the first answer, at most as many as are shown, that aren't counted yet."""
    running, known = _running(practice, now), groups.months(tx, practice.id)
    if all(_name(_back(running, n)) in known for n in range(1, MONTHS + 1)):
        return
    first = groups.first_answer(tx, practice.id)
    for n in range(MONTHS, 0, -1) if first else ():
        month = _back(running, n)
        if _name(month) not in known and first and clock_shows(_back(month, -1), 0, practice.timezone) > first:
            yield month


def _running(practice: Practice, now: datetime) -> date:
    """The first day of the earliest month that hasn't closed yet."""
    return (now - SETTLED).astimezone(ZoneInfo(practice.timezone)).date().replace(day=1)


def _back(month: date, count: int) -> date:
    """So many months before (below zero: after)."""
    place = month.year * 12 + month.month - 1 - count
    return date(place // 12, place % 12 + 1, 1)


def _name(month: date) -> str:
    return f"{month:%Y-%m}"
