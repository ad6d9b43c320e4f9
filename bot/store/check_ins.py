"""Check-ins: one asking of one client about one appointment, and its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, moment_of, new_id

OPEN = ("asked", "reminded", "partly_answered")
# The question is with the provider, who hasn't said yet that it was taken: the client may be reading it.
FOR_EVER = 2**62  # later than any moment, in seconds
_UNDER_WAY = (
    "o.check_in_id = check_in.id and o.kind = 'check_in' and o.attempt_id is not null "
    "and o.state in ('claimed', 'in_doubt', 'needs_person')"
)
# Its question, or the welcome that goes first, is in the outbox: nothing is left to do here.
_QUEUED = "o.check_in_id = check_in.id and (o.kind = 'check_in' or o.state not in ('sent', 'refused'))"
# Says the same as `practice_id = :p`, and keeps SQLite from walking through the whole practice for a few clients.
_OF_PRACTICE = "practice_id || '' = :p"
_TIMES = {"reminded": "reminded_at", "answered": "answered_at"} | dict.fromkeys(
    ("expired", "cancelled", "failed"), "closed_at"
)


@dataclass(frozen=True)
class Stored:
    """One answer that counts, with the message it came from."""

    check_in_id: str
    inbox_id: str
    feeling: str
    score: int


@dataclass(frozen=True)
class CheckIn:
    """One check-in. `prompted`: what the client was already asked again or told once, as words."""

    id: str
    practice_id: str
    client_id: str
    therapist_id: str
    appointment_id: str
    state: str
    feelings: tuple[str, ...]
    due_at: datetime
    expires_at: datetime
    asked_at: datetime | None
    remind_at: datetime | None
    answered_at: datetime | None
    prompted: tuple[str, ...]
    reason: str | None


def get(tx: Tx, practice_id: str, check_in_id: str) -> CheckIn:
    """One check-in. Raises KeyError."""
    row = tx.one("select * from check_in where id = :id and practice_id = :p", {"id": check_in_id, "p": practice_id})
    if row is None:
        raise KeyError(check_in_id)
    return _check_in(row)


def anywhere(tx: Tx, check_in_id: str) -> CheckIn | None:
    """A check-in by its id alone, over all practices: for ids that came back to us, signed, from outside."""
    row = tx.one("select * from check_in where id = :id", {"id": check_in_id})
    return _check_in(row) if row else None


def of_clients(
    tx: Tx, practice_id: str, client_ids: Sequence[str], since: datetime | None = None
) -> dict[str, list[CheckIn]]:
    """The check-ins of each named client, by due time; only those due at or after `since`, where given."""
    among, params = listed("id", client_ids)
    only = "" if since is None else " and due_at >= :since"
    rows = tx.all(
        f"select * from check_in where client_id in {among}{only} and {_OF_PRACTICE}",
        {"p": practice_id, "since": epoch(since) if since else 0, **params},
    )
    found: dict[str, list[CheckIn]] = {client_id: [] for client_id in client_ids}
    for row in sorted(rows, key=lambda row: (row["due_at"], row["id"])):
        found[row["client_id"]].append(_check_in(row))
    return found


def add_planned(tx: Tx, practice_id: str, rows: Sequence[tuple[str, str, str, datetime, datetime]]) -> None:
    """Plan check-ins: (appointment id, client id, therapist id, due, expires) each."""
    tx.insert_many(
        "check_in",
        [
            {
                "id": new_id(),
                "practice_id": practice_id,
                "client_id": client_id,
                "therapist_id": therapist_id,
                "appointment_id": appointment_id,
                "state": "planned",
                "feelings": "",
                "due_at": epoch(due_at),
                "expires_at": epoch(expires_at),
            }
            for appointment_id, client_id, therapist_id, due_at, expires_at in rows
        ],
    )


def move_planned(tx: Tx, rows: Sequence[tuple[str, str, datetime, datetime]]) -> None:
    """Give planned check-ins another therapist or time: (check-in id, therapist id, due, expires) each."""
    tx.run_many(
        "update check_in set therapist_id = :therapist, due_at = :due, expires_at = :expires "
        "where id = :id and state = 'planned'",
        [
            {"id": check_in_id, "therapist": therapist, "due": epoch(due), "expires": epoch(expires)}
            for check_in_id, therapist, due, expires in rows
        ],
    )


def close_sooner(tx: Tx, rows: Sequence[tuple[str, datetime]]) -> None:
    """Bring the end of open check-ins forward, never back: (check-in id, expires) each."""
    tx.run_many(
        "update check_in set expires_at = :expires where id = :id and expires_at > :expires "
        "and state in ('asked', 'reminded', 'partly_answered')",
        [{"id": check_in_id, "expires": epoch(expires)} for check_in_id, expires in rows],
    )


def drop_planned(tx: Tx, rows: Sequence[tuple[str, str]], now: datetime) -> None:
    """Take planned check-ins back: (check-in id, why) each.

    One that has a message in the outbox stays, as cancelled; unless its question is with the provider
    already, for then it is the provider's answer that decides.
    """
    marks = [{"id": check_in_id, "reason": reason, "now": epoch(now)} for check_in_id, reason in rows]
    tx.run_many(
        "delete from check_in where id = :id and state = 'planned' "
        "and not exists (select 1 from outbox o where o.check_in_id = :id)",
        [{"id": mark["id"]} for mark in marks],
    )
    tx.run_many(
        "update check_in set state = 'cancelled', closed_at = :now, reason = :reason "
        f"where id = :id and state = 'planned' and not exists (select 1 from outbox o where {_UNDER_WAY})",
        marks,
    )


def due(tx: Tx, now: datetime, most: int) -> list[CheckIn]:
    """Planned check-ins whose time has come, unasked, and not waiting for their welcome; over all practices."""
    rows = tx.all(
        "select * from check_in where state = 'planned' and due_at <= :now and expires_at > :now "
        f"and not exists (select 1 from outbox o where {_QUEUED}) order by due_at, id limit :most",
        {"now": epoch(now), "most": most},
    )
    return [_check_in(row) for row in rows]


def to_remind(tx: Tx, now: datetime, most: int) -> list[CheckIn]:
    """Asked check-ins without an answer whose reminder is due, over all practices."""
    rows = tx.all(
        "select * from check_in where state = 'asked' and remind_at <= :now order by remind_at, id limit :most",
        {"now": epoch(now), "most": most},
    )
    return [_check_in(row) for row in rows]


def to_expire(tx: Tx, now: datetime, most: int) -> list[CheckIn]:
    """Open check-ins whose time is over, over all practices."""
    rows = tx.all(
        "select * from check_in where state in ('planned', 'asked', 'reminded', 'partly_answered') "
        "and expires_at <= :now order by expires_at, id limit :most",
        {"now": epoch(now), "most": most},
    )
    return [_check_in(row) for row in rows]


def latest_asked(tx: Tx, practice_id: str, client_id: str, by: datetime | None = None) -> CheckIn | None:
    """The check-in this client was asked last (by a moment), open or closed."""
    row = tx.one(
        "select * from check_in where client_id = :c and practice_id = :p and asked_at <= :by "
        "order by asked_at desc, id desc limit 1",
        {"c": client_id, "p": practice_id, "by": epoch(by) if by else FOR_EVER},
    )
    return _check_in(row) if row else None


def under_way(tx: Tx, practice_id: str, client_id: str, by: datetime) -> CheckIn | None:
    """A check-in whose question was with the provider by then, who hasn't said yet that it was taken."""
    row = tx.one(
        "select * from check_in where client_id = :c and practice_id = :p and state = 'planned' "
        f"and exists (select 1 from outbox o left join attempt a on a.id = o.attempt_id where {_UNDER_WAY} "
        "and coalesce(a.started_at, 0) <= :by) order by due_at desc, id desc limit 1",
        {"c": client_id, "p": practice_id, "by": epoch(by)},
    )
    return _check_in(row) if row else None


