"""One row of a file, checked: what it holds, or every bad cell named by line and column and what to do about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from bot.flows import cells
from bot.flows.cells import BadCell
from bot.flows.tables import TableRow
from bot.store import Tx, clients, people
from bot.store.clients import Entry
from bot.store.practices import Practice

T = TypeVar("T")
COLUMNS = {
    "therapists": ("name", "email"),
    "roster": (
        *("client_ref", "name", "phone", "email", "language", "timezone", "channel", "consent_at"),
        "therapist_email",
    ),
    "appointments": ("appointment_ref", "client_ref", "therapist_email", "starts_at", "ends_at", "status"),
}
KEYS = {"therapists": "email", "roster": "client_ref", "appointments": "appointment_ref"}
LONGEST_VISIT = timedelta(hours=24)
SOON = timedelta(days=1)  # a date written where it is tomorrow already


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row, or odd about it: where, and what to do."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}" + (f", column {self.column}: {self.text}" if self.column else f" {self.text}")


@dataclass(frozen=True)
class Colleague:
    """A therapist as a row gives them."""

    name: str
    email: str


@dataclass(frozen=True)
class Visit:
    """An appointment as a row gives it; times UTC."""

    appointment_ref: str
    client_id: str
    therapist_id: str
    starts_at: datetime
    ends_at: datetime
    status: str


Held = Colleague | Entry | Visit


@dataclass
class Checked:
    """A row with what it holds (None: something is wrong with it). `repeats`: it stands in the file already."""

    row: TableRow
    held: Held | None = None
    repeats: bool = False
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def check(self, column: str, read: Callable[[str], T]) -> T | None:
        """The cell, read; None with a problem noted when it can't be."""
        try:
            return read(self.row.cells[column])
        except BadCell as error:
            self.wrong(column, str(error))
            return None

    def wrong(self, column: str, text: str) -> None:
        """Note what is wrong with a cell."""
        self.problems.append(Problem(self.row.line, column, text))

    def odd(self, column: str, text: str) -> None:
        """Note what is odd about a cell that can be taken."""
        self.notes.append(Problem(self.row.line, column, text))


def key_of(row: TableRow, kind: str) -> str:
    """What a row is told apart by."""
    text = " ".join(row.cells[KEYS[kind]].split())
    return text.lower() if kind == "therapists" else text


class Checks:
    """Checks rows of one kind against what is stored. `seen` goes on over several transactions of one file."""

    def __init__(self, tx: Tx, practice: Practice, kind: str, seen: dict[str, TableRow], now: datetime) -> None:
        self.tx, self.practice, self.kind, self.seen, self.now = tx, practice, kind, seen, now
        self._therapists: dict[str, str | None] = {}
        self._read: Callable[[Checked], Held | None] = {
            "therapists": self._colleague,
            "roster": self._client,
            "appointments": self._visit,
        }[kind]

    def all(self, rows: Sequence[TableRow]) -> Iterator[Checked]:
        """Every row, checked; of two that contradict each other the second is wrong."""
        return (self.one(row) for row in rows)

    def one(self, row: TableRow) -> Checked:
        """One row, checked. A good one is remembered, so that a second of its key is told from it."""
        checked = Checked(row)
        if row.fault:
            checked.problems.append(Problem(row.line, "", row.fault))
        elif (first := self.seen.get(key_of(row, self.kind))) is not None:
            checked.repeats = first.cells == row.cells
            if not checked.repeats:
                text = f"stands on line {first.line} with other values; keep one of the two rows"
                checked.wrong(KEYS[self.kind], text)
        else:
            checked.held = self._read(checked)
            if checked.problems:
                checked.held, checked.notes = None, []
            elif checked.held:
                self.seen[key_of(row, self.kind)] = row
        return checked

    @cached_property
    def _refs(self) -> dict[str, str]:
        return clients.refs(self.tx, self.practice.id)

    @cached_property
    def _here(self) -> set[str]:
        return {person.id for person in people.with_role(self.tx, self.practice.id, "therapist")}

    def _colleague(self, row: Checked) -> Colleague | None:
        name = row.check("name", lambda value: cells.text(value, "the therapist's name"))
        email = row.check("email", lambda value: cells.mail(cells.text(value, "the therapist's mail address")))
        return None if name is None or email is None else Colleague(name, email)

    def _client(self, row: Checked) -> Entry | None:
        practice = self.practice
        ref = row.check("client_ref", lambda value: cells.text(value, "your own reference of the client"))
        name = row.check("name", lambda value: cells.text(value, "the client's name"))
        phone = row.check("phone", lambda value: cells.phone(value, practice.country))
        email = row.check("email", cells.mail)
        language = row.check("language", lambda value: cells.language(value, practice.language))
        zone = row.check("timezone", lambda value: cells.zone(value, practice.timezone))
        channel = row.check("channel", cells.channel)
        consent_at = row.check("consent_at", lambda value: cells.consent(value, practice.timezone, self.now))
        therapist_id = self._therapist(row)
        if channel == "sms" and phone == "":
            row.wrong("phone", "is empty, but the channel is sms")
        if channel == "mail" and email == "":
            row.wrong("email", "is empty, but the channel is email")
        if consent_at and consent_at > self.now + SOON:
            row.odd("consent_at", "lies ahead; the client isn't asked before")
        if None in (ref, name, phone, email, language, zone, channel, therapist_id):
            return None
        return Entry(
            ref or "", name or "", phone or "", email or "", language or "", zone or "", channel or "", consent_at,
            therapist_id or "",
        )  # fmt: skip

    def _visit(self, row: Checked) -> Visit | None:
        ref = row.check("appointment_ref", lambda value: cells.text(value, "your own reference of the appointment"))
        client_id = self._client_id(row)
        therapist_id = self._therapist(row)
        starts_at, ends_at = self._moment(row, "starts_at"), self._moment(row, "ends_at")
        status = row.check("status", cells.status)
        if starts_at and ends_at and not starts_at < ends_at <= starts_at + LONGEST_VISIT:
            late = "is not after starts_at" if ends_at <= starts_at else "is more than a day after starts_at"
            row.wrong("ends_at", late)
        if row.problems or not (ref and client_id and therapist_id and starts_at and ends_at and status):
            return None
        return Visit(ref, client_id, therapist_id, starts_at, ends_at, status)

    def _moment(self, row: Checked, column: str) -> datetime | None:
        return row.check(column, lambda value: cells.moment(value, self.now))

    def _client_id(self, row: Checked) -> str | None:
        ref = row.check("client_ref", lambda value: cells.text(value, "the reference of a client of the roster"))
        if ref is not None and ref not in self._refs:
            row.wrong("client_ref", f"{ref} is not on the roster; import the roster first")
        return self._refs.get(ref or "")

    def _therapist(self, row: Checked) -> str | None:
        email = row.check(
            "therapist_email", lambda value: cells.mail(cells.text(value, "the mail address of a therapist"))
        )
        if email is None:
            return None
        if email not in self._therapists:
            self._therapists[email] = self._find_therapist(email)
        if self._therapists[email] is None:
            row.wrong("therapist_email", "belongs to no therapist; import the therapists first")
        return self._therapists[email]

    def _find_therapist(self, email: str) -> str | None:
        """One who has left is still who saw the client; someone with another role is not."""
        found = people.by_email(self.tx, self.practice.id, email)
        return found.id if found and (found.id in self._here or not found.active) else None
