"""What came of alerts: what a therapist did about one and thinks of it; and counts over a whole practice."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.alerts import Alert
from bot.store.engine import Tx
from bot.store.sql import epoch, moment_of

VERDICTS = ("helpful", "not_helpful", "false")


@dataclass(frozen=True)
class Count:
    """How one therapist's notes about rapport have gone. Never shown by itself: see `surveys.notes`."""

    therapist_id: str
    clients: int
    opened: int
    taken: int
    mended: int
    helpful: int
    not_helpful: int
    wrong: int


@dataclass(frozen=True)
class Waiting:
    """A note that was told to supervisors and still waits: for whom, and since when."""

    therapist_id: str
    since: datetime


def save_done(tx: Tx, alert: Alert, done: str) -> None:
    """What was done about it, in the therapist's words; empty takes them back."""
    tx.run(
        "update alert set done_sealed = :done where id = :id and practice_id = :p",
        {"done": tx.seal("alert", "done", alert.id, done), "id": alert.id, "p": alert.practice_id},
    )


def save_verdict(tx: Tx, alert: Alert, verdict: str, person_id: str, now: datetime) -> None:
    """What a person thinks of it: one of VERDICTS, or empty to take it back."""
    tx.run(
        "update alert set verdict = :verdict, verdict_at = :at, verdict_by = :who where id = :id and practice_id = :p",
        {
            "verdict": verdict or None,
            "at": epoch(now) if verdict else None,
            "who": person_id if verdict else None,
            "id": alert.id,
            "p": alert.practice_id,
        },
    )


def waiting_long(tx: Tx, practice_id: str) -> list[Waiting]:
    """What has waited so long that supervisors were told, longest first; what rests is left out."""
    rows = tx.all(
        "select therapist_id, coalesce(sent_at, opened_at) as since from alert where practice_id = :p "
        "and state = 'escalated' and acknowledged_at is null and resolved_at is null and next_step_at is not null "
        "and therapist_id is not null and kind not like 'danger%' order by since, id",
        {"p": practice_id},
    )
    return [Waiting(row["therapist_id"], moment_of(row["since"])) for row in rows]


def counts(tx: Tx, practice_id: str, until: datetime) -> list[Count]:
    """Notes about rapport opened before a time, by therapist, with what had come of them by then."""
    rows = tx.all(
        "select therapist_id, count(distinct client_id) as clients, count(*) as opened, "
        "sum(case when acknowledged_at < :until then 1 else 0 end) as taken, "
        "sum(case when resolved_at < :until then 1 else 0 end) as mended, "
        "sum(case when verdict = 'helpful' and verdict_at < :until then 1 else 0 end) as helpful, "
        "sum(case when verdict = 'not_helpful' and verdict_at < :until then 1 else 0 end) as not_helpful, "
        "sum(case when verdict = 'false' and verdict_at < :until then 1 else 0 end) as wrong "
        "from alert where practice_id = :p and kind = 'rapport' and opened_at < :until and therapist_id is not null "
        "group by therapist_id order by therapist_id",
        {"p": practice_id, "until": epoch(until)},
    )
    return [Count(**row) for row in rows]