def set_feelings(tx: Tx, practice_id: str, check_in_id: str, feelings: Sequence[str]) -> None:
    """What this check-in asks, in order."""
    _set(tx, practice_id, check_in_id, feelings=",".join(feelings))


def set_asked(
    tx: Tx,
    practice_id: str,
    check_in_id: str,
    asked_at: datetime,
    remind_at: datetime | None,
    expires_at: datetime,
) -> None:
    """The provider has taken the question."""
    _set(
        tx,
        practice_id,
        check_in_id,
        asked_at=epoch(asked_at),
        remind_at=epoch(remind_at) if remind_at else None,
        expires_at=epoch(expires_at),
    )


def no_reminder(tx: Tx, practice_id: str, check_in_id: str) -> None:
    """The reminder was sent, or isn't wanted any more."""
    _set(tx, practice_id, check_in_id, remind_at=None)


def set_prompted(tx: Tx, practice_id: str, check_in_id: str, prompted: Sequence[str]) -> None:
    """What the client was asked again or told once."""
    _set(tx, practice_id, check_in_id, prompted=",".join(prompted))


def set_state(
    tx: Tx, practice_id: str, check_in_id: str, state: str, now: datetime, *, reason: str | None = None
) -> None:
    """Move a check-in to another state (the moves allowed are in `surveys.conversation`).

    When it was first reminded of, answered or closed stays, also when a full new set answers it again.
    """
    column = _TIMES.get(state)
    first = f", {column} = coalesce({column}, :now)" if column else ""
    tx.run(
        f"update check_in set state = :state, reason = coalesce(:reason, reason){first} "
        "where id = :id and practice_id = :p",
        {"state": state, "reason": reason, "now": epoch(now), "id": check_in_id, "p": practice_id},
    )


