"""One's own account: where one is signed in, and ending that."""

import re
from datetime import timedelta

from bot.flows import by_hand
from bot.flows.context import Context
from bot.store import accounts, people, sign_ins
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside

THEO = "theo@riverside.example"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


def signed_in(practice: Riverside, email: str = THEO) -> Browser:
    return Browser(practice.ctx, MONDAY_NOON).sign_in(practice.practice.id, email)


def by_link(practice: Riverside, agent: str) -> None:
    """Dana signs in from another browser."""
    with practice.ctx.store.transaction() as tx:
        token = accounts.add_link(tx, practice.practice.id, practice.staff["Dana"], accounts.SIGN_IN, MONDAY_NOON)
    Browser(practice.ctx, MONDAY_NOON).post(f"/sign-in/{token}", headers={"User-Agent": agent})


def test_every_session_is_listed_by_its_browser_and_ended_by_a_click(practice: Riverside) -> None:
    """At its next request the other browser is out."""
    for agent in (PHONE, LAPTOP, "curl/8", ""):
        by_link(practice, agent)
    here, there = (signed_in(practice, "dana@riverside.example") for _ in range(2))
    page = here.get("/account").text
    assert "Safari on iPhone" in page
    assert "Edge on Windows" in page
    assert page.count("this one") == 1
    [first, *_] = re.findall(r"/account/sessions/([0-9a-f]+)/end", page)
    assert here.post(f"/account/sessions/{first}/end").status_code == 303
    assert here.post(f"/account/sessions/{first}/end").status_code == 404
    assert here.post("/account/sessions/end-others").status_code == 303
    assert (here.get("/account").status_code, there.get("/account").status_code) == (200, 303)


def test_nobody_ends_a_colleagues_session(practice: Riverside) -> None:
    theo, ines = signed_in(practice), signed_in(practice, "ines@riverside.example")
    with practice.ctx.store.transaction(write=False) as tx:
        [session] = sign_ins.of_person(tx, practice.practice.id, practice.staff["Theo"], MONDAY_NOON)
    assert ines.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert theo.get("/account").status_code == 200


def test_a_session_ends_after_a_quarter_of_an_hour_without_a_click(practice: Riverside) -> None:
    browser = signed_in(practice)
    for minutes in (14, 28, 42):
        browser.clock.time = MONDAY_NOON + timedelta(minutes=minutes)
        assert browser.get("/account").status_code == 200
    browser.clock.time += timedelta(minutes=15, seconds=1)
    assert browser.get("/account").location == "/sign-in?back=/account"


def test_a_session_ends_after_twelve_hours_whatever_one_does(practice: Riverside) -> None:
    browser = signed_in(practice)
    for minutes in range(10, 721, 10):
        browser.clock.time = MONDAY_NOON + timedelta(minutes=minutes)
        assert browser.get("/account").status_code == 200
    browser.clock.time += timedelta(seconds=1)
    assert browser.get("/account").status_code == 303


def test_a_clock_set_back_lengthens_no_session(practice: Riverside) -> None:
    browser = signed_in(practice)
    browser.clock.time -= timedelta(hours=2)
    assert browser.get("/account").status_code == 303


def test_a_leaver_is_out_at_the_next_request_and_stays_out_when_taken_back(ctx: Context, practice: Riverside) -> None:
    browser = signed_in(practice)
    by_hand.set_active(ctx, practice.practice, THEO, False, "command", MONDAY_NOON)
    assert browser.get("/account").status_code == 303
    by_hand.set_active(ctx, practice.practice, THEO, True, "command", MONDAY_NOON)
    assert browser.get("/account").status_code == 303


def test_who_holds_no_role_any_more_is_out(ctx: Context, practice: Riverside) -> None:
    browser = signed_in(practice)
    with ctx.store.transaction() as tx:
        people.take_role(tx, practice.practice.id, "therapist")
    assert browser.get("/account").status_code == 303


def test_a_forged_or_stale_cookie_opens_nothing(practice: Riverside) -> None:
    browser = Browser(practice.ctx, MONDAY_NOON)
    for secret in ("x", "", 5, ["a"], None):
        with browser.client.session_transaction() as session:
            session["sign_in"] = secret
        assert browser.get("/account").status_code == 303
    browser.client.set_cookie("attune", "eyJzaWduX2luIjoieCJ9.aaaa.bbbb", domain="localhost")
    assert browser.get("/account").status_code == 303
