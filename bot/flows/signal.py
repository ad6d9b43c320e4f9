"""The signal: from stored answers to a belief about rapport, and from that to an alert or its end.

Any number of times with the same result: nothing here is needed to have taken a reply in, so a fault in
the signal can't cost one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from bot import log
from bot.flows.context import Context
from bot.flows.planning import askings_of
from bot.store import Tx, alerts, appointments, check_ins, clients, practices
from bot.store.alerts import Alert
from bot.store.appointments import Appointment
from bot.store.check_ins import CheckIn
from surveys import alerting, rapport, schedule
from surveys.conversation import State

AT_ONCE = 50
NEVER_HELD = ("cancelled", "no_show")
GONE = ("discharged", "died")


def assess_marked(ctx: Context, now: datetime) -> int:
    """Look again at every client whose answers changed; how many. A fault with one holds up no other."""
    with ctx.store.transaction(write=False) as tx:
        marks = check_ins.to_assess(tx, AT_ONCE)
    return sum(_assess_mark(ctx, mark, now) for mark in marks)


def belief_of(ctx: Context, tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> rapport.Belief:
    """What is believed about rapport, folded from every stored check-in of the client with this therapist."""
    visits = appointments.of_clients(tx, practice_id, [client_id])[client_id]
    asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
    answers = check_ins.answers_of(tx, practice_id, client_id, therapist_id)
    return rapport.assess(observations(visits, asked, answers, therapist_id), ctx.model)


def observations(
    visits: Sequence[Appointment],
    asked: Sequence[CheckIn],
    answers: Mapping[str, Mapping[str, int]],
    therapist_id: str,
) -> list[rapport.Observation]:
    """The history the signal reads: one observation for every check-in that was answered or ran out.

    Appointments count from 0, those with this therapist that took place or were asked about.
    """
    mine = [each for each in told(asked, answers) if each.therapist_id == therapist_id]
    asked_about = {each.appointment_id for each in mine}
    held = [v for v in visits if v.therapist_id == therapist_id and v.status not in NEVER_HELD]
    counted = [v.id for v in visits if v in held or v.id in asked_about]
    numbers = {visit_id: number for number, visit_id in enumerate(counted)}
    seen = [
        rapport.Observation(
            number=numbers[each.appointment_id],
            answered=bool(answers.get(each.id)),
            answers=answers.get(each.id, {}),
            change=None,
        )
        for each in mine
    ]
    return sorted(seen, key=lambda observation: observation.number)


def told(asked: Sequence[CheckIn], answers: Mapping[str, Mapping[str, int]]) -> list[CheckIn]:
    """The check-ins that say something: answered, wholly or in part, or run out unanswered."""
    return [each for each in asked if each.asked_at and (answers.get(each.id) or each.state == State.EXPIRED)]


def explanation_of(alert: Alert) -> rapport.Explanation | None:
    """What the signal said when it opened or deepened an alert; None for an alert that isn't the signal's."""
    if alert.kind != "rapport" or not alert.explanation:
        return None
    fields = json.loads(alert.explanation)
    fields["feelings"] = tuple(fields["feelings"])
    return rapport.Explanation(**fields)


def _assess_mark(ctx: Context, mark: Mapping[str, str], now: datetime) -> bool:
    who = (mark["practice_id"], mark["client_id"], mark["therapist_id"])
    try:
        # The long part first, without keeping writers waiting. What comes in meanwhile makes a new mark,
        # and then this belief is too old to act on.
        with ctx.store.transaction(write=False) as tx:
            belief = belief_of(ctx, tx, *who)
        with ctx.store.transaction() as tx:
            if not check_ins.assessed(tx, mark["mark"]):
                return False
            _settle(ctx, tx, belief, *who, now)
    except Exception as error:
        log.get().error("fault", what="assessing", client=mark["client_id"], error=error.__class__.__name__)
        with ctx.store.transaction() as tx:
            check_ins.mark_to_assess(tx, *who)  # a new mark has another place in the queue, and holds up nobody
        return False
    return True


def _settle(
    ctx: Context, tx: Tx, belief: rapport.Belief, practice_id: str, client_id: str, therapist_id: str, now: datetime
) -> None:
    client = clients.get(tx, practice_id, client_id)
    latest = alerts.latest(tx, practice_id, client_id, therapist_id, "rapport")
    threshold = ctx.model.threshold(1 / alerting.one_in(practices.get(tx, practice_id).settings))
    verdict = alerting.decide(belief.evidence, threshold, _standing(latest))
    if verdict == "open" and client.state not in GONE:
        _open(tx, practice_id, client_id, therapist_id, belief, now)
    elif verdict == "deepen" and latest:
        alerts.update_explanation(tx, latest, _explanation(belief))
    elif verdict == "resolve" and latest:
        _resolve(tx, latest, now)
    _end_silence(tx, practice_id, client_id, therapist_id, now)


def _standing(latest: Alert | None) -> alerting.Standing:
    return alerting.Standing(
        open=latest is not None and latest.resolved_at is None,
        acknowledged=latest is not None and latest.acknowledged_at is not None,
    )


def _end_silence(tx: Tx, practice_id: str, client_id: str, therapist_id: str, now: datetime) -> None:
    """A client who answers again is silent no more."""
    silent = alerts.latest(tx, practice_id, client_id, therapist_id, "silent")
    if silent and silent.resolved_at is None:
        asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
        if schedule.unanswered(askings_of(asked)) == 0:
            _resolve(tx, silent, now)


def _resolve(tx: Tx, alert: Alert, now: datetime) -> None:
    alerts.resolve(tx, alert, now)
    alerts.withdraw_letters(tx, alert, "what it was about is over")


def _open(tx: Tx, practice_id: str, client_id: str, therapist_id: str, belief: rapport.Belief, now: datetime) -> None:
    asked = [c for c in check_ins.of_clients(tx, practice_id, [client_id])[client_id] if c.asked_at]
    latest = [c.id for c in asked if c.therapist_id == therapist_id][-1:]
    alerts.open_alert(
        tx,
        practice_id,
        client_id=client_id,
        therapist_id=therapist_id,
        kind="rapport",
        explanation=_explanation(belief),
        check_in_id=latest[0] if latest else None,
        now=now,
    )


def _explanation(belief: rapport.Belief) -> str:
    return json.dumps(asdict(belief.explain()))
