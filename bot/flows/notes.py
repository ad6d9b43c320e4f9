"""A therapist's notes behind sign-in: what changed, taking it on, what was done, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.flows import alerting, standing, viewing
from bot.flows.access import Me, NotHere
from bot.flows.alerting import is_danger
from bot.flows.caseload import in_care
from bot.flows.context import Context
from bot.flows.judging import GONE, KINDS
from bot.flows.links import AlertLink
from bot.flows.planning import rule_of
from bot.flows.signal import belief_of, explanation_of, recovery_of, told
from bot.flows.viewing import AlertView
from bot.store import Tx, alerts, check_ins, clients, notes, people, practices
from bot.store.alerts import Alert
from bot.store.clients import Client
from bot.store.sql import epoch
from surveys.alert_wording import recovery_text
from surveys.alerting import working_days
from surveys.notes import Follow, follow

STATES = ("waiting", "followed", "ended")
LONGEST = 2_000  # characters of what a person may write beside a note


@dataclass(frozen=True)
class Entry:
    """One note in the list: one of STATES, and the feelings it is about."""

    alert: Alert
    client: Client
    state: str
    feelings: tuple[str, ...]


@dataclass(frozen=True)
class NotePage:
    """One note in full. `start`: answers were low from the first on. `follow`: for notes about rapport. `recovered`:
    what shows that answers are back, in a sentence, where they are."""

    view: AlertView
    client: Client
    state: str
    start: bool
    follow: Follow | None
    recovered: str

    @property
    def in_care(self) -> bool:
        """Whether the client has a page that this therapist may open."""
        return self.client.state not in GONE


@dataclass(frozen=True)
class Waits:
    """What a supervisor learns: for whom a note waits, and for how many working days."""

    therapist: str
    days: int


def entries(ctx: Context, me: Me) -> list[Entry]:
    """The therapist's notes about clients who are with them now: waiting, then followed, then ended; newest first."""
    with ctx.store.transaction(write=False) as tx:
        mine = {client.id: client for client in clients.of_therapist(tx, me.practice.id, me.person.id)}
        found = [
            Entry(alert, mine[alert.client_id], state_of(alert), feelings_of(alert))
            for alert in alerts.of_therapist(tx, me.practice.id, me.person.id)
            if alert.client_id in mine and _may_open(alert, mine[alert.client_id])
        ]
    return sorted(found, key=lambda each: (STATES.index(each.state), not is_danger(each.alert)))


def page(ctx: Context, me: Me, alert_id: str, now: datetime, record: bool = True) -> NotePage:
    """One note of the therapist's, and how it has gone since. Raises NotHere. `record`: into the audit trail."""
    with ctx.store.transaction(write=False) as tx:
        alert, client = own_alert(tx, me, alert_id)
        followed = follow_of(ctx, tx, alert) if alert.kind == "rapport" else None
    view = viewing.alert_view(ctx, _as(me, alert_id, now), now, record=False, named=True)
    if view is None:
        raise NotHere
    if record:
        with ctx.store.transaction() as tx:
            practices.note(tx, me.practice.id, me.person.id, "a note was opened", alert_id, now)
    explanation = explanation_of(alert)
    start = bool(explanation and explanation.start)
    return NotePage(view, client, state_of(alert), start, followed, _recovered(ctx, me, alert, client))


def take_on(ctx: Context, me: Me, alert_id: str, note: str, now: datetime) -> bool:
    """Take a note on; False if somebody already had. Raises NotHere."""
    with ctx.store.transaction() as tx:
        own_alert(tx, me, alert_id)
        return alerting.acknowledge(ctx, _as(me, alert_id, now), note, now)


def say_done(ctx: Context, me: Me, alert_id: str, done: str, talked: bool, now: datetime) -> None:
    """Keep what was done about a note that was taken on, and, where `talked`, that it was talked about with the client
    just now. Raises NotHere."""
    with ctx.store.transaction() as tx:
        alert, client = own_alert(tx, me, alert_id)
        if alert.waiting:
            raise NotHere
        notes.save_done(tx, alert, done)
        practices.note(tx, me.practice.id, me.person.id, "what was done about a note", alert.id, now)
        if talked:
            talk(tx, me, client, now)


def talk(tx: Tx, me: Me, client: Client, now: datetime) -> None:
    """The two have talked about how it is going between them."""
    clients.set_talked(tx, me.practice.id, client.id, now)
    practices.note(tx, me.practice.id, me.person.id, "talked about rapport", client.id, now)