def next_due(tx: Tx) -> datetime | None:
    """When a check-in next wants attention: to be asked, reminded of, or closed."""
    row = tx.one(
        "select min(at) as at from ("
        "select min(due_at) as at from check_in where state = 'planned' "
        f"and not exists (select 1 from outbox o where {_QUEUED}) union all "
        "select min(remind_at) from check_in where state = 'asked' union all "
        "select min(expires_at) from check_in where state in ('planned', 'asked', 'reminded', 'partly_answered')"
        ") as soonest"
    )
    return moment(row["at"]) if row else None


def add_answers(
    tx: Tx,
    practice_id: str,
    check_in_id: str,
    inbox_id: str,
    scores: dict[str, int],
    now: datetime,
    replace: bool,
) -> None:
    """Store answers; `replace` sets the current ones aside first (both are kept)."""
    if replace:
        tx.run(
            f"update answer set replaced_at = :now where check_in_id = :id and {_OF_PRACTICE} and replaced_at is null",
            {"now": epoch(now), "id": check_in_id, "p": practice_id},
        )
    rows = [
        {
            "id": new_id(),
            "practice_id": practice_id,
            "check_in_id": check_in_id,
            "inbox_id": inbox_id,
            "feeling": feeling,
            "score": score,
            "answered_at": epoch(now),
        }
        for feeling, score in scores.items()
    ]
    tx.insert_many("answer", rows)


def answers(tx: Tx, practice_id: str, check_in_id: str) -> dict[str, int]:
    """The current answers of a check-in: feeling to score."""
    rows = tx.all(
        f"select feeling, score from answer where check_in_id = :id and {_OF_PRACTICE} and replaced_at is null",
        {"id": check_in_id, "p": practice_id},
    )
    return {row["feeling"]: row["score"] for row in rows}


def answers_of(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> dict[str, dict[str, int]]:
    """The current answers of a client with one therapist: check-in id to feeling to score."""
    rows = tx.all(
        "select a.check_in_id, a.feeling, a.score from check_in c join answer a on a.check_in_id = c.id "
        "where c.client_id = :c and c.therapist_id = :t and c.practice_id = :p and a.replaced_at is null",
        {"c": client_id, "t": therapist_id, "p": practice_id},
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["check_in_id"], {})[row["feeling"]] = row["score"]
    return found


def stored_answers(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> list[Stored]:
    """Every answer of a client with one therapist that nothing has replaced, oldest first."""
    rows = tx.all(
        "select a.check_in_id, a.inbox_id, a.feeling, a.score from check_in c join answer a on a.check_in_id = c.id "
        "where c.client_id = :c and c.therapist_id = :t and c.practice_id = :p and a.replaced_at is null "
        "order by a.answered_at, a.id",
        {"c": client_id, "t": therapist_id, "p": practice_id},
    )
    return [Stored(**row) for row in rows]


def withdraw_answers(tx: Tx, practice_id: str, inbox_id: str, now: datetime) -> None:
    """What one message gave counts no more; it is kept."""
    tx.run(
        "update answer set replaced_at = :now where inbox_id = :i and practice_id = :p and replaced_at is null",
        {"now": epoch(now), "i": inbox_id, "p": practice_id},
    )


def mark_to_assess(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> None:
    """The worker must look at this client's answers again."""
    row = {"practice_id": practice_id, "client_id": client_id, "therapist_id": therapist_id, "mark": new_id()}
    tx.insert(
        "to_assess",
        row,
        "on conflict (practice_id, client_id, therapist_id) do update set mark = excluded.mark",
    )


def to_assess(tx: Tx, most: int) -> list[Row]:
    """Marks to assess: rows of practice_id, client_id, therapist_id, mark."""
    return tx.all("select * from to_assess order by mark limit :most", {"most": most})


def assessed(tx: Tx, mark: str) -> bool:
    """Take a mark away; False when it is gone: one made since then has another value and stays."""
    return tx.run("delete from to_assess where mark = :mark", {"mark": mark}) == 1


def _set(tx: Tx, practice_id: str, check_in_id: str, **changes: str | int | None) -> None:
    names = ", ".join(f"{name} = :{name}" for name in changes)
    sql = f"update check_in set {names} where id = :id and practice_id = :p"
    tx.run(sql, {**changes, "id": check_in_id, "p": practice_id})


def _check_in(row: Row) -> CheckIn:
    plain = ("id", "practice_id", "client_id", "therapist_id", "appointment_id", "state", "reason")
    return CheckIn(
        **{name: row[name] for name in plain},
        feelings=_words(row["feelings"]),
        due_at=moment_of(row["due_at"]),
        expires_at=moment_of(row["expires_at"]),
        asked_at=moment(row["asked_at"]),
        remind_at=moment(row["remind_at"]),
        answered_at=moment(row["answered_at"]),
        prompted=_words(row["prompted"]),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
