"""Passwords: never enough alone, never guessable in quantity, never telling whose address is known."""

import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from bot.flows import accounts_passwords as passwords
from bot.flows.accounts_passwords import BadPassword
from bot.flows.context import Context
from bot.store import accounts, people, practices
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import letters
from tests.support.signing_in import me, neighbours, with_app

THEO, GOOD = "theo@riverside.example", "correct horse battery"


REAL = passwords.hasher


def test_the_real_profile_is_argon2id_with_19_mib() -> None:
    assert REAL.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real profile takes 30 ms and 19 MiB each time; what is tested here is not its strength."""
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()


def give_password(practice: Riverside, name: str = "Theo", password: str = GOOD) -> None:
    passwords.set_password(practice.ctx, me(practice, name, MONDAY_NOON), password, MONDAY_NOON)


def test_a_password_leads_to_the_second_step_and_no_further(ctx: Context, practice: Riverside) -> None:
    app = with_app(practice, "Theo", MONDAY_NOON)
    give_password(practice)
    browser = Browser(ctx, MONDAY_NOON)
    answer = browser.post("/sign-in/password", {"username": " Theo@Riverside.example", "password": GOOD})
    assert answer.status_code == 303
    assert browser.get("/account").location == "/account/second-factor"
    browser.post("/account/second-factor", {"code": app.code(MONDAY_NOON)})
    assert browser.get("/account").status_code == 200


def test_a_wrong_password_an_unknown_address_and_an_account_without_one_look_alike(
    ctx: Context, practice: Riverside
) -> None:
    give_password(practice)
    pages = set()
    tries = {THEO: "wrong horse battery", "nobody@riverside.example": GOOD, "ines@riverside.example": GOOD}
    for email, password in tries.items():
        answer = Browser(ctx, MONDAY_NOON).post("/sign-in/password", {"username": email, "password": password})
        assert answer.status_code == 422
        pages.add(re.sub(r'(csrf.token" (content|value))="[^"]+"', "", answer.text.replace(email, "")))
    assert len(pages) == 1


@pytest.mark.parametrize("email", [THEO, "nobody@riverside.example", "no address", ""])
def test_as_many_hashes_are_computed_for_anybody(
    ctx: Context, practice: Riverside, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_password(practice)
    seen = []
    monkeypatch.setattr(passwords, "_fits", lambda hash_, told: bool(seen.append(hash_)))
    assert passwords.places(ctx, email, GOOD) == []
    assert len(seen) == passwords.CHECKED


def test_guessing_passwords_ends_soon_and_mailed_links_still_work(ctx: Context, practice: Riverside) -> None:
    """Ten a quarter of an hour for one address, known or not, from anywhere."""
    give_password(practice)
    browser = Browser(ctx, MONDAY_NOON)
    for email in (THEO, "nobody@riverside.example"):
        form = {"username": email, "password": "wrong horse battery"}
        tried = [browser.post("/sign-in/password", form).status_code for _ in range(11)]
        assert tried == [422] * 10 + [429]
    right = {"username": THEO.upper(), "password": GOOD}
    assert Browser(ctx, MONDAY_NOON).post("/sign-in/password", right).status_code == 429
    assert Browser(ctx, MONDAY_NOON).post("/sign-in", {"email": THEO}).status_code == 200
    later = Browser(ctx, MONDAY_NOON + timedelta(minutes=15))
    assert later.post("/sign-in/password", right).status_code == 303


def test_neither_another_spelling_nor_another_field_gives_more_tries(ctx: Context, practice: Riverside) -> None:
    """It is the account that is counted, whatever else the form holds."""
    give_password(practice)
    browser = Browser(ctx, MONDAY_NOON)
    spellings = (THEO, THEO.upper(), f"  {THEO} ", THEO.title())
    for n in range(10):
        form = {"username": spellings[n % 4], "password": "wrong horse battery", "email": f"{n}@elsewhere.example"}
        assert browser.post("/sign-in/password", form).status_code == 422
    right = {"username": THEO, "password": GOOD}
    for more in ({}, {"email": "fresh@elsewhere.example"}, {"email": ""}):
        assert browser.post("/sign-in/password", right | more).status_code == 429


def test_one_network_cannot_try_everybodys_password(ctx: Context, practice: Riverside) -> None:
    """Behind a proxy nearby, whom it serves counts; one IPv6 household is one."""
    browser = Browser(ctx, MONDAY_NOON)

    def knock(at: str, n: int) -> int:
        form = {"username": f"{n}@riverside.example", "password": GOOD}
        headers = {"X-Forwarded-For": f"{n}.{n % 250}.7.7, {at}"}
        return browser.post("/sign-in/password", form, headers=headers).status_code

    assert {knock(f"2001:db8::{n:x}", n) for n in range(1, 61)} == {422}
    assert knock("2001:db8::ffff", 61) == 429
    assert knock("2001:db8:0:1::1", 62) == 422
    assert knock("198.51.100.7", 63) == 422


def test_only_a_proxy_nearby_is_believed_about_whom_it_serves(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    tried = []
    for n in range(61):
        form, headers = {"username": f"{n}@riverside.example"}, {"X-Forwarded-For": f"198.51.100.{n}"}
        answer = browser.post(
            "/sign-in/password", form, headers=headers, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}
        )
        tried.append(answer.status_code)
    assert tried == [422] * 60 + [429]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12"),
        ("x" * 201, "at most 200"),
        ("abababababab", "different characters"),
        ("theo@riverside.example", "mail address"),
        ("my-RIVERSIDE.example-login", "mail address"),
        ("riversidecounseling1", "name of the practice"),
    ],
)
def test_a_weak_password_is_refused_in_words(practice: Riverside, password: str, why: str) -> None:
    with pytest.raises(BadPassword, match=why):
        give_password(practice, password=password)


def test_a_password_needs_a_second_step_first(practice: Riverside) -> None:
    browser = Browser(practice.ctx, MONDAY_NOON).sign_in(practice.practice.id, "dana@riverside.example", strong=False)
    assert browser.get("/account/password").location == "/account/second-factor"
    assert browser.post("/account/password", {"password": GOOD, "again": GOOD}).status_code == 422
    with practice.ctx.store.transaction(write=False) as tx:
        assert not accounts.get(tx, practice.practice.id, practice.staff["Dana"]).password_hash


def test_changing_it_ends_every_other_session_and_is_told(practice: Riverside) -> None:
    here, there = (Browser(practice.ctx, MONDAY_NOON).sign_in(practice.practice.id, THEO) for _ in range(2))
    assert here.post("/account/password", {"password": GOOD, "again": "something else"}).status_code == 422
    assert there.get("/account").status_code == 200
    assert here.post("/account/password", {"password": GOOD, "again": GOOD}).status_code == 303
    assert (here.get("/account").status_code, there.get("/account").status_code) == (200, 303)
    assert "password was changed" in letters(practice)[-1].body


def test_letters_typed_on_another_keyboard_are_the_same(ctx: Context, practice: Riverside) -> None:
    give_password(practice, password="caf\u00e9 horse battery")
    assert passwords.places(ctx, THEO, "cafe\u0301 horse battery")


def test_who_has_the_same_password_in_two_practices_says_for_which_they_come(ctx: Context, practice: Riverside) -> None:
    second = neighbours(practice)
    with ctx.store.transaction() as tx:
        third = practices.add(tx, "Lakeside", MONDAY_NOON)
    for each in (practice, second):
        give_password(each)
    browser = Browser(ctx, MONDAY_NOON)
    page = browser.post("/sign-in/password", {"username": THEO, "password": GOOD}).text
    assert "Hillside" in page
    assert browser.post("/sign-in/practice", {"practice": third.id}).location == "/sign-in"
    assert browser.get("/account").status_code == 303
    browser.post("/sign-in/password", {"username": THEO, "password": GOOD})
    assert browser.post("/sign-in/practice", {"practice": second.practice.id}).location == "/"
    assert "Hillside" in browser.get("/account").text


def test_the_choice_of_a_practice_does_not_stay_open(ctx: Context, practice: Riverside) -> None:
    second = neighbours(practice)
    for each in (practice, second):
        give_password(each)
    browser = Browser(ctx, MONDAY_NOON)
    browser.post("/sign-in/password", {"username": THEO, "password": GOOD})
    browser.clock.time += timedelta(minutes=6)
    assert browser.post("/sign-in/practice", {"practice": second.practice.id}).location == "/sign-in"


def test_a_leavers_password_opens_nothing(ctx: Context, practice: Riverside) -> None:
    give_password(practice)
    with ctx.store.transaction() as tx:
        people.set_active(tx, practice.practice.id, practice.staff["Theo"], False)
    assert passwords.places(ctx, THEO, GOOD) == []
