"""The caseload as a therapist's browser gets it."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from tests.support.browsing import Browser
from tests.support.cast import Riverside
from tests.support.therapist import asked, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, assess, weekly

NOW = FIRST_VISIT + timedelta(weeks=7, hours=6)


@pytest.fixture
def theo(practice: Riverside) -> Browser:
    return Browser(practice.ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example")


def page(browser: Browser, search: str = "") -> BeautifulSoup:
    answer = browser.post("/caseload", {"q": search}) if search else browser.get("/caseload")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def rows(found: BeautifulSoup) -> list[tuple[str, str]]:
    """Name and reason of each line."""
    return [
        (" ".join(li.select_one(".name").get_text().split()), " ".join(li.select_one(".why").get_text().split()))  # type: ignore[union-attr]
        for li in found.select(".caseload li")
    ]


def test_each_client_stands_there_with_a_reason_in_one_line(practice: Riverside, theo: Browser) -> None:
    weekly(practice, "Ben", DECLINE)
    assess(practice, NOW)
    asked(practice, "Chidi", NOW - timedelta(hours=4))
    writes(practice, "Chidi", "CALL", NOW - timedelta(hours=1))
    assert rows(page(theo)) == [
        ("Chidi", "Asked for a call today"),
        ("Ben", "A note waits since today: heard and understood lower"),
        ("Ana", "Not asked yet"),
    ]


def test_the_reason_leads_to_the_note_and_the_name_to_the_client(practice: Riverside, theo: Browser) -> None:
    weekly(practice, "Ben", DECLINE)
    assess(practice, NOW)
    first = page(theo).select_one(".caseload li")
    assert first
    links = [str(a["href"]) for a in first.select("a")]
    assert links[0] == f"/clients/{practice.clients['Ben']}"
    for link in links:
        assert theo.get(link).status_code == 200


def test_a_small_trend_says_the_same_in_words(practice: Riverside, theo: Browser) -> None:
    weekly(practice, "Ana", ((5, 5, 5), None, (4, 5, 5)))
    assess(practice, NOW)
    mini = page(theo).select_one("svg.spark")
    assert mini
    assert mini["aria-label"] == "Lately, oldest first (heard, respected, understood): 5, no answer, 4.7."
    assert (len(mini.select("circle.dot")), len(mini.select("circle.gap")), len(mini.select("rect.band"))) == (2, 1, 1)


def test_the_search_works_without_script_and_says_when_nobody_is_found(theo: Browser) -> None:
    assert [name for name, _ in rows(page(theo, "ana"))] == ["Ana"]
    assert "No client of yours is called" in page(theo, "zebra").get_text()


def test_a_therapist_without_clients_is_told_what_happens_next(practice: Riverside) -> None:
    ines = Browser(practice.ctx, NOW).sign_in(practice.practice.id, "ines@riverside.example")
    assert "You have no clients here yet" in page(ines).get_text()


def test_a_manager_has_no_caseload(practice: Riverside) -> None:
    dana = Browser(practice.ctx, NOW).sign_in(practice.practice.id, "dana@riverside.example")
    assert dana.get("/caseload").status_code == 404


def test_nothing_is_shown_before_the_second_factor(practice: Riverside) -> None:
    weak = Browser(practice.ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example", strong=False)
    assert weak.get("/caseload").status_code == 303


def test_forty_clients_take_no_more_queries_than_three(
    practice: Riverside, theo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = count_of_queries(practice, theo, monkeypatch)
    with practice.ctx.store.transaction() as tx:
        for number in range(40):
            tx.run(
                "insert into client (id, practice_id, client_ref, name_sealed, language, timezone, channel, "
                "therapist_id, created_at) select :id, practice_id, :ref, :name, language, timezone, channel, "
                "therapist_id, created_at from client where id = :ana",
                {
                    "id": f"{number:032x}", "ref": f"K-{number}", "ana": practice.clients["Ana"],
                    "name": tx.seal("client", "name", f"{number:032x}", f"Client {number}"),
                },
            )  # fmt: skip
    assert len(rows(page(theo))) == 43
    assert count_of_queries(practice, theo, monkeypatch) == few


def count_of_queries(practice: Riverside, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many times a view asks the database for rows."""
    with practice.ctx.store.transaction(write=False) as tx:
        kind, ask = type(tx), type(tx).all
    seen: list[str] = []
    with monkeypatch.context() as watched:
        watched.setattr(kind, "all", lambda self, sql, params=None: seen.append(sql) or ask(self, sql, params))
        assert browser.get("/caseload").status_code == 200
    return len(seen)
