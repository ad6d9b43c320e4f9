"""Words of danger pause check-ins, and so does a therapist for reasons of their own: a manager can't tell the two
apart, on any page or in any file."""

import re
from datetime import timedelta

import pytest

from bot.flows import client_export, erasing, holding
from bot.flows.context import Context
from bot.flows.managing import Refused
from surveys.schedule import HALTED
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.letters import letters
from tests.support.managing import manager
from tests.support.post import Post
from tests.support.talk import Talk
from tests.support.therapist import me_of

LATER = MONDAY_NOON + timedelta(days=1)
STEPS = ("", "/edit", "/pause", "/move", "/merge", "/merge?with=C-Chidi", "/erase", "/record", "/stop")


@pytest.fixture
def paused(ctx: Context, practice: Riverside) -> Riverside:
    """Ana and Ben were asked, wrote, and got an answer. What Ana wrote was danger; check-ins to Ben were paused by
    Theo."""
    now, talk = MONDAY_NOON + timedelta(hours=3), Talk(ctx, practice)
    for name in ("Ana", "Ben"):
        talk.asked(name, MONDAY_NOON)
    talk.text("Ana", "I want to kill myself", now)
    talk.text("Ben", "heard 5", now)
    Post(ctx, practice).send(now)
    assert holding.pause(ctx, me_of(practice), practice.clients["Ben"], now)
    for name in ("Ana", "Ben"):
        assert practice.client(name).halted
        practice.visit(name, MONDAY_NOON + timedelta(hours=20))
    return practice


@pytest.fixture
def dana(paused: Riverside) -> Browser:
    return Browser(paused.ctx, LATER).sign_in(paused.practice.id, "dana@riverside.example")


def plain(page: str, practice: Riverside, name: str) -> str:
    """Without what says who it is, or is made anew each time."""
    for own in (practice.clients[name], PHONES[name], f"{name.lower()}@clients.example", name):
        page = page.replace(own, "SOMEBODY")
    page = re.sub(r'name="csrf[-_]token" (content|value)="[^"]+"', "", page)
    return re.sub(r"A-\d", "A-N", page)


def test_every_page_of_a_client_is_the_same_for_both(paused: Riverside, dana: Browser) -> None:
    for step in STEPS:
        anas, bens = (
            plain(dana.get(f"/people/clients/{paused.clients[name]}{step}").text, paused, name)
            for name in ("Ana", "Ben")
        )
        assert anas == bens, step
        assert step or "Check-ins are paused" in anas


def test_the_list_says_paused_of_both_and_finds_them_under_that(dana: Browser) -> None:
    shown = dana.get("/people?only=paused").text.split("<tbody>")[1]
    assert re.findall(r'class="badge[^>]*>([^<]+)<', shown) == ["Paused", "Paused"]


def test_delivery_gives_one_reason_for_both(dana: Browser) -> None:
    assert "2 ended" not in dana.get("/delivery").text
    shown = dana.get(f"/delivery/skipped?reason={HALTED}").text
    assert "C-Ana" in shown
    assert "C-Ben" in shown


def test_what_a_manager_exports_is_the_same_for_both(paused: Riverside) -> None:
    me = manager(paused.ctx, paused.practice, paused.staff["Dana"])
    files = {
        name: plain(client_export.by_manager(paused.ctx, me, client_id, "she asked", LATER).text, paused, name)
        for name, client_id in paused.clients.items()
        if name != "Chidi"
    }
    assert files["Ana"] == files["Ben"]


def test_no_letter_to_the_manager_is_about_it(paused: Riverside) -> None:
    """Dana is the duty contact too, who is told of danger; as a manager she is told nothing."""
    assert [letter for letter in letters(paused) if letter.kind == "notice"] == []


def test_erasing_is_refused_in_words_that_fit_a_wish_to_be_called_too(paused: Riverside) -> None:
    Talk(paused.ctx, paused).text("Ben", "CALL", LATER, provider_id="SM" + "f" * 32)
    me = manager(paused.ctx, paused.practice, paused.staff["Dana"])
    told = []
    for name in ("Ana", "Ben"):
        with pytest.raises(Refused) as refused:
            erasing.erase(paused.ctx, me, paused.clients[name], f"C-{name}", LATER)
        told.append(refused.value.problems)
    assert told[0] == told[1]
