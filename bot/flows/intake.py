"""People and appointments in: every row checked by itself, the good ones taken, the bad ones named by line and
column. The same rows twice change nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from bot.flows import cells
from bot.flows.cells import BadCell
from bot.flows.context import Context
from bot.flows.planning import replan
from bot.flows.tables import BadTable, TableRow, rows
from bot.store import Tx, appointments, clients, people
from bot.store.clients import Entry
from bot.store.practices import Practice

T = TypeVar("T")
AT_ONCE = 500  # rows in one transaction, so that replies don't wait for a long file
COLUMNS = {
    "therapists": ("name", "email"),
    "roster": (
        *("client_ref", "name", "phone", "email", "language", "timezone", "channel", "consent_at"),
        "therapist_email",
    ),
    "appointments": ("appointment_ref", "client_ref", "therapist_email", "starts_at", "ends_at", "status"),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row: where, and what to do."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.text}"


@dataclass
class Taken:
    """What became of the rows."""

    new: int = 0
    changed: int = 0
    same: int = 0
    problems: list[Problem] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)


def take_file(ctx: Context, practice: Practice, kind: str, raw: bytes, now: datetime) -> Taken:
    """Import a CSV file of `kind` (therapists, roster, appointments), and plan at once.

    Raises BadTable when the header can't be used; a file that is cut half-way gives its good rows and a problem.
    """
    return take_rows(ctx, practice, kind, rows(raw, COLUMNS[kind]), now)


def take_rows(ctx: Context, practice: Practice, kind: str, found: Iterable[TableRow], now: datetime) -> Taken:
    """Import rows of `kind`, and plan at once."""
    taken = Taken()
    waiting = _readable(found, taken)
    while some := list(islice(waiting, AT_ONCE)):
        with ctx.store.transaction() as tx:
            keeper = _Keeper(tx, practice, now)
            for row in some:
                _take(row, keeper.keepers[kind], taken)
    replan(ctx, practice.id, sorted(taken.touched), now)
    return taken


def table_rows(objects: list[object], kind: str) -> Iterable[TableRow]:
    """Rows from JSON objects with the CSV's keys; "line" is the object's place in the list, from one."""
    for place, item in enumerate(objects, start=1):
        given: Mapping[str, object] = item if isinstance(item, dict) else {}
        yield TableRow(place, {name: _as_text(given.get(name)) for name in COLUMNS[kind]})


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _readable(found: Iterable[TableRow], taken: Taken) -> Iterable[TableRow]:
    """The rows up to where the file can't be read any further."""
    source = iter(found)
    first = True
    while True:
        try:
            row = next(source, None)
        except BadTable as error:
            if first:
                raise
            taken.problems.append(Problem(_line_of(error), "-", str(error)))
            return
        if row is None:
            return
        first = False
        yield row


def _line_of(error: BadTable) -> int:
    words = str(error).removeprefix("Line ").split(":")
    return int(words[0]) if words[0].isdigit() else 0


def _take(row: TableRow, keep: "Keep", taken: Taken) -> None:
    row_problems: list[Problem] = []
    if row.surplus:
        row_problems.append(Problem(row.line, "-", f"has {row.surplus} cells more than the header; check its quotes"))
    checked = _Row(row, row_problems)
    result = keep(checked)
    if row_problems or result is None:
        taken.problems += row_problems
        return
    outcome, client_id = result
    setattr(taken, outcome, getattr(taken, outcome) + 1)
    if client_id:
        taken.touched.add(client_id)


class _Row:
    """A row being checked: every bad cell becomes a problem, and checking goes on with the next."""

    def __init__(self, row: TableRow, problems: list[Problem]) -> None:
        self.row, self.problems = row, problems

    def check(self, column: str, read: Callable[[str], T]) -> T | None:
        """The cell, read; None with a problem noted when it can't be."""
        try:
            return read(self.row.cells[column])
        except BadCell as error:
            self.problems.append(Problem(self.row.line, column, str(error)))
            return None

    def wrong(self, column: str, text: str) -> None:
        """Note what is wrong with a cell beside the others."""
        self.problems.append(Problem(self.row.line, column, text))


