"""Managers see what was learned from their practice's check-ins before it counts, and may decline it."""

from datetime import timedelta

import pytest

from bot.flows.context import Context
from bot.store import models
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside

FACTS = {"stage": "done", "clients": 70, "check_ins": 560, "notes_before": 9, "notes_after": 7}


@pytest.fixture
def proposed(ctx: Context, practice: Riverside) -> str:
    """A model that would take effect in a week."""
    with ctx.store.transaction() as tx:
        model_id = models.begin(tx, practice.practice.id, FACTS, MONDAY_NOON)
        tx.run(
            "update model set state = 'proposed', takes_effect_at = :at, parameters = :p where id = :id",
            {"at": int((MONDAY_NOON + timedelta(days=7)).timestamp()), "id": model_id, "p": models.shipped().to_text()},
        )
    return model_id


@pytest.fixture
def dana(ctx: Context, practice: Riverside) -> Browser:
    return Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "dana@riverside.example")


def test_before_there_is_enough_history_the_page_says_what_it_takes(dana: Browser) -> None:
    """Rather than being empty."""
    assert "60 clients with six answered check-ins" in dana.get("/learned").text


def test_a_manager_sees_what_would_change_and_declines_it(dana: Browser, proposed: str, practice: Riverside) -> None:
    """After a page that says what that means; twice does nothing more."""
    page = dana.get("/learned").text
    assert "From 70 clients and 560 answered check-ins" in page
    assert "7 notes so far rather than 9" in page
    assert "14 September 2026" in page
    assert "stays in use" in dana.get(f"/learned/{proposed}/decline").text
    assert dana.post(f"/learned/{proposed}/decline").status_code == 303
    assert practice.rows("select state from model") == [{"state": "declined"}]
    assert dana.get(f"/learned/{proposed}/decline").status_code == 404


def test_nobody_else_declines_it(ctx: Context, practice: Riverside, proposed: str) -> None:
    """A therapist finds no such page."""
    theo = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "theo@riverside.example")
    assert theo.get("/learned").status_code == 404
    assert theo.post(f"/learned/{proposed}/decline").status_code == 404
