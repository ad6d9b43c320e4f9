"""Passkeys in a real Chromium, with an authenticator in software: made, and used instead of mail and code."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from bot.config import Config
from tests.browser.conftest import Opened, Served, serve
from tests.browser.pressing import press
from tests.browser.signed_in import sign_in
from tests.support.cast import MONDAY_NOON

Open = Callable[..., Opened]
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def by_name(config: Config) -> Iterator[Served]:
    """Served under a name, since passkeys belong to one."""
    with serve(config, "localhost") as running:
        yield running


def with_device(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def test_a_passkey_is_the_second_step_and_then_signs_in_alone(by_name: Served, opened: Open) -> None:
    """Theo adds one where his second step is asked for, signs out, and comes back with it."""
    found = opened("about:blank")
    page = found.page
    with_device(page)
    sign_in(by_name, page.context, "Theo", MONDAY_NOON, strong=False)
    page.goto(f"{by_name.url}/caseload")
    expect(page.get_by_role("heading", name="Set up your second step")).to_be_visible()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey is added")
    press(page, "Sign out")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{by_name.url}/notes")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/notes")
    expect(page.get_by_role("heading", name="Notes")).to_be_visible()
    assert found.complaints == []


def test_a_device_that_refuses_is_told_of_in_words(by_name: Served, opened: Open) -> None:
    """Nobody has a passkey yet: the page stays, and says what else there is."""
    by_name.at(MONDAY_NOON)
    page = opened("about:blank").page
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, "isUserVerified": False}})
    page.goto(f"{by_name.url}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="No passkey was used")).to_be_visible()
