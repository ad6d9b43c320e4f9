"""A practice whose every name, number, address and word occurs nowhere else, so that each can be searched for.

Everything goes in by the product's own doors: files, settings, replies, the worker, an acknowledged alert.
"""

from datetime import UTC, datetime, timedelta

from bot.flows import alerting, intake, receiving
from bot.flows import settings as practice_settings
from bot.flows.context import Context
from bot.flows.links import AlertLink
from bot.store import Tx, reseal
from bot.store.inbox import Inbound
from bot.worker import tick_once

MONDAY = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)  # noon in New York
STRANGER = "+12025550166"
CANARIES = {
    "a therapist's name": "Theobald Wrenfield",
    "a therapist's address": "theobald@wrenfield.example",
    "a contact's name": "Danaë Larkspur",
    "a contact's address": "danae@larkspur.example",
    "a contact's number": "2025550177",
    "a client's name": "Anastasia Nightjar",
    "a client's number": "2025550188",
    "a client's address": "anastasia@nightjar.example",
    "another client's name": "Benedict Goldcrest",
    "another client's number": "2025550199",
    "another client's address": "benedict@goldcrest.example",
    "a stranger's number": "2025550166",
    "a client's words": "zebrafinch on the windowsill",
    "words of danger": "since the kingfisher went",
    "a stranger's words": "bramblings everywhere",
    "a therapist's note": "spoke about the chaffinch",
}
_AGREED = "2026-08-01T12:00:00-04:00,theobald@wrenfield.example"
ROSTER = f"""client_ref,name,phone,email,language,timezone,channel,consent_at,therapist_email
C-1,Anastasia Nightjar,(202) 555-0188,anastasia@nightjar.example,en,,sms,{_AGREED}
C-2,Benedict Goldcrest,+12025550199,benedict@goldcrest.example,en,,email,{_AGREED}
"""
APPOINTMENTS = """appointment_ref,client_ref,therapist_email,starts_at,ends_at,status
A-1,C-1,theobald@wrenfield.example,2026-09-07T09:00:00-04:00,2026-09-07T09:50:00-04:00,attended
A-2,C-2,theobald@wrenfield.example,2026-09-07T09:00:00-04:00,2026-09-07T09:50:00-04:00,attended
"""


class _At:
    """A clock that stands where it is put."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        pass


def fill(ctx: Context) -> str:
    """Put every canary in; the practice's id."""
    with ctx.store.transaction() as tx:
        practice = practice_settings.find_practice(tx, None, MONDAY, create=True)
    therapists = "name,email\nTheobald Wrenfield,theobald@wrenfield.example\n"
    for kind, text in {"therapists": therapists, "roster": ROSTER, "appointments": APPOINTMENTS}.items():
        taken = intake.take_file(ctx, practice, kind, text.encode(), MONDAY)
        assert not taken.problems, [str(problem) for problem in taken.problems]
    duty = {"duty_name": "Danaë Larkspur", "duty_email": "danae@larkspur.example", "duty_phone": "+12025550177"}
    practice_settings.set_practice(ctx, practice, duty, MONDAY)
    for minutes in (0, 1):  # the welcome, then the question
        tick_once(ctx, _At(MONDAY + timedelta(minutes=minutes)))
    texts = [
        ("+12025550188", "5 4 5, thinking of the zebrafinch on the windowsill"),
        ("+12025550188", "I want to kill myself since the kingfisher went"),
        (STRANGER, "bramblings everywhere"),
        (STRANGER, "STOP"),
    ]
    for number, (sender, body) in enumerate(texts):
        at = MONDAY + timedelta(minutes=10 + number)
        receiving.receive(ctx, Inbound("sms", f"SM{number:032}", sender, body), at)
        tick_once(ctx, _At(at))
    _acknowledge(ctx, practice.id, MONDAY + timedelta(minutes=20))
    tick_once(ctx, _At(MONDAY + timedelta(minutes=30)))
    return practice.id


def opened(tx: Tx) -> str:
    """Every sealed field of the database, opened."""
    return "\n".join(
        tx.open(table, each.name, row["id"], row[f"{each.name}_sealed"])
        for table, fields in reseal.TABLES.items()
        for row in tx.all(f"select * from {table}")
        for each in fields
    )


def _acknowledge(ctx: Context, practice_id: str, now: datetime) -> None:
    with ctx.store.transaction(write=False) as tx:
        alert = tx.one("select id, therapist_id from alert where therapist_id is not null")
    assert alert is not None, "without an alert there is no note"
    link = AlertLink(practice_id, alert["id"], alert["therapist_id"], int(now.timestamp()) + 60)
    assert alerting.acknowledge(ctx, link, "We spoke about the chaffinch.", now)
