"""Sam's pages, in Chromium: that a note waits, and nothing of what it says."""

import re
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect

from bot.store import people
from tests.browser.conftest import Opened, Served
from tests.browser.signed_in import sign_in
from tests.support.weeks import DECLINE, FIRST_VISIT, alerts_of, assess, climb, weekly

Open = Callable[..., Opened]
NOW = FIRST_VISIT + timedelta(weeks=len(DECLINE) - 1, hours=4)
LATER = NOW + timedelta(days=3)


def test_he_sees_for_whom_a_note_waits_and_no_client_name_or_answer(served: Served, opened: Open) -> None:
    """Not by the page, and not by the addresses of others' pages either."""
    practice = served.practice
    with practice.ctx.store.transaction() as tx:
        sam, _ = people.save(tx, practice.practice.id, name="Sam", email="sam@riverside.example", now=FIRST_VISIT)
        people.give_role(tx, practice.practice.id, sam, "supervisor")
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW)
    for hours in range(0, 73, 4):
        climb(practice, NOW + timedelta(hours=hours))
    page = opened("about:blank").page
    sign_in(served, page.context, "Sam", LATER)
    page.goto(served.url)
    expect(page.locator("main")).to_contain_text("A note for Theo has waited")
    shown = page.content()
    for secret in ("Ana", "C-Ana", "heard", "lower"):
        assert not re.search(rf"\b{secret}\b", shown), secret  # three letters stand in a token by chance
    note = alerts_of(practice, "Ana")[0].id
    for path in (f"/notes/{note}", f"/clients/{practice.clients['Ana']}", "/caseload", "/people", "/delivery"):
        answer = page.goto(served.url + path)
        assert answer
        assert answer.status == 404, path
