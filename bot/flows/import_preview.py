"""A file looked at before it is taken: what each row would do. The rows are checked by the import's own checks, and
nothing is stored but the file itself, sealed, for an hour."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.flows import intake
from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of
from bot.flows.row_checks import COLUMNS, KEYS, Checked, Checks, Colleague, Problem, Visit
from bot.flows.tables import BadTable, TableRow, rows
from bot.store import Tx, appointments, clients, import_drafts, people, practices, staff
from bot.store.appointments import Appointment
from bot.store.clients import Client, Entry
from bot.store.practices import Practice

EVERY = timedelta(hours=1)  # how often a worker drops files that were never confirmed
OUTCOMES = ("wrong", "changed", "new", "same")
NOBODY = "nobody"


@dataclass(frozen=True)
class Change:
    """One column that would change, in words."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Line:
    """What one row would do: `outcome` is new, changed, same or wrong. `said`: what is wrong with it, or odd."""

    line: int
    key: str
    outcome: str
    changes: list[Change] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Handed:
    """A file that was handed in: its rows before it is confirmed, and what became of them after."""

    id: str
    kind: str
    lines: list[Line]
    taken: Mapping[str, int] | None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each outcome."""
        return {outcome: sum(each.outcome == outcome for each in self.lines) for outcome in OUTCOMES}


def hand_in(ctx: Context, me: Me, kind: str, raw: bytes, now: datetime) -> str:
    """Look a file over and keep it until it is confirmed; its id. Raises Refused where it can't be read as a table."""
    practice = practice_of(me)
    if kind not in COLUMNS:
        raise Refused({"kind": "Say what the file holds."})
    try:
        found = list(rows(raw, COLUMNS[kind]))
    except BadTable as error:
        raise Refused({"file": str(error)}) from None
    if not found:
        raise Refused({"file": "The file holds no rows below its header."})
    with ctx.store.transaction(write=False) as tx:
        lines = preview(tx, practice, kind, found, now)
    with ctx.store.transaction() as tx:
        file = base64.b64encode(raw).decode()
        return import_drafts.add(tx, practice.id, me.person.id, kind, file, _written(lines), now)


def preview(tx: Tx, practice: Practice, kind: str, found: Sequence[TableRow], now: datetime) -> list[Line]:
    """What each row would do, in the order of the file."""
    checked = list(Checks(tx, practice, kind, {}, now).all(found))
    known = _Known(tx, practice, kind, checked)
    return [known.compare(each) for each in checked]


def show(ctx: Context, me: Me, draft_id: str, now: datetime) -> Handed:
    """A file this person handed in. Raises NotHere when it is someone else's, or more than an hour old."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        draft = import_drafts.get(tx, practice.id, me.person.id, draft_id, now)
    if draft is None:
        raise NotHere
    told = json.loads(draft.shown)
    lines = [Line(each[0], each[1], each[2], [Change(*c) for c in each[3]], each[4]) for each in told["lines"]]
    return Handed(draft.id, draft.kind, lines, told.get("taken"))


def confirm(ctx: Context, me: Me, draft_id: str, now: datetime) -> None:
    """Take the good rows of exactly this file. A second time it changes nothing. Raises NotHere."""
    handed = show(ctx, me, draft_id, now)
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        draft = import_drafts.get(tx, practice.id, me.person.id, draft_id, now)
        if draft is None or not import_drafts.take(tx, practice.id, draft_id, now):
            return
        practices.note(tx, practice.id, me.person.id, f"import {handed.kind}", draft_id, now)
    taken = intake.take_file(ctx, practice, handed.kind, base64.b64decode(draft.file), now)
    counts = {"new": taken.new, "changed": taken.changed, "same": taken.same, "wrong": taken.refused}
    with ctx.store.transaction() as tx:
        import_drafts.taken(tx, practice.id, draft_id, _written(_refused(handed, taken.problems), counts))


def forget_old(ctx: Context, now: datetime) -> int:
    """Drop the files of more than an hour ago, of all practices; how many."""
    with ctx.store.transaction() as tx:
        before = now - import_drafts.KEPT_FOR
        return sum(import_drafts.forget(tx, practice.id, before) for practice in practices.every(tx))


def _refused(handed: Handed, problems: Sequence[Problem]) -> list[Line]:
    """The rows that weren't taken, and why: as it turned out, which may differ from what was shown before."""
    keys = {each.line: each.key for each in handed.lines}
    found: dict[int, list[str]] = {}
    for each in problems:
        found.setdefault(each.line, []).append(_said(each))
    return [Line(line, keys.get(line, ""), "wrong", [], said) for line, said in sorted(found.items())]


