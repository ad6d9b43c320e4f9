"""Who may open what, and what every answer carries."""

from dataclasses import replace

import pytest
from flask import Blueprint

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.web.guard import allow
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside, riverside


def test_a_session_opens_pages_until_it_is_ended(ctx: Context, practice: Riverside) -> None:
    """Before and after, everything but the way in is shut."""
    browser = Browser(ctx, MONDAY_NOON)
    assert browser.get("/account").status_code == 303
    browser.sign_in(practice.practice.id, "theo@riverside.example")
    assert "Theo" in browser.get("/account").text
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/account").status_code == 303


def test_a_view_that_says_nothing_opens_to_nobody(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    forgotten = Blueprint("forgotten", __name__)
    forgotten.get("/forgotten")(lambda: "secret")
    browser.app.register_blueprint(forgotten)
    assert browser.get("/forgotten").status_code == 303
    for name in ("theo", "dana"):
        browser.sign_in(practice.practice.id, f"{name}@riverside.example")
        assert browser.get("/forgotten").status_code == 404


def test_a_role_that_does_not_exist_is_refused_when_the_program_starts() -> None:
    with pytest.raises(ValueError, match="janitor"):
        allow("manager", "janitor")


def test_part_of_a_page_that_is_asked_for_too_late_leads_the_whole_window_to_sign_in(ctx: Context) -> None:
    """Otherwise the sign-in page would appear inside another."""
    answer = Browser(ctx, MONDAY_NOON).get("/account", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in")


def test_every_answer_forbids_framing_foreign_hosts_and_keeping(ctx: Context) -> None:
    browser = Browser(ctx, MONDAY_NOON)
    for path in ("/sign-in", "/account", "/no-such-page", "/healthz", "/sign-in/no-such-token"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("url", "name"), [("https://a.example", "__Host-attune"), ("http://a.example", "attune")])
def test_the_cookie_is_kept_from_scripts_other_sites_and_open_wires(config: Config, url: str, name: str) -> None:
    ctx = context.build(replace(config, public_url=url))
    ctx.store.migrate()
    cookie = Browser(ctx, MONDAY_NOON).client.get("/sign-in", base_url=url).headers["Set-Cookie"]
    assert cookie.startswith(f"{name}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert ("Secure" in cookie) == url.startswith("https:")


def test_a_form_without_its_token_changes_nothing(ctx: Context, practice: Riverside) -> None:
    browser = Browser(ctx, MONDAY_NOON).sign_in(practice.practice.id, "dana@riverside.example")
    for path in ("/sign-out", "/account/sessions/end-others", "/sign-in", "/sign-in/password"):
        assert browser.client.post(path, data={"email": "x"}).status_code == 400
        assert browser.client.post(path, data={"csrf_token": "forged"}).status_code == 400
    assert browser.get("/account").status_code == 200


def test_two_applications_in_one_process_keep_their_counts_apart(config: Config, tmp_path: object) -> None:
    """Limits are counted in each one's own database."""
    tried = []
    for name in ("one", "two"):
        ctx = context.build(replace(config, database_url=f"sqlite:///{tmp_path}/{name}.db"))
        ctx.store.migrate()
        riverside(ctx)
        browser = Browser(ctx, MONDAY_NOON)
        tried.append([browser.post("/sign-in", {"email": "x@riverside.example"}).status_code for _ in range(6)])
    assert tried == [[200] * 5 + [429]] * 2
