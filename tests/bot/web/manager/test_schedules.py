"""The pages about schedules: looked at, saved, taken back; for the practice, a therapist, a client."""

import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from bot.flows.context import Context
from bot.store import practices
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside

NOW = MONDAY_NOON
HOUR = timedelta(hours=1)
RULE = {
    "which": "attended", "every": "1", "first": "0", "when": "delay", "delay_hours": "2", "delay_minutes": "0",
    "next_day_at": "", "opens": "09:00", "closes": "20:00", "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
    "min_gap_days": "6", "reminder_hours": "24", "expiry_hours": "72", "digits": "4",
    "fourth": ["dependable", "accepted", "involved", "seen"], "channels": "", "link": "no", "paused_until": "",
    "holidays": "",
}  # fmt: skip


@pytest.fixture
def dana(ctx: Context, practice: Riverside) -> Browser:
    return Browser(ctx, NOW).sign_in(practice.practice.id, "dana@riverside.example")


def words(page: TestResponse) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def mark_of(page: TestResponse) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]+)"', page.text)
    assert found, "the page offers nothing to save"
    return found[1]


def save(browser: Browser, path: str = "/schedules", **changes: object) -> TestResponse:
    """Look, then press save."""
    typed = {**RULE, **changes}
    mark = mark_of(browser.post(f"{path}/preview", typed))
    return browser.post(path, {**typed, "mark": mark})


def stored(practice: Riverside) -> dict[str, str]:
    with practice.ctx.store.transaction(write=False) as tx:
        return dict(practices.get(tx, practice.practice.id).schedule)


def test_the_page_shows_the_rule_and_saving_it_as_it_stands_changes_nothing(dana: Browser, practice: Riverside) -> None:
    page = dana.get("/schedules")
    assert page.status_code == 200
    assert 'name="min_gap_days" type="number" min="0" max="365" value="6"' in page.text
    assert "Nothing yet: the rule is as it came." in page.text
    looked = dana.post("/schedules/preview", RULE)
    assert "The next four weeks" in looked.text
    assert "Save this rule" not in looked.text
    assert stored(practice) == {}


def test_a_look_shows_what_would_change_and_stores_nothing(dana: Browser, practice: Riverside) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    before = practice.rows("select * from check_in")
    looked = dana.post("/schedules/preview", {**RULE, "delay_hours": "4"})
    assert "0 more 0 fewer 1 moved" in words(looked)
    assert "C-Ana is asked at 7 September 2026, 3:00 pm instead of 1:00 pm" in words(looked)
    assert 'name="delay_hours" type="number" min="0" max="168" value="4"' in looked.text, "what was typed is kept"
    assert practice.rows("select * from check_in") == before
    assert stored(practice) == {}


def test_a_look_by_htmx_is_the_preview_alone(dana: Browser) -> None:
    part = dana.post("/schedules/preview", {**RULE, "digits": "3"}, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert mark_of(part)
    bad = dana.post("/schedules/preview", {**RULE, "every": "0"}, headers={"HX-Request": "true"})
    assert (bad.status_code, "can&#39;t be previewed" in bad.text or "can't be previewed" in bad.text) == (200, True)


def test_saving_what_was_looked_at_plans_anew(dana: Browser, practice: Riverside) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    assert save(dana, delay_hours="4", closes="00:00").status_code == 303
    assert stored(practice) == {"delay_minutes": "240", "hours": "09:00-24:00"}
    assert practice.check_ins("Ana")[0].due_at == NOW + 3 * HOUR
    page = words(dana.get("/schedules"))
    assert "Saved." in page
    assert "by Dana For the practice: how long after waits 2 h waits 4 h ; hours 09:00 to 20:00 09:00 to 24:00" in page


def test_nothing_is_saved_unlooked_at(dana: Browser, practice: Riverside) -> None:
    answer = dana.post("/schedules", {**RULE, "every": "3"})
    assert answer.status_code == 422
    assert "Nothing was saved yet" in answer.text
    assert mark_of(answer), "it shows the look now, and can be saved from there"
    assert stored(practice) == {}


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"every": "0"}, "Every nth visit"),
    ({"delay_hours": "200"}, "How long after"),
    ({"delay_hours": "soon"}, "How long after"),
    ({"when": "next_day"}, "On the next day"),
    ({"opens": "21:00"}, "Hours"),
    ({"opens": ""}, "Hours"),
    ({"days": []}, "Days"),
    ({"fourth": []}, "Fourth question"),
    ({"paused_until": "soon"}, "Pause"),
    ({"holidays": "Atlantis"}, "Closed days"),
    ({"which": "all"}, "Which visits"),
    ({"channels": "pigeon"}, "Ways to ask"),
)


def test_a_value_that_cannot_be_used_is_told_at_its_field_and_kept(dana: Browser, practice: Riverside) -> None:
    for changes, label in WRONG:
        page = dana.post("/schedules/preview", {**RULE, "min_gap_days": "9", **changes})
        assert (page.status_code, label if f"<li>{label}: Give" in page.text else "") == (422, label)
        assert 'value="9"' in page.text
    assert dana.post("/schedules", {**RULE, "every": "0"}).status_code == 422
    assert stored(practice) == {}


