"""Rules that differ for one therapist or client, and what was changed in any rule. The practice's own rule is with the
practice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, moment_of, new_id


@dataclass(frozen=True)
class Change:
    """One change of a rule. `before`, `after`: the keys the rule held; `by_id`: None for a command."""

    id: str
    practice_id: str
    scope: str
    scope_id: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    by_id: str | None
    at: datetime
    undone_at: datetime | None


def take_turn(tx: Tx, practice_id: str) -> None:
    """Hold every other change of this practice's rules back until this transaction ends."""
    tx.run("update practice set schedule = schedule where id = :p", {"p": practice_id})


def own(tx: Tx, practice_id: str, scope: str, scope_id: str) -> dict[str, str]:
    """What differs for one therapist or client; empty where nothing does."""
    row = tx.one(
        "select schedule from schedule_rule where practice_id = :p and scope = :scope and scope_id = :id",
        {"p": practice_id, "scope": scope, "id": scope_id},
    )
    return dict(json.loads(row["schedule"])) if row else {}


def every(tx: Tx, practice_id: str, scope: str, scope_ids: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
    """What differs, by id of the therapist or client; only for those named, where some are."""
    among, params = listed("id", scope_ids or [])
    only = "" if scope_ids is None else f" and scope_id in {among}"
    rows = tx.all(
        f"select scope_id, schedule from schedule_rule where practice_id = :p and scope = :scope{only} "
        "order by scope_id",
        {"p": practice_id, "scope": scope, **params},
    )
    return {row["scope_id"]: json.loads(row["schedule"]) for row in rows}


def save(tx: Tx, practice_id: str, scope: str, scope_id: str, schedule: Mapping[str, str]) -> None:
    """Keep what differs for one therapist or client; nothing is kept where nothing differs."""
    place = {"practice_id": practice_id, "scope": scope, "scope_id": scope_id}
    if not schedule:
        tx.run(
            "delete from schedule_rule where practice_id = :practice_id and scope = :scope and scope_id = :scope_id",
            place,
        )
        return
    tx.insert(
        "schedule_rule",
        place | {"schedule": json.dumps(dict(schedule), sort_keys=True)},
        "on conflict (practice_id, scope, scope_id) do update set schedule = excluded.schedule",
    )


def note(
    tx: Tx,
    practice_id: str,
    scope: str,
    scope_id: str,
    before: Mapping[str, str],
    after: Mapping[str, str],
    by_id: str | None,
    now: datetime,
) -> str:
    """Write a change down; its id."""
    last = tx.one("select max(seq) as seq from schedule_change where practice_id = :p", {"p": practice_id})
    change_id = new_id()
    row = {
        "id": change_id,
        "practice_id": practice_id,
        "seq": int((last and last["seq"]) or 0) + 1,
        "scope": scope,
        "scope_id": scope_id,
        "before": json.dumps(dict(before), sort_keys=True),
        "after": json.dumps(dict(after), sort_keys=True),
        "by_id": by_id,
        "at": epoch(now),
    }
    tx.insert("schedule_change", row)
    return change_id


def changes(tx: Tx, practice_id: str, most: int) -> list[Change]:
    """The latest changes, the newest first."""
    rows = tx.all(
        "select * from schedule_change where practice_id = :p order by seq desc limit :most",
        {"p": practice_id, "most": most},
    )
    return [_change(row) for row in rows]


def mark_undone(tx: Tx, practice_id: str, change_id: str, now: datetime) -> bool:
    """Note that a change was taken back; False if it was before."""
    sql = """update schedule_change set undone_at = :now
              where id = :id and practice_id = :p and undone_at is null"""
    return tx.run(sql, {"now": epoch(now), "id": change_id, "p": practice_id}) == 1


def clients_seen_since(tx: Tx, practice_id: str, since: datetime, therapist_id: str | None = None) -> list[str]:
    """The ids of clients with an appointment that ends at or after a moment; of one therapist's, where one is named."""
    only = " and c.therapist_id = :t" if therapist_id else ""
    rows = tx.all(
        "select c.id from client c where c.practice_id = :p and exists (select 1 from appointment a "
        f"where a.client_id = c.id and a.ends_at >= :since){only} order by c.id",
        {"p": practice_id, "since": epoch(since), "t": therapist_id},
    )
    return [row["id"] for row in rows]


def clients_of(tx: Tx, practice_id: str, therapist_id: str) -> list[str]:
    """The ids of a therapist's clients."""
    rows = tx.all(
        "select id from client where practice_id = :p and therapist_id = :t order by id",
        {"p": practice_id, "t": therapist_id},
    )
    return [row["id"] for row in rows]


def _change(row: Row) -> Change:
    plain = ("id", "practice_id", "scope", "scope_id", "by_id")
    return Change(
        **{name: row[name] for name in plain},
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
        at=moment_of(row["at"]),
        undone_at=moment(row["undone_at"]),
    )
