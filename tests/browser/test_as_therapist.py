"""Theo's way through the pages, in Chromium: from a mailed link to a note taken on, and what came of it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opened, Served
from tests.browser.pressing import follow, press
from tests.browser.signed_in import sign_in
from tests.support.cast import MONDAY_NOON
from tests.support.therapist import asked, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, alerts_of, assess, weekly

Open = Callable[..., Opened]
NOW = FIRST_VISIT + timedelta(weeks=len(DECLINE) - 1, hours=4)
THEO = "theo@riverside.example"


@pytest.fixture
def declined(posted: Served) -> str:
    """Ana has declined; the path of the note about her."""
    weekly(posted.practice, "Ana", DECLINE)
    assess(posted.practice, NOW)
    posted.at(NOW)
    return f"/notes/{alerts_of(posted.practice, 'Ana')[0].id}"


def test_he_signs_in_by_a_mailed_link_and_sets_up_his_second_step(posted: Served, opened: Open) -> None:
    """A real mail, a real code; only then are clients shown. The link works once."""
    posted.at(MONDAY_NOON)
    page = opened(f"{posted.url}/caseload").page
    page.get_by_label("Your mail address").first.fill(THEO)
    press(page, "Mail me a link")
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    posted.work()
    [mail] = posted.mails_to(THEO)
    link = re.search(r"http\S+/sign-in/\S+", mail.text)
    assert link
    page.goto(link[0])
    follow(page.locator("main button"))
    expect(page.get_by_role("heading", name="Set up your second step")).to_be_visible()
    expect(page.get_by_role("link", name="Caseload")).to_have_count(0)
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(MONDAY_NOON))
    press(page, "Set up")
    expect(page.get_by_role("heading", name="Keep these codes")).to_be_visible()
    follow(page.get_by_role("link", name="I have kept them"))
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    page.goto(link[0])
    expect(page.get_by_role("heading", name="This link is used up")).to_be_visible()


def test_he_goes_from_his_caseload_to_a_note_and_says_what_came_of_it(
    posted: Served, opened: Open, declined: str
) -> None:
    found = opened("about:blank", width=375)
    page = found.page
    sign_in(posted, page.context, "Theo", NOW)
    page.goto(f"{posted.url}/caseload")
    expect(page.locator(".caseload .name").first).to_have_text("Ana")
    follow(page.get_by_role("link", name=re.compile("A note waits")))
    page.wait_for_url(posted.url + declined)
    page.get_by_label("A note for yourself").fill("Ask about the new hour.")
    press(page, "I'll take it on")
    expect(page.get_by_text("You took this on")).to_be_visible()
    page.get_by_label("For yourself; only you can read it").fill("We moved back to Mondays.")
    page.get_by_label("We talked about it just now or today.").check()
    follow(page.get_by_role("button", name="Keep").first)
    page.get_by_label("Helpful", exact=True).check()
    follow(page.get_by_role("button", name="Keep").last)
    expect(page.get_by_label("Helpful", exact=True)).to_be_checked()
    expect(page.get_by_text("Ask about the new hour.")).to_be_visible()
    alert = alerts_of(posted.practice, "Ana")[0]
    assert (alert.verdict, alert.done) == ("helpful", "We moved back to Mondays.")
    assert found.complaints == []


def test_he_says_that_a_reply_was_misread_and_picks_what_was_meant(posted: Served, opened: Open) -> None:
    """Nobody types a score: the words themselves offer what they can mean."""
    asked(posted.practice, "Ana", MONDAY_NOON - timedelta(hours=5))
    writes(posted.practice, "Ana", "5 4 2", MONDAY_NOON - timedelta(hours=1))
    page = opened("about:blank").page
    sign_in(posted, page.context, "Theo", MONDAY_NOON)
    page.goto(f"{posted.url}/clients/{posted.practice.clients['Ana']}")
    reply = page.locator(".replies li").first
    expect(reply).to_contain_text("5 4 2")
    reply.get_by_text("How it was read").click()
    press(page, "This was misread; nothing of it counts")
    expect(reply.locator(".read").first).to_contain_text("Nothing of it counts")
    reply.get_by_text("How it was read").click()
    reply.get_by_role("radio").first.check()
    press(page, "Use this reading")
    expect(reply.locator(".read").first).to_contain_text("Counts as")
    assert page.locator("main input[type=number]").count() == 0


def test_he_takes_a_note_on_by_keyboard_alone(posted: Served, opened: Open, declined: str) -> None:
    """By Tab, in the order in which it is read, and always seeing where he is."""
    page = opened("about:blank").page
    sign_in(posted, page.context, "Theo", NOW)
    page.goto(posted.url + declined)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # to the content
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            page.keyboard.type("Ask.")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("You took this on")).to_be_visible()
    expect(page.get_by_text("Ask.", exact=True)).to_be_visible()


def test_he_takes_a_note_on_without_script(posted: Served, opened: Open, declined: str) -> None:
    page = opened("about:blank", script=False).page
    sign_in(posted, page.context, "Theo", NOW)
    page.goto(posted.url + declined)
    page.get_by_label("A note for yourself").fill("Ask.")
    press(page, "I'll take it on")
    expect(page.get_by_text("You took this on")).to_be_visible()
