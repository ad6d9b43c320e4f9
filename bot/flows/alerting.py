"""Alerts on their way to a person, up the ladder until somebody has acknowledged them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import log
from bot.flows.context import Context
from bot.flows.judging import GONE
from bot.flows.judging import KINDS as SIGNALS
from bot.flows.letters import notify_managers, send_alert
from bot.flows.links import AlertLink
from bot.flows.own_hours import cover_of, quiet_until
from bot.flows.planning import rule_of
from bot.flows.signal import explanation_of
from bot.store import Tx, alerts, clients, people, practices
from bot.store.alerts import Alert
from bot.store.people import ROLES, Person
from bot.store.practices import Practice
from bot.store.sql import epoch
from surveys import alerting
from surveys.alert_wording import AlertText, alert_text
from surveys.alerting import Rung
from surveys.schedule import SILENT_AFTER

AT_ONCE = 50
LATER = timedelta(minutes=1)  # after a fault of ours
AGAIN_EVERY = 15 * 60  # seconds
ANYONE = "anyone"
# Where nobody who can be reached holds a role, who is told instead, in turn: an alert never stops for want of a name.
INSTEAD = {
    "therapist": ("supervisor", "duty", "second", "manager", ANYONE),
    "second": ("supervisor", "duty", "manager", ANYONE),
    "duty": ("second", "supervisor", "manager", ANYONE),
    "supervisor": ("manager", "duty", "second", "therapist", ANYONE),
    "cover": (),
}


def climb_due(ctx: Context, now: datetime) -> int:
    """Take every alert whose time has come up one rung; how many. A fault with one holds up no other."""
    with ctx.store.transaction(write=False) as tx:
        if not alerts.due(tx, now, 1):
            return 0
    with ctx.store.transaction() as tx:
        return sum(_guarded(ctx, tx, alert, now) for alert in alerts.due(tx, now, AT_ONCE))


def acknowledge(ctx: Context, link: AlertLink, note: str, now: datetime) -> bool:
    """A person takes an alert on, with a note; False if someone already had, or if they aren't with us any more."""
    with ctx.store.transaction() as tx:
        what = found(tx, link)
        if what is None:
            return False
        practice, alert, person = what
        done = alerts.acknowledge(tx, practice.id, alert.id, person.id, note, now)
        if done:
            alerts.withdraw_letters(tx, alert, "somebody has taken it on")
            practices.note(tx, practice.id, person.id, "acknowledged", alert.id, now)
    return done


def send_again(ctx: Context, link: AlertLink, now: datetime) -> bool:
    """Mail the same person a fresh link, once every quarter of an hour; False where there is nothing left to open."""
    with ctx.store.transaction() as tx:
        what = found(tx, link)
        if what is None:
            return False
        practice, alert, person = what
        kind = kind_for(alert, person, stands_in(tx, alert, person, now))
        text = words(ctx, tx, practice, alert, kind, now)
        name = f"again:{alert.id}:{person.id}:{epoch(now) // AGAIN_EVERY}"
        if send_alert(ctx, tx, practice, alert, person, text, name, now, asked=True):
            practices.note(tx, practice.id, person.id, "asked for a fresh link", alert.id, now)
    return True


def kind_for(alert: Alert, person: Person, left: bool = False) -> str:
    """As what a person reads an alert: their own, danger to someone, or that a note waits for a colleague.

    Whoever isn't the therapist learns that a note waits and nothing of what it says; danger is told to all. `left`:
    the therapist can't be asked.
    """
    own = person.id == alert.therapist_id
    if is_danger(alert):
        return "danger" if own else "danger_other"
    if own or alert.therapist_id is None:
        return alert.kind
    return "cover" if left else "escalated"


def therapist_left(tx: Tx, alert: Alert) -> bool:
    """Whether the therapist it is about is no longer with the practice."""
    return bool(alert.therapist_id) and not people.get(tx, alert.practice_id, alert.therapist_id or "").active


def stands_in(tx: Tx, alert: Alert, person: Person, now: datetime) -> bool:
    """Whether it is for this person to see to, since the therapist has left, or is away and they cover."""
    cover = cover_of(tx, alert, now)
    return therapist_left(tx, alert) or (cover is not None and cover.id == person.id)


def is_danger(alert: Alert) -> bool:
    """Whether someone may need help now."""
    return alert.kind.startswith("danger")


def words(
    ctx: Context, tx: Tx, practice: Practice, alert: Alert, kind: str, now: datetime, named: bool = False
) -> AlertText:
    """An alert in words, read as one of `kind_for` or as a reminder. The days it waited end when it was taken on.

    `named`: with the client's name and answers, for the therapist behind sign-in; never in a mail.
    """
    therapist = people.get(tx, practice.id, alert.therapist_id) if alert.therapist_id else None
    closed = rule_of(dict(practice.schedule)).holidays
    since, until = alert.sent_at or alert.opened_at, alert.acknowledged_at or now
    return alert_text(
        kind,
        practice.language,
        explanation=explanation_of(alert) if kind in SIGNALS else None,
        one_in=alerting.one_in(practice.settings, therapist.one_false_alarm_in if therapist else None),
        client=clients.get(tx, practice.id, alert.client_id).name if named and alert.client_id else "",
        days=alerting.working_days(since, until, practice.timezone, closed),
        therapist=therapist.name if therapist else "",
        count=json.loads(alert.explanation or "{}").get("count", SILENT_AFTER) if kind == "silent" else 0,
        instruments=ctx.instruments,
    )


