"""One client as their therapist sees them: how it has gone between the two, visits, notes, replies, what comes next.

Only what was between this client and this therapist: a new therapist starts fresh.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.flows import notes, rereading
from bot.flows.access import Me
from bot.flows.caseload import facts, in_care, open_alerts
from bot.flows.context import Context
from bot.flows.notes import state_of
from bot.flows.planning import askings_of, for_planning, known_of
from bot.flows.rereading import Choice
from bot.flows.rules import rules_of
from bot.flows.viewing import Trend, trend_of
from bot.store import Tx, alerts, appointments, caseload, check_ins, inbox, people, practices, reading_marks
from bot.store.alerts import Alert
from bot.store.appointments import Appointment
from bot.store.check_ins import OPEN, CheckIn, Stored
from bot.store.clients import Client
from bot.store.inbox import Kept
from bot.store.reading_marks import Mark
from surveys import attention, schedule
from surveys.attention import Reason
from surveys.instrument import FEELINGS
from surveys.notes import Follow
from surveys.replies.mail import own_words

LATEST = 12  # visits and replies shown before "all"


@dataclass(frozen=True)
class Visit:
    """One appointment, the check-in about it if there is one, and what was answered."""

    appointment: Appointment
    check_in: CheckIn | None
    answers: Mapping[str, int]


@dataclass(frozen=True)
class ReplyRead:
    """One message of the client's, in their own words, with how it was read and what counts of it now.

    `because`: (feeling or empty, score or None, words, rule) each. `mark`: what a therapist said of the reading.
    """

    kept: Kept
    words: str
    because: Sequence[tuple[str, int | None, str, str]]
    reading: Mapping[str, Any]
    counts: Mapping[str, int]
    choices: Sequence[Choice]
    mark: Mark | None
    marked_by: str


@dataclass(frozen=True)
class Noted:
    """One alert in the client's history."""

    alert: Alert
    state: str
    feelings: tuple[str, ...]
    follow: Follow | None


@dataclass(frozen=True)
class Next:
    """What comes next: "open" until `at`; "planned" for `at` after `visit`; "expected" then, if the visit takes place;
    or "none" for a `reason` in words."""

    kind: str
    at: datetime | None = None
    visit: Appointment | None = None
    reason: str = ""


@dataclass(frozen=True)
class ClientPage:
    """All of it. `more`: how many visits and replies there are beyond those shown."""

    client: Client
    reason: Reason
    trend: Trend
    next: Next
    visits: Sequence[Visit]
    notes: Sequence[Noted]
    replies: Sequence[ReplyRead]
    more_visits: int
    more_replies: int


@dataclass(frozen=True)
class Printed:
    """What therapist and client look at together."""

    client: Client
    trend: Trend


def page(
    ctx: Context, me: Me, client_id: str, now: datetime, *, everything: bool = False, record: bool = True
) -> ClientPage:
    """A client's page for their therapist; `everything`: not only the latest. Raises NotHere.

    Opening it is written into the audit trail, unless `record` is off.
    """
    with ctx.store.transaction(write=False) as tx:
        client = in_care(tx, me, client_id)
        found = _gather(ctx, tx, me, client, now, None if everything else LATEST)
    if record:
        _record(ctx, me, client_id, "a client's page was opened", now)
    return found


def printed(ctx: Context, me: Me, client_id: str, now: datetime, record: bool = True) -> Printed:
    """The page to look at together. Raises NotHere."""
    with ctx.store.transaction(write=False) as tx:
        client = in_care(tx, me, client_id)
        trend = trend_of(ctx, tx, me.practice.id, client.id, me.person.id)
    if record:
        _record(ctx, me, client_id, "a client's page was opened to print", now)
    return Printed(client, trend)


def talked(ctx: Context, me: Me, client_id: str, now: datetime) -> None:
    """The therapist says that the two talked about how it is going, just now. Raises NotHere."""
    with ctx.store.transaction() as tx:
        notes.talk(tx, me, in_care(tx, me, client_id), now)


def _record(ctx: Context, me: Me, client_id: str, what: str, now: datetime) -> None:
    with ctx.store.transaction() as tx:
        practices.note(tx, me.practice.id, me.person.id, what, client_id, now)


def _gather(ctx: Context, tx: Tx, me: Me, client: Client, now: datetime, most: int | None) -> ClientPage:
    who = (me.practice.id, client.id, me.person.id)
    own_alerts = [a for a in alerts.of_client(tx, me.practice.id, client.id) if a.therapist_id == me.person.id]
    visits = _visits(tx, me, client)
    stored = check_ins.stored_answers(tx, *who)
    messages = _messages(tx, me, client, visits)
    shown = messages[:most]
    return ClientPage(
        client=client,
        reason=_reason(tx, me, client, own_alerts, now),
        trend=trend_of(ctx, tx, *who, notes.last_of(own_alerts, "rapport")),
        next=_next(tx, me, client, visits, now),
        visits=[visit for visit in visits if visit.appointment.starts_at <= now][:most],
        notes=[_noted(ctx, tx, alert) for alert in reversed(own_alerts)],
        replies=_read(ctx, tx, me, shown, visits, stored),
        more_visits=max(0, sum(v.appointment.starts_at <= now for v in visits) - (most or len(visits))),
        more_replies=len(messages) - len(shown),
    )


