"""`attune invite` and `attune sign-in-link`: how the first people get in."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import cli
from bot.config import SETTINGS, Config
from bot.flows import context
from bot.store import audit, practices
from tests.support.browsing import Browser

KEY, URL = "a-secret-for-tests-that-is-long-enough", "http://attune.example"
NOORS = "noor@riverside.example"


class Attune:
    """The command line over one database, without mail."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(f"sqlite:///{folder}/attune.db", public_url=URL, secrets=(KEY,))
        nothing = dict.fromkeys(SETTINGS, "")
        self.env = {**nothing, "DATABASE_URL": self.config.database_url, "SECRET_KEY": KEY, "PUBLIC_URL": URL}
        assert self("migrate").exit_code == 0

    def __call__(self, *args: str, **env: str) -> Result:
        return CliRunner().invoke(cli.main, list(args), env={**self.env, **env})

    def good(self, *args: str, **env: str) -> str:
        """What it prints, having exited 0."""
        result = self(*args, **env)
        assert result.exit_code == 0, result.output
        return result.stdout

    def browser(self) -> Browser:
        """One by the same clock as the commands."""
        return Browser(context.build(self.config), datetime.now(UTC))


@pytest.fixture
def attune(tmp_path: Path) -> Attune:
    return Attune(tmp_path)


def test_the_first_manager_is_invited_and_gets_in_without_any_mail(attune: Attune) -> None:
    """The link is printed where no mail is set up."""
    said = attune.good("invite", "manager", NOORS, "--name", "Noor").splitlines()
    assert said[0] == "Noor <noor@riverside.example> is now a manager of Our practice."
    link = said[-1]
    browser = attune.browser()
    assert "Welcome, Noor" in browser.get(link.removeprefix(URL)).text
    assert browser.post(link.removeprefix(URL)).status_code == 303
    assert "Noor" in browser.get("/account").text
    assert "was already a manager" in attune.good("invite", "manager", NOORS)


def test_where_mail_is_set_up_the_link_goes_by_mail_alone(attune: Attune) -> None:
    mail = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "notes@riverside.example"}
    said = attune.good("invite", "therapist", NOORS, **mail)
    assert "An invitation is queued: the worker mails it" in said
    assert "`attune export messages --reason TEXT`" in said, "whether it went shows there"
    assert f"`attune sign-in-link {NOORS}`" in said
    assert "http" not in said
    assert "noor <noor@riverside.example>" in said


def test_a_link_to_sign_in_works_once_and_stands_in_the_audit_trail(attune: Attune) -> None:
    attune.good("invite", "manager", NOORS)
    link = attune.good("sign-in-link", NOORS).strip().removeprefix(URL)
    assert attune.browser().post(link).status_code == 303
    assert attune.browser().post(link).status_code == 410
    with context.build(attune.config).store.transaction(write=False) as tx:
        [practice] = practices.every(tx)
        told = [row["what"] for row in tx.all("select what from audit order by seq")]
        assert not audit.verify(tx, practice.id).broken
    assert told == ["invited: manager", "a link to sign in was made", "signed in by link"]


def test_whoever_lost_everything_begins_anew(attune: Attune) -> None:
    attune.good("invite", "therapist", NOORS)
    link = attune.good("sign-in-link", NOORS, "--forget").strip().removeprefix(URL)
    browser = attune.browser()
    browser.post(link)
    assert "Set up your second step" in browser.get("/account/second-factor").text


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (("sign-in-link", "nobody@riverside.example"), "Nobody in Our practice"),
        (("sign-in-link", "no address"), "mail address"),
        (("invite", "manager", "no address"), "mail address"),
        (("invite", "janitor", NOORS), "janitor"),
        (("invite", "manager", NOORS, "--practice", "Elsewhere"), "Elsewhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(attune: Attune, call: tuple[str, ...], why: str) -> None:
    result = attune(*call)
    assert result.exit_code == 2
    assert why in result.output
    assert "Traceback" not in result.output


def test_without_an_address_of_ours_no_link_is_made(attune: Attune) -> None:
    assert "PUBLIC_URL" in attune("invite", "manager", NOORS, PUBLIC_URL="").output


def test_a_leaver_or_a_contact_gets_no_link(attune: Attune) -> None:
    attune.good("invite", "therapist", NOORS)
    attune.good("person", "set", NOORS, "active=no")
    attune.good("practice", "set", "duty_name=Olu", "duty_email=olu@riverside.example")
    assert "has left" in attune("sign-in-link", NOORS).output
    assert "has left" in attune("invite", "manager", NOORS).output
    assert "no role with pages" in attune("sign-in-link", "olu@riverside.example").output
