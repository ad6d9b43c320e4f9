"""The interface for a practice's own system."""

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.flows.context import Context
from bot.store import practices
from bot.web import api, create_app
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.weeks import At

NOW = MONDAY_NOON
VISIT = {
    "appointment_ref": "V-1",
    "client_ref": "C-Ana",
    "therapist_email": "theo@riverside.example",
    "starts_at": "2026-09-07T10:00:00-04:00",
    "ends_at": "2026-09-07T10:50:00-04:00",
    "status": "attended",
}


@pytest.fixture
def web(ctx: Context, practice: Riverside) -> FlaskClient:
    return create_app(ctx, At(NOW)).test_client()


@pytest.fixture
def token(ctx: Context, practice: Riverside) -> str:
    with ctx.store.transaction() as tx:
        return practices.new_token(tx, practice.practice.id, "calendar", NOW)


def post(web: FlaskClient, token: str, body: object) -> TestResponse:
    return web.post("/api/v1/appointments", json=body, headers={"Authorization": f"Bearer {token}"})


def test_appointments_are_taken_and_planned(web: FlaskClient, token: str, practice: Riverside) -> None:
    answer = post(web, token, [VISIT, {**VISIT, "appointment_ref": "V-2", "client_ref": "C-Ben"}])
    assert (answer.status_code, answer.json) == (200, {"new": 2, "changed": 0, "same": 0, "problems": []})
    assert [check_in.due_at for check_in in practice.check_ins("Ana")] == [NOW + timedelta(minutes=50)]


def test_the_same_list_twice_changes_nothing(web: FlaskClient, token: str, practice: Riverside) -> None:
    post(web, token, [VISIT])
    before = practice.rows("select * from appointment") + practice.rows("select * from check_in")
    assert post(web, token, [VISIT]).json == {"new": 0, "changed": 0, "same": 1, "problems": []}
    assert practice.rows("select * from appointment") + practice.rows("select * from check_in") == before


def test_a_cancelled_appointment_is_not_asked_about(web: FlaskClient, token: str, practice: Riverside) -> None:
    post(web, token, [VISIT])
    assert post(web, token, [{**VISIT, "status": "cancelled"}]).json["changed"] == 1
    assert practice.check_ins("Ana") == []


def test_good_ones_are_taken_and_bad_ones_named_by_their_place(web: FlaskClient, token: str) -> None:
    answer = post(web, token, [VISIT, {**VISIT, "appointment_ref": "V-2", "status": "done"}, "V-3"])
    assert answer.status_code == 200
    assert answer.json["new"] == 1
    assert answer.json["problems"] == [
        {"row": 2, "column": "status", "problem": "is not a status; one of booked, attended, cancelled, no_show"},
        {"row": 3, "column": "", "problem": "is not an object"},
    ]


def test_a_list_of_which_nothing_can_be_taken_is_an_error(web: FlaskClient, token: str) -> None:
    assert post(web, token, [{**VISIT, "client_ref": "C-Zed"}]).status_code == 422
    assert post(web, token, []).status_code == 200


@pytest.mark.parametrize(
    "value", ["\ud800", "\x00", "a" * 5000, ["V-1"], {"a": 1}, True, None, "", "  ", 10**400, -1.5, "ünï", "'; drop"]
)
def test_whatever_stands_under_a_key_never_breaks_it(web: FlaskClient, token: str, value: object) -> None:
    for name in VISIT:
        body = json.dumps([{**VISIT, name: value}])
        answer = web.post("/api/v1/appointments", data=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code in (200, 422), (name, answer.json)


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b"null", b'"x"', b"\xff", b"[1e999", b"[" * 5000])
def test_a_body_that_is_no_list_is_refused_in_words(web: FlaskClient, token: str, body: bytes) -> None:
    answer = web.post("/api/v1/appointments", data=body, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["error"]) == (400, api.EXPECTED)


def test_a_list_that_is_too_long_is_refused_before_any_of_it_is_taken(
    web: FlaskClient, token: str, practice: Riverside
) -> None:
    assert post(web, token, [VISIT] * (api.MOST + 1)).status_code == 400
    assert practice.rows("select * from appointment") == []


def test_a_body_that_is_too_large_is_refused_in_json(web: FlaskClient, token: str) -> None:
    answer = post(web, token, [{**VISIT, "more": "x" * 6_000_000}])
    assert answer.status_code == 413
    assert "send it in parts" in answer.json["error"]


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x", "Bearer ü"]
)
def test_without_its_token_nothing_is_read_or_stored(
    web: FlaskClient, token: str, practice: Riverside, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.format(token=token)}
    answer = web.post("/api/v1/appointments", json=[VISIT], headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "attune token new" in answer.json["error"]
    assert practice.rows("select * from appointment") == []


def test_the_scheme_may_be_written_in_small_letters(web: FlaskClient, token: str) -> None:
    headers = {"Authorization": f"bearer {token}"}
    assert web.post("/api/v1/appointments", json=[VISIT], headers=headers).status_code == 200


def test_a_token_that_was_taken_back_opens_nothing(web: FlaskClient, token: str, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update api_token set revoked_at = 1")
    assert post(web, token, [VISIT]).status_code == 401


def test_a_token_reaches_its_own_practice_only(web: FlaskClient, ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        hillside = practices.add(tx, "Hillside", NOW)
        theirs = practices.new_token(tx, hillside.id, "calendar", NOW)
    answer = post(web, theirs, [VISIT])
    assert answer.status_code == 422
    assert {problem["column"] for problem in answer.json["problems"]} == {"client_ref", "therapist_email"}
    assert practice.rows("select * from appointment") == []


def test_a_token_is_stored_so_that_it_cannot_be_read_back(token: str, practice: Riverside) -> None:
    assert token not in str(practice.rows("select * from api_token"))


def test_what_is_named_in_answers_is_no_name_number_or_address(web: FlaskClient, token: str) -> None:
    answer = post(web, token, [{**VISIT, "therapist_email": "secret@person.example", "client_ref": "C-Zed"}])
    assert "secret@person.example" not in answer.text


def test_only_posting_is_possible(web: FlaskClient) -> None:
    assert web.get("/api/v1/appointments").status_code == 405
