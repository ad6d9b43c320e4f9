"""Therapists, supervisors, managers, and the contacts for danger."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, new_id

ROLES = ("therapist", "manager", "supervisor", "second", "duty")


@dataclass(frozen=True)
class Person:
    """Someone on the practice's side. `phone` and `email` may be empty; so may their own settings, all from
    `one_false_alarm_in` on (None: as the practice has it).

    `quiet_hours`: "20:00-07:00" by the practice's clock, when only mails about danger are sent; `digest`: "mon 08:00"
    by the same clock. From `away_from` until `away_until` (UTC) `cover_id` stands in.
    """

    id: str
    practice_id: str
    name: str
    email: str
    phone: str
    active: bool
    one_false_alarm_in: int | None = None
    quiet_hours: str = ""
    digest: str = ""
    away_from: datetime | None = None
    away_until: datetime | None = None
    cover_id: str | None = None

    def away(self, now: datetime) -> bool:
        """Whether they are on leave at this moment."""
        return self.away_from is not None and self.away_until is not None and self.away_from <= now < self.away_until


def get(tx: Tx, practice_id: str, person_id: str) -> Person:
    """One person of the practice. Raises KeyError."""
    row = tx.one(
        "select * from person where id = :id and practice_id = :practice",
        {"id": person_id, "practice": practice_id},
    )
    if row is None:
        raise KeyError(person_id)
    return _person(tx, row)


def name_of(tx: Tx, practice_id: str, who: str) -> str:
    """The name of whoever did something, by their id; empty for a command."""
    try:
        return get(tx, practice_id, who).name
    except KeyError:
        return ""


def by_email(tx: Tx, practice_id: str, email: str) -> Person | None:
    """Who has this address in the practice, if anyone."""
    among, params = listed("index", tx.sealer.indexes(email))
    row = tx.one(
        f"select * from person where practice_id = :practice and email_index in {among}",
        {"practice": practice_id, **params},
    )
    return _person(tx, row) if row else None


def with_role(tx: Tx, practice_id: str, role: str) -> list[Person]:
    """The active people of the practice who hold a role, oldest first."""
    rows = tx.all(
        "select p.* from person p join person_role r on r.person_id = p.id "
        "where r.practice_id = :practice and r.role = :role and p.active = 1 order by p.created_at, p.id",
        {"practice": practice_id, "role": role},
    )
    return [_person(tx, row) for row in rows]


def save(
    tx: Tx, practice_id: str, *, name: str, email: str, phone: str | None = None, now: datetime
) -> tuple[str, str]:
    """Add a person or bring their name and number up to date, found by address.

    Returns their id and "new", "changed" or "same".
    """
    found = by_email(tx, practice_id, email)
    if found is None:
        return _add(tx, practice_id, name, email, phone or "", now), "new"
    phone = found.phone if phone is None else phone
    if (found.name, found.phone) == (name, phone):
        return found.id, "same"
    row = {
        "id": found.id,
        "name": tx.seal("person", "name", found.id, name),
        "phone": tx.seal("person", "phone", found.id, phone),
        "index": tx.sealer.index(phone) if phone else None,
    }
    tx.run(
        "update person set name_sealed = :name, phone_sealed = :phone, phone_index = :index where id = :id",
        row,
    )
    return found.id, "changed"


def give_role(tx: Tx, practice_id: str, person_id: str, role: str) -> bool:
    """Give a role; False if they had it."""
    row = {"practice_id": practice_id, "person_id": person_id, "role": role}
    return tx.insert("person_role", row, "on conflict do nothing")


def roles_of(tx: Tx, practice_id: str, person_id: str) -> list[str]:
    """The roles someone holds in the practice."""
    rows = tx.all(
        "select role from person_role where practice_id = :practice and person_id = :id order by role",
        {"practice": practice_id, "id": person_id},
    )
    return [row["role"] for row in rows]


def take_role(tx: Tx, practice_id: str, role: str) -> None:
    """Take a role from everyone who holds it in the practice."""
    tx.run(
        "delete from person_role where practice_id = :practice and role = :role",
        {"practice": practice_id, "role": role},
    )


def set_active(tx: Tx, practice_id: str, person_id: str, active: bool) -> None:
    """Whether a person is with the practice."""
    tx.run(
        "update person set active = :active where id = :id and practice_id = :p",
        {"active": int(active), "id": person_id, "p": practice_id},
    )


def save_settings(tx: Tx, person: Person) -> None:
    """Store a person's own settings, every one, as `person` has them; nothing else of theirs."""
    tx.run(
        "update person set one_false_alarm_in = :one_in, quiet_hours = :quiet, digest = :digest, "
        "away_from = :away_from, away_until = :away_until, cover_id = :cover where id = :id and practice_id = :p",
        {
            "one_in": person.one_false_alarm_in,
            "quiet": person.quiet_hours or None,
            "digest": person.digest or None,
            "away_from": epoch(person.away_from) if person.away_from else None,
            "away_until": epoch(person.away_until) if person.away_until else None,
            "cover": person.cover_id,
            "id": person.id,
            "p": person.practice_id,
        },
    )


def _add(tx: Tx, practice_id: str, name: str, email: str, phone: str, now: datetime) -> str:
    person_id = new_id()
    tx.insert(
        "person",
        {
            "id": person_id,
            "practice_id": practice_id,
            "name_sealed": tx.seal("person", "name", person_id, name),
            "email_sealed": tx.seal("person", "email", person_id, email),
            "email_index": tx.sealer.index(email),
            "phone_sealed": tx.seal("person", "phone", person_id, phone),
            "phone_index": tx.sealer.index(phone) if phone else None,
            "created_at": epoch(now),
        },
    )
    return person_id


def _person(tx: Tx, row: Row) -> Person:
    name, email, phone = (tx.open("person", c, row["id"], row[f"{c}_sealed"]) for c in ("name", "email", "phone"))
    return Person(
        row["id"],
        row["practice_id"],
        name,
        email,
        phone,
        bool(row["active"]),
        one_false_alarm_in=row["one_false_alarm_in"],
        quiet_hours=row["quiet_hours"] or "",
        digest=row["digest"] or "",
        away_from=moment(row["away_from"]),
        away_until=moment(row["away_until"]),
        cover_id=row["cover_id"],
    )
