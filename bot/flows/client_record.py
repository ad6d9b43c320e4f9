"""One client as their practice's manager sees and changes them: who they are, how they are reached, what they agreed
to. Answers, words and notes are no part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.flows import cells, standing
from bot.flows.access import Me, NotHere, practice_client
from bot.flows.cells import BadCell
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of, sentence
from bot.flows.planning import replan_client
from bot.flows.row_checks import COLUMNS, Checks
from bot.flows.standing import Hanging
from bot.flows.tables import TableRow
from bot.store import Tx, appointments, check_ins, clients, people, practices, roster, staff
from bot.store.clients import Client, Entry
from bot.store.people import Person
from surveys.window import clock_shows, known_zone

FIELDS = ("client_ref", "name", "phone", "email", "language", "timezone", "channel", "consent_at")
SOURCES = {"paper": "on paper", "online": "in an online form", "spoken": "in conversation", "roster": "with the roster"}


@dataclass(frozen=True)
class Record:
    """What a manager sees of one client. `sharing`: others of the practice at the same number or address, as
    (id, reference). `asked`, `answered`: how many check-ins so far."""

    client: Client
    therapist: Person | None
    events: list[tuple[str, str, datetime]]
    hanging: Hanging
    sharing: list[tuple[str, str]]
    asked: int
    answered: int
    last_asked: datetime | None


def record(ctx: Context, me: Me, client_id: str, now: datetime) -> Record:
    """One client; that it was opened is written down. Raises NotHere, also for one who was erased."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        practices.note(tx, practice.id, me.person.id, "client's record opened", client.id, now)
        asked = [each for each in check_ins.of_clients(tx, practice.id, [client.id])[client.id] if each.asked_at]
        return Record(
            client=client,
            therapist=people.get(tx, practice.id, client.therapist_id) if client.therapist_id else None,
            events=roster.consent_events(tx, practice.id, client.id),
            hanging=standing.hanging(tx, client, now),
            sharing=_sharing(tx, client),
            asked=len(asked),
            answered=sum(each.answered_at is not None for each in asked),
            last_asked=max((each.asked_at for each in asked if each.asked_at), default=None),
        )


def living(tx: Tx, me: Me, client_id: str) -> Client:
    """A client of the practice that this person manages. Raises NotHere, also for one who was erased."""
    practice_of(me)
    client = practice_client(tx, me, client_id)
    if client.erased:
        raise NotHere
    return client


def therapists(ctx: Context, me: Me) -> list[Person]:
    """Whom a client can be given to, by name."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        found = people.with_role(tx, practice.id, "therapist")
    return sorted(found, key=lambda person: person.name.casefold())


def as_typed(client: Client, zone: str) -> dict[str, str]:
    """A client's data as the form shows them; consent as its day in the practice's zone."""
    typed = {name: getattr(client, name) for name in FIELDS if name != "consent_at"}
    typed["channel"] = "email" if client.channel == "mail" else client.channel
    typed["consent_at"] = f"{client.consent_at.astimezone(ZoneInfo(zone)):%Y-%m-%d}" if client.consent_at else ""
    return typed | {"consent_source": client.consent_source, "discreet": "yes" if client.discreet else ""}


def add(ctx: Context, me: Me, typed: Mapping[str, str], now: datetime) -> str:
    """A new client; their id. Raises Refused, naming every field that can't be used."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        entry, problems = _read(tx, me, typed, typed.get("therapist_id", ""), now)
        if typed.get("client_ref", "").strip() in _taken_refs(tx, practice.id):
            problems["client_ref"] = "Another client has this reference."
        if entry is None or problems:
            raise Refused(problems)
        client_id, _ = clients.save(tx, practice.id, entry, now, typed.get("consent_source", ""))
        roster.set_discreet(tx, practice.id, client_id, typed.get("discreet") == "yes")
        practices.note(tx, practice.id, me.person.id, "client added", client_id, now)
        replan_client(tx, practice.id, client_id, now)
    return client_id


def change(ctx: Context, me: Me, client_id: str, typed: Mapping[str, str], now: datetime) -> bool:
    """Change a client's data; False if nothing differs. Raises Refused, naming every field that can't be used.

    Consent can be given here, never taken back: an empty date is refused where there is one.
    """
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        given = {**typed, "client_ref": client.client_ref}
        if given.get("consent_at", "").strip() == as_typed(client, practice.timezone)["consent_at"]:
            given["consent_at"] = client.consent_at.isoformat() if client.consent_at else ""
        entry, problems = _read(tx, me, given, client.therapist_id or "", now, client)
        if entry is None or problems:
            raise Refused(problems)
        _, outcome = clients.save(tx, practice.id, entry, now, typed.get("consent_source", ""))
        discreet = typed.get("discreet") == "yes"
        if outcome == "same" and discreet == client.discreet:
            return False
        roster.set_discreet(tx, practice.id, client.id, discreet)
        practices.note(tx, practice.id, me.person.id, "client changed", client.id, now)
        replan_client(tx, practice.id, client.id, now)
    return True