def say_verdict(ctx: Context, me: Me, alert_id: str, verdict: str, now: datetime) -> None:
    """What the therapist thinks of a note about rapport; may be changed, or taken back by the empty one.

    Raises NotHere, also where there is nothing to think of yet.
    """
    with ctx.store.transaction() as tx:
        alert, _ = own_alert(tx, me, alert_id)
        if alert.kind not in KINDS or alert.waiting or verdict not in ("", *notes.VERDICTS):
            raise NotHere
        notes.save_verdict(tx, alert, verdict, me.person.id, now)
        practices.note(tx, me.practice.id, me.person.id, "a verdict on a note", alert.id, now)


def resume(ctx: Context, me: Me, alert_id: str, now: datetime) -> bool:
    """Let a client's check-ins go on after danger; False where that isn't this person's to say any more."""
    with ctx.store.transaction() as tx:
        own_alert(tx, me, alert_id)
        view = viewing.alert_view(ctx, _as(me, alert_id, now), now, record=False)
        if view is None or not view.paused:
            return False
        return standing.resume(ctx, me.practice, view.client_ref, me.person.id, now)


def waiting_long(ctx: Context, me: Me, now: datetime) -> list[Waits]:
    """Notes of others that have waited so long that supervisors were told; nothing of what they say."""
    with ctx.store.transaction(write=False) as tx:
        found = [each for each in notes.waiting_long(tx, me.practice.id) if each.therapist_id != me.person.id]
        names = {each.therapist_id: people.get(tx, me.practice.id, each.therapist_id).name for each in found}
    closed = rule_of(dict(me.practice.schedule)).holidays
    zone = me.practice.timezone
    return [Waits(names[each.therapist_id], working_days(each.since, now, zone, closed)) for each in found]


def own_alert(tx: Tx, me: Me, alert_id: str) -> tuple[Alert, Client]:
    """An alert about a client who is this therapist's now. Raises NotHere for any other."""
    try:
        alert = alerts.get(tx, me.practice.id, alert_id)
    except KeyError:
        raise NotHere from None
    if alert.therapist_id != me.person.id or alert.client_id is None:
        raise NotHere
    client = in_care(tx, me, alert.client_id, even_gone=is_danger(alert) or alert.kind == "call")
    return alert, client


def state_of(alert: Alert) -> str:
    """One of STATES. What isn't about rapport is over once somebody has taken it on."""
    if alert.waiting:
        return "waiting"
    return "followed" if alert.kind == "rapport" and alert.resolved_at is None else "ended"


def feelings_of(alert: Alert) -> tuple[str, ...]:
    """The feelings an alert is about, where it is about some."""
    explanation = explanation_of(alert)
    return explanation.feelings if explanation else ()


def follow_of(ctx: Context, tx: Tx, alert: Alert) -> Follow:
    """How it has gone since a note about rapport was taken on, or else since it was raised."""
    client_id, therapist_id = alert.client_id or "", alert.therapist_id or ""
    answers = check_ins.answers_of(tx, alert.practice_id, client_id, therapist_id)
    asked = check_ins.of_clients(tx, alert.practice_id, [client_id])[client_id]
    start = alert.acknowledged_at or alert.opened_at
    mine = [c for c in told(asked, answers) if c.therapist_id == therapist_id and c.asked_at and c.asked_at > start]
    since = [answers[each.id] for each in mine if each.id in answers]
    usual = belief_of(ctx, tx, alert.practice_id, client_id, therapist_id).usual
    return follow(alert.resolved_at, since, feelings_of(alert), usual)


def last_of(found: Sequence[Alert], kind: str) -> Alert | None:
    """The newest alert of a kind that isn't over."""
    return next((a for a in reversed(found) if a.kind == kind and a.resolved_at is None), None)


def _recovered(ctx: Context, me: Me, alert: Alert, client: Client) -> str:
    recovery = recovery_of(alert)
    return recovery_text(recovery, me.practice.language, client.name, ctx.instruments) if recovery else ""


def _may_open(alert: Alert, client: Client) -> bool:
    return is_danger(alert) or alert.kind == "call" or client.state not in GONE


def _as(me: Me, alert_id: str, now: datetime) -> AlertLink:
    """As if they had followed their own link at this moment."""
    return AlertLink(me.practice.id, alert_id, me.person.id, epoch(now))