def _visits(tx: Tx, me: Me, client: Client) -> list[Visit]:
    """Appointments of the two, latest first, coming ones included."""
    asked = {c.appointment_id: c for c in check_ins.of_clients(tx, me.practice.id, [client.id])[client.id]}
    answers = check_ins.answers_of(tx, me.practice.id, client.id, me.person.id)
    found = appointments.of_clients(tx, me.practice.id, [client.id])[client.id]
    mine = [each for each in found if each.therapist_id == me.person.id]
    return [
        Visit(each, check_in, _as_asked(answers.get(check_in.id, {})) if check_in else {})
        for each in reversed(mine)
        for check_in in [asked.get(each.id)]
    ]


def _as_asked(scores: Mapping[str, int]) -> dict[str, int]:
    """In the order in which the questions are asked."""
    return {feeling: scores[feeling] for feeling in FEELINGS if feeling in scores}


def _reason(tx: Tx, me: Me, client: Client, own_alerts: Sequence[Alert], now: datetime) -> Reason:
    who = (me.practice.id, me.person.id, [client.id])
    recent = caseload.recent(tx, *who, attention.QUIET_AFTER * 3)[client.id]
    dates = caseload.dates(tx, *who, now)[client.id]
    waiting = open_alerts(own_alerts).get(client.id, [])
    return attention.reason(facts(client, waiting, recent, dates.answered, now))


def _noted(ctx: Context, tx: Tx, alert: Alert) -> Noted:
    followed = notes.follow_of(ctx, tx, alert) if alert.kind == "rapport" else None
    return Noted(alert, state_of(alert), notes.feelings_of(alert), followed)


def _next(tx: Tx, me: Me, client: Client, visits: Sequence[Visit], now: datetime) -> Next:
    asked = [visit for visit in visits if visit.check_in]
    for visit in asked:
        if visit.check_in and visit.check_in.state in OPEN and visit.check_in.expires_at > now:
            return Next("open", visit.check_in.expires_at, visit.appointment)
    planned = [v for v in reversed(asked) if v.check_in and v.check_in.state == "planned"]
    if planned and planned[0].check_in:
        return Next("planned", planned[0].check_in.due_at, planned[0].appointment)
    coming = [v.appointment for v in reversed(visits) if v.appointment.starts_at > now]
    if coming:
        return _after(tx, me, client, coming[0], now)
    holds = {
        schedule.HALTED: client.halted,
        schedule.STOPPED: client.stopped,
        schedule.ON_HOLD: client.state == "on_hold",
    }
    return Next("none", reason=next((reason for reason, true in holds.items() if true), "no visit is booked"))


def _after(tx: Tx, me: Me, client: Client, visit: Appointment, now: datetime) -> Next:
    """When the next visit will be asked about, if it takes place; or why not even then."""
    known = known_of(tx, me.practice, [client.id])[0]
    rule = rules_of(tx, me.practice, [client.id]).of(me.person.id, client.id)
    rule = rules_of(tx, me.practice, [client.id]).of(me.person.id, client.id)
    plan = schedule.plan(
        for_planning(replace(visit, status="attended")),
        client=known.under(rule),
        appointments=[for_planning(each) for each in known.visits],
        askings=askings_of(known.asked),
        schedule=rule,
        now=now,
    )
    if isinstance(plan, schedule.Skipped):
        return Next("none", None, visit, plan.reason)
    return Next("expected", plan.due_at, visit)


def _messages(tx: Tx, me: Me, client: Client, visits: Sequence[Visit]) -> list[Kept]:
    """What the client wrote to check-ins of the two, latest first; and, from their first visit on, what belonged to
    no check-in."""
    own = {visit.check_in.id for visit in visits if visit.check_in}
    first = min((visit.appointment.starts_at for visit in visits), default=None)
    return [
        each
        for each in reversed(inbox.of_client(tx, me.practice.id, client.id))
        if each.check_in_id in own or (each.check_in_id is None and first is not None and each.received_at >= first)
    ]


def _read(
    ctx: Context, tx: Tx, me: Me, messages: Sequence[Kept], visits: Sequence[Visit], stored: Sequence[Stored]
) -> list[ReplyRead]:
    asked = {visit.check_in.id: visit.check_in for visit in visits if visit.check_in}
    marks = reading_marks.latest(tx, me.practice.id, [each.id for each in messages])
    names = {mark.by_id: people.get(tx, me.practice.id, mark.by_id).name for mark in marks.values()}
    return [
        _reply(ctx, each, asked.get(each.check_in_id or ""), stored, marks.get(each.id), names) for each in messages
    ]


def _reply(
    ctx: Context,
    kept: Kept,
    check_in: CheckIn | None,
    stored: Sequence[Stored],
    mark: Mark | None,
    names: Mapping[str, str],
) -> ReplyRead:
    reading = json.loads(kept.reading or "{}")
    body = kept.body
    if kept.channel == "mail":
        own = own_words(kept.body, ctx.instruments.vocabulary, {})
        beside = own.left if reading.get("crisis") or reading.get("opt_out") else ""  # it may hold the very words
        body = "\n\n".join(filter(None, (own.text, beside))) or kept.body
    because = [(b["feeling"] or "", b["score"], b["words"], b["rule"]) for b in reading.get("because", ())]
    return ReplyRead(
        kept=kept,
        words=body.strip(),
        because=because,
        reading=reading,
        counts=_as_asked({each.feeling: each.score for each in stored if each.inbox_id == kept.id}),
        choices=rereading.choices(ctx, kept, check_in, stored) if check_in else [],
        mark=mark,
        marked_by=names.get(mark.by_id, "") if mark else "",
    )
