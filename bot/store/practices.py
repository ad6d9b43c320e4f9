"""Practices: who they are, their schedule, their settings, their API tokens."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store import audit
from bot.store.engine import Row, Tx
from bot.store.sql import epoch, new_id
from surveys.wording import why_not_name

FIRST_NAME = "Our practice"


@dataclass(frozen=True)
class Practice:
    """One organisation. `schedule` and `settings` hold only what was set; defaults live with their readers."""

    id: str
    name: str
    sms_name: str
    country: str
    timezone: str
    language: str
    schedule: Mapping[str, str]
    settings: Mapping[str, str]


def every(tx: Tx) -> list[Practice]:
    """All practices, by name."""
    return sorted((_practice(row) for row in tx.all("select * from practice")), key=lambda p: p.name)


def get(tx: Tx, practice_id: str) -> Practice:
    """One practice. Raises KeyError."""
    row = tx.one("select * from practice where id = :id", {"id": practice_id})
    if row is None:
        raise KeyError(practice_id)
    return _practice(row)


def add(tx: Tx, name: str, now: datetime) -> Practice:
    """A practice with the defaults: US, New York, English."""
    row: dict[str, Any] = {
        "id": new_id(),
        "name": name,
        "sms_name": "Your practice" if why_not_name(name) else name,
        "country": "US",
        "timezone": "America/New_York",
        "language": "en",
        "schedule": "{}",
        "settings": "{}",
        "created_at": epoch(now),
    }
    tx.insert("practice", row)
    return _practice(row)


def first(tx: Tx, now: datetime) -> Practice:
    """The only practice, or the oldest; made on first use."""
    row = tx.one("select * from practice order by created_at, id limit 1")
    return _practice(row) if row else add(tx, FIRST_NAME, now)


def save(tx: Tx, practice: Practice) -> None:
    """Store every field of a practice."""
    tx.run(
        "update practice set name = :name, sms_name = :sms_name, country = :country, timezone = :timezone, "
        "language = :language, schedule = :schedule, settings = :settings where id = :id",
        {
            **practice.__dict__,
            "schedule": json.dumps(dict(practice.schedule), sort_keys=True),
            "settings": json.dumps(dict(practice.settings), sort_keys=True),
        },
    )


def new_token(tx: Tx, practice_id: str, name: str, now: datetime) -> str:
    """Make an API token; it is shown once and stored hashed."""
    token, token_id = f"attune_{secrets.token_urlsafe(32)}", new_id()
    row = {"id": token_id, "practice_id": practice_id, "hash": _hash(token), "created_at": epoch(now)}
    tx.insert("api_token", row | {"name_sealed": tx.seal("api_token", "name", token_id, name)})
    return token


def of_token(tx: Tx, token: str) -> str | None:
    """The practice a live API token belongs to. The token is long and random, so a plain hash is enough."""
    row = tx.one("select practice_id from api_token where hash = :hash and revoked_at is null", {"hash": _hash(token)})
    return str(row["practice_id"]) if row else None


def note(tx: Tx, practice_id: str, who: str, what: str, about: str, now: datetime, words: str = "") -> None:
    """Write down in the audit trail who did what about which row (ids only); what they said of it is sealed."""
    audit.note(tx, practice_id, who, what, about, now, words)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _practice(row: Row) -> Practice:
    fields = {key: row[key] for key in ("id", "name", "sms_name", "country", "timezone", "language")}
    return Practice(**fields, schedule=json.loads(row["schedule"]), settings=json.loads(row["settings"]))
