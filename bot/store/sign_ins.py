"""Who is signed in. The browser holds a secret, the database only its hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, moment_of, new_id

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=12)
AHEAD = -timedelta(minutes=5)  # hosts' clocks differ a little
KEPT = timedelta(days=90)  # ended or not
TOUCH = timedelta(seconds=30)  # how finely idleness is kept, so that reading pages doesn't mean writing rows


@dataclass(frozen=True)
class SignIn:
    """One browser's session."""

    id: str
    practice_id: str
    person_id: str
    strong: bool
    browser: str
    created_at: datetime
    seen_at: datetime

    def lives(self, now: datetime) -> bool:
        """Whether it still opens anything, by the clock. One from further ahead than now belongs to a clock that was
        set back, and is over too."""
        return now - self.seen_at <= IDLE and AHEAD <= now - self.created_at <= LONGEST


def start(tx: Tx, practice_id: str, person_id: str, strong: bool, browser: str, now: datetime) -> str:
    """Begin a session; the secret for the browser, which is kept nowhere else."""
    old = {"before": epoch(now - KEPT), "p": practice_id, "who": person_id}
    tx.run("delete from sign_in where created_at < :before and practice_id = :p and person_id = :who", old)
    secret, sign_in_id = secrets.token_urlsafe(32), new_id()
    tx.insert(
        "sign_in",
        {
            "id": sign_in_id,
            "practice_id": practice_id,
            "person_id": person_id,
            "hash": _hash(secret),
            "strong": int(strong),
            "browser_sealed": tx.seal("sign_in", "browser", sign_in_id, browser),
            "created_at": epoch(now),
            "seen_at": epoch(now),
        },
    )
    return secret


def find(tx: Tx, secret: str, now: datetime) -> SignIn | None:
    """The live session of a secret: not ended, not idle too long, not older than the longest; else None."""
    row = tx.one("select * from sign_in where hash = :hash and ended_at is null", {"hash": _hash(secret)})
    found = _sign_in(tx, row) if row else None
    return found if found and found.lives(now) else None


def of_person(tx: Tx, practice_id: str, person_id: str, now: datetime) -> list[SignIn]:
    """A person's live sessions, the latest used first."""
    rows = tx.all(
        "select * from sign_in where person_id = :id and practice_id = :p and ended_at is null "
        "order by seen_at desc, id desc",
        {"id": person_id, "p": practice_id},
    )
    return [each for row in rows if (each := _sign_in(tx, row)).lives(now)]


def touch(tx: Tx, sign_in_id: str, now: datetime) -> None:
    """The session was used."""
    tx.run("update sign_in set seen_at = :now where id = :id", {"now": epoch(now), "id": sign_in_id})


def end(tx: Tx, practice_id: str, person_id: str, sign_in_id: str, now: datetime) -> bool:
    """End one of a person's sessions; False where it is not theirs or had ended."""
    sql = (
        "update sign_in set ended_at = :now where id = :id and practice_id = :p and person_id = :who "
        "and ended_at is null"
    )
    return tx.run(sql, {"now": epoch(now), "id": sign_in_id, "p": practice_id, "who": person_id}) == 1


def end_all(tx: Tx, practice_id: str, person_id: str, now: datetime, but: str = "") -> int:
    """End every session of a person, except the one with the id `but`; how many there were."""
    sql = (
        "update sign_in set ended_at = :now where practice_id = :p and person_id = :who and ended_at is null "
        "and id <> :but"
    )
    return tx.run(sql, {"now": epoch(now), "p": practice_id, "who": person_id, "but": but})


def _sign_in(tx: Tx, row: Row) -> SignIn:
    return SignIn(
        id=row["id"],
        practice_id=row["practice_id"],
        person_id=row["person_id"],
        strong=bool(row["strong"]),
        browser=tx.open("sign_in", "browser", row["id"], row["browser_sealed"]),
        created_at=moment_of(row["created_at"]),
        seen_at=moment_of(row["seen_at"]),
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
