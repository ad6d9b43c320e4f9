"""What a caseload shows of all of a therapist's clients at once: a few queries, however many there are.

Everything is about these clients with this therapist; what was before with someone else is not theirs to see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.store.engine import Tx
from bot.store.sql import epoch, listed, moment, moment_of

# Told: answered, wholly or in part, or run out unanswered, as in `bot.flows.signal.told`.
_TOLD = (
    "c.asked_at is not null and (c.state = 'expired' or exists "
    "(select 1 from answer a where a.check_in_id = c.id and a.replaced_at is null))"
)


@dataclass(frozen=True)
class Recent:
    """One check-in that was answered or ran out: when its appointment was, and its answers by feeling."""

    check_in_id: str
    visit_at: datetime
    scores: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Dates:
    """A client's times with one therapist. `planned_at`: the next check-in; `open_until`: one waits for answers."""

    last_visit: datetime | None = None
    next_visit: datetime | None = None
    last_answer: datetime | None = None
    answered: int = 0
    planned_at: datetime | None = None
    open_until: datetime | None = None


def recent(
    tx: Tx, practice_id: str, therapist_id: str, client_ids: Sequence[str], most: int
) -> dict[str, list[Recent]]:
    """The latest check-ins of each client that say something, oldest first."""
    among, params = listed("id", client_ids)
    rows = tx.all(
        f"""select told.id, told.client_id, told.starts_at, a.feeling, a.score from (
              select c.id, c.client_id, v.starts_at,
                     row_number() over (partition by c.client_id order by v.starts_at desc, c.id) as place
                from check_in c join appointment v on v.id = c.appointment_id
               where c.client_id in {among} and c.practice_id = :p and c.therapist_id = :t and {_TOLD}) as told
            left join answer a on a.check_in_id = told.id and a.replaced_at is null
            where told.place <= :most order by told.starts_at, told.id""",
        {"p": practice_id, "t": therapist_id, "most": most, **params},
    )
    found: dict[str, dict[str, Recent]] = {client_id: {} for client_id in client_ids}
    for row in rows:
        one = found[row["client_id"]].setdefault(row["id"], Recent(row["id"], moment_of(row["starts_at"])))
        if row["feeling"] is not None:
            one.scores[row["feeling"]] = row["score"]
    return {client_id: list(each.values()) for client_id, each in found.items()}


def dates(tx: Tx, practice_id: str, therapist_id: str, client_ids: Sequence[str], now: datetime) -> dict[str, Dates]:
    """When each client was and will be seen and asked, and how often they have answered."""
    among, params = listed("id", client_ids)
    where = f"client_id in {among} and practice_id = :p and therapist_id = :t"
    params |= {"p": practice_id, "t": therapist_id, "now": epoch(now)}
    visits = tx.all(
        "select client_id, max(case when starts_at <= :now and status <> 'no_show' then starts_at end) as last_visit, "
        "min(case when starts_at > :now and status = 'booked' then starts_at end) as next_visit "
        f"from appointment where {where} and status not in ('cancelled') group by client_id",
        params,
    )
    asked = tx.all(
        "select client_id, min(case when state = 'planned' then due_at end) as planned_at, "
        "max(case when state in ('asked', 'reminded', 'partly_answered') and expires_at > :now then expires_at end) "
        f"as open_until from check_in where {where} group by client_id",
        params,
    )
    answers = tx.all(
        "select c.client_id, max(a.answered_at) as last_answer, count(distinct c.id) as answered from check_in c "
        "join answer a on a.check_in_id = c.id "
        f"where c.client_id in {among} and c.practice_id = :p and c.therapist_id = :t and a.replaced_at is null "
        "group by c.client_id",
        params,
    )
    found: dict[str, dict[str, int | None]] = {client_id: {} for client_id in client_ids}
    for row in (*visits, *asked, *answers):
        found[row.pop("client_id")] |= row
    return {client_id: _dates(row) for client_id, row in found.items()}


def _dates(row: dict[str, int | None]) -> Dates:
    return Dates(
        last_visit=moment(row.get("last_visit")),
        next_visit=moment(row.get("next_visit")),
        last_answer=moment(row.get("last_answer")),
        answered=row.get("answered") or 0,
        planned_at=moment(row.get("planned_at")),
        open_until=moment(row.get("open_until")),
    )
