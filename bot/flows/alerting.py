"""Alerts on their way to a person, up the ladder until somebody has acknowledged them."""

from datetime import datetime, timedelta

from bot import log
from bot.flows.context import Context
from bot.flows.letters import send_alert
from bot.flows.links import AlertLink
from bot.flows.planning import rule_of
from bot.flows.signal import explanation_of
from bot.store import Tx, alerts, people, practices
from bot.store.alerts import Alert
from bot.store.people import Person
from bot.store.practices import Practice
from surveys import alerting
from surveys.alert_wording import AlertText, alert_text
from surveys.alerting import Rung

AT_ONCE = 50
# Where nobody holds a role, who is told instead, in turn: an alert never stops for want of a name.
INSTEAD = {
    "therapist": ("supervisor", "duty", "manager"),
    "second": ("supervisor", "duty", "manager"),
    "duty": ("second", "supervisor", "manager"),
    "supervisor": ("manager",),
}


def climb_due(ctx: Context, now: datetime) -> int:
    """Take every alert whose time has come up one rung; how many."""
    with ctx.store.transaction(write=False) as tx:
        if not alerts.due(tx, now, 1):
            return 0
    with ctx.store.transaction() as tx:
        due = alerts.due(tx, now, AT_ONCE)
        for alert in due:
            _climb(ctx, tx, alert, now)
        return len(due)


def acknowledge(ctx: Context, link: AlertLink, note: str, now: datetime) -> bool:
    """A person takes an alert on, with a note; False if someone already had."""
    with ctx.store.transaction() as tx:
        done = alerts.acknowledge(tx, link.practice_id, link.alert_id, link.person_id, note, now)
        if done:
            practices.note(tx, link.practice_id, link.person_id, "acknowledged", link.alert_id, now)
    return done


def send_again(ctx: Context, link: AlertLink, now: datetime) -> None:
    """Mail the same person a fresh link, at most one every quarter of an hour."""
    with ctx.store.transaction() as tx:
        practice = practices.get(tx, link.practice_id)
        alert = alerts.get(tx, practice.id, link.alert_id)
        person = people.get(tx, practice.id, link.person_id)
        if person.active:
            quarter = int(now.timestamp()) // 900
            name = f"again:{alert.id}:{person.id}:{quarter}"
            send_alert(ctx, tx, practice, alert, person, _words(ctx, tx, practice, alert, "reminder", now), name, now)


def _climb(ctx: Context, tx: Tx, alert: Alert, now: datetime) -> None:
    practice = practices.get(tx, alert.practice_id)
    closed = rule_of(dict(practice.schedule)).holidays
    rung = alerting.rung(alert.kind, alert.step, alert.opened_at, now, practice.timezone, closed)
    state = "escalated" if rung.escalated else None
    if not alerts.climb(tx, alert, alert.step + 1, rung.next_at, state):
        return
    told = _people(tx, practice, alert, rung)
    for person, kind in told:
        text = _words(ctx, tx, practice, alert, kind, now)
        send_alert(ctx, tx, practice, alert, person, text, f"alert:{alert.id}:{alert.step}:{person.id}", now)
    log.get().info("alert", alert=alert.id, kind=alert.kind, count=len(told))
    if not told:
        log.get().error("nobody to tell", alert=alert.id, practice=practice.id)


def _people(tx: Tx, practice: Practice, alert: Alert, rung: Rung) -> list[tuple[Person, str]]:
    """Who is told, each once, and as what."""
    found: dict[str, tuple[Person, str]] = {}
    for role in rung.roles:
        for person in _holders(tx, practice, alert, role):
            found.setdefault(person.id, (person, _kind_for(alert, person, rung)))
    return list(found.values())


def _holders(tx: Tx, practice: Practice, alert: Alert, role: str) -> list[Person]:
    if role == "therapist" and alert.therapist_id:
        therapist = people.get(tx, practice.id, alert.therapist_id)
        if therapist.active:
            return [therapist]
    for stand_in in (role, *INSTEAD[role]):
        if stand_in != "therapist" and (holders := people.with_role(tx, practice.id, stand_in)):
            return holders
    return []


def _kind_for(alert: Alert, person: Person, rung: Rung) -> str:
    if rung.kind == "danger":
        return "danger" if person.id == alert.therapist_id else "danger_other"
    if person.id == alert.therapist_id:
        return "reminder" if rung.kind == "reminder" else alert.kind
    # whoever isn't the therapist learns that a note waits, and nothing of what it says
    return "escalated" if rung.kind == "waiting" else "cover"


def _words(ctx: Context, tx: Tx, practice: Practice, alert: Alert, kind: str, now: datetime) -> AlertText:
    name = people.get(tx, practice.id, alert.therapist_id).name if alert.therapist_id else ""
    if alert.kind.startswith("danger") and kind == "reminder":
        kind = "danger_other"
    return alert_text(
        kind,
        practice.language,
        explanation=explanation_of(alert) if kind == "rapport" else None,
        days=max(1, (now - alert.opened_at) // timedelta(days=1)),
        therapist=name,
        instruments=ctx.instruments,
    )
