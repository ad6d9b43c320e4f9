"""What therapists said of how replies were read: a row each, never changed; the latest of a reply holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Tx
from bot.store.sql import epoch, listed, moment_of, new_id

MISREAD, READING = "misread", "reading"


@dataclass(frozen=True)
class Mark:
    """One mark: the scores that counted before and after it, by feeling."""

    inbox_id: str
    what: str
    by_id: str
    at: datetime
    before: Mapping[str, int]
    after: Mapping[str, int]


def add(tx: Tx, practice_id: str, mark: Mark) -> None:
    """Keep a mark."""
    mark_id = new_id()
    row = {
        "id": mark_id,
        "practice_id": practice_id,
        "inbox_id": mark.inbox_id,
        "what": mark.what,
        "by_id": mark.by_id,
        "at": epoch(mark.at),
    }
    sealed = {
        f"{name}_sealed": tx.seal("reading_mark", name, mark_id, json.dumps(dict(scores)))
        for name, scores in (("before", mark.before), ("after", mark.after))
    }
    tx.insert("reading_mark", row | sealed)


def latest(tx: Tx, practice_id: str, inbox_ids: Sequence[str]) -> dict[str, Mark]:
    """The mark that holds for each reply that has one."""
    among, params = listed("id", inbox_ids)
    rows = tx.all(
        f"select * from reading_mark where inbox_id in {among} and practice_id = :p order by at, id",
        {"p": practice_id, **params},
    )
    plain = ("inbox_id", "what", "by_id")
    return {
        row["inbox_id"]: Mark(
            **{name: row[name] for name in plain},
            at=moment_of(row["at"]),
            before=json.loads(tx.open("reading_mark", "before", row["id"], row["before_sealed"])),
            after=json.loads(tx.open("reading_mark", "after", row["id"], row["after_sealed"])),
        )
        for row in rows
    }
