"""What the page behind an alert's link shows: gathered here, drawn in `bot.web`."""

from dataclasses import dataclass
from datetime import datetime

from bot.flows.context import Context
from bot.flows.links import AlertLink
from bot.flows.signal import TELLING, belief_of, explanation_of
from bot.store import Tx, alerts, appointments, check_ins, clients, people, practices
from bot.store.alerts import Alert
from bot.store.practices import Practice
from surveys.alert_wording import AlertText, alert_text
from surveys.rapport import Band


@dataclass(frozen=True)
class Point:
    """One check-in in a trend: when the appointment was, and the scores by feeling (none: unanswered)."""

    at: datetime
    scores: dict[str, int]


@dataclass(frozen=True)
class AlertView:
    """One alert as one person may see it. `points` is empty for whoever isn't the client's therapist."""

    practice: Practice
    alert: Alert
    text: AlertText
    client_ref: str
    is_therapist: bool
    therapist: str
    feelings: tuple[str, ...]
    usual: dict[str, Band]
    points: list[Point]
    raised_at: datetime
    acknowledged_by: str


def alert_view(ctx: Context, link: AlertLink, now: datetime) -> AlertView | None:
    """What the holder of a link sees, noting that it was seen; None for an alert or person that is gone."""
    with ctx.store.transaction() as tx:
        try:
            practice = practices.get(tx, link.practice_id)
            alert = alerts.get(tx, practice.id, link.alert_id)
            person = people.get(tx, practice.id, link.person_id)
        except KeyError:
            return None
        if not person.active:
            return None
        alerts.mark_seen(tx, practice.id, alert.id, now)
        practices.note(tx, practice.id, person.id, "opened an alert", alert.id, now)
        return _view(ctx, tx, practice, alert, person.id)


def _view(ctx: Context, tx: Tx, practice: Practice, alert: Alert, person_id: str) -> AlertView:
    is_therapist = person_id == alert.therapist_id
    danger = alert.kind.startswith("danger")
    client = clients.get(tx, practice.id, alert.client_id) if alert.client_id else None
    therapist = people.get(tx, practice.id, alert.therapist_id).name if alert.therapist_id else ""
    kind = _kind_for(alert, is_therapist)
    explanation = explanation_of(alert) if kind == "rapport" else None
    belief, points = None, []
    if is_therapist and alert.kind == "rapport" and client:
        belief = belief_of(ctx, tx, practice.id, client.id, alert.therapist_id or "")
        points = _points(tx, practice.id, client.id, alert.therapist_id or "")
    return AlertView(
        practice=practice,
        alert=alert,
        text=alert_text(
            kind, practice.language, explanation=explanation, therapist=therapist, instruments=ctx.instruments
        ),
        client_ref=client.client_ref if client and (is_therapist or danger) else "",
        is_therapist=is_therapist,
        therapist=therapist,
        feelings=tuple(f for f in ctx.instruments.questions if any(f in point.scores for point in points)),
        usual=dict(belief.usual) if belief else {},
        points=points,
        raised_at=alert.opened_at,
        acknowledged_by=people.get(tx, practice.id, alert.acknowledged_by).name if alert.acknowledged_by else "",
    )


def _points(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> list[Point]:
    visits = {v.id: v for v in appointments.of_clients(tx, practice_id, [client_id])[client_id]}
    answers = check_ins.answers_of(tx, practice_id, client_id, therapist_id)
    asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
    mine = [c for c in asked if c.therapist_id == therapist_id and c.asked_at and c.state in TELLING]
    return [Point(visits[c.appointment_id].starts_at, answers.get(c.id, {})) for c in mine]


def _kind_for(alert: Alert, is_therapist: bool) -> str:
    """Whoever isn't the therapist learns that a note waits, and nothing of what it says; danger is told to all."""
    if alert.kind.startswith("danger"):
        return "danger" if is_therapist else "danger_other"
    return alert.kind if is_therapist else "cover"
