"""Signing in by a link: mailed to whoever asks, handed over by a command, sent as an invitation."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.config import Config
from bot.flows import accounts, context
from bot.flows.access import NotHere
from bot.flows.context import Context
from bot.flows.settings import BadSetting
from bot.sandbox import Sandbox
from bot.store import people
from bot.store.outbox import URGENT
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside, riverside
from tests.support.letters import letters
from tests.support.post import Post
from tests.support.signing_in import mailed, me, neighbours, with_app

DANA = "dana@riverside.example"
QUARTER = timedelta(minutes=15)


def ask(browser: Browser, email: str) -> str:
    answer = browser.post("/sign-in", {"email": email})
    assert answer.status_code == 200
    return answer.text


def test_a_mailed_link_signs_in_once_and_only_by_its_button(ctx: Context, practice: Riverside) -> None:
    """A mail scanner that opens it first changes nothing."""
    browser, scanner = Browser(ctx, MONDAY_NOON), Browser(ctx, MONDAY_NOON)
    ask(browser, "  DANA@riverside.example ")
    [link] = mailed(practice)
    assert scanner.get(link).status_code == scanner.client.head(link).status_code == 200
    assert "Welcome back, Dana" in browser.get(link).text
    answer = browser.post(link)
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/").location == "/setup"
    assert "Dana" in browser.get("/account").text
    assert scanner.get(link).status_code == scanner.post(link).status_code == 410
    assert scanner.get("/account").status_code == 303


def test_the_mail_goes_out_and_says_little(config: Config, sandbox: Sandbox) -> None:
    """By a real mail server, before everything that can wait; its subject names nobody."""
    ctx = context.build(replace(config, smtp_url=sandbox.environment["SMTP_URL"]))
    ctx.store.migrate()
    practice = riverside(ctx)
    ask(Browser(ctx, MONDAY_NOON), DANA)
    [letter] = letters(practice)
    assert (letter.subject, letter.urgency) == ("Your link to sign in", URGENT)
    post = Post(ctx, practice)
    assert post.send(MONDAY_NOON) == 1
    assert post.state(letter) == "sent"


def test_a_link_dies_after_a_quarter_of_an_hour(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    ask(browser, DANA)
    [link] = mailed(practice)
    browser.clock.time = MONDAY_NOON + QUARTER - timedelta(seconds=1)
    assert browser.get(link).status_code == 200
    browser.clock.time = MONDAY_NOON + QUARTER
    assert browser.get(link).status_code == browser.post(link).status_code == 410


def test_the_latest_link_ends_those_before_it_once_it_is_used(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    ask(browser, DANA)
    ask(browser, DANA)
    first, second = mailed(practice)
    browser.post(second)
    assert Browser(ctx, MONDAY_NOON).get(first).status_code == 410


@pytest.mark.parametrize("email", ["nobody@riverside.example", "no address", "", "ana@clients.example"])
def test_nobody_learns_whose_address_is_known(ctx: Context, practice: Riverside, email: str) -> None:
    """The answers differ in nothing but what was typed; nothing is sent to whoever isn't of the practice."""
    browser = Browser(ctx, MONDAY_NOON)
    known, unknown = ask(browser, DANA), ask(browser, email)
    plain = [re.sub(r'(content|value)="[^"]+"', "", text) for text in (known.replace(DANA, ""), unknown)]
    assert plain[0] == (plain[1].replace(email, "") if email else plain[1])
    assert len(letters(practice)) == 1


def test_a_leaver_gets_no_link_and_the_one_they_had_is_dead(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    ask(browser, "theo@riverside.example")
    [link] = mailed(practice)
    with ctx.store.transaction() as tx:
        people.set_active(tx, practice.practice.id, practice.staff["Theo"], False)
    ask(browser, "theo@riverside.example")
    assert len(mailed(practice)) == 1
    assert browser.get(link).status_code == browser.post(link).status_code == 410


def test_a_contact_without_a_page_role_gets_no_link(ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        duty, _ = people.save(tx, practice.practice.id, name="Olu", email="olu@riverside.example", now=MONDAY_NOON)
        people.give_role(tx, practice.practice.id, duty, "duty")
    ask(Browser(ctx, MONDAY_NOON), "olu@riverside.example")
    assert not mailed(practice)


def test_one_address_in_two_practices_gets_a_link_for_each(ctx: Context, practice: Riverside) -> None:
    """Each in a mail of its own practice; each opens that practice alone."""
    neighbours(practice)
    ask(Browser(ctx, MONDAY_NOON), DANA)
    seen = set()
    for link in mailed(practice):
        browser = Browser(ctx, MONDAY_NOON)
        browser.post(link)
        page = browser.get("/account").text
        seen.add("Hillside" if "Hillside" in page else "Riverside")
    assert seen == {"Hillside", "Riverside"}


def test_a_link_alone_shows_a_therapist_no_client(ctx: Context, practice: Riverside) -> None:
    """The way leads to the second step, to nothing else; and afterwards to where they wanted."""
    app = with_app(practice, "Theo", MONDAY_NOON)
    browser = Browser(ctx, MONDAY_NOON)
    page = f"/a-page?client={practice.clients['Ana']}"
    browser.get("/sign-in", query_string={"back": page})
    ask(browser, "theo@riverside.example")
    assert browser.post(mailed(practice)[-1]).location == page
    for path in ("/account", "/account/password"):
        assert browser.get(path).location == "/account/second-factor"
    answer = browser.post("/account/second-factor", {"code": app.code(MONDAY_NOON)})
    assert (answer.status_code, answer.location) == (303, page)
    assert browser.get("/account").status_code == 200


def test_a_therapist_without_a_second_step_sets_one_up_first(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    ask(browser, "theo@riverside.example")
    browser.post(mailed(practice)[-1])
    assert "Set up your second step" in browser.get("/account/second-factor").text
    assert "Your second step is missing" in browser.get("/account").text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\nb",
        "javascript:x",
        "evil",
    ],
)
def test_the_way_back_never_leads_elsewhere(ctx: Context, practice: Riverside, back: str) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    browser.get("/sign-in", query_string={"back": back})
    ask(browser, DANA)
    assert browser.post(mailed(practice)[-1]).location == "/"


def test_what_a_stranger_put_into_a_browser_is_gone_after_signing_in(ctx: Context, practice: Riverside) -> None:
    """A session that somebody planted isn't carried on."""
    browser = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "theo@riverside.example")
    with browser.client.session_transaction() as session:
        session["planted"], before = "yes", session["sign_in"]
    with ctx.store.transaction() as tx:
        token = accounts.accounts.add_link(tx, practice.practice.id, practice.staff["Dana"], "sign_in", MONDAY_NOON)
    browser.post(f"/sign-in/{token}")
    with browser.client.session_transaction() as session:
        assert "planted" not in session
        assert session["sign_in"] != before


