"""Answers of a month added up for groups. A month is counted once, after it has closed, and kept as it was then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Tx
from bot.store.sql import epoch, moment
from surveys.groups import EVERYONE, Given, Hidden, Shown


@dataclass(frozen=True)
class Cell:
    """One group, one question, one month (as 2026-09). Without `shown`, `why` says why there is nothing to see."""

    month: str
    group: str
    feeling: str
    shown: Shown | None
    why: str


def first_answer(tx: Tx, practice_id: str) -> datetime | None:
    """When the practice's first answer came."""
    row = tx.one("select min(answered_at) as at from answer where practice_id = :p", {"p": practice_id})
    return moment(row["at"]) if row else None


def answers(tx: Tx, practice_id: str, since: datetime, until: datetime) -> dict[str, list[Given]]:
    """What was answered in a period (since <= answer < until), by question, added up by client and therapist."""
    rows = tx.all(
        """select a.feeling, k.client_id, k.therapist_id, c.language, c.channel, count(*) as n, sum(a.score) as total
             from answer a join check_in k on k.id = a.check_in_id join client c on c.id = k.client_id
            where a.practice_id = :p and a.answered_at >= :since and a.answered_at < :until and a.replaced_at is null
            group by a.feeling, k.client_id, k.therapist_id, c.language, c.channel
            order by a.feeling, k.client_id, k.therapist_id""",
        {"p": practice_id, "since": epoch(since), "until": epoch(until)},
    )
    found: dict[str, list[Given]] = {}
    for row in rows:
        traits = (f"language={row['language']}", f"channel={row['channel']}")
        given = Given(row["client_id"], row["therapist_id"], traits, int(row["n"]), int(row["total"]))
        found.setdefault(row["feeling"], []).append(given)
    return found


def months(tx: Tx, practice_id: str) -> set[str]:
    """The months that have been counted."""
    rows = tx.all("select distinct month from group_month where practice_id = :p order by month", {"p": practice_id})
    return {row["month"] for row in rows}


def begin(tx: Tx, practice_id: str, month: str, why: str) -> bool:
    """Note that a month is being counted; False if it was counted before, by whomever. `why`: what stands there where
    nothing was answered at all."""
    row = {"practice_id": practice_id, "month": month, "cut": EVERYONE, "feeling": "", "why": why}
    return tx.insert("group_month", row, "on conflict do nothing")


def keep(tx: Tx, practice_id: str, month: str, feeling: str, cells: Mapping[str, Shown | Hidden]) -> None:
    """Keep what may be shown of a question in a month."""
    for group, cell in cells.items():
        shown = cell if isinstance(cell, Shown) else None
        row: dict[str, str | int | None] = {"practice_id": practice_id, "month": month, "cut": group}
        row |= {"feeling": feeling, "why": cell.why if isinstance(cell, Hidden) else None}
        row |= {name: getattr(shown, name, None) for name in ("clients", "answers", "total")}
        tx.insert("group_month", row)


def cells(tx: Tx, practice_id: str, since: str) -> list[Cell]:
    """What is kept from a month on (as 2026-09), by month, group and question."""
    rows = tx.all(
        "select * from group_month where practice_id = :p and month >= :since order by month, cut, feeling",
        {"p": practice_id, "since": since},
    )
    return [
        Cell(row["month"], row["cut"], row["feeling"],
             Shown(row["clients"], row["answers"], row["total"]) if row["answers"] else None, row["why"] or "")
        for row in rows
    ]  # fmt: skip
