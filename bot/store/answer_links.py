"""One-tap links: what opens a check-in's form. Only a hash of each token is stored; how long it opens anything is
told by its check-in, which closes, and by its client, who may have said STOP."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Tx
from bot.store.sql import epoch


@dataclass(frozen=True)
class AnswerLink:
    """Whose check-in a token opens."""

    practice_id: str
    check_in_id: str
    client_id: str


def new_token() -> str:
    """A token that can't be guessed: 32 random bytes, as 43 letters."""
    return secrets.token_urlsafe(32)


def add(tx: Tx, practice_id: str, check_in_id: str, client_id: str, token: str, now: datetime) -> None:
    """From now on this token opens the check-in's form."""
    row = {"hash": _hash(token), "practice_id": practice_id, "check_in_id": check_in_id, "client_id": client_id}
    tx.insert("answer_link", row | {"created_at": epoch(now)})


def find(tx: Tx, token: str) -> AnswerLink | None:
    """What a token opens, over all practices (it names none); None when it isn't ours."""
    row = tx.one("select * from answer_link where hash = :hash", {"hash": _hash(token)})
    return AnswerLink(row["practice_id"], row["check_in_id"], row["client_id"]) if row else None


def _hash(token: str) -> str:
    # long and random, so a plain hash is enough
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
