"""The installation itself: heartbeats, pace per sender, the backup's time. No row here is about a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.engine import Tx
from bot.store.sql import epoch, listed, moment


def beat(tx: Tx, worker: str, now: datetime) -> None:
    """A worker says that it is alive."""
    tx.insert(
        "worker",
        {"id": worker, "seen_at": epoch(now)},
        "on conflict (id) do update set seen_at = excluded.seen_at",
    )


def last_beat(tx: Tx) -> datetime | None:
    """When any worker was last alive."""
    row = tx.one("select max(seen_at) as at from worker")
    return moment(row["at"]) if row else None


def beats(tx: Tx, since: datetime, until: datetime) -> list[str]:
    """The workers last seen between two moments."""
    rows = tx.all(
        "select id from worker where seen_at between :since and :until order by id",
        {"since": epoch(since), "until": epoch(until)},
    )
    return [row["id"] for row in rows]


def forget_workers(tx: Tx, before: datetime) -> None:
    """Drop heartbeats of workers long gone."""
    tx.run("delete from worker where seen_at < :before", {"before": epoch(before)})


def free_at(tx: Tx, sender: str) -> int:
    """From when on a sender's pace allows the next segment, in milliseconds of the epoch."""
    row = tx.one("select free_at from pace where sender = :s", {"s": sender})
    return int(row["free_at"]) if row else 0


def busy_until(tx: Tx) -> int:
    """When the pace of the sender who is furthest ahead allows the next segment, in whole epoch seconds."""
    row = tx.one("select max(free_at) as at from pace")
    return -(-int(row["at"] or 0) // 1000) if row else 0


def set_free_at(tx: Tx, sender: str, free_at_ms: int) -> None:
    """Note how far a sender's pace is used up."""
    tx.insert(
        "pace",
        {"sender": sender, "free_at": free_at_ms},
        "on conflict (sender) do update set free_at = excluded.free_at",
    )


def value(tx: Tx, name: str) -> str | None:
    """A fact about the installation."""
    row = tx.one("select value from installation where name = :n", {"n": name})
    return str(row["value"]) if row else None


def some(tx: Tx, names: Sequence[str]) -> dict[str, str]:
    """Those of these facts that are known, by one question."""
    among, params = listed("n", names)
    return {row["name"]: row["value"] for row in tx.all(f"select * from installation where name in {among}", params)}


def set_value(tx: Tx, name: str, text: str) -> None:
    """Keep a fact about the installation."""
    tx.insert(
        "installation",
        {"name": name, "value": text},
        "on conflict (name) do update set value = excluded.value",
    )


def is_turn(tx: Tx, name: str, every: timedelta, now: datetime) -> bool:
    """Whether it is time for something done every so often: its next turn has come, or lies further off than it can,
    since a clock was set back."""
    known = value(tx, f"next turn: {name}")
    return known is None or not epoch(now) < int(known) <= epoch(now + every)


def take_turn(tx: Tx, name: str, every: timedelta, now: datetime) -> bool:
    """Take the turn, so that no other process does; False where it isn't time."""
    if not is_turn(tx, name, every, now):
        return False
    set_value(tx, f"next turn: {name}", str(epoch(now + every)))
    return True


def values(tx: Tx, beginning: str) -> dict[str, str]:
    """The facts whose names begin so."""
    sql = "select name, value from installation where substr(name, 1, :length) = :beginning order by name"
    rows = tx.all(sql, {"beginning": beginning, "length": len(beginning)})
    return {row["name"]: row["value"] for row in rows}


def drop_value(tx: Tx, name: str) -> None:
    """Forget a fact."""
    tx.run("delete from installation where name = :n", {"n": name})
