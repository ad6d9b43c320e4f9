"""Our own people's hours: quiet ones, in which only danger is told, and leave, while a colleague covers."""

from datetime import datetime

from bot import log
from bot.store import Tx, people
from bot.store.alerts import Alert
from bot.store.people import Person
from bot.store.practices import Practice
from surveys.own_times import BadTime, QuietHours


def quiet_until(practice: Practice, person: Person, now: datetime) -> datetime | None:
    """When the quiet hours end in which a person is at this moment; None where they are in none."""
    try:
        quiet = QuietHours.read(person.quiet_hours)
    except BadTime:  # stored by hand, or by a newer program: better disturbed than not told
        log.get().warning("quiet hours can't be read", person=person.id)
        return None
    return quiet.over_at(now, practice.timezone) if quiet else None


def cover_of(tx: Tx, alert: Alert, now: datetime) -> Person | None:
    """Who covers for the therapist of an alert while they are away; None where they are here, or nobody does."""
    therapist = people.get(tx, alert.practice_id, alert.therapist_id) if alert.therapist_id else None
    if therapist is None or not therapist.away(now) or not therapist.cover_id:
        return None
    cover = people.get(tx, alert.practice_id, therapist.cover_id)
    here = cover.active and not cover.away(now)
    return cover if here and cover.id != therapist.id else None
