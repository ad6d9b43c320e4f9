"""How people sign in: a password's hash, the second factor's secret and recovery codes, and links that work once."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, new_id

SIGN_IN, INVITATION = "sign_in", "invitation"
KEPT = timedelta(days=90)  # used or not; what came of it stands in the audit trail
LIVES = {SIGN_IN: timedelta(minutes=15), INVITATION: timedelta(days=7)}


@dataclass(frozen=True)
class Account:
    """What one person signs in with; empty where it isn't set up.

    `totp` is the secret shared with their app, `recovery` the hashes of codes not used yet.
    """

    person_id: str
    practice_id: str
    password_hash: str = ""
    totp: str = ""
    recovery: tuple[str, ...] = ()
    accepted_at: datetime | None = None


@dataclass(frozen=True)
class Link:
    """A link that signs one person in, once."""

    id: str
    practice_id: str
    person_id: str
    purpose: str


def get(tx: Tx, practice_id: str, person_id: str) -> Account:
    """A person's account; an empty one where nothing was set up yet."""
    row = tx.one("select * from account where id = :id and practice_id = :p", {"id": person_id, "p": practice_id})
    return _account(tx, row) if row else Account(person_id, practice_id)


def people_with(tx: Tx, email: str) -> list[tuple[str, str]]:
    """Practice and person of every active person with this address, over all practices: nobody has said yet for
    which one they come. By practice and age."""
    among, params = listed("index", tx.sealer.indexes(email))
    rows = tx.all(
        f"select practice_id, id from person where email_index in {among} and active = 1 "
        "order by practice_id, created_at, id",
        params,
    )
    return [(row["practice_id"], row["id"]) for row in rows]


def set_password(tx: Tx, practice_id: str, person_id: str, hash_: str, now: datetime) -> None:
    """Keep the hash of a new password."""
    _ensure(tx, practice_id, person_id, now)
    tx.run(
        "update account set password_hash = :hash where id = :id and practice_id = :p",
        {"hash": hash_, "id": person_id, "p": practice_id},
    )


def set_totp(tx: Tx, practice_id: str, person_id: str, secret: str, step: int, now: datetime) -> None:
    """Keep the secret shared with their app; `step` is the time step of the code that proved it, used up by that."""
    _ensure(tx, practice_id, person_id, now)
    tx.run(
        "update account set totp_sealed = :totp, totp_used = :step where id = :id and practice_id = :p",
        {"totp": tx.seal("account", "totp", person_id, secret), "step": step, "id": person_id, "p": practice_id},
    )


def use_step(tx: Tx, practice_id: str, person_id: str, step: int) -> bool:
    """Use up a time step, so that its code, and every older one, opens nothing again; False if it was used."""
    sql = "update account set totp_used = :step where id = :id and practice_id = :p and totp_used < :step"
    return tx.run(sql, {"step": step, "id": person_id, "p": practice_id}) == 1


def set_recovery(tx: Tx, practice_id: str, person_id: str, hashes: Sequence[str], now: datetime) -> None:
    """Keep these recovery codes' hashes in place of any others."""
    _ensure(tx, practice_id, person_id, now)
    sealed = tx.seal("account", "recovery", person_id, json.dumps(list(hashes)))
    tx.run(
        "update account set recovery_sealed = :sealed where id = :id and practice_id = :p",
        {"sealed": sealed, "id": person_id, "p": practice_id},
    )


def accept(tx: Tx, practice_id: str, person_id: str, now: datetime) -> None:
    """Note when a person first signed in."""
    _ensure(tx, practice_id, person_id, now)
    tx.run(
        "update account set accepted_at = :now where id = :id and practice_id = :p and accepted_at is null",
        {"now": epoch(now), "id": person_id, "p": practice_id},
    )


def forget(tx: Tx, practice_id: str, person_id: str) -> None:
    """Drop password, second factor and recovery codes: they begin again from a mailed link."""
    tx.run(
        "update account set password_hash = null, totp_sealed = null, recovery_sealed = null "
        "where id = :id and practice_id = :p",
        {"id": person_id, "p": practice_id},
    )


def add_link(tx: Tx, practice_id: str, person_id: str, purpose: str, now: datetime) -> str:
    """Make a link's token, which is kept nowhere else. Its life follows from its purpose (LIVES)."""
    old = {"before": epoch(now - KEPT), "p": practice_id, "who": person_id}
    tx.run("delete from sign_in_link where created_at < :before and practice_id = :p and person_id = :who", old)
    token = secrets.token_urlsafe(32)
    tx.insert(
        "sign_in_link",
        {
            "id": new_id(),
            "practice_id": practice_id,
            "person_id": person_id,
            "purpose": purpose,
            "hash": _hash(token),
            "created_at": epoch(now),
            "expires_at": epoch(now + LIVES[purpose]),
        },
    )
    return token


def link(tx: Tx, token: str, now: datetime) -> Link | None:
    """What a token stands for, while it can be used."""
    row = tx.one(
        "select * from sign_in_link where hash = :hash and used_at is null and expires_at > :now",
        {"hash": _hash(token), "now": epoch(now)},
    )
    return Link(row["id"], row["practice_id"], row["person_id"], row["purpose"]) if row else None


def use_link(tx: Tx, link_id: str, now: datetime) -> bool:
    """Use a link up; False if somebody was quicker."""
    sql = "update sign_in_link set used_at = :now where id = :id and used_at is null"
    return tx.run(sql, {"now": epoch(now), "id": link_id}) == 1


def end_links(tx: Tx, practice_id: str, person_id: str, now: datetime, purpose: str = "") -> int:
    """Use up a person's open links (of one purpose), so that they open nothing; how many there were."""
    sql = (
        "update sign_in_link set used_at = :now where person_id = :id and practice_id = :p and used_at is null "
        "and expires_at > :now and (:purpose = '' or purpose = :purpose)"
    )
    return tx.run(sql, {"now": epoch(now), "id": person_id, "p": practice_id, "purpose": purpose})


def accepted_at(tx: Tx, practice_id: str) -> dict[str, datetime]:
    """When each person of the practice first signed in."""
    rows = tx.all(
        "select id, accepted_at from account where practice_id = :p and accepted_at is not null order by id",
        {"p": practice_id},
    )
    return {row["id"]: at for row in rows if (at := moment(row["accepted_at"]))}


def _ensure(tx: Tx, practice_id: str, person_id: str, now: datetime) -> None:
    row = {"id": person_id, "practice_id": practice_id, "created_at": epoch(now)}
    tx.insert("account", row, "on conflict (id) do nothing")


def _account(tx: Tx, row: Row) -> Account:
    recovery = tx.open("account", "recovery", row["id"], row["recovery_sealed"])
    return Account(
        person_id=row["id"],
        practice_id=row["practice_id"],
        password_hash=row["password_hash"] or "",
        totp=tx.open("account", "totp", row["id"], row["totp_sealed"]),
        recovery=tuple(json.loads(recovery)) if recovery else (),
        accepted_at=moment(row["accepted_at"]),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
