"""The pretend practice, Riverside Counseling: who is in it, and how it is set up from the command line."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.sandbox.parts import Owner
from bot.sandbox.stage import Stage

ZONE = ZoneInfo("America/New_York")
SMS_NAME = "Riverside"
VISIT = timedelta(minutes=50)
THERAPISTS = {"Theo": "theo@riverside.example", "Ines": "ines@riverside.example"}
DANA, DANAS_PHONE = "dana@riverside.example", "+12025550120"


@dataclass(frozen=True)
class Person:
    """A client of the pretend practice. `weekday` (Monday: 0) and `hour` are when their visits end, local time."""

    name: str
    ref: str
    phone: str
    therapist: str
    weekday: int
    hour: int
    language: str = "en"


ANA = Person("Ana", "R-101", "+12025550101", "Theo", 1, 11)
BEN = Person("Ben", "R-102", "+12025550102", "Theo", 2, 14)
CHIDI = Person("Chidi", "R-103", "+12025550103", "Ines", 3, 16)
CLIENTS = (ANA, BEN, CHIDI)


def owners(clients: Sequence[Person] = CLIENTS) -> dict[str, Owner]:
    """Whose phone is whose."""
    return {client.phone: Owner(client.name, str(ZONE)) for client in clients}


def set_up(stage: Stage, clients: Sequence[Person], consent: datetime) -> str:
    """Set the practice up as its manager would, on the command line; a token for its appointments."""
    people = [{"name": name, "email": email} for name, email in THERAPISTS.items()]
    stage.attune("import", "therapists", "-", given=_csv(people))
    stage.attune(
        *("practice", "set", "name=Riverside Counseling", f"sms_name={SMS_NAME}", "not_for_appraisal=yes"),
        *("duty_name=Dana", f"duty_email={DANA}", f"duty_phone={DANAS_PHONE}", "duty_hours=all day, all week"),
        *("supervisor_name=Dana", f"supervisor_email={DANA}", "manager_name=Dana", f"manager_email={DANA}"),
    )
    stage.attune("import", "roster", "-", given=_csv([_roster_row(client, consent) for client in clients]))
    return stage.attune("token", "new", "Riverside's own calendar")


def appointment(client: Person, ends_at: datetime, status: str = "attended") -> dict[str, str]:
    """One appointment in the keys of the API and the CSV file; the same end gives the same reference."""
    return {
        "appointment_ref": f"{client.ref}-{ends_at:%Y%m%d}",
        "client_ref": client.ref,
        "therapist_email": THERAPISTS[client.therapist],
        "starts_at": (ends_at - VISIT).isoformat(),
        "ends_at": ends_at.isoformat(),
        "status": status,
    }


def import_appointments(stage: Stage, rows: Sequence[dict[str, str]]) -> None:
    """Take in a list of appointments from a file."""
    stage.attune("import", "appointments", "-", given=_csv(rows))


def _roster_row(client: Person, consent: datetime) -> dict[str, str]:
    return {
        "client_ref": client.ref,
        "name": client.name,
        "phone": client.phone,
        "email": f"{client.name.lower()}@clients.example",
        "language": client.language,
        "timezone": str(ZONE),
        "channel": "sms",
        "consent_at": consent.isoformat(),
        "therapist_email": THERAPISTS[client.therapist],
    }


def _csv(rows: Sequence[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
