"""Passkeys: the public half of a key pair whose private half never leaves the person's device."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, moment, moment_of, new_id


@dataclass(frozen=True)
class Passkey:
    """One passkey. `credential_id` and `public_key` are base64url, as browsers write them."""

    id: str
    practice_id: str
    person_id: str
    credential_id: str
    public_key: str
    sign_count: int
    name: str
    created_at: datetime
    used_at: datetime | None


def add(
    tx: Tx, practice_id: str, person_id: str, credential_id: str, public_key: str, count: int, name: str, now: datetime
) -> bool:
    """Keep a passkey; False if that one is known already, to whomever it belongs."""
    passkey_id = new_id()
    row = {
        "id": passkey_id,
        "practice_id": practice_id,
        "person_id": person_id,
        "credential_id": credential_id,
        "public_key": public_key,
        "sign_count": count,
        "name_sealed": tx.seal("passkey", "name", passkey_id, name),
        "created_at": epoch(now),
    }
    return tx.insert("passkey", row, "on conflict (credential_id) do nothing")


def find(tx: Tx, credential_id: str) -> Passkey | None:
    """The passkey a browser offers, over all practices: it says for which one they come."""
    row = tx.one("select * from passkey where credential_id = :id", {"id": credential_id})
    return _passkey(tx, row) if row else None


def of_person(tx: Tx, practice_id: str, person_id: str) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    rows = tx.all(
        "select * from passkey where person_id = :id and practice_id = :p order by created_at, id",
        {"id": person_id, "p": practice_id},
    )
    return [_passkey(tx, row) for row in rows]


def used(tx: Tx, passkey_id: str, count: int, now: datetime) -> None:
    """It signed somebody in, and its counter stood there."""
    tx.run(
        "update passkey set sign_count = :count, used_at = :now where id = :id",
        {"count": count, "now": epoch(now), "id": passkey_id},
    )


def remove(tx: Tx, practice_id: str, person_id: str, passkey_id: str) -> bool:
    """Forget one of a person's passkeys; False where it isn't theirs."""
    sql = "delete from passkey where id = :id and person_id = :who and practice_id = :p"
    return tx.run(sql, {"id": passkey_id, "who": person_id, "p": practice_id}) == 1


def remove_all(tx: Tx, practice_id: str, person_id: str) -> int:
    """Forget every passkey of a person; how many there were."""
    sql = "delete from passkey where person_id = :who and practice_id = :p"
    return tx.run(sql, {"who": person_id, "p": practice_id})


def _passkey(tx: Tx, row: Row) -> Passkey:
    plain = ("id", "practice_id", "person_id", "credential_id", "public_key", "sign_count")
    return Passkey(
        **{name: row[name] for name in plain},
        name=tx.open("passkey", "name", row["id"], row["name_sealed"]),
        created_at=moment_of(row["created_at"]),
        used_at=moment(row["used_at"]),
    )
