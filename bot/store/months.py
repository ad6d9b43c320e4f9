"""A month of a practice in counts, for the letter to its managers. No answer, score or word is read."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Tx
from bot.store.sql import epoch


@dataclass(frozen=True)
class Counts:
    """Check-ins that fell due in a period (since <= due < until) and what became of them, and what else happened.

    `asked` went out: `answered` in part at least, `expired` unanswered, the others are `open`. `failed` never got
    there; `cancelled` were planned and not sent. `texts` with their `segments`, and `mails`, to anyone. `stopped`:
    clients who opted out. `needs_person` and `agreed` (in care, with consent, not stopped) are as of now.
    """

    asked: int
    answered: int
    expired: int
    failed: int
    cancelled: int
    texts: int
    segments: int
    mails: int
    stopped: int
    needs_person: int
    agreed: int

    @property
    def open(self) -> int:
        """Went out, and wait for an answer."""
        return self.asked - self.answered - self.expired

    @property
    def rate(self) -> int | None:
        """How many of those that went out were answered, in whole per cent; None where none did."""
        return round(100 * self.answered / self.asked) if self.asked else None


def counts(tx: Tx, practice_id: str, since: datetime, until: datetime) -> Counts:
    """What happened in a period. Times UTC."""
    period = {"p": practice_id, "since": epoch(since), "until": epoch(until)}
    return Counts(**_check_ins(tx, period), **_messages(tx, period), **_people(tx, period))


def _check_ins(tx: Tx, period: dict[str, object]) -> dict[str, int]:
    answered = "exists (select 1 from answer a where a.check_in_id = k.id and a.replaced_at is null)"
    (row,) = tx.all(
        f"""select coalesce(sum(case when went = 1 then 1 else 0 end), 0) as asked,
                   coalesce(sum(case when went = 1 and answers = 1 then 1 else 0 end), 0) as answered,
                   coalesce(sum(case when went = 1 and answers = 0 and state in ('expired', 'cancelled')
                                then 1 else 0 end), 0) as expired,
                   coalesce(sum(case when state = 'failed' then 1 else 0 end), 0) as failed,
                   coalesce(sum(case when went = 0 and state in ('cancelled', 'expired') then 1 else 0 end), 0)
                     as cancelled
              from (select k.state, case when k.asked_at is not null and k.state <> 'failed' then 1 else 0 end as went,
                           case when {answered} then 1 else 0 end as answers
                      from check_in k where k.practice_id = :p and k.due_at >= :since and k.due_at < :until) as due""",
        period,
    )
    return {name: int(number) for name, number in row.items()}


def _messages(tx: Tx, period: dict[str, object]) -> dict[str, int]:
    rows = tx.all(
        "select channel, count(*) as n, sum(segments) as segments from outbox where practice_id = :p "
        "and created_at >= :since and created_at < :until and state = 'sent' group by channel",
        period,
    )
    sent = {row["channel"]: row for row in rows}
    texts, mails = sent.get("sms", {}), sent.get("mail", {})
    return {
        "texts": int(texts.get("n", 0)), "segments": int(texts.get("segments", 0)), "mails": int(mails.get("n", 0))
    }  # fmt: skip


def _people(tx: Tx, period: dict[str, object]) -> dict[str, int]:
    asked = {
        "stopped": "select count(distinct client_id) as n from consent_event where practice_id = :p "
        "and what = 'stopped' and at >= :since and at < :until",
        "needs_person": "select count(*) as n from outbox where practice_id = :p and state = 'needs_person'",
        "agreed": "select count(*) as n from client where practice_id = :p and consent_at is not null "
        "and stopped_at is null and state = 'active'",
    }
    found = {}
    for name, sql in asked.items():
        used = {key: value for key, value in period.items() if f":{key}" in sql}
        found[name] = int(tx.all(sql, used)[0]["n"])
    return found