def test_an_invitation_makes_the_person_and_gives_the_role(ctx: Context, practice: Riverside) -> None:
    """The link works for seven days, once; a new invitation ends it."""
    dana = me(practice, "Dana", MONDAY_NOON)
    noor = ("therapist", " Noor@Riverside.example", "Noor  Haddad")
    done = accounts.invite(ctx, dana, practice.practice, *noor, MONDAY_NOON)
    assert (done.name, done.new_person, done.new_role, done.mailed, done.link) == ("Noor Haddad", True, True, True, "")
    again = accounts.invite(ctx, dana, practice.practice, "therapist", "noor@riverside.example", "", MONDAY_NOON)
    assert (again.name, again.new_person, again.new_role) == ("Noor Haddad", False, False)
    first, second = mailed(practice, "invitation")
    assert "Dana has added you" in letters(practice)[-1].body
    browser = Browser(ctx, MONDAY_NOON + timedelta(days=7, seconds=-1))
    assert browser.get(first).status_code == 410
    assert "Welcome, Noor Haddad" in browser.get(second).text
    assert browser.post(second).status_code == 303
    assert browser.get("/").location == "/caseload"


def test_an_invitation_is_dead_after_seven_days(ctx: Context, practice: Riverside) -> None:
    accounts.invite(ctx, None, practice.practice, "manager", DANA, "", MONDAY_NOON)
    [link] = mailed(practice, "invitation")
    assert Browser(ctx, MONDAY_NOON + timedelta(days=7)).get(link).status_code == 410


def test_a_new_role_ends_the_sessions_begun_without_it(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, DANA)
    accounts.invite(ctx, None, practice.practice, "therapist", DANA, "", MONDAY_NOON)
    assert browser.get("/account").status_code == 303


def test_only_a_manager_of_the_practice_invites(ctx: Context, practice: Riverside) -> None:
    other = neighbours(practice)
    for who in (me(practice, "Theo", MONDAY_NOON), me(other, "Dana", MONDAY_NOON)):
        with pytest.raises(NotHere):
            accounts.invite(ctx, who, practice.practice, "manager", "eve@evil.example", "Eve", MONDAY_NOON)
        with pytest.raises(NotHere):
            accounts.forget_second_factor(ctx, who, practice.staff["Dana"], MONDAY_NOON)


@pytest.mark.parametrize(("role", "email"), [("duty", DANA), ("manager", "no address"), ("manager", "")])
def test_what_cannot_be_invited_is_refused_in_words(ctx: Context, practice: Riverside, role: str, email: str) -> None:
    with pytest.raises(BadSetting):
        accounts.invite(ctx, None, practice.practice, role, email, "", MONDAY_NOON)


def test_a_colleague_who_lost_everything_begins_anew(ctx: Context, practice: Riverside) -> None:
    """Their app, passkeys, password and sessions are gone; they are told, and set it up from a mailed link."""
    with_app(practice, "Theo", MONDAY_NOON)
    browser = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "theo@riverside.example")
    accounts.forget_second_factor(ctx, me(practice, "Dana", MONDAY_NOON), practice.staff["Theo"], MONDAY_NOON)
    assert browser.get("/account").status_code == 303
    told = {letter.address.partition("@")[0]: letter.body for letter in letters(practice)}
    assert "taken off your account" in told["theo"]
    assert "off the account of Theo" in told["dana"], "as whoever looks after privacy, since nobody is named for it"
    ask(browser, "theo@riverside.example")
    browser.post(mailed(practice)[-1])
    assert "Set up your second step" in browser.get("/account/second-factor").text
