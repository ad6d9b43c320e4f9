"""The signal: from stored answers to a belief about rapport, and from that to an alert or its end.

Any number of times with the same result: nothing here is needed to have taken a reply in, so a fault in
the signal can't cost one. The belief is stored with the client; a check-in that only adds to the history costs one
update, and where anything older changed (a late answer, a replaced one, a corrected calendar) it is folded anew.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import log
from bot.flows import judging
from bot.flows.context import Context
from bot.store import Tx, appointments, beliefs, check_ins, models
from bot.store.alerts import Alert
from bot.store.appointments import Appointment
from bot.store.check_ins import CheckIn
from surveys import alerting, rapport
from surveys.conversation import State

AT_ONCE = 50
LOOK_AGAIN, LOOKED_BACK = timedelta(hours=1), alerting.LOW_IS_OLD
NEVER_HELD = ("cancelled", "no_show")
GONE = judging.GONE


def assess_marked(ctx: Context, now: datetime) -> int:
    """Look again at every client whose answers changed; how many. A fault with one holds up no other."""
    with ctx.store.transaction(write=False) as tx:
        marks = check_ins.to_assess(tx, AT_ONCE)
    return sum(_assess_mark(ctx, mark, now) for mark in marks)


def look_again(ctx: Context, now: datetime) -> int:
    """Look again at clients whose very low answers were held back until they could say that they meant otherwise."""
    until = now - alerting.TO_MEAN_OTHERWISE
    with ctx.store.transaction() as tx:
        found = beliefs.asked_about_twice(tx, until - LOOKED_BACK, until)
        for row in found:
            check_ins.mark_to_assess(tx, row["practice_id"], row["client_id"], row["therapist_id"])
    return len(found)


def belief_of(_ctx: Context, tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> rapport.Belief:
    """What is believed about rapport after every stored check-in of the client with this therapist."""
    return kept_of(tx, practice_id, client_id, therapist_id).belief


def kept_of(tx: Tx, practice_id: str, client_id: str, therapist_id: str, anew: bool = False) -> rapport.Kept:
    """The belief and the history it rests on: the stored one brought up to date, or made `anew`."""
    model = models.current(tx, practice_id)
    before = None if anew else beliefs.kept_of(tx, practice_id, client_id, therapist_id, model)
    return rapport.folded(history_of(tx, practice_id, client_id, therapist_id), model, before)


def history_of(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> list[rapport.Observation]:
    """What the signal reads of a client with this therapist."""
    visits = appointments.of_clients(tx, practice_id, [client_id])[client_id]
    asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
    answers = check_ins.answers_of(tx, practice_id, client_id, therapist_id)
    return observations(visits, asked, answers, therapist_id)


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
    return judging.read_explanation(alert.explanation) if alert.kind in judging.KINDS else None


def recovery_of(alert: Alert) -> rapport.Recovery | None:
    """What showed that rapport was back, when an alert of the signal ended; None for any other."""
    found = json.loads(alert.explanation) if alert.kind == "rapport" and alert.explanation else {}
    return judging.read_recovery(found["recovery"]) if "recovery" in found else None


def _assess_mark(ctx: Context, mark: Mapping[str, str], now: datetime) -> bool:
    who = (mark["practice_id"], mark["client_id"], mark["therapist_id"])
    try:
        # The long part first, without keeping writers waiting. What comes in meanwhile makes a new mark,
        # and then this belief is too old to act on.
        with ctx.store.transaction(write=False) as tx:
            kept = kept_of(tx, *who)
        with ctx.store.transaction() as tx:
            if not check_ins.assessed(tx, mark["mark"]):
                return False
            beliefs.keep(tx, *who, kept, now)
            judging.judge(ctx, tx, kept.belief, *who, now)
    except Exception as error:
        log.get().error("fault", what="assessing", client=mark["client_id"], error=error.__class__.__name__)
        with ctx.store.transaction() as tx:
            check_ins.mark_to_assess(tx, *who)  # a new mark has another place in the queue, and holds up nobody
        return False
    return True
