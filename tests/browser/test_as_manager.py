"""Dana's way through the pages, in Chromium: from an invitation to seeing what became of her schedule."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from bot.store import people
from tests.browser.conftest import Opened, Served
from tests.browser.pressing import follow, press
from tests.browser.signed_in import sign_in
from tests.support.cast import MONDAY_NOON, PHONES

Open = Callable[..., Opened]
ROSTER = f"""client_ref,name,phone,email,language,timezone,channel,consent_at,therapist_email
C-Ana,Ana Lima,{PHONES["Ana"]},ana@clients.example,en,America/New_York,sms,2026-08-08,theo@riverside.example
C-Noa,Noa,+12025550190,,es,America/New_York,sms,2026-08-08,theo@riverside.example
C-Bad,Mia,12,,en,Mars/Base,sms,2026-08-08,theo@riverside.example
"""


@pytest.fixture
def page(posted: Served, opened: Open) -> Page:
    """Dana, signed in."""
    found = opened("about:blank")
    sign_in(posted, found.page.context, "Dana", MONDAY_NOON)
    return found.page


def test_she_invites_somebody_who_gets_a_mail_with_a_link(page: Page, posted: Served) -> None:
    page.goto(f"{posted.url}/people/staff")
    page.get_by_label("Name").fill("Mo")
    page.get_by_label("E-mail").fill("mo@riverside.example")
    page.get_by_role("radio", name="Therapist:").check()
    press(page, "Send the invitation")
    expect(page.get_by_role("status")).to_contain_text("mo@riverside.example")
    posted.work()
    [mail] = posted.mails_to("mo@riverside.example")
    assert f"{posted.url}/sign-in/" in mail.text
    with posted.practice.ctx.store.transaction(write=False) as tx:
        person = people.by_email(tx, posted.practice.practice.id, "mo@riverside.example")
        assert person
        assert people.roles_of(tx, posted.practice.practice.id, person.id) == ["therapist"]


def test_she_is_led_through_setting_up_to_the_first_check_in(page: Page, posted: Served) -> None:
    """Each step that is saved leads to the next that lacks something, and the end is a check-in that is planned."""
    typed = {
        "sender": {"#sms_name": "Riverside"},
        "danger": {
            "#duty_name": "Dana", "#duty_email": "dana@riverside.example", "#duty_phone": "+12025550177",
            "#duty_hours": "mon-fri 09:00-17:00", "#local_lines": "call 911, or call/text 988 any time",
        },
    }  # fmt: skip
    page.goto(f"{posted.url}/setup")
    expect(page.locator("main")).to_contain_text("Hours")
    page.goto(f"{posted.url}/setup/hours")
    seen = []
    while (step := page.url.rpartition("/")[2]) in ("hours", "practice", "sender", "danger", "fairness"):
        assert step not in seen, page.locator("main").inner_text()
        seen.append(step)
        for place, text in typed.get(step, {}).items():
            page.locator(place).fill(text)
        if step == "fairness":
            page.locator("main input[type=checkbox]").check()
        follow(page.locator("main form button:not([name])").first)
    assert seen == ["hours", "danger", "fairness"], "what the cast hasn't settled yet"
    posted.practice.visit("Ana", MONDAY_NOON - timedelta(hours=1), now=MONDAY_NOON)
    page.goto(f"{posted.url}/setup/first")
    expect(page.locator("main")).to_contain_text("C-Ana")


def test_she_sees_what_a_roster_would_do_before_she_takes_it_in(page: Page, posted: Served) -> None:
    """A wrong row is named with its line; a changed one with what changes; nothing is stored by looking."""
    page.goto(f"{posted.url}/import?kind=roster")
    page.get_by_label("CSV file").set_input_files(
        {"name": "roster.csv", "mimeType": "text/csv", "buffer": ROSTER.encode()}
    )
    press(page, "Look at it")
    expect(page.locator(".lead")).to_contain_text("1 new, 1 changed, 0 as before, 1 wrong")
    expect(page.locator("table")).to_contain_text("line 4")
    follow(page.get_by_role("link", name="Changed 1"))
    expect(page.locator("table")).to_contain_text("Ana Lima")
    assert posted.practice.client("Ana").name == "Ana"
    press(page, "Take in 2 rows")
    expect(page.get_by_role("status").first).to_contain_text("taken in")
    assert posted.practice.client("Ana").name == "Ana Lima"


@pytest.mark.parametrize("script", [True, False])
def test_she_sees_what_a_schedule_would_do_saves_it_and_takes_it_back(
    posted: Served, opened: Open, script: bool
) -> None:
    """Also with scripts off, where the preview comes by a button alone."""
    posted.practice.visit("Ana", MONDAY_NOON + timedelta(days=2), status="booked", now=MONDAY_NOON)
    posted.practice.visit("Ana", MONDAY_NOON - timedelta(minutes=30), now=MONDAY_NOON)
    before = posted.practice.check_ins("Ana")[0].due_at
    page = opened("about:blank", script=script).page
    sign_in(posted, page.context, "Dana", MONDAY_NOON)
    page.goto(f"{posted.url}/schedules")
    page.get_by_label("Hours after the end").fill("4")
    if script:
        page.get_by_label("Hours after the end").press("Tab")
    else:
        press(page, "See what it does")
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("1 moved")
    assert posted.practice.check_ins("Ana")[0].due_at == before, "looking changes nothing"
    press(page, "Save this rule")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    assert posted.practice.check_ins("Ana")[0].due_at > before
    follow(page.get_by_role("link", name="Undo the last change"))
    press(page, "Undo it")
    expect(page.get_by_role("status")).to_contain_text("taken back")
    assert posted.practice.check_ins("Ana")[0].due_at == before


def test_she_sees_what_was_sent_and_no_answer(page: Page, posted: Served) -> None:
    """Numbers, reasons and who needs her; never what anyone answered."""
    posted.practice.visit("Ana", MONDAY_NOON - timedelta(hours=4), now=MONDAY_NOON)
    posted.practice.visit("Ben", MONDAY_NOON - timedelta(hours=3), status="no_show", now=MONDAY_NOON)
    posted.work()
    page.goto(f"{posted.url}/delivery")
    expect(page.locator("main")).to_contain_text("not asked, with a reason")
    follow(page.locator("a[href*='/delivery/skipped']").first)
    expect(page.locator("main")).to_contain_text("C-Ben")
