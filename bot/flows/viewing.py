"""What the page behind an alert's link shows: gathered here, drawn in `bot.web`.

Who sees what: a therapist their own client's trend and advice. Whoever is told of danger: which client, and, once they
have taken it on, the number it came from. Anyone else: that a note waits, and for whom.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.flows.alerting import found, is_danger, kind_for, stands_in, therapist_left, words
from bot.flows.context import Context
from bot.flows.judging import KINDS
from bot.flows.links import AlertLink
from bot.flows.signal import GONE, belief_of, explanation_of, told
from bot.store import Tx, alerts, appointments, check_ins, clients, people, practices
from bot.store.alerts import Alert
from bot.store.clients import Client
from bot.store.people import Person
from bot.store.practices import Practice
from surveys.alert_wording import AlertText
from surveys.rapport import Band


@dataclass(frozen=True)
class Point:
    """One check-in in a trend: when the appointment was, and the scores by feeling (none: unanswered)."""

    at: datetime
    asked_at: datetime
    scores: Mapping[str, int]


@dataclass(frozen=True)
class Trend:
    """How it has gone with one client: every check-in that says something, in order, and what is usual by now.

    `raised_at`: when the note was raised that the picture shows; None where there is none to show.
    """

    points: list[Point]
    usual: Mapping[str, Band]
    feelings: tuple[str, ...]
    fallen: tuple[str, ...]
    raised_at: datetime | None

    def answers(self, feeling: str) -> int:
        """How many answers to this question there are."""
        return sum(feeling in point.scores for point in self.points)


@dataclass(frozen=True)
class AlertView:
    """One alert as one person may see it. What they may not see is empty.

    `kind`: as what they read it (`bot.flows.alerting.kind_for`). `numbers`: where a message of danger came from.
    `note`: what was noted when it was taken on. `paused`: danger holds up the client's check-ins, and this person
    may let them go on. `therapist_gone`: the therapist has left, rather than being away.
    """

    practice: Practice
    alert: Alert
    kind: str
    text: AlertText
    client_ref: str
    is_therapist: bool
    therapist: str
    trend: Trend | None
    therapist_gone: bool
    taken_by: str
    taken_by_me: bool
    note: str
    numbers: list[str]
    paused: bool

    @property
    def is_danger(self) -> bool:
        """Whether someone may need help now."""
        return is_danger(self.alert)


def alert_view(
    ctx: Context, link: AlertLink, now: datetime, record: bool = True, named: bool = False
) -> AlertView | None:
    """What the holder of a link sees; None for an alert or person that is gone. `named`: the note's sentence gives the
    client's name and numbers, for their therapist behind sign-in alone.

    Opening it is written into the audit trail (unless `record` is off) and changes nothing else: mail scanners
    follow links too, so only a button says that a person has seen it.
    """
    with ctx.store.transaction(write=False) as tx:
        what = found(tx, link)
        if what is None:
            return None
        practice, alert, person = what
        view = _view(ctx, tx, practice, alert, person, now, named)
    if record:
        with ctx.store.transaction() as tx:
            practices.note(tx, practice.id, person.id, "their link to an alert was opened", alert.id, now)
    return view


def practice_of(ctx: Context, link: AlertLink) -> Practice | None:
    """Whose link it is, for the words of a page that shows nothing else; None when there is nothing to open."""
    with ctx.store.transaction(write=False) as tx:
        what = found(tx, link)
    return what[0] if what else None


def _view(
    ctx: Context, tx: Tx, practice: Practice, alert: Alert, person: Person, now: datetime, named: bool
) -> AlertView:
    left = stands_in(tx, alert, person, now)
    kind = kind_for(alert, person, left)
    client = clients.get(tx, practice.id, alert.client_id) if alert.client_id else None
    own = person.id == alert.therapist_id
    shown = own and alert.kind in KINDS
    mine = person.id == alert.acknowledged_by
    return AlertView(
        practice=practice,
        alert=alert,
        kind=kind,
        text=words(ctx, tx, practice, alert, kind, now, named=named and own),
        client_ref=client.client_ref if client and _may_know_client(alert, kind) else "",
        is_therapist=own,
        therapist=people.get(tx, practice.id, alert.therapist_id).name if alert.therapist_id else "",
        therapist_gone=therapist_left(tx, alert),
        trend=trend_of(ctx, tx, practice.id, alert.client_id or "", person.id, alert) if shown else None,
        taken_by=people.get(tx, practice.id, alert.acknowledged_by).name if alert.acknowledged_by else "",
        taken_by_me=mine,
        note=alert.note if mine or is_danger(alert) else "",
        numbers=alerts.written_from(tx, alert) if mine and is_danger(alert) else [],
        paused=is_danger(alert) and bool(client and client.halted) and _may_resume(tx, alert, client, person),
    )


def _may_know_client(alert: Alert, kind: str) -> bool:
    """The therapist, whoever is told of danger, and, when the therapist has left, whoever is to make a call."""
    return kind not in ("cover", "escalated") or (kind == "cover" and alert.kind == "call")


def _may_resume(tx: Tx, alert: Alert, client: Client | None, person: Person) -> bool:
    """A clinician, once somebody has looked: the client's therapist, another one, or a supervisor."""
    if client and any(each.waiting and is_danger(each) for each in alerts.of_client(tx, alert.practice_id, client.id)):
        return False  # a newer message of theirs waits to be looked at
    if alert.acknowledged_at is None or client is None or client.stopped or client.state in (*GONE, "on_hold"):
        return False
    clinicians = [p.id for role in ("therapist", "supervisor") for p in people.with_role(tx, person.practice_id, role)]
    return person.id in (*clinicians, alert.therapist_id)


def trend_of(
    ctx: Context, tx: Tx, practice_id: str, client_id: str, therapist_id: str, about: Alert | None = None
) -> Trend:
    """How it has gone between a client and a therapist, with nobody else's part in it; `about` an alert, if one."""
    visits = {v.id: v for v in appointments.of_clients(tx, practice_id, [client_id])[client_id]}
    answers = check_ins.answers_of(tx, practice_id, client_id, therapist_id)
    asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
    mine = [each for each in told(asked, answers) if each.therapist_id == therapist_id]
    points = [Point(visits[c.appointment_id].starts_at, c.asked_at or c.due_at, answers.get(c.id, {})) for c in mine]
    explanation = explanation_of(about) if about else None
    fallen = explanation.feelings if explanation else ()
    order = (*fallen, *(feeling for feeling in ctx.instruments.questions if feeling not in fallen))
    return Trend(
        points=sorted(points, key=lambda point: point.at),
        usual=dict(belief_of(ctx, tx, practice_id, client_id, therapist_id).usual),
        feelings=tuple(f for f in order if any(f in point.scores for point in points)),
        fallen=fallen,
        raised_at=about.opened_at if about else None,
    )
