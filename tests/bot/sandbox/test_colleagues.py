"""In the sandbox anybody can look at Attune's pages as Dana, Theo or Ines."""

from collections.abc import Mapping

import pyotp
import pytest
import requests

from bot.sandbox import Sandbox


class Links:
    """A director whose links lead nowhere."""

    busy = problem = ""
    colleagues: Mapping[str, str] = {"Dana": "dana@riverside.example"}

    def sign_in_link(self, name: str) -> str:
        return f"http://attune.example/sign-in/for-{name}"

    def do(self, what: str, phone: str = "") -> None:
        """Nothing happens here."""


@pytest.fixture
def directed(sandbox: Sandbox) -> Sandbox:
    sandbox.parts.direct(Links())
    return sandbox


def test_the_guide_leads_into_attunes_pages(directed: Sandbox) -> None:
    """A click makes a link; opening it is the person's own step, as with a mail."""
    assert "Sign in as Dana" in requests.get(directed.url, timeout=60).text
    page = requests.post(f"{directed.url}/colleagues/Dana", timeout=60).text
    assert 'href="http://attune.example/sign-in/for-Dana"' in page


def test_a_stranger_gets_no_link(directed: Sandbox) -> None:
    """Only those who are in the pretend practice."""
    assert requests.post(f"{directed.url}/colleagues/Mallory", timeout=60).status_code == 404


def test_the_pretend_authenticator_shows_the_code_of_the_moment(directed: Sandbox) -> None:
    """By the sandbox's clock, which Attune follows too."""
    key = pyotp.random_base32()
    now = int(directed.clock.now())
    page = requests.get(f"{directed.url}/authenticator", params={"key": key.lower()}, timeout=60).text
    codes = {pyotp.TOTP(key).at(now + seconds) for seconds in (0, 5)}
    assert any(f"{code[:3]} {code[3:]}" in page for code in codes)


def test_what_is_no_key_is_told_in_words(directed: Sandbox) -> None:
    """And never a trace."""
    page = requests.get(f"{directed.url}/authenticator", params={"key": "018!"}, timeout=60)
    assert page.status_code == 200
    assert "That is no key" in page.text
