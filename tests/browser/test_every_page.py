"""Every page that a role can open, found from the application's own routes: nothing axe objects to, no complaint in the
console, nothing from elsewhere, no scrolling sideways at 320 px. In a busy practice and in an empty one."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext

from bot.store import people, sign_ins
from bot.web import guard
from tests.browser.axe import violations
from tests.browser.busy import NOW, fill
from tests.browser.conftest import Opened, Served

ROLES = {
    "theo@riverside.example": "therapist",
    "dana@riverside.example": "manager",
    "sam@riverside.example": "supervisor",
}
# Pages for someone who isn't signed in open by a link of their own and have tests of their own.
WHO = {**{role: email for email, role in ROLES.items()}}


def sign_in(served: Served, window: BrowserContext, email: str) -> None:
    """Go round the sign-in page: the browser gets the cookie of a session."""
    practice, app = served.practice, served.app
    served.clock[:] = [NOW]
    with practice.ctx.store.transaction() as tx:
        person = people.by_email(tx, practice.practice.id, email)
        assert person, email
        secret = sign_ins.start(tx, practice.practice.id, person.id, True, "Chromium", NOW)
    sealed = app.session_interface.get_signing_serializer(app).dumps({guard.SECRET: secret})  # type: ignore[attr-defined]
    window.add_cookies([{"name": app.config["SESSION_COOKIE_NAME"], "value": sealed, "url": served.url}])


def pages(served: Served, role: str, ids: dict[str, list[str]]) -> list[str]:
    """The address of every page that this role may open; of a page about one row, one for each kind of row."""
    found: list[str] = []
    for rule in served.app.url_map.iter_rules():
        allowed = guard.allowed_to(served.app.view_functions[rule.endpoint])
        if "GET" not in (rule.methods or ()) or not (
            role in allowed or "account" in allowed or "first step" in allowed
        ):
            continue
        found += _filled(rule.rule, ids)
    return sorted(set(found))


def _filled(rule: str, ids: dict[str, list[str]]) -> list[str]:
    """A route with its places filled in from `ids`; a place nobody has filled is an error, so that none is left out."""
    place = re.search(r"<(?:any\(([^)]*)\):)?(\w+)>", rule)
    if place is None:
        return [rule]
    choices = [each.strip() for each in place[1].split(",")] if place[1] else ids[place[2]]
    return [page for each in choices for page in _filled(rule[: place.start()] + each + rule[place.end() :], ids)]


def looked_at(found: Opened, address: str) -> list[str]:
    """What is wrong with the page that is open."""
    page = found.page
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    elsewhere = [each for each in found.asked if not each.startswith((address, "data:"))]
    wrong = [*violations(page), *found.complaints, *elsewhere, *([f"{wide} px too wide"] if wide > 0 else [])]
    found.complaints.clear()
    found.asked.clear()
    return wrong


@pytest.mark.parametrize("state", ["busy", "empty"])
@pytest.mark.parametrize("role", ["therapist", "manager", "supervisor"])
def test_every_page_of_a_role_is_for_everyone(
    served: Served, opened: Callable[..., Opened], role: str, state: str
) -> None:
    """At a desk in the light, and on the smallest phone in the dark."""
    ids = fill(served.practice, busy=state == "busy")
    wrong: dict[str, list[str]] = {}
    for width, scheme in ((1280, "light"), (320, "dark")):
        found = opened("about:blank", width=width, scheme=scheme)
        sign_in(served, found.page.context, WHO[role])
        for path in pages(served, role, ids):
            answer = found.page.goto(served.url + path)
            assert answer, path
            problems = [] if answer.status == 200 else [f"status {answer.status}"]
            if problems := problems + looked_at(found, served.url):
                wrong[f"{path} at {width}"] = problems
    assert wrong == {}


def test_a_page_is_usable_by_keyboard_alone(served: Served, opened: Callable[..., Opened]) -> None:
    """The first Tab offers to skip to the content; every control that can be clicked can be reached and seen."""
    fill(served.practice, busy=True)
    found = opened("about:blank")
    sign_in(served, found.page.context, WHO["therapist"])
    found.page.goto(f"{served.url}/caseload")
    found.page.keyboard.press("Tab")
    assert found.page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(80):
        found.page.keyboard.press("Tab")
        reached.add(found.page.evaluate("document.activeElement.outerHTML"))
    links = found.page.evaluate("[...document.querySelectorAll('main a, main button')].map(e => e.outerHTML)")
    assert [each for each in links if each not in reached] == []


def test_nothing_is_kept_open_after_signing_out(served: Served, opened: Callable[..., Opened]) -> None:
    """The back button shows the sign-in page, not what was read."""
    fill(served.practice, busy=True)
    found = opened("about:blank")
    sign_in(served, found.page.context, WHO["therapist"])
    served.clock[:] = [NOW + timedelta(minutes=1)]
    found.page.goto(f"{served.url}/caseload")
    found.page.get_by_role("button", name="Sign out").click()
    found.page.go_back()
    assert "/sign-in" in found.page.url
