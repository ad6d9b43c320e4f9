"""Every page that a role can open, found from the application's own routes: nothing axe objects to, no complaint in the
console, nothing from elsewhere, no scrolling sideways at 320 px. In a busy practice and in an empty one; and the pages
on which a form was refused."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from bot.web import guard
from tests.browser.axe import wrong_with
from tests.browser.busy import NOW, Ids, fill
from tests.browser.conftest import Opened, Served
from tests.browser.pressing import press
from tests.browser.signed_in import sign_in

Open = Callable[..., Opened]
WHO = {"therapist": "Theo", "manager": "Dana", "supervisor": "Sam"}
# What a page shows beside what its route says, as it stands in the address.
BUSY_TOO = {
    "therapist": ["/clients/{client}?all=yes"],
    "manager": [
        "/people?only=stopped&q=ana", "/delivery/skipped?reason={reason}", "/import/{draft}?only=wrong",
        "/import/{draft}?only=changed", "/people/clients/{client}/merge?with=C-Ben", "/import?kind=appointments",
        "/groups?group=language%3Den",
    ],
    "supervisor": [],
}  # fmt: skip
# Without more in their address these lead to another page, or nowhere.
NEED_MORE = {"/schedules/clients", "/delivery/skipped"}
# Forms sent as no browser of a careful person would: everything that was typed is gone.
REFUSED = {
    "therapist": ["/clients/{client}/record", "/account/second-factor"],
    "manager": [
        "/people/clients/new", "/people/clients/{client}/edit", "/people/clients/{client}/erase",
        "/people/clients/{client}/move", "/people/clients/{client}/pause", "/people/clients/{client}/record",
        "/people/staff", "/people/staff/{person}", "/people/tokens", "/import", "/setup/practice",
        "/setup/therapists", "/setup/test", "/schedules",
    ],
    "supervisor": ["/account/password"],
}  # fmt: skip
SEND_EMPTY = """() => {
  const forms = [...document.querySelectorAll('main form[method=post]')];
  const form = forms.find(each => each.querySelector('input:not([type=hidden]), select'));
  form.noValidate = true;
  for (const e of form.querySelectorAll('input, select, textarea'))
    if (e.type === 'radio' || e.type === 'checkbox') e.checked = false;
    else if (e.type !== 'hidden') e.value = '';
  form.requestSubmit();
}"""


def pages(served: Served, role: str, ids: Ids) -> list[str]:
    """The address of every page that this role may open; of a page about one row, one for each kind of row."""
    found: list[str] = []
    for rule in served.app.url_map.iter_rules():
        allowed = guard.allowed_to(served.app.view_functions[rule.endpoint])
        if "GET" in (rule.methods or ()) and allowed & {role, "account", "first step"}:
            found += _filled(rule.rule, ids)
    return sorted(set(found) - NEED_MORE)


def _filled(rule: str, ids: Ids, kind: str = "") -> list[str]:
    """A route with its places filled in from `ids`; a place nobody has filled is an error, so that none is left out.

    A page about a row is opened for each kind of row; a step on the way from it for the first.
    """
    place = re.search(r"<(?:any\(([^)]*)\):)?(\w+)>", rule)
    if place is None:
        return [rule]
    before, rest = rule[: place.start()], rule[place.end() :]
    if place[1]:
        kinds = [each.strip() for each in place[1].split(",")]
        return [page for each in kinds for page in _filled(before + each + rest, ids, each)]
    rows = ids[kind if place[2] == "owner_id" else place[2]]
    return [page for each in (rows[:1] if rest else rows) for page in _filled(before + each + rest, ids, kind)]


def address(pattern: str, ids: Ids) -> str:
    first = {name: (ids[f"{name}_id"] or [""])[0] for name in ("client", "draft", "person")}
    return pattern.format(**first, reason=quote((ids["reason"] or [""])[0]))


def told(wrong: dict[str, list[str]]) -> str:
    """Every page with what is wrong with it, on lines of its own."""
    return "\n".join(f"{path}: {problem}" for path, problems in wrong.items() for problem in problems)


def looked_at(served: Served, found: Opened, path: str, refused: bool = False) -> list[str]:
    """What is wrong with the page at a path; where it is to be `refused`, after its form was sent empty."""
    answer = found.page.goto(served.url + path)
    assert answer, path
    if refused:
        with found.page.expect_navigation(wait_until="load") as sent:
            found.page.evaluate(SEND_EMPTY)
        answer = sent.value
    if found.page.locator("[hx-trigger^=load]").count():
        found.page.wait_for_load_state("networkidle")
    wrong = [] if answer.status == (422 if refused else 200) else [f"status {answer.status}"]
    complaints = [each for each in found.complaints if not (refused and "status of 422" in each)]
    elsewhere = [each for each in found.asked if not each.startswith((served.url, "data:"))]
    wrong += [*wrong_with(found.page), *complaints, *elsewhere]
    found.complaints.clear()
    found.asked.clear()
    return wrong


@pytest.mark.parametrize("state", ["busy", "empty"])
@pytest.mark.parametrize("role", WHO)
def test_every_page_of_a_role_is_for_everyone(served: Served, opened: Open, role: str, state: str) -> None:
    """At a desk in the light, and on the smallest phone in the dark."""
    ids = fill(served.practice, busy=state == "busy")
    own = ids if role != "therapist" else {**ids, "client_id": ids["client_id"][:3]}
    paths = pages(served, role, own)
    if state == "busy":
        paths += [address(each, ids) for each in BUSY_TOO[role]]
    found = opened("about:blank")
    sign_in(served, found.page.context, WHO[role], NOW)
    wrong = {path: problems for path in paths if (problems := looked_at(served, found, path))}
    assert not wrong, told(wrong)


@pytest.mark.parametrize("role", WHO)
def test_a_form_that_was_refused_is_for_everyone_too(served: Served, opened: Open, role: str) -> None:
    """The page comes again with what is wrong, and says so at the top."""
    ids = fill(served.practice, busy=True)
    found = opened("about:blank")
    sign_in(served, found.page.context, WHO[role], NOW)
    wrong = {}
    for path in (address(each, ids) for each in REFUSED[role]):
        if problems := looked_at(served, found, path, refused=True):
            wrong[path] = problems
        elif not found.page.locator("[role=alert], .error").count():
            wrong[path] = ["says nothing"]
    assert not wrong, told(wrong)


def test_a_page_is_usable_by_keyboard_alone(served: Served, opened: Open) -> None:
    """The first Tab offers to skip to the content; every control that can be clicked can be reached and seen."""
    fill(served.practice, busy=True)
    found = opened("about:blank")
    sign_in(served, found.page.context, "Theo", NOW)
    found.page.goto(f"{served.url}/caseload")
    found.page.keyboard.press("Tab")
    assert found.page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(80):
        found.page.keyboard.press("Tab")
        reached.add(found.page.evaluate("document.activeElement.outerHTML"))
    links = found.page.evaluate("[...document.querySelectorAll('main a, main button')].map(e => e.outerHTML)")
    assert [each for each in links if each not in reached] == []


def test_nothing_is_kept_open_after_signing_out(served: Served, opened: Open) -> None:
    """The back button shows the sign-in page, not what was read."""
    fill(served.practice, busy=True)
    found = opened("about:blank")
    sign_in(served, found.page.context, "Theo", NOW)
    served.clock[:] = [NOW + timedelta(minutes=1)]
    found.page.goto(f"{served.url}/caseload")
    press(found.page, "Sign out")
    found.page.go_back()
    expect(found.page).to_have_url(re.compile("/sign-in"))
