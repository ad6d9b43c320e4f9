"""Another mail address for one of the practice's people, until it is confirmed from there. One at a time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, moment, moment_of

LIFE = timedelta(days=2)


@dataclass(frozen=True)
class NewAddress:
    """An address somebody asked for. `asked_by`: the manager's id. `ended_at`: confirmed, or withdrawn."""

    practice_id: str
    person_id: str
    address: str
    asked_by: str
    created_at: datetime
    ended_at: datetime | None

    def waits(self, now: datetime) -> bool:
        """Whether it can still be confirmed."""
        return self.ended_at is None and now - self.created_at < LIFE


def ask(tx: Tx, practice_id: str, person_id: str, address: str, asked_by: str, now: datetime) -> str:
    """Keep an address in place of one asked for before; the token that confirms it, which is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    row = {"id": person_id, "practice_id": practice_id, "hash": _hash(token), "asked_by": asked_by}
    sealed = tx.seal("new_address", "address", person_id, address)
    tx.insert(
        "new_address",
        {**row, "address_sealed": sealed, "created_at": epoch(now)},
        "on conflict (id) do update set address_sealed = excluded.address_sealed, hash = excluded.hash, "
        "asked_by = excluded.asked_by, created_at = excluded.created_at, ended_at = null",
    )
    return token


def of_person(tx: Tx, practice_id: str, person_id: str) -> NewAddress | None:
    """What was asked for last, confirmed or not."""
    where = {"id": person_id, "p": practice_id}
    row = tx.one("select * from new_address where id = :id and practice_id = :p", where)
    return _read(tx, row) if row else None


def find(tx: Tx, token: str, now: datetime) -> NewAddress | None:
    """What a token confirms, while it can."""
    row = tx.one("select * from new_address where hash = :hash", {"hash": _hash(token)})
    found = _read(tx, row) if row else None
    return found if found and found.waits(now) else None


def confirm(tx: Tx, found: NewAddress, now: datetime) -> None:
    """It is theirs from now on: mails go there, and they are known by it."""
    where = {"id": found.person_id, "p": found.practice_id}
    sealed, index = tx.seal("person", "email", found.person_id, found.address), tx.sealer.index(found.address)
    sql = "update person set email_sealed = :email, email_index = :index where id = :id and practice_id = :p"
    tx.run(sql, {**where, "email": sealed, "index": index})
    sql = "update new_address set ended_at = :now, changed_at = :now where id = :id and practice_id = :p"
    tx.run(sql, {**where, "now": epoch(now)})


def changed_since(tx: Tx, practice_id: str, person_id: str, since: datetime) -> bool:
    """Whether a new address was confirmed after then."""
    where = {"id": person_id, "p": practice_id, "since": epoch(since)}
    sql = "select 1 as yes from new_address where id = :id and practice_id = :p and changed_at > :since"
    return tx.one(sql, where) is not None


def has_answers(tx: Tx, practice_id: str, person_id: str) -> bool:
    """Whether a client answered, or there is a note about one, that a person may look at now, might have looked at
    before, or sees while standing in for somebody; whatever roles they hold at this moment."""
    theirs = "select id from person where practice_id = :p and (id = :id or cover_id = :id)"
    clients = f"select id from client where practice_id = :p and therapist_id in ({theirs})"
    whose = f"practice_id = :p and (therapist_id in ({theirs}) or client_id in ({clients}))"
    sql = f"""select 1 as yes where exists (select 1 from alert where {whose}) or exists
              (select 1 from answer where check_in_id in (select id from check_in where {whose}))"""
    return tx.one(sql, {"p": practice_id, "id": person_id}) is not None


def withdraw(tx: Tx, found: NewAddress, now: datetime) -> None:
    """It can't be confirmed any more."""
    where = {"id": found.person_id, "p": found.practice_id, "now": epoch(now)}
    tx.run("update new_address set ended_at = :now where id = :id and practice_id = :p", where)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _read(tx: Tx, row: Row) -> NewAddress:
    return NewAddress(
        row["practice_id"],
        row["id"],
        tx.open("new_address", "address", row["id"], row["address_sealed"]),
        row["asked_by"],
        moment_of(row["created_at"]),
        moment(row["ended_at"]),
    )