def pause(ctx: Context, me: Me, client_id: str, until: str, now: datetime) -> None:
    """No check-ins until a day (ISO), that begins on the client's clock; empty: they go on. Raises Refused."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        at = _day(until, known_zone(client.timezone, practice.timezone), now) if until.strip() else None
        if at is not None and at <= now:
            raise Refused({"until": "Choose a day after today."})
        standing.pause(tx, client, at, me.person.id, now)


def set_state(ctx: Context, me: Me, client_id: str, state: str, now: datetime) -> bool:
    """active, on_hold, discharged or died; False if it was so before. Raises NotHere for any other word."""
    if state not in standing.STATES:
        raise NotHere
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        if client.merged_into:
            raise NotHere
        return standing.put(tx, client, state, me.person.id, now)


def opt_out(ctx: Context, me: Me, client_id: str, now: datetime) -> bool:
    """They told the practice to stop; only they can take that back, by writing START. False if they had before."""
    with ctx.store.transaction() as tx:
        return standing.opt_out(tx, living(tx, me, client_id), me.person.id, now)


def move(ctx: Context, me: Me, client_id: str, therapist_id: str, now: datetime) -> int:
    """Give a client to another therapist, with their coming booked appointments; how many of those.

    The new therapist starts fresh: what was answered about the old one stays with that pair. Raises Refused.
    """
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        known = {person.id for person in people.with_role(tx, practice.id, "therapist")}
        if therapist_id not in known or therapist_id == client.therapist_id:
            raise Refused({"therapist_id": "Choose another therapist of the practice."})
        coming = appointments.coming(tx, practice.id, client.id, now)
        theirs = [visit.id for visit in coming if visit.therapist_id == client.therapist_id]
        appointments.give_to(tx, practice.id, theirs, therapist_id)
        roster.set_therapist(tx, practice.id, client.id, therapist_id)
        practices.note(tx, practice.id, me.person.id, "client moved to another therapist", client.id, now)
        replan_client(tx, practice.id, client.id, now)
    return len(theirs)


def coming_with(ctx: Context, me: Me, client_id: str, now: datetime) -> int:
    """How many booked appointments with their present therapist are still to come."""
    with ctx.store.transaction(write=False) as tx:
        client = living(tx, me, client_id)
        coming = appointments.coming(tx, client.practice_id, client.id, now)
    return sum(visit.therapist_id == client.therapist_id for visit in coming)


def _read(
    tx: Tx, me: Me, typed: Mapping[str, str], therapist_id: str, now: datetime, before: Client | None = None
) -> tuple[Entry | None, dict[str, str]]:
    """What was typed, checked by the import's own checks: the entry, and what is wrong by field."""
    therapist = next((p for p in staff.everyone(tx, me.practice.id) if p.id == therapist_id), None)
    row = {name: typed.get(name, "") for name in COLUMNS["roster"]}
    row["therapist_email"] = therapist.email if therapist else ""
    checked = Checks(tx, me.practice, "roster", {}, now).one(TableRow(0, row))
    problems = {each.column: sentence(each.text) for each in checked.problems}
    if problems.pop("therapist_email", None):
        problems["therapist_id"] = "Choose whose client they are."
    problems |= _about_consent(typed, before)
    held = checked.held
    return (replace(held, therapist_id=therapist_id) if isinstance(held, Entry) else None), problems


def _about_consent(typed: Mapping[str, str], before: Client | None) -> dict[str, str]:
    given = typed.get("consent_at", "").strip()
    if before and before.consent_at and not given:
        return {"consent_at": "Consent isn't taken back here: use “They asked us to stop” on the client's page."}
    if given and typed.get("consent_source", "") not in SOURCES:
        return {"consent_source": "Say how they agreed."}
    return {}


def _taken_refs(tx: Tx, practice_id: str) -> set[str]:
    return set(clients.refs(tx, practice_id))


def _sharing(tx: Tx, client: Client) -> list[tuple[str, str]]:
    found = [each for practice_id, each in clients.sharing(tx, client) if practice_id == client.practice_id]
    return [(other.id, other.client_ref) for other in clients.many(tx, client.practice_id, found)]


def _day(text: str, zone: str, now: datetime) -> datetime:
    try:
        at = cells.consent(text, zone, now)
    except BadCell:
        at = None
    if at is None:
        raise Refused({"until": "Choose a day within two years, written as 2026-11-23."})
    return clock_shows(at.astimezone(ZoneInfo(zone)).date(), 0, zone)
