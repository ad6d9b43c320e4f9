"""Who may open what."""

from bot.flows.context import Context
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside


def test_a_session_opens_pages_until_it_is_ended(ctx: Context, practice: Riverside) -> None:
    """Before and after, everything but the way in is shut."""
    browser = Browser(ctx, MONDAY_NOON)
    assert browser.get("/account").status_code == 303
    browser.sign_in(practice.practice.id, "theo@riverside.example")
    assert "Theo" in browser.get("/account").text
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/account").status_code == 303
