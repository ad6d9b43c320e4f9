"""Another mail address for a colleague: entered by a manager, confirmed from there, told to the old one."""

import re
from datetime import datetime, timedelta

import pytest
from werkzeug.test import TestResponse

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
from tests.support.talk import Talk

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


def himself(ctx: Context, practice: Riverside, now: datetime = NOW) -> Browser:
    """Theo's own browser, signed in with his second step."""
    return Browser(ctx, now).sign_in(practice.practice.id, email(practice))


def email(practice: Riverside) -> str:
    with practice.ctx.store.transaction(write=False) as tx:
        return people.get(tx, practice.practice.id, practice.staff["Theo"]).email


def told(practice: Riverside) -> list[tuple[str, str]]:
    return [(letter.kind, letter.address) for letter in letters(practice) if letter.kind != "notice"]


def test_it_holds_once_it_is_confirmed_from_there_and_all_that_was_open_ends(
    ctx: Context, practice: Riverside, dana: Browser, sandbox: Sandbox
) -> None:
    theo, later = himself(ctx, practice), himself(ctx, practice, NOW + timedelta(hours=1))
    assert dana.post(theos(practice), {"email": " Theo.New@riverside.example"}).status_code == 303
    assert f"Becomes <strong>{NEW}</strong>" in dana.get(theos(practice, "")).text
    Post(ctx, practice).send(NOW)
    arrived = {mail.recipients[0] for mail in sandbox.mailbox.all()}
    assert {NEW, "theo@riverside.example"} <= arrived, "the old address learns that it was asked for"
    somebody = Browser(ctx, NOW + timedelta(hours=1))
    assert NEW in somebody.get(link(practice)).text
    assert email(practice) == "theo@riverside.example", "looking changes nothing"
    assert "<button>Yes, this is mine" in later.get(link(practice)).text
    assert later.post(link(practice)).location == "/sign-in"
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
    assert himself(ctx, practice).post(first).status_code == 410
    assert himself(ctx, practice, NOW + timedelta(days=2)).post(link(practice)).status_code == 410
    dana.post(theos(practice), {"withdraw": "yes"})
    assert himself(ctx, practice).post(link(practice)).status_code == 410
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
    assert himself(ctx, practice).post(link(practice)).status_code == 410
    assert email(practice) == "theo@riverside.example"


def test_a_manager_does_not_become_a_therapist_by_it(ctx: Context, practice: Riverside, dana: Browser) -> None:
    """Neither by taking the second step off after the change, nor by doing so before it."""
    dana.post(theos(practice), {"email": NEW})
    himself(ctx, practice).post(link(practice))
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
    theo = himself(ctx, practice)
    leave(practice, "Theo")
    assert dana.post(theos(practice), {"email": NEW}).status_code == 422
    assert theo.post(link(practice)).status_code == 410


def test_for_whoever_sees_answers_the_link_does_nothing_without_their_own_second_step(
    ctx: Context, practice: Riverside, dana: Browser
) -> None:
    """Or a manager would enter an address of their own, press the link, and get the notes."""
    dana.post(theos(practice), {"email": NEW})
    half_way = Browser(ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example", strong=False)
    ines = Browser(ctx, NOW).sign_in(practice.practice.id, "ines@riverside.example")
    for browser in (Browser(ctx, NOW), dana, ines, half_way):
        page = browser.get(link(practice))
        assert (page.status_code, "Sign in first" in page.text, "Yes, this is mine" in page.text) == (200, True, False)
        assert browser.post(link(practice)).status_code == 403
    assert email(practice) == "theo@riverside.example"
    assert himself(ctx, practice).post(link(practice)).status_code == 303
    assert email(practice) == NEW


def test_taking_a_second_step_off_ends_a_link_that_waits(ctx: Context, practice: Riverside, dana: Browser) -> None:
    dana.post(theos(practice), {"email": NEW})
    me = manager(ctx, practice.practice, practice.staff["Dana"])
    accounts.forget_second_factor(ctx, me, practice.staff["Theo"], NOW)
    with_app(practice, "Theo", NOW)
    assert himself(ctx, practice).post(link(practice)).status_code == 410
    assert email(practice) == "theo@riverside.example"


def ines_is_to_be(practice: Riverside, dana: Browser) -> TestResponse:
    """Dana enters another address for Ines, who has never signed in."""
    return dana.post(f"/people/staff/{practice.staff['Ines']}/address", {"email": "ines.new@riverside.example"})


def ines_has_an_answer(ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update client set therapist_id = :t where client_ref = 'C-Ana'", {"t": practice.staff["Ines"]})
    talk, then = Talk(ctx, practice), NOW - timedelta(hours=1)
    practice.visit("Ana", then - timedelta(hours=2), therapist="Ines", now=then)
    assert talk.ask_planned("Ana", then)
    talk.text("Ana", "1 2 3", NOW - timedelta(minutes=30))


def test_somebody_who_never_signed_in_confirms_by_the_link_alone_while_there_is_nothing_to_see(
    ctx: Context, practice: Riverside, dana: Browser
) -> None:
    assert ines_is_to_be(practice, dana).status_code == 303
    assert Browser(ctx, NOW).post(link(practice)).status_code == 303
    with ctx.store.transaction(write=False) as tx:
        ines = people.get(tx, practice.practice.id, practice.staff["Ines"])
    assert ines.email == "ines.new@riverside.example"


def test_once_a_client_has_answered_that_is_refused_and_says_who_can_help(
    ctx: Context, practice: Riverside, dana: Browser
) -> None:
    ines_has_an_answer(ctx, practice)
    page = ines_is_to_be(practice, dana)
    assert (page.status_code, "attune sign-in-link" in page.text) == (422, True)
    assert "new_address" not in [kind for kind, _ in told(practice)]


def test_an_answer_that_comes_while_a_link_waits_ends_it(ctx: Context, practice: Riverside, dana: Browser) -> None:
    ines_is_to_be(practice, dana)
    ines_has_an_answer(ctx, practice)
    assert Browser(ctx, NOW).post(link(practice)).status_code == 410


def test_taking_their_role_away_for_a_while_opens_no_way_round(
    ctx: Context, practice: Riverside, dana: Browser
) -> None:
    ines_has_an_answer(ctx, practice)
    with ctx.store.transaction() as tx:
        tx.run("update client set therapist_id = :t", {"t": practice.staff["Theo"]})
    assert dana.post(f"/people/staff/{practice.staff['Ines']}/roles", {"role": "manager"}).status_code == 303
    assert ines_is_to_be(practice, dana).status_code == 422
