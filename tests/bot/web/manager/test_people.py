"""The managers' pages for people and imports, as a browser sees them."""

import io
import json

import pytest

from bot.flows.context import Context
from tests.bot.flows.test_intake import EMA, table
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.weeks import WELL, weekly

STEPS = ("", "/edit", "/pause", "/move", "/merge", "/erase", "/record", "/stop", "/state/died", "/state/on_hold")


@pytest.fixture
def browser(ctx: Context, practice: Riverside) -> Browser:
    return Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "dana@riverside.example")


def page_of(practice: Riverside, name: str, step: str = "") -> str:
    return f"/people/clients/{practice.clients[name]}{step}"


def test_of_a_client_who_was_not_asked_yet_the_list_says_that_they_are_to_be(browser: Browser) -> None:
    page = browser.get("/people").text
    assert ">Is asked<" in page
    assert ">Asked<" not in page


def test_the_list_shows_clients_and_how_they_stand(browser: Browser, practice: Riverside) -> None:
    page = browser.get("/people").text
    assert all(name in page for name in ("Ana", "C-Ben", "+12025550103"))
    assert "Ben" not in browser.get("/people?q=ana").text.split("<tbody>")[1]
    assert "Nobody fits" in browser.get("/people?q=zzz").text


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999999", "only=nonsense", "therapist=x"])
def test_odd_addresses_show_a_page(browser: Browser, query: str) -> None:
    assert browser.get(f"/people?{query}").status_code == 200


def test_a_client_is_added_and_what_was_typed_is_kept_when_it_is_wrong(browser: Browser, practice: Riverside) -> None:
    typed = {"client_ref": "C-Ema", "name": "Ema Ortiz", "phone": "12", "channel": "sms", "language": "es",
             "timezone": "America/New_York", "therapist_id": practice.staff["Theo"]}  # fmt: skip
    wrong = browser.post("/people/clients/new", typed)
    assert wrong.status_code == 422
    assert "Ema Ortiz" in wrong.text
    assert "Is not a phone number that exists" in wrong.text
    done = browser.post("/people/clients/new", typed | {"phone": "202 555 0144"})
    assert done.status_code == 303
    assert "They haven&#39;t agreed yet" in browser.get(done.location).text.replace("'", "&#39;")


def test_every_step_says_first_what_happens_and_changes_nothing_by_being_looked_at(
    browser: Browser, practice: Riverside
) -> None:
    at = weekly(practice, "Ana", WELL)
    practice.visit("Ana", at, now=at)
    before = practice.rows("select * from client order by id"), practice.rows("select * from check_in order by id")
    for step in STEPS:
        assert browser.get(page_of(practice, "Ana", step)).status_code == 200, step
    assert before == (
        practice.rows("select * from client order by id"),
        practice.rows("select * from check_in order by id"),
    )


def test_no_page_of_a_client_shows_an_answer_or_a_word(browser: Browser, practice: Riverside) -> None:
    at = weekly(practice, "Ana", [(1, 1, 1), (5, 5, 4)])
    with practice.ctx.store.transaction() as tx:
        tx.run("update inbox set client_id = :id", {"id": practice.clients["Ana"]})
    browser.clock.time = at
    for step in STEPS:
        page = browser.get(page_of(practice, "Ana", step)).text
        assert "1 1 1" not in page
        assert "confirm_low" not in page


def test_discharging_takes_the_plan_back(browser: Browser, practice: Riverside) -> None:
    practice.visit("Ana", MONDAY_NOON)
    assert "One planned check-in is taken back" in browser.get(page_of(practice, "Ana", "/state/discharged")).text
    assert browser.post(page_of(practice, "Ana", "/state/discharged")).status_code == 303
    assert practice.check_ins("Ana") == []
    assert "Discharged" in browser.get(page_of(practice, "Ana")).text


def test_there_is_no_way_back_from_an_opt_out(browser: Browser, practice: Riverside) -> None:
    browser.post(page_of(practice, "Ana", "/stop"))
    page = browser.get(page_of(practice, "Ana")).text
    assert "They have opted out" in page
    assert "/stop" not in page
    browser.post(page_of(practice, "Ana", "/edit"), {"stopped": "", "stopped_at": "", "name": "Ana"})
    browser.post(page_of(practice, "Ana", "/state/active"))
    assert practice.client("Ana").stopped


def test_merging_goes_over_a_preview(browser: Browser, practice: Riverside) -> None:
    assert browser.get(page_of(practice, "Ana", "/merge?with=C-nobody")).status_code == 422
    page = browser.get(page_of(practice, "Ana", "/merge?with=C-Ben")).text
    assert "becomes part of" in page
    browser.post(page_of(practice, "Ana", "/merge"), {"merged_id": practice.clients["Ben"]})
    assert browser.get(page_of(practice, "Ben")).location == page_of(practice, "Ana")
    assert browser.get(page_of(practice, "Ben", "/erase")).status_code == 404


