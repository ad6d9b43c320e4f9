"""Riverside on a busy day: every kind of thing that a page can show, and its ids by the names that routes use."""

from datetime import timedelta

from bot.flows import asking, receiving
from bot.store import people, practices
from bot.store.inbox import Inbound
from tests.support.cast import PHONES, Riverside
from tests.support.weeks import DECLINE, FIRST_VISIT, WELL, assess, climb, one, weekly

NOW = FIRST_VISIT + timedelta(weeks=len(DECLINE) - 1, days=3)
NOWHERE = "0" * 32


def fill(practice: Riverside, *, busy: bool) -> dict[str, list[str]]:
    """Add a supervisor, and, where it is busy, weeks of answers, a note, danger, a call, texts that wait."""
    with practice.ctx.store.transaction() as tx:
        sam, _ = people.save(tx, practice.practice.id, name="Sam", email="sam@riverside.example", now=FIRST_VISIT)
        people.give_role(tx, practice.practice.id, sam, "supervisor")
        token = practices.new_token(tx, practice.practice.id, "The calendar", FIRST_VISIT)
    assert token
    if busy:
        _weeks(practice)
    alerts = [str(row["id"]) for row in practice.rows("select id from alert where kind not like 'danger%'")]
    return {
        "client_id": list(practice.clients.values()),
        "person_id": [*practice.staff.values(), sam],
        "alert_id": alerts,
        "owner_id": [],
        "state": ["on_hold", "discharged", "died"],
        "draft_id": [],
        "token_id": [str(row["id"]) for row in practice.rows("select id from api_token")],
    }


def _weeks(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    weekly(practice, "Ben", [*WELL, None, None])
    one(practice, "Chidi", FIRST_VISIT, (4, 4, 5))
    assess(practice, NOW)
    climb(practice, NOW)
    practice.visit("Ben", NOW - timedelta(hours=3), now=NOW - timedelta(hours=3))
    asking.ask_due(practice.ctx, NOW)
    for number, (name, words) in enumerate((("Ana", "please call me"), ("Chidi", "i want to kill myself"))):
        text = Inbound("sms", f"SM{0xB0 + number:032x}", PHONES[name], words)
        receiving.receive(practice.ctx, text, NOW - timedelta(minutes=20 - number))
    climb(practice, NOW)
