"""A therapist's settings, and how notes do, in a browser."""

from datetime import timedelta

from bs4 import BeautifulSoup

from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.therapist import EARLY, raised, third_therapist


def browser(practice: Riverside, name: str) -> Browser:
    return Browser(practice.ctx, MONDAY_NOON).sign_in(practice.practice.id, f"{name.lower()}@riverside.example")


def test_settings_are_kept_and_shown_again(practice: Riverside) -> None:
    theo = browser(practice, "Theo")
    given = {"one_in": "100", "quiet_from": "20:00", "quiet_until": "07:00", "cover_id": practice.staff["Ines"]}
    assert theo.post("/settings", given).status_code == 303
    html = BeautifulSoup(theo.get("/settings").text, "html.parser")
    assert [str(o["value"]) for o in html.select("option[selected]")] == ["100", "", practice.staff["Ines"]]
    assert [str(i["value"]) for i in html.select("input[type=time]")] == ["20:00", "07:00", ""], "and no digest"


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(practice: Riverside) -> None:
    theo = browser(practice, "Theo")
    answer = theo.post("/settings", {"one_in": "50", "quiet_from": "20:00", "away_from": "2026-12-20"})
    assert answer.status_code == 422
    html = BeautifulSoup(answer.text, "html.parser")
    wrong = {str(field["id"]) for field in html.select("[aria-invalid]")}
    assert wrong == {"quiet_until", "away_until"}
    assert len(html.select(".problems li")) == 2
    assert html.select_one("input#quiet_from")["value"] == "20:00"  # type: ignore[index]
    assert html.select_one("select#one_in option[selected]")["value"] == "50"  # type: ignore[index]


def test_the_settings_say_what_a_choice_costs(practice: Riverside) -> None:
    shown = browser(practice, "Theo").get("/settings").text
    assert "As the practice: one in 50" in shown
    assert "more real changes go unseen" in shown


def test_a_manager_has_no_such_settings_but_may_see_how_notes_do(practice: Riverside) -> None:
    dana = browser(practice, "Dana")
    assert dana.get("/settings").status_code == 404
    shown = dana.get("/insight")
    assert shown.status_code == 200
    assert "shown from 10 notes on" in shown.text


def test_how_notes_do_is_told_with_ranges_and_what_simulation_says(practice: Riverside) -> None:
    third_therapist(practice)
    for name, verdict in (("Theo", "helpful"), ("Ines", "false"), ("Mo", "")):
        raised(practice, name, 4, verdict)
    ines = Browser(practice.ctx, EARLY + timedelta(days=20)).sign_in(practice.practice.id, "ines@riverside.example")
    shown = " ".join(BeautifulSoup(ines.get("/insight").text, "html.parser").get_text(" ").split())
    assert "until 1 October 2026" in shown
    assert "Of 12 notes" in shown
    assert "were helpful 4 of 8 50 % (22 % to 78 %)" in shown
    assert "about one false alarm in 50 check-ins" in shown
    assert "Theo" not in shown
