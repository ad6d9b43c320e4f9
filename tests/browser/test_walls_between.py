"""Two practices on one installation, and somebody who left, in Chromium: what a browser that is open still shows."""

import re
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect

from bot.flows import colleagues
from bot.store import people
from tests.browser.conftest import Opened, Served
from tests.browser.pressing import follow
from tests.browser.signed_in import sign_in
from tests.support.managing import manager
from tests.support.signing_in import neighbours
from tests.support.weeks import DECLINE, FIRST_VISIT, alerts_of, assess, weekly

Open = Callable[..., Opened]
NOW = FIRST_VISIT + timedelta(weeks=len(DECLINE) - 1, hours=4)


def test_nothing_crosses_between_two_practices_of_one_installation(served: Served, opened: Open) -> None:
    """Hillside has a Theo, a Dana and an Ana, too: their pages know nothing of Riverside's, by list or by address."""
    riverside, hillside = served.practice, neighbours(served.practice)
    weekly(riverside, "Ana", DECLINE)
    assess(riverside, NOW)
    note = alerts_of(riverside, "Ana")[0].id
    ours = riverside.clients["Ana"]
    places = {
        "Theo": ["/caseload", "/notes", f"/clients/{ours}", f"/notes/{note}"],
        "Dana": ["/people", "/delivery", "/schedules", f"/people/clients/{ours}", f"/schedules/clients/{ours}",
                 f"/people/staff/{riverside.staff['Theo']}"],
    }  # fmt: skip
    for name, paths in places.items():
        page = opened("about:blank").page
        sign_in(served, page.context, name, NOW, practice_id=hillside.practice.id)
        for path in paths:
            answer = page.goto(served.url + path)
            assert answer
            assert answer.status == (404 if len(path) > 20 else 200), path
            assert "Riverside" not in page.content(), path
            assert not any(id_ in page.content() for id_ in (ours, note, riverside.staff["Theo"])), path


def test_somebody_who_left_sees_the_sign_in_page_at_the_next_click(served: Served, opened: Open) -> None:
    """The first after Dana noted it, in a browser that was open all the while; the mailed link is dead, too."""
    practice = served.practice
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW)
    page = opened("about:blank").page
    sign_in(served, page.context, "Theo", NOW)
    page.goto(f"{served.url}/caseload")
    link = served.link(alerts_of(practice, "Ana")[0], "Theo", NOW)
    dana = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    with practice.ctx.store.transaction(write=False) as tx:
        assert people.get(tx, practice.practice.id, practice.staff["Theo"]).active
    colleagues.set_active(practice.ctx, dana, practice.staff["Theo"], False, NOW)
    follow(page.get_by_role("link", name="Ana").first)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not re.search(r"\bAna\b", page.content()), "a word: three letters stand in a token by chance"
    answer = page.goto(link)
    assert answer
    assert answer.status == 404
