"""From what is believed about a client to the alert a person gets, deepened or ended as answers come in.

Two kinds are the signal's: "rapport", a decline that the belief finds, and "low", a softer note about a single answer
of 1 to a core feeling from someone who doesn't usually rate low.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
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
UNTOLD = rapport.Explanation(since=None, check_ins=0, feelings=(), overall=True, probability=0.0)


def judge(
    ctx: Context, tx: Tx, belief: rapport.Belief, practice_id: str, client_id: str, therapist_id: str, now: datetime
) -> None:
    """Open, deepen or end alerts about one client with a therapist, by what is believed now."""
    case = _Case(ctx, tx, belief, practice_id, client_id, therapist_id, now)
    case.decline()
    case.very_low()
    case.end_silence()


def read_explanation(text: str) -> rapport.Explanation:
    """An explanation as stored with an alert; where none is left, one that says no more than that answers fell."""
    if not text:
        return UNTOLD
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


@dataclass(frozen=True)
class _Case:
    """One client with one therapist, inside the transaction that changed what is believed about them."""

    ctx: Context
    tx: Tx
    belief: rapport.Belief
    practice_id: str
    client_id: str
    therapist_id: str
    now: datetime

    def decline(self) -> None:
        """Open, deepen or end the note about a decline."""
        latest, belief, rate = self._latest("rapport"), self.belief, 1 / self._one_in()
        threshold, start = belief.model.threshold(rate), rapport.start(belief)
        verdict = alerting.decide(belief.evidence, threshold, _standing(latest, self.mine), start=start, rate=rate)
        if verdict == "open":
            why = belief.explain() if belief.evidence >= threshold else rapport.explain_start(belief)
            self._open("rapport", why, self.mine[-1] if self.mine else None)
        elif verdict == "deepen" and latest:
            alerts.update_explanation(self.tx, latest, json.dumps(asdict(belief.explain())))
        elif verdict == "resolve" and latest:
            self._keep_recovery(latest)
            self._resolve(latest)

    def very_low(self) -> None:
        """Tell of a single very low answer, or take that back when the next ones aren't, or a decline says it all."""
        answers = check_ins.answers_of(self.tx, self.practice_id, self.client_id, self.therapist_id)
        answered = [each for each in self.mine if answers.get(each.id)]
        scores = [answers[each.id] for each in answered]
        low = alerting.very_low(scores[-1], scores[:-1], self.ctx.instruments.core) if scores else ()
        latest, decline = self._latest("low"), self._latest("rapport")
        declining = decline is not None and decline.resolved_at is None
        if latest and latest.resolved_at is None and (declining or not low):
            self._resolve(latest)
        if low and not declining and _fresh(answered[-1], latest, self.now):
            why = rapport.Explanation(None, 1, low, False, self.belief.probability)
            self._open("low", why, answered[-1])

    def end_silence(self) -> None:
        """A client who answers again is silent no more."""
        silent = self._latest("silent")
        if silent and silent.resolved_at is None and schedule.unanswered(askings_of(self.asked)) == 0:
            self._resolve(silent)

    @cached_property
    def asked(self) -> list[CheckIn]:
        """All check-ins of the client, with whichever therapist."""
        return check_ins.of_clients(self.tx, self.practice_id, [self.client_id])[self.client_id]

    @cached_property
    def mine(self) -> list[CheckIn]:
        """Those asked about this therapist."""
        return [each for each in self.asked if each.asked_at and each.therapist_id == self.therapist_id]

    def _latest(self, kind: str) -> Alert | None:
        return alerts.latest(self.tx, self.practice_id, self.client_id, self.therapist_id, kind)

    def _one_in(self) -> int:
        own = people.get(self.tx, self.practice_id, self.therapist_id).one_false_alarm_in
        return alerting.one_in(practices.get(self.tx, self.practice_id).settings, own)

    def _keep_recovery(self, latest: Alert) -> None:
        """The evidence that it is over, kept beside what it was. A low start that became usual is no recovery."""
        told = read_explanation(latest.explanation)
        if told.start:
            return
        recovery = asdict(self.belief.recovery(told.feelings, told.since))
        alerts.update_explanation(self.tx, latest, json.dumps({**asdict(told), "recovery": recovery}))

    def _resolve(self, alert: Alert) -> None:
        alerts.resolve(self.tx, alert, self.now)
        alerts.withdraw_letters(self.tx, alert, OVER)

    def _open(self, kind: str, why: rapport.Explanation, check_in: CheckIn | None) -> None:
        if clients.get(self.tx, self.practice_id, self.client_id).state in GONE:
            return
        alerts.open_alert(
            self.tx,
            self.practice_id,
            client_id=self.client_id,
            therapist_id=self.therapist_id,
            kind=kind,
            explanation=json.dumps(asdict(why)),
            check_in_id=check_in.id if check_in else None,
            now=self.now,
        )


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


def _fresh(check_in: CheckIn, latest: Alert | None, now: datetime) -> bool:
    """Whether a check-in is still to be told of: not yet told, not old, and not waiting for the client's own "I
    meant otherwise"."""
    if latest and (latest.check_in_id == check_in.id or latest.resolved_at is None):
        return False
    at = check_in.answered_at or check_in.asked_at or now
    asked_again = "confirm" in check_in.prompted and now - at < alerting.TO_MEAN_OTHERWISE
    return now - at < alerting.LOW_IS_OLD and not asked_again
