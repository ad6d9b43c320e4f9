"""Another mail address for a colleague: entered by a manager, confirmed from there, told to the old one."""

import re
from datetime import timedelta

import pytest

from bot.flows import accounts
from bot.flows.context import Context
from bot.flows.settings import BadSetting
from bot.sandbox import Sandbox
from bot.store import people
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import leave, letters
from tests.support.managing import manager
from tests.support.post import Post
from tests.support.signing_in import with_app

NOW, NEW = MONDAY_NOON, "theo.new@riverside.example"


@pytest.fixture
def dana(ctx: Context, practice: Riverside) -> Browser:
    with_app(practice, "Theo", NOW)
    return Browser(ctx, NOW).sign_in(practice.practice.id, "dana@riverside.example")


def theos(practice: Riverside, ending: str = "/address") -> str:
    return f"/people/staff/{practice.staff['Theo']}{ending}"


def link(practice: Riverside) -> str:
    """The path of the newest link that was mailed to a new address."""
    [*_, letter] = [each for each in letters(practice) if each.kind == "new_address"]
    found = re.search(r"http://attune\.example(/new-address/\S+)", letter.body)
    assert found
    return found[1]


def email(practice: Riverside) -> str:
    with practice.ctx.store.transaction(write=False) as tx:
        return people.get(tx, practice.practice.id, practice.staff["Theo"]).email


def told(practice: Riverside) -> list[tuple[str, str]]:
    return [(letter.kind, letter.address) for letter in letters(practice) if letter.kind != "notice"]


def test_it_holds_once_it_is_confirmed_from_there_and_all_that_was_open_ends(
    ctx: Context, practice: Riverside, dana: Browser, sandbox: Sandbox
) -> None:
    theo = Browser(ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example")
    assert dana.post(theos(practice), {"email": " Theo.New@riverside.example"}).status_code == 303
    assert f"Becomes <strong>{NEW}</strong>" in dana.get(theos(practice, "")).text
    Post(ctx, practice).send(NOW)
    arrived = {mail.recipients[0] for mail in sandbox.mailbox.all()}
    assert {NEW, "theo@riverside.example"} <= arrived, "the old address learns that it was asked for"
    somebody = Browser(ctx, NOW + timedelta(hours=1))
    assert NEW in somebody.get(link(practice)).text
    assert email(practice) == "theo@riverside.example", "looking changes nothing"
    assert somebody.post(link(practice)).location == "/sign-in"
    assert (email(practice), theo.get("/account").location) == (NEW, "/sign-in?back=/account")
    assert f"Your mail address in Attune is now {NEW}." in letters(practice)[-2].body
    assert told(practice)[-2:] == [("account_notice", "theo@riverside.example"), ("privacy", "dana@riverside.example")]
    assert (somebody.get(link(practice)).status_code, somebody.post(link(practice)).status_code) == (410, 410)
    trail = [row["what"] for row in practice.rows("select what from audit where what like 'new mail%' order by at, id")]
    assert trail == ["new mail address asked for", "new mail address confirmed"]


def test_another_address_withdrawing_or_two_days_end_the_link(ctx: Context, practice: Riverside, dana: Browser) -> None:
    dana.post(theos(practice), {"email": "theo.typo@riverside.example"})
    first = link(practice)
    dana.post(theos(practice), {"email": NEW})
    assert Browser(ctx, NOW).post(first).status_code == 410
    assert Browser(ctx, NOW + timedelta(days=2)).post(link(practice)).status_code == 410
    dana.post(theos(practice), {"withdraw": "yes"})
    assert Browser(ctx, NOW).post(link(practice)).status_code == 410
    assert email(practice) == "theo@riverside.example"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "the new address"),
        ("theo", "Is not a mail address"),
        ("Theo@riverside.example", "their address already"),
        ("ines@riverside.example", "Somebody else"),
    ],
)
def test_an_address_that_cannot_be_theirs_is_refused_at_its_field(
    practice: Riverside, dana: Browser, typed: str, why: str
) -> None:
    page = dana.post(theos(practice), {"email": typed})
    assert page.status_code == 422
    assert 'id="email-error"' in page.text
    assert why in page.text
    assert "new_address" not in [kind for kind, _ in told(practice)]


def test_an_address_that_became_somebody_elses_meanwhile_is_not_confirmed(
    ctx: Context, practice: Riverside, dana: Browser
) -> None:
    dana.post(theos(practice), {"email": NEW})
    with ctx.store.transaction() as tx:
        people.save(tx, practice.practice.id, name="Another Theo", email=NEW, now=NOW)
    assert Browser(ctx, NOW).post(link(practice)).status_code == 410
    assert email(practice) == "theo@riverside.example"


def test_a_manager_does_not_become_a_therapist_by_it(ctx: Context, practice: Riverside, dana: Browser) -> None:
    """Neither by taking the second step off after the change, nor by doing so before it."""
    dana.post(theos(practice), {"email": NEW})
    Browser(ctx, NOW).post(link(practice))
    me, theo = manager(ctx, practice.practice, practice.staff["Dana"]), practice.staff["Theo"]
    for days in (0, 6):
        with pytest.raises(BadSetting, match="within the last seven days"):
            accounts.forget_second_factor(ctx, me, theo, NOW + timedelta(days=days))
    dana.post(theos(practice), {"email": "theo.third@riverside.example"})
    with pytest.raises(BadSetting, match="within the last seven days"):
        accounts.forget_second_factor(ctx, me, theo, NOW + timedelta(days=1))
    accounts.forget_second_factor(ctx, me, theo, NOW + timedelta(days=8))
    with ctx.store.transaction() as tx:
        accounts.begin(tx, practice.practice.id, theo, strong=False, how="link", browser="", now=NOW)
    page = dana.post(theos(practice), {"email": "theo.fourth@riverside.example"})
    assert "Theo has no second step set up now" in page.text


def test_it_is_not_for_a_leaver_nor_for_anybody_elses_people(ctx: Context, practice: Riverside, dana: Browser) -> None:
    dana.post(theos(practice), {"email": NEW})
    leave(practice, "Theo")
    assert dana.post(theos(practice), {"email": NEW}).status_code == 422
    assert Browser(ctx, NOW).post(link(practice)).status_code == 410