def test_a_time_on_the_next_day_takes_the_place_of_the_delay(dana: Browser, practice: Riverside) -> None:
    save(dana, when="next_day", next_day_at="10:00")
    assert stored(practice) == {"next_day_at": "10:00"}
    assert 'value="next_day" checked' in dana.get("/schedules").text


def test_a_therapists_rule_is_listed_and_dropped_again(dana: Browser, practice: Riverside) -> None:
    path = f"/schedules/therapists/{practice.staff['Theo']}"
    assert "For clients of Theo" in dana.get(path).text
    assert save(dana, path, delay_hours="3").headers["Location"] == path
    assert "Theo Own how long after: waits 3 h" in words(dana.get("/schedules"))
    assert '<span class="badge warm">Own</span>' in dana.get(path).text
    back = dana.post(f"{path}/preview", {**RULE, "delay_hours": "3", "as_below": "1"})
    assert 'name="delay_hours" type="number" min="0" max="168" value="2"' in back.text
    dana.post(path, {**RULE, "mark": mark_of(back)})
    assert practice.rows("select * from schedule_rule") == []


def test_a_client_is_found_by_reference_and_their_rule_kept_apart(dana: Browser, practice: Riverside) -> None:
    path = dana.get("/schedules/clients?ref=C-Ana").headers["Location"]
    assert path == f"/schedules/clients/{practice.clients['Ana']}"
    typed = {key: value for key, value in RULE.items() if key != "paused_until"}
    page = dana.get(path)
    assert 'name="paused_until"' not in page.text
    assert f'href="/people/clients/{practice.clients["Ana"]}"' in page.text
    mark = mark_of(dana.post(f"{path}/preview", {**typed, "min_gap_days": "13"}))
    dana.post(path, {**typed, "min_gap_days": "13", "mark": mark})
    assert "Client C-Ana Own spacing: at least 13 days apart" in words(dana.get("/schedules"))


@pytest.mark.parametrize(("ref", "said"), [("C-Nobody", "C-Nobody is not on the roster."), ("", "Give the client")])
def test_a_reference_that_is_nobodys_is_told_at_its_field(dana: Browser, ref: str, said: str) -> None:
    page = dana.get(f"/schedules/clients?ref={ref}")
    assert page.status_code == 422
    assert said in page.text


def test_the_last_change_is_shown_before_it_is_taken_back(dana: Browser, practice: Riverside) -> None:
    save(dana, digits="3")
    page = dana.get("/schedules/undo")
    assert "Questions: from three back to three, now and then four" in words(page)
    assert stored(practice) == {"digits": "3"}
    change = re.search(r'name="change" value="(\w+)"', page.text)
    assert change
    assert dana.post("/schedules/undo", {"change": change[1]}).status_code == 303
    assert stored(practice) == {}
    listed = dana.get("/schedules").text
    assert "taken back" in listed
    assert "Undo the last change" not in listed
    assert dana.get("/schedules/undo").status_code == 303, "there is nothing to take back any more"


def test_one_days_list_names_references_and_reasons_and_never_a_name(
    dana: Browser, practice: Riverside, ctx: Context
) -> None:
    ana = practice.clients["Ana"]
    with ctx.store.transaction() as tx:
        sealed = tx.seal("client", "name", ana, "Canary")
        tx.run("update client set name_sealed = :name where id = :id", {"name": sealed, "id": ana})
    practice.visit("Ana", NOW - HOUR, now=NOW)
    practice.visit("Ben", NOW - HOUR, status="no_show", now=NOW)
    page = words(dana.post("/schedules/preview", RULE))
    assert "Canary" not in page
    assert "Monday 7 September: 1 asked, 1 left out 1:00 pm C-Ana the client did not come: C-Ben" in page


@pytest.mark.parametrize("who", ["theo@riverside.example", None])
def test_nobody_but_a_manager_opens_these_pages(ctx: Context, practice: Riverside, who: str | None) -> None:
    browser = Browser(ctx, NOW)
    if who:
        browser.sign_in(practice.practice.id, who)
    client = practice.clients["Ana"]
    for path in ("/schedules", "/schedules/undo", f"/schedules/clients/{client}", "/schedules/clients?ref=C-Ana"):
        assert browser.get(path).status_code == (404 if who else 303)


def test_another_practices_people_are_not_there(dana: Browser, ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
        tx.run("update client set practice_id = :o where id = :c", {"o": other.id, "c": practice.clients["Ben"]})
    for path in (
        f"/schedules/clients/{practice.clients['Ben']}",
        f"/schedules/therapists/{practice.staff['Dana']}",
        "/schedules/clients/nobody",
        "/schedules/therapists/nobody",
    ):
        assert dana.get(path).status_code == 404
        assert dana.post(path, RULE).status_code == 404
        assert dana.post(f"{path}/preview", RULE).status_code == 404
