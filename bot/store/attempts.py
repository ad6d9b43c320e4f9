"""How often something was tried lately, counted for all processes together. Names are stored as keyed hashes: an
address that somebody tried to sign in with is nobody's to read."""

from datetime import datetime, timedelta

from bot.store.engine import Tx
from bot.store.sql import epoch, moment


def count(tx: Tx, name: str, lasts: timedelta, now: datetime, by: int = 1) -> int:
    """Count one more; how many there are now in the window that the first one began and that `lasts` so long.

    A window that lies further ahead than it can (a clock was set back) begins anew.
    """
    tx.run("delete from attempt_count where ends_at <= :now", {"now": epoch(now)})
    rows = tx.all(
        "insert into attempt_count (name, count, ends_at) values (:name, :by, :ends) on conflict (name) do update set "
        "count = case when attempt_count.ends_at > excluded.ends_at then 0 else attempt_count.count end + :by, "
        "ends_at = case when attempt_count.ends_at > excluded.ends_at then excluded.ends_at "
        "else attempt_count.ends_at end returning count",
        {"name": tx.sealer.index(name), "by": by, "ends": epoch(now + lasts)},
    )
    return int(rows[0]["count"])


def counted(tx: Tx, name: str, now: datetime) -> tuple[int, datetime]:
    """How many there are now, and when their window ends."""
    row = tx.one("select * from attempt_count where name = :name", {"name": tx.sealer.index(name)})
    ends = moment(row["ends_at"]) if row else None
    return (int(row["count"]), ends) if row and ends and ends > now else (0, now)


def clear(tx: Tx, name: str) -> None:
    """Forget what was counted."""
    tx.run("delete from attempt_count where name = :name", {"name": tx.sealer.index(name)})


def once(tx: Tx, name: str, lasts: timedelta, now: datetime) -> bool:
    """Whether this is the first time in so long; the asking itself counts."""
    return count(tx, name, lasts, now) == 1
