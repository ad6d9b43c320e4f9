"""Notes in a browser: the list, taking on, what was done, verdicts, danger; and what supervisors see."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from bot.store import alerts, people
from bot.store.alerts import Alert
from tests.support.alert_page import Page
from tests.support.browsing import Browser
from tests.support.cast import Riverside
from tests.support.therapist import asked, audit, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, alerts_of, assess, climb, one, weekly

NOW = FIRST_VISIT + timedelta(weeks=7, hours=6)


@pytest.fixture
def theo(practice: Riverside) -> Browser:
    return Browser(practice.ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example")


@pytest.fixture
def note(practice: Riverside) -> Alert:
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW)
    return alerts_of(practice, "Ana")[0]


def text(browser: Browser, where: str) -> str:
    answer = browser.get(where)
    assert answer.status_code == 200
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def test_a_note_says_what_changed_what_helps_and_can_be_taken_on(
    practice: Riverside, theo: Browser, note: Alert
) -> None:
    assert "Ana: Heard and understood lower than usual" in text(theo, "/notes")
    shown = text(theo, f"/notes/{note.id}")
    assert "Ana's 'heard' and 'understood' have been" in shown
    assert "What often helps" in shown
    assert "doi:10.1037" in shown, "with its source"
    assert "I'll take it on" in shown
    assert "Was this note of use?" not in shown, "not before it was taken on"
    assert theo.post(f"/notes/{note.id}", {"note": "Ask on Tuesday"}).status_code == 303
    shown = text(theo, f"/notes/{note.id}")
    assert "You took this on" in shown
    assert "Ask on Tuesday" in shown
    assert "No check-in has been answered since." in shown


def test_words_that_came_too_late_are_shown_back(theo: Browser, note: Alert) -> None:
    theo.post(f"/notes/{note.id}", {"note": "first"})
    answer = theo.post(f"/notes/{note.id}", {"note": "a second thought"})
    assert answer.status_code == 409
    assert "a second thought" in answer.text


def test_what_was_done_and_the_verdict_are_kept_and_can_be_changed(
    practice: Riverside, theo: Browser, note: Alert
) -> None:
    theo.post(f"/notes/{note.id}", {})
    assert theo.post(f"/notes/{note.id}/done", {"done": "We moved rooms.", "talked": "yes"}).status_code == 303
    for verdict in ("false", "helpful"):
        assert theo.post(f"/notes/{note.id}/verdict", {"verdict": verdict}).status_code == 303
    html = BeautifulSoup(theo.get(f"/notes/{note.id}").text, "html.parser")
    assert [str(box["value"]) for box in html.select("input[name=verdict][checked]")] == ["helpful"]
    assert "We moved rooms." in html.get_text()
    assert practice.client("Ana").talked_at == NOW
    assert theo.post(f"/notes/{note.id}/verdict", {"verdict": "great"}).status_code == 404


def test_it_says_whether_answers_have_come_back(practice: Riverside, theo: Browser, note: Alert) -> None:
    theo.post(f"/notes/{note.id}", {})
    for week in (8, 9):
        one(practice, "Ana", FIRST_VISIT + timedelta(weeks=week), (2, 4, 2))
    assert "Still below usual after two more check-ins." in text(theo, f"/notes/{note.id}")
    for week in range(10, 16):
        one(practice, "Ana", FIRST_VISIT + timedelta(weeks=week), (5, 5, 5))
        assess(practice, FIRST_VISIT + timedelta(weeks=week, hours=4))
    shown = text(theo, f"/notes/{note.id}")
    assert "Back within usual since " in shown
    assert "Ana's 'heard' and 'understood'" in shown, "and the answers that show it"


def test_it_is_not_there_for_anyone_else(practice: Riverside, note: Alert) -> None:
    for email in ("ines@riverside.example", "dana@riverside.example"):
        other = Browser(practice.ctx, NOW).sign_in(practice.practice.id, email)
        assert other.get(f"/notes/{note.id}").status_code == 404
        for end in ("", "/done", "/verdict", "/resume"):
            assert other.post(f"/notes/{note.id}{end}", {"verdict": "false", "done": "x"}).status_code == 404


def test_a_look_is_audited_and_a_head_is_not(practice: Riverside, theo: Browser, note: Alert) -> None:
    theo.client.head(f"/notes/{note.id}")
    assert audit(practice, note.id) == []
    theo.get(f"/notes/{note.id}")
    assert audit(practice, note.id) == ["a note was opened"]


def test_danger_shows_the_number_to_whoever_is_on_it_and_lets_check_ins_go_on(
    practice: Riverside, theo: Browser
) -> None:
    asked(practice, "Chidi", NOW - timedelta(hours=4))
    writes(practice, "Chidi", "I want to kill myself", NOW - timedelta(hours=1))
    where = f"/notes/{alerts_of(practice, 'Chidi', 'danger')[0].id}"
    shown = text(theo, where)
    assert "Someone may need help now" in shown
    assert "+12025550103" not in shown
    theo.post(where, {"note": "On the phone with him"})
    shown = text(theo, where)
    assert "+12025550103" in shown
    assert "kill myself" not in shown, "what was written is on the client's page alone"
    assert theo.post(f"{where}/resume").status_code == 303
    assert not practice.client("Chidi").halted
    assert "may mean danger" in text(theo, f"/clients/{practice.clients['Chidi']}")


def test_without_notes_the_page_says_when_one_comes(theo: Browser) -> None:
    assert "No notes so far." in text(theo, "/notes")


def test_a_supervisor_sees_only_that_a_note_for_theo_has_waited(practice: Riverside, note: Alert) -> None:
    with practice.ctx.store.transaction() as tx:
        person_id, _ = people.save(tx, practice.practice.id, name="Sam", email="sam@riverside.example", now=NOW)
        people.give_role(tx, practice.practice.id, person_id, "supervisor")
    now = NOW
    for _ in range(3):
        climb(practice, now)
        now += timedelta(days=1)
    sam = Browser(practice.ctx, now).sign_in(practice.practice.id, "sam@riverside.example")
    shown = text(sam, "/waiting")
    assert "A note for Theo has waited three working days." in shown
    assert "Ana" not in shown
    assert "heard" not in shown.lower()
    assert sam.get(f"/notes/{note.id}").status_code == 404
    theo = Browser(practice.ctx, now).sign_in(practice.practice.id, "theo@riverside.example")
    assert theo.get("/waiting").status_code == 404


@pytest.mark.parametrize("kind", ["rapport", "low", "silent", "call", "danger"])
def test_a_note_that_lost_what_it_was_about_still_opens_and_can_be_worked_with(
    practice: Riverside, theo: Browser, kind: str
) -> None:
    """It says that answers fell, and no more; the mail's link opens too."""
    with practice.ctx.store.transaction() as tx:
        where = {"client_id": practice.clients["Chidi"], "therapist_id": practice.staff["Theo"]}
        alert_id = alerts.open_alert(
            tx, practice.practice.id, **where, kind=kind, explanation="", check_in_id=None, now=NOW
        )
        alert = alerts.get(tx, practice.practice.id, alert_id)
    assert Page(practice, alert, "Theo", NOW).get().status_code == 200
    assert theo.get(f"/notes/{alert_id}").status_code == 200
    assert theo.post(f"/notes/{alert_id}", {"note": ""}).status_code == 303
    assert theo.post(f"/notes/{alert_id}/done", {"done": ""}).status_code == 303
    if kind in ("rapport", "low"):
        assert theo.post(f"/notes/{alert_id}/verdict", {"verdict": "helpful"}).status_code == 303
        assert "below this client's usual" in text(theo, f"/notes/{alert_id}")
