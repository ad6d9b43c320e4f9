"""A client's page in a browser: shown to one therapist alone, and what can be done on it."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from bot.flows.links import alert_link
from bot.store import clients
from tests.support.browsing import Browser
from tests.support.cast import Riverside
from tests.support.therapist import asked, audit, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, alerts_of, assess, weekly

NOW = FIRST_VISIT + timedelta(weeks=8)
WORDS = '5 4 3 it felt rushed & loud, not like "before"'


@pytest.fixture
def theo(practice: Riverside) -> Browser:
    """Theo, on the evening of a visit that Ana answered."""
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW - timedelta(days=6))
    asked(practice, "Ana", NOW - timedelta(hours=4))
    writes(practice, "Ana", WORDS, NOW - timedelta(hours=1))
    assess(practice, NOW)
    return Browser(practice.ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example")


def path(practice: Riverside, name: str = "Ana") -> str:
    return f"/clients/{practice.clients[name]}"


def text(browser: Browser, where: str) -> str:
    answer = browser.get(where)
    assert answer.status_code == 200
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def reply_form(practice: Riverside, browser: Browser) -> tuple[str, list[str]]:
    """Where the reply's form goes, and the readings on offer."""
    html = BeautifulSoup(browser.get(path(practice)).text, "html.parser")
    form = html.select_one("form[action*='/replies/']")
    assert form
    return str(form["action"]), [str(box["value"]) for box in form.select("input[name=reading]")]


def test_the_page_shows_trend_visits_notes_and_words(practice: Riverside, theo: Browser) -> None:
    shown = text(theo, path(practice))
    for part in (
        "How it has gone",
        "Based on 9 check-ins",
        "Usually 4 to 5.",
        WORDS,
        "Counts as heard 5 respected 4 understood 3",
        "waits for you",
        "lower than usual",
        "heard 2 respected 4 understood 2",
    ):
        assert part in shown, part


def test_a_view_is_audited_and_a_head_is_not(practice: Riverside, theo: Browser) -> None:
    theo.client.head(path(practice))
    assert audit(practice, practice.clients["Ana"]) == []
    theo.get(path(practice))
    theo.get(path(practice) + "/print")
    assert audit(practice, practice.clients["Ana"]) == [
        "a client's page was opened",
        "a client's page was opened to print",
    ]


def test_it_is_not_there_for_anyone_else(practice: Riverside, theo: Browser) -> None:
    inbox_id = practice.rows("select id from inbox where reading_sealed is not null")[0]["id"]
    deeds = ((f"{path(practice)}/talked", {}), (f"{path(practice)}/replies/{inbox_id}", {"misread": "yes"}))
    for email in ("ines@riverside.example", "dana@riverside.example"):
        other = Browser(practice.ctx, NOW).sign_in(practice.practice.id, email)
        assert [other.get(path(practice) + end).status_code for end in ("", "/print")] == [404, 404]
        assert [other.post(where, data).status_code for where, data in deeds] == [404, 404]
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], "discharged")
    assert theo.get(path(practice)).status_code == 404
    assert [theo.post(where, data).status_code for where, data in deeds] == [404, 404]


def test_a_reply_marked_as_misread_counts_no_more_and_can_be_read_again(practice: Riverside, theo: Browser) -> None:
    action, values = reply_form(practice, theo)
    answer = theo.post(action, {"misread": "yes", "reading": values[0]})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("../../"), "relative"
    shown = text(theo, path(practice))
    assert "marked as misread by Theo" in shown
    assert "Nothing of it counts" in shown
    assert "Counts as" not in shown
    theo.post(action, {"reading": values[0]})
    assert "Counts as heard 5 respected 4 understood 3" in text(theo, path(practice))


def test_another_reading_is_picked_and_no_score_can_be_typed(practice: Riverside, theo: Browser) -> None:
    action, values = reply_form(practice, theo)
    assert theo.post(action, {"reading": "heard=1,respected=1,understood=1"}).status_code == 404
    assert theo.post(action, {"reading": values[1]}).status_code == 303
    shown = text(theo, path(practice))
    assert "reading picked by Theo" in shown
    assert "Counts as heard 3 respected 4 understood 5" in shown


def test_that_the_two_talked_is_noted_with_a_button(practice: Riverside, theo: Browser) -> None:
    assert theo.post(path(practice) + "/talked").status_code == 303
    shown = text(theo, path(practice))
    assert "Noted: you talked about it today." in shown
    assert "Last talked about how it is going: today" in shown


def test_the_printed_page_has_the_first_name_and_neither_notes_nor_words(practice: Riverside, theo: Browser) -> None:
    with practice.ctx.store.transaction() as tx:
        name = tx.seal("client", "name", practice.clients["Ana"], "Ana Lovelace")
        tx.run("update client set name_sealed = :n where id = :c", {"n": name, "c": practice.clients["Ana"]})
    shown = text(theo, path(practice) + "/print")
    assert "How it has been for you, Ana" in shown
    for hidden in ("Lovelace", "C-Ana", "rushed", "below usual", "noted", "note waits", "+1202"):
        assert hidden not in shown, hidden


def test_a_client_without_answers_has_a_page_that_says_what_will_be_there(practice: Riverside, theo: Browser) -> None:
    shown = text(theo, path(practice, "Chidi"))
    assert "No answers yet. Once Chidi has answered" in shown
    assert "None is planned: no visit is booked." in shown
    assert "There are no answers to look at yet." in text(theo, path(practice, "Chidi") + "/print")


def test_the_page_of_the_mail_leads_to_the_note_behind_sign_in(practice: Riverside, theo: Browser) -> None:
    alert = alerts_of(practice, "Ana")[0]
    config = practice.ctx.config
    link = alert_link(config, practice.practice.id, alert.id, practice.staff["Theo"], NOW).removeprefix(
        config.public_url
    )
    assert f"/notes/{alert.id}" in theo.get(link).text
