"""From what is believed about a client to the alert a person gets, deepened or ended as answers come in.

Two kinds are the signal's: "rapport", a decline that the belief finds, and "low", a softer note about a single answer
of 1 to a core feeling from someone who doesn't usually rate low.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.flows.context import Context
from bot.flows.planning import askings_of
from bot.store import Tx, alerts, check_ins, clients, people, practices
from bot.store.alerts import Alert
from bot.store.check_ins import CheckIn
from surveys import alerting, rapport, schedule

KINDS = ("rapport", "low")
GONE = ("discharged", "died")
OVER = "what it was about is over"


def judge(
    ctx: Context, tx: Tx, belief: rapport.Belief, practice_id: str, client_id: str, therapist_id: str, now: datetime
) -> None:
    """Open, deepen or end alerts about one client with a therapist, by what is believed now."""
    asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
    mine = [each for each in asked if each.asked_at and each.therapist_id == therapist_id]
    _rapport(tx, belief, practice_id, client_id, therapist_id, mine, now)
    _low(ctx, tx, belief, practice_id, client_id, therapist_id, mine, now)
    _end_silence(tx, practice_id, client_id, therapist_id, asked, now)


def read_explanation(text: str) -> rapport.Explanation:
    """An explanation as stored with an alert."""
    found = json.loads(text)
    return rapport.Explanation(
        since=found["since"],
        check_ins=found["check_ins"],
        feelings=tuple(found["feelings"]),
        overall=found["overall"],
        probability=found["probability"],
        falls=tuple(_fall(each) for each in found.get("falls", ())),
        start=found.get("start", False),
    )


def read_recovery(found: Mapping[str, Any]) -> rapport.Recovery:
    """The evidence of recovery as stored with an alert."""
    return rapport.Recovery(found["check_ins"], tuple(_fall(each) for each in found["falls"]))


def _fall(found: Mapping[str, Any]) -> rapport.Fall:
    before = rapport.Range(**found["before"]) if found["before"] else None
    return rapport.Fall(found["feeling"], rapport.Range(**found["now"]), before, found["usual"])


def _rapport(
    tx: Tx,
    belief: rapport.Belief,
    practice_id: str,
    client_id: str,
    therapist_id: str,
    mine: list[CheckIn],
    now: datetime,
) -> None:
    latest = alerts.latest(tx, practice_id, client_id, therapist_id, "rapport")
    rate = 1 / _one_in(tx, practice_id, therapist_id)
    threshold, start = belief.model.threshold(rate), rapport.start(belief)
    verdict = alerting.decide(belief.evidence, threshold, _standing(latest, mine), start=start, rate=rate)
    if verdict == "open" and clients.get(tx, practice_id, client_id).state not in GONE:
        why = belief.explain() if belief.evidence >= threshold else rapport.explain_start(belief)
        _open(tx, practice_id, client_id, therapist_id, "rapport", why, mine[-1] if mine else None, now)
    elif verdict == "deepen" and latest:
        alerts.update_explanation(tx, latest, json.dumps(asdict(belief.explain())))
    elif verdict == "resolve" and latest:
        _keep_recovery(tx, latest, belief)
        _resolve(tx, latest, now)


def _one_in(tx: Tx, practice_id: str, therapist_id: str) -> int:
    own = people.get(tx, practice_id, therapist_id).one_false_alarm_in
    return alerting.one_in(practices.get(tx, practice_id).settings, own)


def _standing(latest: Alert | None, mine: list[CheckIn]) -> alerting.Standing:
    if latest is None:
        return alerting.Standing()
    ended = latest.resolved_at
    answered = [each.answered_at for each in mine if each.answered_at]
    return alerting.Standing(
        open=ended is None,
        acknowledged=latest.acknowledged_at is not None,
        answered_since=sum(at > ended for at in answered) if ended else 0,
        start=read_explanation(latest.explanation).start,
    )


def _keep_recovery(tx: Tx, latest: Alert, belief: rapport.Belief) -> None:
    """The evidence that it is over, kept beside what it was. A low start that became usual is no recovery."""
    told = read_explanation(latest.explanation)
    if told.start:
        return
    found = json.loads(latest.explanation)
    found["recovery"] = asdict(belief.recovery(told.feelings, told.since))
    alerts.update_explanation(tx, latest, json.dumps(found))


def _low(
    ctx: Context,
    tx: Tx,
    belief: rapport.Belief,
    practice_id: str,
    client_id: str,
    therapist_id: str,
    mine: list[CheckIn],
    now: datetime,
) -> None:
    """Tell of a single very low answer, or take that back when the next ones aren't, or a decline says it all."""
    answers = check_ins.answers_of(tx, practice_id, client_id, therapist_id)
    answered = [each for each in mine if answers.get(each.id)]
    scores = [answers[each.id] for each in answered]
    low = alerting.very_low(scores[-1], scores[:-1], ctx.instruments.core) if scores else ()
    latest = alerts.latest(tx, practice_id, client_id, therapist_id, "low")
    decline = alerts.latest(tx, practice_id, client_id, therapist_id, "rapport")
    declining = decline is not None and decline.resolved_at is None
    if latest and latest.resolved_at is None and (declining or not low):
        _resolve(tx, latest, now)
    if not low or declining or not _fresh(answered[-1], latest, now):
        return
    if clients.get(tx, practice_id, client_id).state not in GONE:
        why = rapport.Explanation(None, 1, low, False, belief.probability)
        _open(tx, practice_id, client_id, therapist_id, "low", why, answered[-1], now)


def _fresh(check_in: CheckIn, latest: Alert | None, now: datetime) -> bool:
    """Whether a check-in is still to be told of: not yet told, not old, and not waiting for the client's own "I
    meant otherwise"."""
    if latest and (latest.check_in_id == check_in.id or latest.resolved_at is None):
        return False
    at = check_in.answered_at or check_in.asked_at or now
    asked_again = "confirm" in check_in.prompted and now - at < alerting.TO_MEAN_OTHERWISE
    return now - at < alerting.LOW_IS_OLD and not asked_again


def _end_silence(
    tx: Tx, practice_id: str, client_id: str, therapist_id: str, asked: list[CheckIn], now: datetime
) -> None:
    """A client who answers again is silent no more."""
    silent = alerts.latest(tx, practice_id, client_id, therapist_id, "silent")
    if silent and silent.resolved_at is None and schedule.unanswered(askings_of(asked)) == 0:
        _resolve(tx, silent, now)


def _resolve(tx: Tx, alert: Alert, now: datetime) -> None:
    alerts.resolve(tx, alert, now)
    alerts.withdraw_letters(tx, alert, OVER)


def _open(
    tx: Tx,
    practice_id: str,
    client_id: str,
    therapist_id: str,
    kind: str,
    why: rapport.Explanation,
    check_in: CheckIn | None,
    now: datetime,
) -> None:
    alerts.open_alert(
        tx,
        practice_id,
        client_id=client_id,
        therapist_id=therapist_id,
        kind=kind,
        explanation=json.dumps(asdict(why)),
        check_in_id=check_in.id if check_in else None,
        now=now,
    )
