"""Which rule holds for whom: the practice's, with what differs for a therapist, then for a client."""

from collections.abc import Mapping, Sequence

from bot.store import Tx, schedules
from bot.store.practices import Practice
from surveys.layers import Rules
from surveys.schedule import Schedule


def rule_of(schedule: Mapping[str, str]) -> Schedule:
    """The practice's rule as stored, before anything that differs for a therapist or client."""
    return Schedule.read(schedule)


def rule_for(tx: Tx, practice: Practice, therapist_id: str | None, client_id: str) -> Schedule:
    """The rule for one client, whose therapist this is now (not the one of an old appointment)."""
    return rules_of(tx, practice, [client_id]).of(therapist_id, client_id)


def rules_of(tx: Tx, practice: Practice, client_ids: Sequence[str] | None = None) -> Rules:
    """The rules of these clients (None: of all), read once for many."""
    therapists = schedules.every(tx, practice.id, "therapist")
    return Rules(practice.schedule, therapists, schedules.every(tx, practice.id, "client", client_ids))
