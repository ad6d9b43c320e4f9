"""Planning: from appointments and the rule to check-ins with a due time, or a reason in words."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.flows.context import Context
from bot.flows.restored import leave_unasked
from bot.store import Tx, appointments, check_ins, clients, inbox, practices
from bot.store.appointments import Appointment
from bot.store.check_ins import OPEN, CheckIn
from bot.store.clients import Client
from surveys import schedule as rule
from surveys.conversation import State

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = 200  # clients planned in one transaction, so that replies don't wait for a long one


def replan(ctx: Context, practice_id: str, client_ids: Iterable[str], now: datetime) -> None:
    """Plan anew what is not yet asked, for these clients; planning twice changes nothing."""
    waiting = iter(client_ids)
    while some := list(islice(waiting, AT_ONCE)):
        with ctx.store.transaction() as tx:
            _replan(tx, practice_id, some, now)


def replan_all(ctx: Context, practice_id: str, now: datetime) -> None:
    """Plan every client of a practice anew, as after a change of its rule."""
    with ctx.store.transaction(write=False) as tx:
        everyone = clients.ids(tx, practice_id)
    replan(ctx, practice_id, everyone, now)


def replan_client(tx: Tx, practice_id: str, client_id: str, now: datetime) -> None:
    """Plan one client anew inside a transaction that changed what they want."""
    _replan(tx, practice_id, [client_id], now)


def rule_of(schedule: dict[str, str]) -> rule.Schedule:
    """The practice's rule as stored."""
    return rule.Schedule.read(schedule)


def known_zone(zone: str, otherwise: str) -> str:
    """A client's zone, or the practice's where this machine doesn't know it."""
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError):
        return otherwise


def for_schedule(client: Client, fresh_from: datetime | None = None) -> rule.Client:
    """A client as the schedule sees them; `fresh_from`: when they were last heard of."""
    return rule.Client(
        zone=client.timezone,
        consent_at=client.consent_at,
        stopped=client.stopped,
        reachable=bool(client.address),
        state=client.state,
        paused_until=client.paused_until,
        halted=client.halted,
        fresh_from=fresh_from,
    )


def for_planning(appointment: Appointment) -> rule.Appointment:
    """An appointment as the schedule sees it."""
    return rule.Appointment(
        id=appointment.id,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        status=appointment.status,
        therapist_id=appointment.therapist_id,
    )


def askings_of(found: Sequence[CheckIn]) -> list[rule.Asking]:
    """What was already asked of a client. One that never reached them is no sign of silence, and no reason to wait."""
    return [
        rule.Asking(
            appointment_id=each.appointment_id,
            at=each.asked_at or LONG_AGO,
            answered=each.state in (State.ANSWERED, State.PARTLY_ANSWERED),
            closed=each.state == State.EXPIRED and each.asked_at is not None,
        )
        for each in found
        if each.state != State.PLANNED
    ]


def _replan(tx: Tx, practice_id: str, client_ids: Sequence[str], now: datetime) -> None:
    practice = practices.get(tx, practice_id)
    schedule = rule_of(dict(practice.schedule))
    visits = appointments.of_clients(tx, practice_id, client_ids)
    asked = check_ins.of_clients(tx, practice_id, client_ids)
    heard = inbox.last_heard(tx, practice_id, client_ids)
    changes = _Changes(now)
    for client in clients.many(tx, practice_id, client_ids):
        plans = rule.plan_all(
            [for_planning(visit) for visit in visits[client.id]],
            client=replace(
                for_schedule(client, heard.get(client.id)), zone=known_zone(client.timezone, practice.timezone)
            ),
            askings=askings_of(asked[client.id]),
            schedule=schedule,
            now=now,
        )
        changes.compare(visits[client.id], asked[client.id], plans)
    changes.apply(tx, practice_id)
    leave_unasked(tx, practice_id, changes.planned, now)


class _Changes:
    """What is different from what is stored."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.planned: list[str] = []  # references of appointments that get a check-in or another time for it
        self.add: list[tuple[str, str, str, datetime, datetime]] = []
        self.move: list[tuple[str, str, datetime, datetime]] = []
        self.drop: list[tuple[str, str]] = []
        self.sooner: list[tuple[str, datetime]] = []
        self.reasons: list[tuple[str, str | None]] = []

    def compare(
        self,
        visits: Sequence[Appointment],
        asked: Sequence[CheckIn],
        plans: dict[str, rule.Planned | rule.Skipped],
    ) -> None:
        by_visit = {each.appointment_id: each for each in asked}
        for visit in visits:
            found = by_visit.get(visit.id)
            self._compare(visit, found, plans[visit.id])
            if found is not None and found.state in OPEN:
                self._close_sooner(visit, found, visits)

    def apply(self, tx: Tx, practice_id: str) -> None:
        check_ins.drop_planned(tx, self.drop, self.now)
        check_ins.move_planned(tx, self.move)
        check_ins.add_planned(tx, practice_id, self.add)
        check_ins.close_sooner(tx, self.sooner)
        appointments.set_not_asked(tx, self.reasons)

    def _compare(self, visit: Appointment, found: CheckIn | None, plan: rule.Planned | rule.Skipped) -> None:
        if found is not None and found.state != "planned":
            return
        reason = plan.reason if isinstance(plan, rule.Skipped) else None
        if reason != visit.not_asked:
            self.reasons.append((visit.id, reason))
        if isinstance(plan, rule.Skipped):
            if found:
                self.drop.append((found.id, plan.reason))
        elif found is None:
            self.planned.append(visit.appointment_ref)
            self.add.append((visit.id, visit.client_id, visit.therapist_id, plan.due_at, plan.expires_at))
        elif found.due_at <= self.now and plan.due_at <= self.now:
            return  # being sent at this moment; planning it again would only move it along with the clock
        elif (found.due_at, found.expires_at, found.therapist_id) != (
            plan.due_at,
            plan.expires_at,
            visit.therapist_id,
        ):
            self.planned.append(visit.appointment_ref)
            self.move.append((found.id, visit.therapist_id, plan.due_at, plan.expires_at))

    def _close_sooner(self, visit: Appointment, found: CheckIn, visits: Sequence[Appointment]) -> None:
        """What was asked closes when the next appointment starts, also one that was booked after the asking."""
        live = (v.starts_at for v in visits if v.status in ("booked", "attended") and v.starts_at >= visit.ends_at)
        next_start = min(live, default=None)
        if next_start is not None and next_start < found.expires_at:
            self.sooner.append((found.id, next_start))
