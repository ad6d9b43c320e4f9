"""A practice with many clients in several zones, whose check-ins fall due together or near the edge of the hours."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.flows.context import Context
from bot.flows.planning import replan
from bot.store import appointments, clients, people, practices
from bot.store.clients import Entry

NOON = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)  # Monday noon in New York
EDGE = datetime(2026, 9, 8, 0, 0, tzinfo=UTC)  # eight in the evening in New York, when the hours end
ZONES = ("America/New_York", "America/Toronto", "America/Chicago", "America/Los_Angeles", "Europe/London")


def found_practice(ctx: Context, how_many: int, late: int, rng: random.Random) -> Mapping[str, str]:
    """So many clients due at noon in New York, and so many more due just before the hours end there.

    Returns each number's zone.
    """
    long_ago = NOON - timedelta(days=60)
    with ctx.store.transaction() as tx:
        practice = replace(practices.add(tx, "Riverside Counseling", long_ago), sms_name="Riverside")
        practices.save(tx, practice)
        theo, _ = people.save(tx, practice.id, name="Theo", email="theo@riverside.example", now=long_ago)
        people.give_role(tx, practice.id, theo, "therapist")
        zones, ids = {}, []
        for number in range(how_many + late):
            zone = rng.choice(ZONES) if number < how_many else ZONES[0]
            phone = f"+1202556{number:04d}"
            entry = Entry(f"C{number}", "Ana", phone, "", "en", zone, "sms", long_ago, theo)
            client_id, _ = clients.save(tx, practice.id, entry, long_ago)
            zones[phone] = zone
            ids.append(client_id)
            # due two hours after the end: at noon for most, 3 to 0 minutes before the hours end for the late ones
            due = NOON - timedelta(minutes=1) if number < how_many else EDGE - timedelta(seconds=rng.randrange(1, 180))
            ends_at = due - timedelta(hours=2)
            appointments.save(
                tx, practice.id, appointment_ref=f"A{number}", client_id=client_id, therapist_id=theo,
                starts_at=ends_at - timedelta(minutes=50), ends_at=ends_at, status="attended",
            )  # fmt: skip
    replan(ctx, practice.id, ids, NOON - timedelta(hours=3))
    return zones