Keep = Callable[[_Row], tuple[str, str | None] | None]


class _Keeper:
    """Checks rows of each kind and stores the good ones: ("new"|"changed"|"same", the client to plan)."""

    def __init__(self, tx: Tx, practice: Practice, now: datetime) -> None:
        self.tx, self.practice, self.now = tx, practice, now
        self.keepers: dict[str, Keep] = {
            "therapists": self.therapist,
            "roster": self.client,
            "appointments": self.appointment,
        }
        self._refs = clients.refs(tx, practice.id)
        self._therapists: dict[str, str | None] = {}

    def therapist(self, row: _Row) -> tuple[str, None] | None:
        name = row.check("name", lambda value: cells.text(value, "the therapist's name"))
        email = row.check("email", lambda value: cells.mail(cells.text(value, "the therapist's mail address")))
        if name is None or email is None or row.problems:
            return None
        person_id, outcome = people.save(self.tx, self.practice.id, name=name, email=email, now=self.now)
        given = people.give_role(self.tx, self.practice.id, person_id, "therapist")
        return ("changed" if given and outcome == "same" else outcome), None

    def client(self, row: _Row) -> tuple[str, str] | None:
        entry = self._entry(row)
        if entry is None or row.problems:
            return None
        client_id, outcome = clients.save(self.tx, self.practice.id, entry, self.now)
        return outcome, client_id

    def appointment(self, row: _Row) -> tuple[str, str] | None:
        ref = row.check("appointment_ref", lambda value: cells.text(value, "your own reference of the appointment"))
        client_id = self._client(row)
        therapist_id = self._therapist(row)
        starts_at = row.check("starts_at", cells.moment)
        ends_at = row.check("ends_at", cells.moment)
        status = row.check("status", cells.status)
        if starts_at and ends_at and ends_at <= starts_at:
            row.wrong("ends_at", "is not after starts_at")
        if row.problems or not (ref and client_id and therapist_id and starts_at and ends_at and status):
            return None
        outcome = appointments.save(
            self.tx,
            self.practice.id,
            appointment_ref=ref,
            client_id=client_id,
            therapist_id=therapist_id,
            starts_at=starts_at,
            ends_at=ends_at,
            status=status,
        )
        return outcome, client_id

    def _entry(self, row: _Row) -> Entry | None:
        practice = self.practice
        ref = row.check("client_ref", lambda value: cells.text(value, "your own reference of the client"))
        name = row.check("name", lambda value: cells.text(value, "the client's name"))
        phone = row.check("phone", lambda value: cells.phone(value, practice.country))
        email = row.check("email", cells.mail)
        language = row.check("language", lambda value: cells.language(value, practice.language))
        zone = row.check("timezone", lambda value: cells.zone(value, practice.timezone))
        channel = row.check("channel", cells.channel)
        consent_at = row.check("consent_at", lambda value: cells.consent(value, practice.timezone))
        therapist_id = self._therapist(row)
        if channel == "sms" and phone == "":
            row.wrong("phone", "is empty, but the channel is sms")
        if channel == "mail" and email == "":
            row.wrong("email", "is empty, but the channel is email")
        if None in (ref, name, phone, email, language, zone, channel, therapist_id):
            return None
        return Entry(
            ref or "", name or "", phone or "", email or "", language or "", zone or "", channel or "", consent_at,
            therapist_id or "",
        )  # fmt: skip

    def _client(self, row: _Row) -> str | None:
        ref = row.check("client_ref", lambda value: cells.text(value, "the reference of a client of the roster"))
        if ref is not None and ref not in self._refs:
            row.wrong("client_ref", f"{ref} is not on the roster; import the roster first")
        return self._refs.get(ref or "")

    def _therapist(self, row: _Row) -> str | None:
        email = row.check(
            "therapist_email", lambda value: cells.mail(cells.text(value, "the mail address of a therapist"))
        )
        if email is None:
            return None
        if email not in self._therapists:
            found = people.by_email(self.tx, self.practice.id, email)
            self._therapists[email] = found.id if found else None
        if self._therapists[email] is None:
            row.wrong("therapist_email", "is nobody's; import the therapists first")
        return self._therapists[email]
