"""Weeks of check-ins in a real database, without waiting for them: what a client answered, or that they didn't."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from bot.flows import alerting, signal
from bot.store import alerts, check_ins, inbox
from bot.store.alerts import Alert
from bot.store.inbox import Inbound
from bot.worker import tick_once
from tests.support.cast import PHONES, Riverside

FIRST_VISIT = datetime(2026, 9, 14, 15, 0, tzinfo=UTC)  # a Monday, eleven in New York
CORE = ("heard", "respected", "understood")
WELL = ((5, 5, 4), (5, 5, 5), (4, 5, 5), (5, 5, 5), (5, 5, 4), (5, 5, 5))
DECLINE = (*WELL, (3, 4, 3), (2, 4, 2))
MENDED = ((5, 5, 5), (5, 5, 5), (5, 5, 5), (5, 5, 5))
Week = Sequence[int] | Mapping[str, int] | None
_ids = count(1)


@dataclass(frozen=True)
class At:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for us."""


def weekly(
    practice: Riverside, name: str, weeks: Sequence[Week], *, start: datetime = FIRST_VISIT, therapist: str = "Theo"
) -> datetime:
    """A visit a week with its check-in, answered the same evening (None: never); when the last answer came."""
    at = start
    for number, scores in enumerate(weeks):
        at = start + timedelta(weeks=number)
        one(practice, name, at, scores, therapist=therapist)
    return at + timedelta(hours=3)


def one(practice: Riverside, name: str, ends_at: datetime, scores: Week, *, therapist: str = "Theo") -> str:
    """One visit and its check-in; the check-in's id. Unanswered ones have run out."""
    ref = practice.visit(name, ends_at, therapist=therapist, now=ends_at)
    asked_at, answered_at = ends_at + timedelta(hours=2), ends_at + timedelta(hours=3)
    found = dict(zip(CORE, scores, strict=False)) if isinstance(scores, Sequence) else dict(scores or {})
    where = practice.rows("select k.id from check_in k join appointment v on v.id = k.appointment_id "
                          "where v.appointment_ref = :ref", ref=ref)  # fmt: skip
    check_in_id, practice_id = str(where[0]["id"]), practice.practice.id
    with practice.ctx.store.transaction() as tx:
        check_ins.set_feelings(tx, practice_id, check_in_id, tuple(found) or CORE)
        check_ins.set_state(tx, practice_id, check_in_id, "asked", asked_at)
        check_ins.set_asked(tx, practice_id, check_in_id, asked_at, None, asked_at + timedelta(hours=72))
        if found:
            inbound = Inbound("sms", f"SM{next(_ids):032x}", PHONES[name], " ".join(map(str, found.values())))
            inbox_id = inbox.remember(tx, practice_id, inbound, answered_at)
            assert inbox_id
            check_ins.add_answers(tx, practice_id, check_in_id, inbox_id, found, answered_at, False)
        check_ins.set_state(tx, practice_id, check_in_id, "answered" if found else "expired", answered_at)
        check_ins.mark_to_assess(tx, practice_id, practice.clients[name], practice.staff[therapist])
    return check_in_id


def assess(practice: Riverside, now: datetime) -> None:
    """The worker's look at whoever answered."""
    signal.assess_marked(practice.ctx, now)


def climb(practice: Riverside, now: datetime) -> int:
    """Every alert goes up as far as it should by now."""
    total = 0
    while done := alerting.climb_due(practice.ctx, now):
        total += done
    return total


def send(practice: Riverside, now: datetime) -> None:
    """Everything a worker would do at this moment, sending included."""
    tick_once(practice.ctx, At(now))


def alerts_of(practice: Riverside, name: str, kind: str = "rapport") -> list[Alert]:
    """A client's alerts of a kind, oldest first."""
    with practice.ctx.store.transaction(write=False) as tx:
        found = alerts.of_client(tx, practice.practice.id, practice.clients[name])
    return [alert for alert in found if alert.kind == kind]
