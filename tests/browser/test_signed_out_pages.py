"""The pages for whoever isn't signed in yet, or only half: the way in, links that are fresh and used up, the second
step. Nothing axe objects to, nothing in the console, nothing from elsewhere, no scrolling sideways at 320 px."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from bot.flows import accounts
from bot.flows.links import stop_link
from tests.browser.axe import wrong_with
from tests.browser.conftest import Opened, Served
from tests.browser.pressing import follow
from tests.browser.signed_in import sign_in
from tests.support.cast import MONDAY_NOON
from tests.support.signing_in import mailed, with_app

Open = Callable[..., Opened]


class Look:
    """One window, and what was wrong with each page seen in it."""

    def __init__(self, served: Served, opened: Opened) -> None:
        self.url, self.opened, self.wrong = served.url, opened, dict[str, list[str]]()

    @property
    def page(self) -> Page:
        return self.opened.page

    def at(self, path: str, name: str = "") -> None:
        """Go there and look."""
        self.page.goto(self.url + path)
        self.here(name or path)

    def here(self, name: str) -> None:
        """Look at what is open."""
        said = [each for each in self.opened.complaints if "status of 4" not in each]
        elsewhere = [each for each in self.opened.asked if not each.startswith((self.url, "data:"))]
        if problems := wrong_with(self.page) + said + elsewhere:
            self.wrong[name] = problems
        self.opened.complaints.clear()
        self.opened.asked.clear()


@pytest.fixture
def look(posted: Served, opened: Open) -> Iterator[Look]:
    """A window at noon; after the test nothing may have been wrong."""
    posted.at(MONDAY_NOON)
    found = Look(posted, opened("about:blank"))
    yield found
    assert not found.wrong, found.wrong


def test_the_way_in(look: Look, posted: Served) -> None:
    """Asking for a link, following it, finding it used up; a wrong password; an address that leads nowhere."""
    look.at("/sign-in")
    look.page.get_by_text("Use a password").click()
    look.here("with a password")
    look.page.get_by_label("Your mail address").last.fill("dana@riverside.example")
    look.page.get_by_label("Password", exact=True).fill("a wrong one, surely")
    follow(look.page.get_by_role("button", name="Sign in"))
    look.here("a wrong password")
    look.page.get_by_label("Your mail address").first.fill("dana@riverside.example")
    follow(look.page.get_by_role("button", name="Mail me a link"))
    look.here("asked")
    [link] = mailed(posted.practice)
    look.at(link, "a fresh link")
    follow(look.page.locator("main button"))
    look.here("the first page")
    follow(look.page.get_by_role("button", name="Sign out"))
    look.at(link, "a used link")
    look.at("/no-such-page")


def test_an_invitation(look: Look, posted: Served) -> None:
    practice = posted.practice
    accounts.invite(practice.ctx, None, practice.practice, "therapist", "mo@riverside.example", "Mo", MONDAY_NOON)
    look.at(mailed(practice, "invitation")[-1], "an invitation")


def test_a_new_mail_address(look: Look, posted: Served) -> None:
    """From the manager's page by the mailed link to the sign-in page, in one window."""
    practice = posted.practice
    sign_in(posted, look.page.context, "Dana", MONDAY_NOON)
    look.at(f"/people/staff/{practice.staff['Ines']}", "a colleague")
    look.page.get_by_text("Change it").click()
    look.page.get_by_label("New address").fill("ines.new@riverside.example")
    look.here("a new address is typed")
    follow(look.page.get_by_role("button", name="Send the link"))
    expect(look.page.get_by_text("Becomes")).to_be_visible()
    look.here("it waits to be confirmed")
    link = mailed(practice, "new_address")[-1]
    look.at(link, "a link to confirm")
    follow(look.page.get_by_role("button", name="Yes, this is mine"))
    look.at(link, "a link that is used up")
    look.at(f"/people/staff/{practice.staff['Ines']}", "changed")
    expect(look.page.get_by_text("ines.new@riverside.example")).to_be_visible()


def test_the_second_step_set_up_and_taken(look: Look, posted: Served) -> None:
    """Both ways: where it is missing, with its recovery codes, and where it is asked for."""
    sign_in(posted, look.page.context, "Theo", MONDAY_NOON, strong=False)
    look.at("/account/second-factor", "setting it up")
    look.at("/account", "the account without it")
    with_app(posted.practice, "Theo", MONDAY_NOON)
    look.at("/account/second-factor", "being asked for it")
    look.page.get_by_label("The code your app shows now").fill("000000")
    follow(look.page.get_by_role("button", name="Go on"))
    look.here("a wrong code")


def test_stopping_by_a_link(look: Look, posted: Served) -> None:
    """A client stops all messages with one button."""
    practice = posted.practice
    practice.visit("Ana", MONDAY_NOON, now=MONDAY_NOON)
    posted.at(MONDAY_NOON + timedelta(hours=3))
    posted.work()
    message = str(practice.rows("select id from outbox where client_id is not null order by id")[0]["id"])
    look.at(urlsplit(stop_link(practice.ctx.config, message)).path, "a button")
    follow(look.page.locator("main button"))
    look.here("stopped")
    assert practice.client("Ana").stopped
    look.at("/c/nobody", "a link that isn't ours")
