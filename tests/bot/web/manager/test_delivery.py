"""Delivery and groups as a manager's browser shows them."""

from itertools import pairwise

import pytest

from bot.flows.context import Context
from bot.web.manager import bars
from bot.web.manager.delivery import minutes
from tests.bot.flows.test_delivery_page import lose
from tests.bot.flows.test_groups import NOVEMBER, OCTOBER, answer
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.weeks import one


@pytest.fixture
def browser(ctx: Context, practice: Riverside) -> Browser:
    return Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "dana@riverside.example")


def at(browser: Browser, practice: Riverside, now: object) -> Browser:
    return Browser(browser.ctx, now).sign_in(practice.practice.id, "dana@riverside.example")  # type: ignore[arg-type]


def test_before_the_first_appointment_the_page_says_what_to_do(browser: Browser) -> None:
    page = browser.get("/delivery").text
    assert "Nothing yet" in page
    assert "/import?kind=appointments" in page


def test_the_sum_stands_on_the_page_and_answers_do_not(browser: Browser, practice: Riverside) -> None:
    one(practice, "Ana", MONDAY_NOON, (1, 2, 1))
    practice.visit("Ben", MONDAY_NOON, status="no_show")
    page = at(browser, practice, MONDAY_NOON.replace(day=9)).get("/delivery").text
    assert "2 ended = 1 asked + 1 not asked + 0 waiting + 0 held for a person" in page
    assert "The sum holds" in page
    assert "1 2 1" not in page


def test_before_any_check_in_has_closed_no_empty_pictures_are_shown(browser: Browser, practice: Riverside) -> None:
    practice.visit("Ben", MONDAY_NOON, status="no_show")
    page = at(browser, practice, MONDAY_NOON.replace(day=9)).get("/delivery").text
    assert "No check-in has closed yet." in page
    assert "Answered, by the hour they were asked" not in page


def test_a_broken_sum_is_said_loudly(browser: Browser, practice: Riverside) -> None:
    practice.visit("Ben", MONDAY_NOON, status="no_show")
    with practice.ctx.store.transaction() as tx:
        tx.run("update appointment set not_asked = null")
    page = at(browser, practice, MONDAY_NOON.replace(day=9)).get("/delivery").text
    assert "1 unaccounted for" in page


def test_each_reason_leads_to_whom_it_concerned(browser: Browser, practice: Riverside) -> None:
    practice.visit("Ben", MONDAY_NOON, status="no_show")
    later = at(browser, practice, MONDAY_NOON.replace(day=9))
    assert "/delivery/skipped?reason=the+client+did+not+come" in later.get("/delivery").text
    assert "C-Ben" in later.get("/delivery/skipped?reason=the+client+did+not+come").text
    assert later.get("/delivery/skipped?reason=none").status_code == 404


def test_a_message_is_settled_by_someone_who_looked(browser: Browser, practice: Riverside) -> None:
    path = f"/delivery/messages/{lose(practice)}"
    later = at(browser, practice, MONDAY_NOON.replace(day=9))
    page = later.get(path).text
    assert "C-Ana" in page
    assert "+12025550101" in page
    assert later.post(path, {"verdict": ""}).status_code == 422
    assert later.post(path, {"verdict": "not_sent"}).status_code == 303
    assert later.get(path).status_code == 404
    assert practice.rows("select state from outbox") == [{"state": "due"}]


def test_groups_show_months_or_say_why_not(browser: Browser, practice: Riverside) -> None:
    assert "Nothing can be shown yet" in browser.get("/groups").text
    answer(practice, OCTOBER)
    page = at(browser, practice, NOVEMBER).get("/groups").text
    assert "October 2026" in page
    assert "6 clients" in page
    assert "Theo" not in page
    assert at(browser, practice, NOVEMBER).get("/groups?group=therapist").status_code == 404


def test_a_therapist_finds_none_of_these_pages(ctx: Context, practice: Riverside) -> None:
    theo = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "theo@riverside.example")
    for path in ("/delivery", "/groups", "/people", "/import", "/people/staff", "/people/tokens"):
        assert theo.get(path).status_code == 404, path


@pytest.mark.parametrize(
    ("count", "words"), [(None, "—"), (0, "0 min"), (99, "99 min"), (100, "2 h"), (2879, "48 h"), (2880, "2 days")]
)
def test_a_wait_is_told_in_words(count: int | None, words: str) -> None:
    assert minutes(count) == words


@pytest.mark.parametrize(("value", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (41, 100), (99, 100)])
def test_a_picture_ends_at_a_round_number(value: float, top: float) -> None:
    assert bars.round_above(value) == top


def test_bars_stay_in_the_picture_and_their_names_apart() -> None:
    picture = bars.counts("x", "t", "s", [(f"{n} Sep", float(n)) for n in range(30)])
    assert all(bar.x >= 0 and bar.x + bar.width <= bars.WIDTH for bar in picture.bars)
    assert all(bars.TOP <= bar.y <= bars.HEIGHT - bars.BOTTOM for bar in picture.bars)
    named = [bar.middle for bar in picture.bars if bar.name]
    assert min(b - a for a, b in pairwise(named)) > 6 * bars.LETTER
