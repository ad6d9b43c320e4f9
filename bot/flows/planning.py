"""Planning: from appointments and the rule to check-ins with a due time, or a reason in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from bot.flows.context import Context
from bot.flows.restored import leave_unasked
from bot.flows.rules import rule_for as rule_for
from bot.flows.rules import rule_of as rule_of
from bot.flows.rules import rules_of
from bot.store import Tx, appointments, check_ins, clients, inbox, practices, system
from bot.store.appointments import Appointment
from bot.store.check_ins import OPEN, CheckIn
from bot.store.clients import Client
from bot.store.practices import Practice
from bot.store.sql import epoch, moment_of
from surveys import schedule as rule
from surveys.conversation import State
from surveys.window import known_zone

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
TO_PLAN, SOON = "to plan anew: ", timedelta(minutes=2)
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


def mark_to_plan(tx: Tx, practice_id: str, now: datetime) -> None:
    """Where a change is stored that plans follow from: should we end before they are made anew, a worker does it."""
    system.set_value(tx, f"{TO_PLAN}{practice_id}", str(epoch(now)))


def planned(ctx: Context, practice_id: str) -> None:
    """The plans were made anew."""
    with ctx.store.transaction() as tx:
        system.drop_value(tx, f"{TO_PLAN}{practice_id}")


def plan_marked(ctx: Context, now: datetime) -> int:
    """Make anew the plans of every practice where that was begun a while ago and not finished; how many practices."""
    with ctx.store.transaction(write=False) as tx:
        marks = system.values(tx, TO_PLAN)
    late = [
        name.removeprefix(TO_PLAN) for name, at in marks.items() if not timedelta() <= now - moment_of(int(at)) < SOON
    ]
    for practice_id in late:
        replan_all(ctx, practice_id, now)
        planned(ctx, practice_id)
    return len(late)


def replan_client(tx: Tx, practice_id: str, client_id: str, now: datetime) -> None:
    """Plan one client anew inside a transaction that changed what they want."""
    _replan(tx, practice_id, [client_id], now)


def for_schedule(client: Client, schedule: rule.Schedule, fresh_from: datetime | None = None) -> rule.Client:
    """A client as their schedule sees them; `fresh_from`: when they were last heard of."""
    return rule.Client(
        zone=client.timezone,
        consent_at=client.consent_at,
        stopped=client.stopped,
        reachable=any(client.by(channel).address for channel in schedule.channels_for(client.channel)),
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


@dataclass(frozen=True)
class Known:
    """What planning goes by for one client, read from the store. `heard`: when they last wrote; `earlier`: how many
    visits there were before these, by therapist and status."""

    client: Client
    zone: str
    heard: datetime | None
    visits: Sequence[Appointment]
    asked: Sequence[CheckIn]
    earlier: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def under(self, schedule: rule.Schedule) -> rule.Client:
        """The client as this schedule sees them."""
        return replace(for_schedule(self.client, schedule, self.heard), zone=self.zone)


def known_of(tx: Tx, practice: Practice, client_ids: Sequence[str]) -> list[Known]:
    """What is known of these clients, by their reference."""
    visits = appointments.of_clients(tx, practice.id, client_ids)
    asked = check_ins.of_clients(tx, practice.id, client_ids)
    heard = inbox.last_heard(tx, practice.id, client_ids)
    return [
        Known(client, _zone(client, practice), heard.get(client.id), visits[client.id], asked[client.id])
        for client in clients.many(tx, practice.id, client_ids)
    ]


def known_lately(tx: Tx, practice: Practice, client_ids: Sequence[str], since: datetime) -> list[Known]:
    """The same, with what began before `since` left out where that gives the same plans for what comes: for clients
    who have answered about a visit since then."""
    visits = appointments.of_clients(tx, practice.id, client_ids, since)
    asked = check_ins.of_clients(tx, practice.id, client_ids, since)
    lately = [each for each in client_ids if _answered_among(visits[each], asked[each])]
    heard = inbox.last_heard(tx, practice.id, lately)
    earlier = appointments.counts_before(tx, practice.id, lately, since)
    return [
        Known(each, _zone(each, practice), heard.get(each.id), visits[each.id], asked[each.id], earlier[each.id])
        for each in clients.many(tx, practice.id, lately)
    ] + known_of(tx, practice, sorted(set(client_ids) - set(lately)))


def _answered_among(visits: Sequence[Appointment], asked: Sequence[CheckIn]) -> bool:
    answered = {each.appointment_id for each in asked if each.state == State.ANSWERED}
    return any(visit.id in answered for visit in visits)


def _zone(client: Client, practice: Practice) -> str:
    return known_zone(client.timezone, practice.timezone)


def _replan(tx: Tx, practice_id: str, client_ids: Sequence[str], now: datetime) -> None:
    practice = practices.get(tx, practice_id)
    rules = rules_of(tx, practice, client_ids)
    changes = _Changes(now)
    for known in known_of(tx, practice, client_ids):
        schedule = rules.of(known.client.therapist_id, known.client.id)
        plans = rule.plan_all(
            [for_planning(visit) for visit in known.visits],
            client=known.under(schedule),
            askings=askings_of(known.asked),
            schedule=schedule,
            now=now,
        )
        changes.compare(known.visits, known.asked, plans)
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
