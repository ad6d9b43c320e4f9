"""A client's own page, in Chromium, as most phones open it: from a link, without signing in, also without script."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from bot.store import answer_links
from tests.browser.axe import wrong_with
from tests.browser.busy import FORM
from tests.browser.conftest import Opened, Served
from tests.browser.pressing import follow
from tests.support.cast import MONDAY_NOON
from tests.support.therapist import asked

Open = Callable[..., Opened]


@pytest.fixture
def link(served: Served) -> str:
    """Ana was asked two hours ago; the address of the form."""
    served.at(MONDAY_NOON)
    check_in = asked(served.practice, "Ana", MONDAY_NOON - timedelta(hours=4))
    with served.practice.ctx.store.transaction() as tx:
        answer_links.add(tx, served.practice.practice.id, check_in, served.practice.clients["Ana"], FORM, MONDAY_NOON)
    return f"{served.url}/c/{FORM}"


@pytest.mark.parametrize("script", [True, False])
def test_she_answers_with_four_taps(served: Served, opened: Open, link: str, script: bool) -> None:
    found = opened(link, width=320, script=script)
    for feeling, score in (("heard", 5), ("respected", 4), ("understood", 2)):
        found.page.locator(f"label:has(input[name={feeling}][value='{score}'])").click()
    follow(found.page.locator("form button").first)
    expect(found.page.get_by_role("status")).to_be_visible()
    rows = served.practice.rows("select feeling, score from answer order by feeling")
    assert {row["feeling"]: row["score"] for row in rows} == {"heard": 5, "respected": 4, "understood": 2}
    assert found.complaints == []


def test_looking_answers_nothing(served: Served, opened: Open, link: str) -> None:
    """The score tapped in the mail is chosen, and waits for the button."""
    page = opened(f"{link}?s=4", width=375).page
    expect(page.locator("input[name=heard][value='4']")).to_be_checked()
    assert served.practice.rows("select * from answer") == []


def test_every_state_of_her_page_is_for_everyone(served: Served, opened: Open, link: str) -> None:
    """Empty, tapped, refused, thanked, corrected, over; axe, console, and 320 px."""
    found, wrong = opened(link), {}
    page = found.page

    def look(state: str) -> None:
        complaints = [each for each in found.complaints if "status of 4" not in each]
        if problems := wrong_with(page) + complaints:
            wrong[state] = problems
        found.complaints.clear()

    look("empty")
    follow(page.locator("form button").first)
    look("refused")
    page.goto(f"{link}?s=4")
    look("tapped")
    follow(page.locator("form button").first)
    look("asked about the rest")
    follow(page.locator("button[name=sure]"))
    look("thanked")
    page.goto(link)
    look("to be corrected")
    served.at(MONDAY_NOON + timedelta(days=6))
    page.goto(link)
    look("over")
    assert wrong == {}