def _written(lines: Sequence[Line], taken: Mapping[str, int] | None = None) -> str:
    told = [[each.line, each.key, each.outcome, [[*asdict(c).values()] for c in each.changes], each.said]
            for each in lines]  # fmt: skip
    return json.dumps({"lines": told, "taken": taken}, ensure_ascii=True)


def _said(problem: Problem) -> str:
    return f"{problem.column} {problem.text}".strip()


class _Known:
    """What is stored about the rows of a file, read at once."""

    def __init__(self, tx: Tx, practice: Practice, kind: str, checked: Sequence[Checked]) -> None:
        self.zone, self.kind = ZoneInfo(practice.timezone), kind
        everyone = staff.everyone(tx, practice.id)
        self.names = {person.id: person.name for person in everyone}
        self.staff = {person.email: person for person in everyone}
        self.therapists = {person.id for person in people.with_role(tx, practice.id, "therapist")}
        self.refs = clients.refs(tx, practice.id) if kind == "roster" else {}
        self.clients: dict[str, Client] = {}
        self.visits: dict[str, Appointment] = {}
        if kind == "roster":
            self.clients = {client.client_ref: client for client in clients.roster(tx, practice.id)}
        elif kind == "appointments":
            refs = [each.held.appointment_ref for each in checked if isinstance(each.held, Visit)]
            self.visits = appointments.by_refs(tx, practice.id, refs)
            self.names |= {client.id: client.client_ref for client in clients.roster(tx, practice.id)}

    def compare(self, checked: Checked) -> Line:
        """What the row would do."""
        line, key = checked.row.line, checked.row.cells.get(KEYS[self.kind], "")[:100]
        if checked.problems:
            return Line(line, key, "wrong", [], [_said(each) for each in checked.problems])
        said = [_said(each) for each in checked.notes]
        if checked.held is None:
            return Line(line, key, "same", [], ["stands in the file twice"])
        outcome, changes = self._outcome(checked.held, said)
        return Line(line, key, outcome, changes, said)

    def _outcome(self, held: Colleague | Entry | Visit, said: list[str]) -> tuple[str, list[Change]]:
        if isinstance(held, Colleague):
            return self._colleague(held)
        if isinstance(held, Entry):
            return self._client(held, said)
        found = self.visits.get(held.appointment_ref)
        if found is None:
            return "new", []
        return self._differ(asdict(held) | {"appointment_ref": None}, found)

    def _colleague(self, held: Colleague) -> tuple[str, list[Change]]:
        found = self.staff.get(held.email)
        if found is None:
            return "new", []
        outcome, changes = self._differ({"name": held.name}, found)
        if found.id not in self.therapists and found.active:
            return "changed", [*changes, Change("role", "", "therapist")]
        return outcome, changes

    def _client(self, held: Entry, said: list[str]) -> tuple[str, list[Change]]:
        found = self.clients.get(held.client_ref)
        if found is None:
            if held.client_ref not in self.refs:
                return "new", []
            said.append("was merged into another client; the row changes nothing")
            return "same", []
        return self._differ(asdict(held) | {"client_ref": None}, found)

    def _differ(self, given: Mapping[str, object], found: object) -> tuple[str, list[Change]]:
        """What is given and isn't as found. None gives nothing: an empty date takes no consent back."""
        changes = [
            Change(_column(name), self._told(name, getattr(found, name)), self._told(name, value))
            for name, value in given.items()
            if value is not None and getattr(found, name) != value
        ]
        return ("changed", changes) if changes else ("same", [])

    def _told(self, name: str, value: object) -> str:
        if isinstance(value, datetime):
            return f"{value.astimezone(self.zone):%Y-%m-%d %H:%M}"
        if name in ("therapist_id", "client_id"):
            return self.names.get(str(value), NOBODY)
        if name == "channel":
            return "email" if value == "mail" else str(value)
        return "" if value is None else str(value)


def _column(name: str) -> str:
    return {"therapist_id": "therapist", "client_id": "client", "consent_at": "consent"}.get(name, name)
