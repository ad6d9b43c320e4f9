"""The practice's people as their manager sees them: everyone, with roles, clients and tokens."""

from dataclasses import dataclass
from datetime import datetime

from bot.store import people
from bot.store.engine import Tx
from bot.store.people import Person
from bot.store.sql import epoch, moment, moment_of


@dataclass(frozen=True)
class Token:
    """An API token by its name; itself it can't be read back."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


def everyone(tx: Tx, practice_id: str) -> list[Person]:
    """Everybody of the practice, those who left included, in the order they were added."""
    rows = tx.all("select id from person where practice_id = :p order by created_at, id", {"p": practice_id})
    return [people.get(tx, practice_id, row["id"]) for row in rows]


def roles(tx: Tx, practice_id: str) -> dict[str, list[str]]:
    """The roles of each person who holds one."""
    sql = "select person_id, role from person_role where practice_id = :p order by person_id, role"
    found: dict[str, list[str]] = {}
    for row in tx.all(sql, {"p": practice_id}):
        found.setdefault(row["person_id"], []).append(row["role"])
    return found


def clients_of(tx: Tx, practice_id: str) -> dict[str, int]:
    """How many clients in care each therapist has."""
    sql = """select therapist_id, count(*) as n from client where practice_id = :p and therapist_id is not null
              and state = 'active' and merged_into is null and erased_at is null group by therapist_id"""
    return {row["therapist_id"]: int(row["n"]) for row in tx.all(sql, {"p": practice_id})}


def take_role(tx: Tx, practice_id: str, person_id: str, role: str) -> bool:
    """Take a role from one person; False if they didn't hold it."""
    sql = "delete from person_role where practice_id = :p and person_id = :id and role = :role"
    return tx.run(sql, {"p": practice_id, "id": person_id, "role": role}) == 1


def rename(tx: Tx, practice_id: str, person_id: str, name: str, phone: str) -> None:
    """Another name or number for a person."""
    row = {
        "name": tx.seal("person", "name", person_id, name),
        "phone": tx.seal("person", "phone", person_id, phone),
        "index": tx.sealer.index(phone) if phone else None,
    }
    sql = """update person set name_sealed = :name, phone_sealed = :phone, phone_index = :index
              where id = :id and practice_id = :p"""
    tx.run(sql, {**row, "id": person_id, "p": practice_id})


def tokens(tx: Tx, practice_id: str) -> list[Token]:
    """The practice's API tokens, newest first."""
    rows = tx.all("select * from api_token where practice_id = :p order by created_at desc, id desc",
                  {"p": practice_id})  # fmt: skip
    return [
        Token(row["id"], tx.open("api_token", "name", row["id"], row["name_sealed"]), moment_of(row["created_at"]),
              moment(row["revoked_at"]))
        for row in rows
    ]  # fmt: skip


def revoke(tx: Tx, practice_id: str, token_id: str, now: datetime) -> bool:
    """A token opens nothing more; False if it opened nothing before."""
    sql = "update api_token set revoked_at = :now where id = :id and practice_id = :p and revoked_at is null"
    return tx.run(sql, {"now": epoch(now), "id": token_id, "p": practice_id}) == 1