def found(tx: Tx, link: AlertLink) -> tuple[Practice, Alert, Person] | None:
    """What a link is about, while its holder is with the practice."""
    try:
        practice = practices.get(tx, link.practice_id)
        person = people.get(tx, practice.id, link.person_id)
        alert = alerts.get(tx, practice.id, link.alert_id)
    except KeyError:
        return None
    return (practice, alert, person) if person.active and _still_theirs(tx, alert, person) else None


def _still_theirs(tx: Tx, alert: Alert, person: Person) -> bool:
    """A therapist's own note is theirs while they are a therapist and the client is with them; danger is told to all.
    Of a client who was erased nothing is left to read."""
    client = clients.get(tx, alert.practice_id, alert.client_id) if alert.client_id else None
    if client and client.erased:
        return False
    if client is None or is_danger(alert) or person.id != alert.therapist_id:
        return True
    return client.therapist_id == person.id and "therapist" in people.roles_of(tx, alert.practice_id, person.id)


def _guarded(ctx: Context, tx: Tx, alert: Alert, now: datetime) -> bool:
    try:
        with tx.savepoint():
            return _climb(ctx, tx, alert, now)
    except Exception as error:
        log.get().error("fault", what="climbing", alert=alert.id, error=error.__class__.__name__)
        alerts.postpone(tx, alert, now + LATER)
        return False


def _is_over(tx: Tx, alert: Alert) -> bool:
    """A note about how it goes, with a client who has left or died. A wish to be called stands: it was said to be
    passed on."""
    if is_danger(alert) or alert.client_id is None:
        return False
    state = clients.get(tx, alert.practice_id, alert.client_id).state
    return state == "died" or (state in GONE and alert.kind != "call")


def _climb(ctx: Context, tx: Tx, alert: Alert, now: datetime) -> bool:
    practice = practices.get(tx, alert.practice_id)
    if _is_over(tx, alert):
        alerts.rest(tx, alert)  # "worth asking" can hurt where nobody can be asked any more
        return True
    rung = _rung(tx, practice, alert, now)
    if not alerts.climb(tx, alert, rung.next_step, rung.next_at, "escalated" if rung.escalated else None):
        return False
    if rung.kind == "untaken":
        _tell_of_untaken(ctx, tx, practice, alert, now)
    elif rung.kind != "held":
        _tell(ctx, tx, practice, alert, rung, now)
    return True


def _rung(tx: Tx, practice: Practice, alert: Alert, now: datetime) -> Rung:
    first = next(iter(_people(tx, practice, alert, ("therapist",), now)), None)
    return alerting.rung(
        alert.kind,
        alert.step,
        alert.opened_at,
        now,
        practice.timezone,
        rule_of(dict(practice.schedule)).holidays,
        told_at=alert.sent_at,
        quiet_until=quiet_until(practice, first, now) if first else None,
        covered=bool(_people(tx, practice, alert, ("cover",), now)),
        supervisor_after=alerting.supervisor_after(practice.settings),
        second_after=alerting.second_contact_after(practice.settings),
    )


def _tell(ctx: Context, tx: Tx, practice: Practice, alert: Alert, rung: Rung, now: datetime) -> None:
    told = _people(tx, practice, alert, rung.roles, now)
    for person in told:
        text = words(ctx, tx, practice, alert, _kind_at(alert, person, rung), now)
        send_alert(ctx, tx, practice, alert, person, text, f"alert:{alert.id}:{alert.step}:{person.id}", now)
    log.get().info("alert", alert=alert.id, kind=alert.kind, count=len(told))
    if not told:
        log.get().error("nobody to tell", alert=alert.id, practice=practice.id)


def _tell_of_untaken(ctx: Context, tx: Tx, practice: Practice, alert: Alert, now: datetime) -> None:
    """No mail server has taken the first letter so far: the managers learn that, and nothing of what is in it."""
    if alerts.letters_waiting(tx, alert):
        names = ", ".join(person.name for person in _people(tx, practice, alert, ("therapist",), now))
        notify_managers(ctx, tx, practice.id, "undelivered", f"untaken:{alert.id}", now, names)


def _kind_at(alert: Alert, person: Person, rung: Rung) -> str:
    if is_danger(alert) or alert.therapist_id is None:
        return kind_for(alert, person)
    if person.id == alert.therapist_id:
        return alert.kind if rung.kind == "first" else "reminder"
    return kind_for(alert, person, left=rung.kind != "waiting")


def _people(tx: Tx, practice: Practice, alert: Alert, roles: Sequence[str], now: datetime) -> list[Person]:
    """Who is told, each once."""
    found = [person for role in roles for person in _holders(tx, practice, alert, role, now)]
    return list({person.id: person for person in found}.values())


def _holders(tx: Tx, practice: Practice, alert: Alert, role: str, now: datetime) -> list[Person]:
    """Who holds a role and can be reached, or who stands in for it."""
    for name in (role, *INSTEAD[role]):
        found = [person for person in _named(tx, practice, alert, name, now) if _reachable(alert, person)]
        if role == "supervisor" and name != "therapist":  # nobody supervises themselves
            found = [person for person in found if person.id != alert.therapist_id]
        if found:
            return found
    return []


def _named(tx: Tx, practice: Practice, alert: Alert, name: str, now: datetime) -> list[Person]:
    if name == "cover":
        cover = cover_of(tx, alert, now)
        return [cover] if cover else []
    if name == "therapist":
        therapist = people.get(tx, practice.id, alert.therapist_id) if alert.therapist_id else None
        return [therapist] if therapist and therapist.active else []
    roles = ROLES if name == ANYONE else (name,)
    return [person for each in roles for person in people.with_role(tx, practice.id, each)]


def _reachable(alert: Alert, person: Person) -> bool:
    return bool(person.email or (is_danger(alert) and person.phone))
