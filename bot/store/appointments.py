"""Appointments, as the practice's own system tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment_of, new_id


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


def of_clients(tx: Tx, practice_id: str, client_ids: Sequence[str]) -> dict[str, list[Appointment]]:
    """The appointments of each named client, in time order."""
    among, params = listed("id", client_ids)
    rows = tx.all(
        f"select * from appointment where client_id in {among} and practice_id = :p",
        {"p": practice_id, **params},
    )
    found: dict[str, list[Appointment]] = {client_id: [] for client_id in client_ids}
    for row in sorted(rows, key=lambda row: (row["starts_at"], row["id"])):
        found[row["client_id"]].append(_appointment(row))
    return found


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