def test_erasing_needs_the_reference_and_then_leaves_no_page(browser: Browser, practice: Riverside) -> None:
    assert browser.post(page_of(practice, "Ana", "/erase"), {"ref": "Ana"}).status_code == 422
    assert browser.post(page_of(practice, "Ana", "/erase"), {"ref": "C-Ana"}).status_code == 303
    assert browser.get(page_of(practice, "Ana")).status_code == 404
    assert "C-Ana" not in browser.get("/people").text


def test_an_export_is_a_file_and_needs_a_reason(browser: Browser, practice: Riverside) -> None:
    assert browser.post(page_of(practice, "Ana", "/record"), {"reason": ""}).status_code == 422
    file = browser.post(page_of(practice, "Ana", "/record"), {"reason": "Ana asked"})
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "Ana" not in file.headers["Content-Disposition"]
    assert json.loads(file.text)["client"]["client_ref"] == "C-Ana"


def test_her_therapist_exports_the_rest(ctx: Context, practice: Riverside) -> None:
    theo = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "theo@riverside.example")
    ines = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "ines@riverside.example")
    path = f"/clients/{practice.clients['Ana']}/record"
    assert theo.get(path).status_code == 200
    assert "answers" in json.loads(theo.post(path, {"reason": "she asked"}).text)
    assert ines.get(path).status_code == ines.post(path, {"reason": "curious"}).status_code == 404


def test_a_missing_client_and_a_made_up_step_are_not_there(browser: Browser, practice: Riverside) -> None:
    for step in STEPS:
        assert browser.get(f"/people/clients/nobody{step}").status_code == 404, step
    assert browser.get(page_of(practice, "Ana", "/state/erased")).status_code == 404


def test_staff_are_invited_changed_and_leave(browser: Browser, practice: Riverside) -> None:
    assert browser.post("/people/staff", {"name": "Noor", "email": "x", "role": "therapist"}).status_code == 422
    done = browser.post("/people/staff", {"name": "Noor", "email": "noor@r.example", "role": "therapist"})
    assert "An invitation is on its way" in browser.get(done.location).text
    theo = f"/people/staff/{practice.staff['Theo']}"
    assert browser.post(f"{theo}/roles", {}).status_code == 422
    assert browser.post(theo, {"name": "", "phone": ""}).status_code == 422
    assert "goes to whoever stands in" in browser.get(f"{theo}/leave").text
    assert browser.post(f"{theo}/leave").status_code == 303
    assert "has left" in browser.get("/people/staff").text
    assert browser.get("/people/staff/nobody").status_code == 404


def test_a_token_is_shown_once(browser: Browser) -> None:
    made = browser.post("/people/tokens", {"name": "Front desk"})
    assert "attune_" in made.text
    page = browser.get("/people/tokens").text
    assert "attune_" not in page
    token_id = page.split("/people/tokens/")[1].split("/")[0]
    assert browser.post(f"/people/tokens/{token_id}/revoke").status_code == 303
    assert "revoked" in browser.get("/people/tokens").text


def upload(browser: Browser, raw: bytes, kind: str = "roster") -> object:
    return browser.post(
        "/import", {"kind": kind, "file": (io.BytesIO(raw), "f.csv")}, content_type="multipart/form-data"
    )


def test_a_file_is_looked_at_and_then_taken(browser: Browser, practice: Riverside) -> None:
    handed = upload(browser, table(EMA, {**EMA, "client_ref": "C-9", "phone": "12"}))
    path = handed.location  # type: ignore[attr-defined]
    page = browser.get(path).text
    assert "Take in 1 row<" in page
    assert "is not a phone number that exists" in page
    assert "C-Ema" in browser.get(f"{path}?only=new").text
    assert practice.rows("select 1 from client where client_ref = 'C-Ema'") == []
    assert browser.post(path).status_code == 303
    assert "1 new, 0 changed, 0 as before, 1 left out" in browser.get(path).text
    assert len(practice.rows("select 1 from client where client_ref = 'C-Ema'")) == 1


def test_a_file_with_nothing_new_says_what_of_it_is_stored_and_what_is_wrong(browser: Browser) -> None:
    browser.post(upload(browser, table(EMA)).location)  # type: ignore[attr-defined]
    wrong = {**EMA, "client_ref": "C-9", "phone": "12"}
    page = browser.get(upload(browser, table(EMA, wrong)).location).text  # type: ignore[attr-defined]
    assert "1 as before, <strong>1 wrong</strong>, nothing new." in page
    assert "No row can be taken" not in page
    assert "No row can be taken" in browser.get(upload(browser, table(wrong)).location).text  # type: ignore[attr-defined]


def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(browser: Browser) -> None:
    for raw in (b"", b"nonsense", b"PK\x03\x04"):
        answer = upload(browser, raw)
        assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "larger than 5 MB" in upload(browser, b"x" * 6_000_000).text  # type: ignore[attr-defined]
    assert "save it as CSV" in answer.text  # type: ignore[attr-defined]
    assert browser.get("/import/nothing").status_code == 404
