"""People and appointments in: every row checked by itself, the good ones taken, the bad ones named by line and
column. The same rows twice change nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice

from bot.flows.context import Context
from bot.flows.planning import replan
from bot.flows.row_checks import COLUMNS, Checked, Checks, Colleague, Held, Problem
from bot.flows.tables import TableRow, rows
from bot.store import Tx, appointments, clients, people
from bot.store.clients import Entry
from bot.store.practices import Practice

__all__ = ["COLUMNS", "Problem", "Taken", "table_rows", "take_file", "take_rows"]

AT_ONCE = 200  # rows in one transaction, so that replies don't wait for a long file


@dataclass
class Taken:
    """What became of the rows. `problems`: rows refused; `notes`: rows taken that may hold a slip of the hand."""

    new: int = 0
    changed: int = 0
    same: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    seen: dict[str, TableRow] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many rows had something wrong with them."""
        return len({problem.line for problem in self.problems})


def take_file(ctx: Context, practice: Practice, kind: str, raw: bytes, now: datetime) -> Taken:
    """Import a CSV file of `kind` (therapists, roster, appointments), and plan at once.

    Raises BadTable when the header can't be used; a file that is cut half-way gives its good rows and a problem.
    """
    return take_rows(ctx, practice, kind, rows(raw, COLUMNS[kind]), now)


def take_rows(ctx: Context, practice: Practice, kind: str, found: Iterable[TableRow], now: datetime) -> Taken:
    """Import rows of `kind`. What is stored is planned with it, so that nothing stays unplanned if we are ended."""
    taken = Taken()
    waiting = iter(by_client(list(found)))
    while some := list(islice(waiting, AT_ONCE)):
        with ctx.store.transaction() as tx:
            checks = Checks(tx, practice, kind, taken.seen, now)
            touched = {_take(tx, practice, checked, taken, now) for checked in checks.all(some)}
            replan(ctx, practice.id, sorted(touched - {""}), now)
    taken.problems.sort(key=lambda problem: problem.line)
    return taken


def table_rows(objects: list[object], kind: str) -> Iterator[TableRow]:
    """Rows from JSON objects with the CSV's keys; "line" is the object's place in the list, from one."""
    for place, item in enumerate(objects, start=1):
        given: Mapping[str, object] = item if isinstance(item, dict) else {}
        found = {name: _as_text(given.get(name)) for name in COLUMNS[kind]}
        odd = [name for name, text in found.items() if text is None]
        fault = "" if isinstance(item, dict) else "is not an object"
        if odd:
            fault = f"has something other than text under {', '.join(odd)}"
        yield TableRow(place, {name: text or "" for name, text in found.items()}, fault)


def by_client(found: list[TableRow]) -> list[TableRow]:
    """A client's rows together, clients as they first come, so that each is planned once and not week by week."""
    places: dict[str, int] = {}
    for row in found:
        places.setdefault(row.cells.get("client_ref", ""), len(places))
    return sorted(found, key=lambda row: places[row.cells.get("client_ref", "")])


def _as_text(value: object) -> str | None:
    """Text as it is, a number as written, nothing as empty; None for what has no place in a cell."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else "" if value is None else None


def _take(tx: Tx, practice: Practice, checked: Checked, taken: Taken, now: datetime) -> str:
    """Store what a row holds, and count it; the id of the client to plan, or nothing."""
    taken.problems += checked.problems
    taken.notes += checked.notes
    if checked.repeats:
        taken.same += 1
    if checked.held is None:
        return ""
    client_id, outcome = _save(tx, practice, checked.held, now)
    setattr(taken, outcome, getattr(taken, outcome) + 1)
    return client_id


def _save(tx: Tx, practice: Practice, held: Held, now: datetime) -> tuple[str, str]:
    """Whom to plan, and "new", "changed" or "same"."""
    if isinstance(held, Colleague):
        person_id, outcome = people.save(tx, practice.id, name=held.name, email=held.email, now=now)
        given = people.give_role(tx, practice.id, person_id, "therapist")
        return "", "changed" if given and outcome == "same" else outcome
    if isinstance(held, Entry):
        return clients.save(tx, practice.id, held, now)
    return held.client_id, appointments.save(tx, practice.id, **asdict(held))
