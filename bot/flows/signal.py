"""The signal: from stored answers to a belief about rapport, and from that to an alert or its end.

Any number of times with the same result: nothing here is needed to have taken a reply in, so a fault in
the signal can't cost one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from bot.flows.context import Context
from bot.store import Tx, alerts, appointments, check_ins, practices
from bot.store.alerts import Alert
from bot.store.appointments import Appointment
from bot.store.check_ins import CheckIn
from surveys import alerting, rapport
from surveys.conversation import State

AT_ONCE = 50
TELLING = (State.ANSWERED, State.PARTLY_ANSWERED, State.EXPIRED)


def assess_marked(ctx: Context, now: datetime) -> int:
    """Look again at every client whose answers changed; how many."""
    with ctx.store.transaction(write=False) as tx:
        marks = check_ins.to_assess(tx, AT_ONCE)
    for mark in marks:
        with ctx.store.transaction() as tx:
            assess(ctx, tx, mark["practice_id"], mark["client_id"], mark["therapist_id"], now)
            check_ins.assessed(tx, mark["mark"])
    return len(marks)


def assess(ctx: Context, tx: Tx, practice_id: str, client_id: str, therapist_id: str, now: datetime) -> None:
    """Open, deepen or resolve the rapport alert of one client with one therapist."""
    practice = practices.get(tx, practice_id)
    belief = belief_of(ctx, tx, practice_id, client_id, therapist_id)
    latest = alerts.latest(tx, practice_id, client_id, therapist_id, "rapport")
    threshold = ctx.model.threshold(1 / alerting.one_in(practice.settings))
    standing = alerting.Standing(
        open=latest is not None and latest.resolved_at is None,
        acknowledged=latest is not None and latest.acknowledged_at is not None,
    )
    verdict = alerting.decide(belief.evidence, threshold, standing)
    if verdict == "open":
        _open(tx, practice_id, client_id, therapist_id, belief, now)
    elif verdict == "deepen" and latest:
        alerts.update_explanation(tx, latest, _explanation(belief))
    elif verdict == "resolve" and latest:
        alerts.resolve(tx, latest, now)


def belief_of(ctx: Context, tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> rapport.Belief:
    """What is believed about rapport, folded from every stored check-in of the client with this therapist."""
    visits = appointments.of_clients(tx, practice_id, [client_id])[client_id]
    asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
    answers = check_ins.answers_of(tx, practice_id, client_id, therapist_id)
    return rapport.assess(observations(visits, asked, answers, therapist_id), ctx.model)


def observations(
    visits: Sequence[Appointment],
    asked: Sequence[CheckIn],
    answers: dict[str, dict[str, int]],
    therapist_id: str,
) -> list[rapport.Observation]:
    """The history the signal reads: one observation for every check-in that was answered or ran out."""
    mine = [visit.id for visit in visits if visit.therapist_id == therapist_id]
    numbers = {visit_id: number for number, visit_id in enumerate(mine)}
    told = [
        rapport.Observation(
            number=numbers[each.appointment_id],
            answered=bool(answers.get(each.id)),
            answers=answers.get(each.id, {}),
            change=None,
        )
        for each in asked
        if each.asked_at and each.state in TELLING and each.appointment_id in numbers
    ]
    return sorted(told, key=lambda observation: observation.number)


def explanation_of(alert: Alert) -> rapport.Explanation | None:
    """What the signal said when it opened or deepened an alert."""
    if not alert.explanation:
        return None
    fields = json.loads(alert.explanation)
    fields["feelings"] = tuple(fields["feelings"])
    return rapport.Explanation(**fields)


def _open(tx: Tx, practice_id: str, client_id: str, therapist_id: str, belief: rapport.Belief, now: datetime) -> None:
    latest = check_ins.latest_asked(tx, practice_id, client_id)
    alerts.open_alert(
        tx,
        practice_id,
        client_id=client_id,
        therapist_id=therapist_id,
        kind="rapport",
        explanation=_explanation(belief),
        check_in_id=latest.id if latest else None,
        now=now,
    )


def _explanation(belief: rapport.Belief) -> str:
    return json.dumps(asdict(belief.explain()))
