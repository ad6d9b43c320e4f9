"""Appointments, as the practice's own system tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment_of, new_id

PARAMETERS = 5_000  # in one statement
# Says the same as `practice_id = :p`, and keeps SQLite from walking through the whole practice for a few clients.
_OF_PRACTICE = "practice_id || '' = :p"


@dataclass(frozen=True)
class Appointment:
    """One appointment. `not_asked`: why no check-in is planned about it, in words; None when one is."""

    id: str
    appointment_ref: str
    client_id: str
    therapist_id: str
    starts_at: datetime
    ends_at: datetime
    status: str
    not_asked: str | None = None


def get(tx: Tx, practice_id: str, appointment_id: str) -> Appointment:
    """One appointment. Raises KeyError."""
    row = tx.one(
        "select * from appointment where id = :id and practice_id = :p",
        {"id": appointment_id, "p": practice_id},
    )
    if row is None:
        raise KeyError(appointment_id)
    return _appointment(row)


def save(
    tx: Tx,
    practice_id: str,
    *,
    appointment_ref: str,
    client_id: str,
    therapist_id: str,
    starts_at: datetime,
    ends_at: datetime,
    status: str,
) -> str:
    """Add an appointment or bring it up to date by its reference: "new", "changed" or "same"."""
    row = {
        "client_id": client_id,
        "therapist_id": therapist_id,
        "starts_at": epoch(starts_at),
        "ends_at": epoch(ends_at),
        "status": status,
    }
    found = tx.one(
        "select * from appointment where practice_id = :p and appointment_ref = :ref",
        {"p": practice_id, "ref": appointment_ref},
    )
    if found is None:
        keys = {"id": new_id(), "practice_id": practice_id, "appointment_ref": appointment_ref}
        tx.insert("appointment", keys | row)
        return "new"
    if all(found[name] == value for name, value in row.items()):
        return "same"
    changes = ", ".join(f"{name} = :{name}" for name in row)
    tx.run(f"update appointment set {changes} where id = :id", {**row, "id": found["id"]})
    return "changed"


def of_clients(
    tx: Tx, practice_id: str, client_ids: Sequence[str], since: datetime | None = None
) -> dict[str, list[Appointment]]:
    """The appointments of each named client, in time order; only those that start at or after `since`, where given."""
    among, params = listed("id", client_ids)
    only = "" if since is None else " and starts_at >= :since"
    rows = tx.all(
        f"select * from appointment where client_id in {among}{only} and {_OF_PRACTICE}",
        {"p": practice_id, "since": epoch(since) if since else 0, **params},
    )
    found: dict[str, list[Appointment]] = {client_id: [] for client_id in client_ids}
    for row in sorted(rows, key=lambda row: (row["starts_at"], row["id"])):
        found[row["client_id"]].append(_appointment(row))
    return found


def counts_before(
    tx: Tx, practice_id: str, client_ids: Sequence[str], before: datetime
) -> dict[str, dict[tuple[str, str], int]]:
    """How many appointments each named client had that started before then, by therapist and status."""
    among, params = listed("id", client_ids)
    rows = tx.all(
        f"select client_id, therapist_id, status, count(*) as n from appointment where client_id in {among} "
        f"and starts_at < :before and {_OF_PRACTICE} group by client_id, therapist_id, status",
        {"p": practice_id, "before": epoch(before), **params},
    )
    found: dict[str, dict[tuple[str, str], int]] = {client_id: {} for client_id in client_ids}
    for row in rows:
        found[row["client_id"]][row["therapist_id"], row["status"]] = int(row["n"])
    return found


def by_refs(tx: Tx, practice_id: str, refs: Sequence[str]) -> dict[str, Appointment]:
    """Those of the named appointments that are known, by reference."""
    found: dict[str, Appointment] = {}
    for start in range(0, len(refs), PARAMETERS):
        among, params = listed("ref", refs[start : start + PARAMETERS])
        sql = f"select * from appointment where practice_id = :p and appointment_ref in {among}"
        found |= {row["appointment_ref"]: _appointment(row) for row in tx.all(sql, {"p": practice_id, **params})}
    return found


def coming(tx: Tx, practice_id: str, client_id: str, now: datetime) -> list[Appointment]:
    """A client's booked appointments that haven't begun, in time order."""
    rows = tx.all(
        "select * from appointment where practice_id = :p and client_id = :c and status = 'booked' "
        "and starts_at > :now order by starts_at, id",
        {"p": practice_id, "c": client_id, "now": epoch(now)},
    )
    return [_appointment(row) for row in rows]


def give_to(tx: Tx, practice_id: str, appointment_ids: Sequence[str], therapist_id: str) -> None:
    """These appointments are another therapist's from now on."""
    tx.run_many(
        "update appointment set therapist_id = :t where id = :id and practice_id = :p",
        [{"t": therapist_id, "id": each, "p": practice_id} for each in appointment_ids],
    )


def next_start(tx: Tx, practice_id: str, appointment: Appointment) -> datetime | None:
    """When the client's next appointment after this one starts, if one is known."""
    row = tx.one(
        "select min(starts_at) as at from appointment where client_id = :c and practice_id = :p "
        "and starts_at >= :ends and id <> :id and status in ('booked', 'attended')",
        {
            "c": appointment.client_id,
            "p": practice_id,
            "ends": epoch(appointment.ends_at),
            "id": appointment.id,
        },
    )
    return moment_of(row["at"]) if row and row["at"] is not None else None


def set_not_asked(tx: Tx, reasons: Sequence[tuple[str, str | None]]) -> None:
    """Write why no check-in is planned (None: one is), by appointment id."""
    tx.run_many(
        "update appointment set not_asked = :reason where id = :id",
        [{"id": appointment_id, "reason": reason} for appointment_id, reason in reasons],
    )


def _appointment(row: Row) -> Appointment:
    plain = ("id", "appointment_ref", "client_id", "therapist_id", "status", "not_asked")
    return Appointment(
        **{name: row[name] for name in plain},
        starts_at=moment_of(row["starts_at"]),
        ends_at=moment_of(row["ends_at"]),
    )
