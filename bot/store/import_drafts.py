"""Files that a manager has handed in and not confirmed yet, sealed, for an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.engine import Tx
from bot.store.sql import epoch, moment, moment_of, new_id

KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Draft:
    """One file. `file`: its bytes as text (base64); `shown`: what its page shows, as JSON. Both are empty once it is
    too old. `taken_at`: when it was confirmed."""

    id: str
    kind: str
    file: str
    shown: str
    created_at: datetime
    taken_at: datetime | None


def add(tx: Tx, practice_id: str, person_id: str, kind: str, file: str, shown: str, now: datetime) -> str:
    """Keep a file; its id. Files of more than an hour ago go."""
    forget(tx, practice_id, now - KEPT_FOR)
    draft_id = new_id()
    row = {"id": draft_id, "practice_id": practice_id, "person_id": person_id, "kind": kind, "created_at": epoch(now)}
    sealed = {"file": file, "shown": shown}
    row |= {f"{name}_sealed": tx.seal("import_draft", name, draft_id, text) for name, text in sealed.items()}
    tx.insert("import_draft", row)
    return draft_id


def get(tx: Tx, practice_id: str, person_id: str, draft_id: str, now: datetime) -> Draft | None:
    """A file this person handed in within the last hour."""
    row = tx.one(
        "select * from import_draft where id = :id and practice_id = :p and person_id = :who and created_at > :since",
        {"id": draft_id, "p": practice_id, "who": person_id, "since": epoch(now - KEPT_FOR)},
    )
    if row is None:
        return None
    file, shown = (tx.open("import_draft", name, draft_id, row[f"{name}_sealed"]) for name in ("file", "shown"))
    return Draft(draft_id, row["kind"], file, shown, moment_of(row["created_at"]), moment(row["taken_at"]))


def take(tx: Tx, practice_id: str, draft_id: str, now: datetime) -> bool:
    """Mark it as confirmed; False once it was taken in whole. Taking the same file in twice changes nothing, so one
    that was cut off may be confirmed again."""
    sql = """update import_draft set taken_at = :now
              where id = :id and practice_id = :p and file_sealed is not null"""
    return tx.run(sql, {"now": epoch(now), "id": draft_id, "p": practice_id}) == 1


def taken(tx: Tx, practice_id: str, draft_id: str, shown: str) -> None:
    """All of it is taken in: the file itself goes, and what came of it is shown."""
    sql = "update import_draft set shown_sealed = :shown, file_sealed = null where id = :id and practice_id = :p"
    tx.run(sql, {"shown": tx.seal("import_draft", "shown", draft_id, shown), "id": draft_id, "p": practice_id})


def forget(tx: Tx, practice_id: str, before: datetime) -> int:
    """Drop files handed in before then; how many."""
    sql = "delete from import_draft where practice_id = :p and created_at <= :before"
    return tx.run(sql, {"p": practice_id, "before": epoch(before)})
