"""Who is signed in. The browser holds a secret, the database only its hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.engine import Tx
from bot.store.sql import epoch, moment_of, new_id

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=12)
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


def start(tx: Tx, practice_id: str, person_id: str, strong: bool, browser: str, now: datetime) -> str:
    """Begin a session; the secret for the browser, which is kept nowhere else."""
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
    if row is None:
        return None
    created, seen = moment_of(row["created_at"]), moment_of(row["seen_at"])
    if now - seen > IDLE or now - created > LONGEST:
        return None
    return SignIn(
        id=row["id"],
        practice_id=row["practice_id"],
        person_id=row["person_id"],
        strong=bool(row["strong"]),
        browser=tx.open("sign_in", "browser", row["id"], row["browser_sealed"]),
        created_at=created,
        seen_at=seen,
    )


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


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
