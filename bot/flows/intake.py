"""People and appointments in: every row checked by itself, the good ones taken, the bad ones named by line and
column. The same rows twice change nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import TypeVar

from bot.flows import cells
from bot.flows.cells import BadCell
from bot.flows.context import Context
from bot.flows.planning import replan
from bot.flows.tables import TableRow, rows
from bot.store import Tx, appointments, clients, people
from bot.store.clients import Entry
from bot.store.practices import Practice

T = TypeVar("T")
AT_ONCE = 200  # rows in one transaction, so that replies don't wait for a long file
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
    waiting = iter(_by_client(list(found)))
    while some := list(islice(waiting, AT_ONCE)):
        with ctx.store.transaction() as tx:
            keeper = _Keeper(tx, practice, now)
            for row in some:
                _take(row, kind, keeper, taken)
            replan(ctx, practice.id, sorted(keeper.touched), now)
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


def _as_text(value: object) -> str | None:
    """Text as it is, a number as written, nothing as empty; None for what has no place in a cell."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else "" if value is None else None


def _by_client(found: list[TableRow]) -> list[TableRow]:
    """A client's rows together, clients as they first come, so that each is planned once and not week by week."""
    places: dict[str, int] = {}
    for row in found:
        places.setdefault(row.cells.get("client_ref", ""), len(places))
    return sorted(found, key=lambda row: places[row.cells.get("client_ref", "")])


def _take(row: TableRow, kind: str, keeper: "_Keeper", taken: Taken) -> None:
    checked = _Row(row)
    if row.fault:
        checked.problems.append(Problem(row.line, "", row.fault))
    elif (first := taken.seen.get(_key(row, kind))) is not None:
        if first.cells == row.cells:
            taken.same += 1
        else:
            checked.wrong(KEYS[kind], f"stands on line {first.line} with other values; keep one of the two rows")
    elif outcome := keeper.keepers[kind](checked):
        setattr(taken, outcome, getattr(taken, outcome) + 1)
        taken.seen[_key(row, kind)] = row
    taken.problems += checked.problems
    taken.notes += [] if checked.problems else checked.notes


def _key(row: TableRow, kind: str) -> str:
    text = " ".join(row.cells[KEYS[kind]].split())
    return text.lower() if kind == "therapists" else text


class _Row:
    """A row being checked: every bad cell becomes a problem, and checking goes on with the next."""

    def __init__(self, row: TableRow) -> None:
        self.row = row
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []

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


Keep = Callable[[_Row], str | None]


class _Keeper:
    """Checks rows of each kind and stores the good ones: "new", "changed" or "same".

    `touched`: ids of the clients to plan.
    """

    def __init__(self, tx: Tx, practice: Practice, now: datetime) -> None:
        self.tx, self.practice, self.now = tx, practice, now
        self.keepers: dict[str, Keep] = {
            "therapists": self.therapist,
            "roster": self.client,
            "appointments": self.appointment,
        }
        self.touched: set[str] = set()
        self._therapists: dict[str, str | None] = {}

    @cached_property
    def _refs(self) -> dict[str, str]:
        return clients.refs(self.tx, self.practice.id)

    @cached_property
    def _here(self) -> set[str]:
        return {person.id for person in people.with_role(self.tx, self.practice.id, "therapist")}

    def therapist(self, row: _Row) -> str | None:
        name = row.check("name", lambda value: cells.text(value, "the therapist's name"))
        email = row.check("email", lambda value: cells.mail(cells.text(value, "the therapist's mail address")))
        if name is None or email is None:
            return None
        person_id, outcome = people.save(self.tx, self.practice.id, name=name, email=email, now=self.now)
        given = people.give_role(self.tx, self.practice.id, person_id, "therapist")
        return "changed" if given and outcome == "same" else outcome

    def client(self, row: _Row) -> str | None:
        entry = self._entry(row)
        if entry is None or row.problems:
            return None
        if entry.consent_at and entry.consent_at > self.now + SOON:
            row.odd("consent_at", "lies ahead; the client isn't asked before")
        client_id, outcome = clients.save(self.tx, self.practice.id, entry, self.now)
        self.touched.add(client_id)
        return outcome

    def appointment(self, row: _Row) -> str | None:
        ref = row.check("appointment_ref", lambda value: cells.text(value, "your own reference of the appointment"))
        client_id = self._client(row)
        therapist_id = self._therapist(row)
        starts_at, ends_at = self._moment(row, "starts_at"), self._moment(row, "ends_at")
        status = row.check("status", cells.status)
        if starts_at and ends_at and not starts_at < ends_at <= starts_at + LONGEST_VISIT:
            late = "is not after starts_at" if ends_at <= starts_at else "is more than a day after starts_at"
            row.wrong("ends_at", late)
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
        self.touched.add(client_id)
        return outcome

    def _entry(self, row: _Row) -> Entry | None:
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
        if None in (ref, name, phone, email, language, zone, channel, therapist_id):
            return None
        return Entry(
            ref or "", name or "", phone or "", email or "", language or "", zone or "", channel or "", consent_at,
            therapist_id or "",
        )  # fmt: skip

    def _moment(self, row: _Row, column: str) -> datetime | None:
        return row.check(column, lambda value: cells.moment(value, self.now))

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
            self._therapists[email] = self._find_therapist(email)
        if self._therapists[email] is None:
            row.wrong("therapist_email", "belongs to no therapist; import the therapists first")
        return self._therapists[email]

    def _find_therapist(self, email: str) -> str | None:
        """One who has left is still who saw the client; someone with another role is not."""
        found = people.by_email(self.tx, self.practice.id, email)
        return found.id if found and (found.id in self._here or not found.active) else None
