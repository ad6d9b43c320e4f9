"""The page behind an alert's link: who sees what, what a link allows, and that looking changes nothing."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from bot.flows import erasing, receiving
from bot.store import alerts, clients, people, practices, staff
from bot.store.alerts import Alert
from bot.store.inbox import Inbound
from tests.support.alert_page import Page, visible
from tests.support.cast import PHONES, Riverside
from tests.support.managing import manager
from tests.support.weeks import DECLINE, alerts_of, assess, climb, send, weekly

STRANGER = "+12025550199"
NIGHT = datetime(2026, 9, 19, 6, 0, tzinfo=UTC)


@pytest.fixture
def noted(practice: Riverside) -> datetime:
    """When Theo was told of Ana's decline."""
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    return now


@pytest.fixture
def theo(practice: Riverside, noted: datetime) -> Page:
    return Page(practice, alerts_of(practice, "Ana")[0], "Theo", noted)


@pytest.fixture
def dana(practice: Riverside, noted: datetime) -> Page:
    return Page(practice, alerts_of(practice, "Ana")[0], "Dana", noted)


@pytest.fixture
def danger(practice: Riverside) -> Alert:
    """Ana wrote words of danger at night."""
    receiving.receive(practice.ctx, Inbound("sms", "SM" + "7" * 32, PHONES["Ana"], "I want to kill myself"), NIGHT)
    climb(practice, NIGHT)
    return alerts_of(practice, "Ana", "danger")[0]


# ------------------------------------------------------------------------------------------- who sees what


def test_the_therapist_sees_what_changed_how_it_went_and_what_helps(theo: Page) -> None:
    text = theo.text()
    assert "About C-Ana" in text
    assert "below this client's usual" in text
    assert "about half of such notes are" in text
    assert "How it has gone" in text
    assert "What often helps" in text
    assert "I'll take it on" in text


@pytest.mark.parametrize("who", ["Dana", "Ines"])
def test_anyone_else_learns_that_a_note_waits_and_nothing_more(practice: Riverside, theo: Page, who: str) -> None:
    page = Page(practice, theo.alert, who, theo.now)
    answer = page.get()
    assert "A note for Theo has waited one day." in visible(answer)
    assert not re.search(r"C-Ana|'s usual|<svg|Listening|What often helps|check-in", answer.text)


def test_the_note_of_a_therapist_is_read_by_that_therapist_only(practice: Riverside, theo: Page, dana: Page) -> None:
    theo.post(note="She seemed hurt about the new hour.")
    assert "She seemed hurt about the new hour." in theo.text()
    assert "Theo took this on" in dana.text()
    assert "hurt" not in dana.get().text


def test_whoever_stands_in_for_a_therapist_who_left_sees_whom_to_call(practice: Riverside) -> None:
    """A wish for a call would be lost otherwise; a note on rapport still shows nothing."""
    receiving.receive(practice.ctx, Inbound("sms", "SM" + "8" * 32, PHONES["Ana"], "CALL"), NIGHT)
    page = Page(practice, alerts_of(practice, "Ana", "call")[0], "Dana", NIGHT)
    assert "C-Ana" not in page.text()
    with practice.ctx.store.transaction() as tx:
        tx.run("update person set active = 0 where id = :id", {"id": practice.staff["Theo"]})
    assert "C-Ana would like a call." in page.text()


def test_nobody_sees_the_rapport_note_of_a_therapist_who_left(practice: Riverside, dana: Page) -> None:
    with practice.ctx.store.transaction() as tx:
        tx.run("update person set active = 0 where id = :id", {"id": practice.staff["Theo"]})
    text = dana.text()
    assert "A note for Theo, who is away" in text
    assert "settle who sees Theo's clients" in text
    assert "C-Ana" not in text


def test_the_page_names_the_client_by_reference_only(theo: Page) -> None:
    with theo.practice.ctx.store.transaction() as tx:
        tx.run("update client set client_ref = 'X-9' where id = :id", {"id": theo.practice.clients["Ana"]})
    assert not re.search(r"Ana\b|2025550101|ana@", theo.get().text)


# ------------------------------------------------------------------------------------------- danger


@pytest.mark.parametrize("who", ["Theo", "Dana"])
def test_everyone_told_of_danger_sees_which_client_and_what_to_do(practice: Riverside, danger: Alert, who: str) -> None:
    text = Page(practice, danger, who, NIGHT).text()
    assert "Someone may need help now" in text
    assert "About C-Ana" in text
    assert "follow your practice's plan for emergencies" in text
    assert "kill" not in text


def test_the_number_is_shown_only_to_whoever_has_taken_it_on(practice: Riverside, danger: Alert) -> None:
    """A mail scanner that follows the link learns no number, and whoever acts needs one."""
    theo, dana = Page(practice, danger, "Theo", NIGHT), Page(practice, danger, "Dana", NIGHT)
    assert PHONES["Ana"] not in theo.get().text
    dana.post(note="Calling her now.")
    assert f'href="tel:{PHONES["Ana"]}"' in dana.get().text
    assert PHONES["Ana"] not in theo.get().text
    assert "Calling her now." in theo.text(), "what was done about danger is for all who were told"


def test_danger_from_an_unknown_number_can_be_called_back(practice: Riverside) -> None:
    receiving.receive(practice.ctx, Inbound("sms", "SM" + "9" * 32, STRANGER, "I want to kill myself"), NIGHT)
    with practice.ctx.store.transaction(write=False) as tx:
        (alert,) = alerts.due(tx, NIGHT, 5)
    page = Page(practice, alert, "Dana", NIGHT)
    assert "isn't on your roster" in page.text()
    assert STRANGER not in page.get().text
    page.post()
    assert STRANGER in page.get().text


def test_a_clinician_lets_check_ins_go_on_after_danger(practice: Riverside, danger: Alert) -> None:
    page = Page(practice, danger, "Theo", NIGHT)
    assert practice.client("Ana").halted
    assert "Let check-ins go on" not in page.text(), "first somebody looks"
    page.post("/resume")
    assert practice.client("Ana").halted
    page.post()
    assert "Let check-ins go on" in page.text()
    assert page.post("/resume").status_code == 303
    assert not practice.client("Ana").halted
    assert "Let check-ins go on" not in page.text()


def test_a_manager_does_not_let_check_ins_go_on(practice: Riverside, danger: Alert) -> None:
    """That is a clinician's to say."""
    page = Page(practice, danger, "Dana", NIGHT)
    page.post()
    assert "Let check-ins go on" not in page.text()
    page.post("/resume")
    assert practice.client("Ana").halted


def test_check_ins_of_someone_who_said_stop_are_not_let_go_on(practice: Riverside, danger: Alert) -> None:
    page = Page(practice, danger, "Theo", NIGHT)
    page.post()
    with practice.ctx.store.transaction() as tx:
        clients.mark_stopped(tx, practice.practice.id, practice.clients["Ana"], NIGHT)
    assert "Let check-ins go on" not in page.text()
    page.post("/resume")
    assert practice.client("Ana").halted


# ------------------------------------------------------------------------------------------- looking and doing


def test_looking_changes_nothing_but_the_audit_trail(theo: Page) -> None:
    """Mail scanners follow links: a fetch is no sign that a person has read it, and stops no reminder."""
    before = theo.stored()
    for _ in range(3):
        assert theo.get().status_code == 200
    assert theo.stored() == before
    assert before.seen_at is None
    rows = theo.practice.rows("select who, what, about from audit where what like '%opened'")
    assert rows == [{"who": theo.practice.staff["Theo"], "what": "their link to an alert was opened",
                     "about": theo.alert.id}] * 3  # fmt: skip


def test_a_head_request_leaves_no_trace_at_all(theo: Page) -> None:
    answer = theo.get(method="HEAD")
    assert (answer.status_code, answer.data) == (200, b"")
    assert theo.practice.rows("select * from audit where what like '%opened'") == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(theo: Page, method: str) -> None:
    assert theo.get(method=method).status_code == 405


def test_the_button_takes_it_on_and_leads_back_to_the_page(theo: Page) -> None:
    answer = theo.post(note="  Will ask.\r\nOn Monday. ")
    assert answer.status_code == 303
    assert answer.headers["Location"] == theo.path.removeprefix("/a/"), "relative: it works under any address"
    alert = theo.stored()
    assert (alert.acknowledged_by, alert.note) == (theo.practice.staff["Theo"], "Will ask.\nOn Monday.")
    text = theo.text()
    assert "You took this on: " in text
    assert "I'll take it on" not in text


def test_pressing_twice_is_pressing_once(theo: Page) -> None:
    assert theo.post(note="First.").status_code == 303
    assert theo.post(note="Second.").status_code == 303
    assert theo.stored().note == "First."


def test_words_that_came_too_late_are_given_back(theo: Page, dana: Page) -> None:
    dana.post()
    answer = theo.post(note="My own plan.")
    assert answer.status_code == 409
    assert "Your words were not kept: My own plan." in visible(answer)
    assert "Dana took this on" in visible(answer)


def test_a_very_long_note_is_cut_where_the_field_says(theo: Page) -> None:
    assert 'maxlength="2000"' in theo.get().text
    theo.post(note="x" * 3000)
    assert len(theo.stored().note) == 2000


def test_a_note_is_text_and_never_markup(theo: Page) -> None:
    theo.post(note="<script>alert(1)</script>")
    assert "<script" not in theo.get().text


def test_a_note_that_ended_by_itself_says_so_and_asks_for_nothing(theo: Page) -> None:
    with theo.practice.ctx.store.transaction() as tx:
        alerts.resolve(tx, theo.alert, theo.now)
    text = theo.text()
    assert "Answers are back at what is usual for this client since 2 November 2026." in text
    assert "I'll take it on" not in text


# ------------------------------------------------------------------------------------------- links


def test_a_foreign_or_changed_token_opens_nothing(theo: Page) -> None:
    """Neither to look nor to do."""
    for token in ("nonsense", theo.path.removeprefix("/a/")[:-1], theo.path.removeprefix("/a/") + "A"):
        for path in (f"/a/{token}", f"/a/{token}/again", f"/a/{token}/resume"):
            for method in ("GET", "POST"):
                assert theo.get(path, method=method).status_code in (404, 405)
    assert theo.stored().acknowledged_at is None


def test_an_expired_link_shows_nothing_and_offers_a_fresh_mail(theo: Page) -> None:
    theo.now += timedelta(hours=72)
    answer = theo.get()
    assert answer.status_code == 410
    assert "This link has expired" in visible(answer)
    assert "C-Ana" not in answer.text
    form = BeautifulSoup(answer.text, "html.parser").select_one("form")
    assert form
    assert (form["method"], form["action"]) == ("post", f"{theo.path.removeprefix('/a/')}/again")


def test_an_expired_link_takes_nothing_on(theo: Page) -> None:
    theo.now += timedelta(hours=72)
    assert theo.post(note="late").status_code == 410
    assert theo.post("/resume").status_code == 410
    assert theo.stored().acknowledged_at is None


def test_asking_for_a_fresh_mail_is_a_post_and_limited(theo: Page) -> None:
    theo.now += timedelta(hours=72)
    assert theo.get(theo.path + "/again").status_code == 405
    for _ in range(5):
        answer = theo.post("/again")
        assert answer.status_code == 200
        assert "A fresh link is on its way" in visible(answer)
    sql = "select * from outbox where dedupe like 'again:%'"
    assert len(theo.practice.rows(sql)) == 1
    assert theo.post("/again").text.count("/a/") == 0, "whoever holds the old link gets no new one here"


@pytest.mark.parametrize("ending", ["", "/again", "/resume"])
def test_a_person_who_left_opens_nothing(theo: Page, ending: str) -> None:
    with theo.practice.ctx.store.transaction() as tx:
        tx.run("update person set active = 0 where id = :id", {"id": theo.practice.staff["Theo"]})
    assert theo.get().status_code == 404
    assert theo.post(ending).status_code == 404
    theo.now += timedelta(hours=72)
    assert theo.get().status_code == 404
    assert theo.stored().acknowledged_at is None


def moved(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        where = {"t": practice.staff["Ines"], "c": practice.clients["Ana"]}
        tx.run("update client set therapist_id = :t where id = :c", where)


def no_therapist_any_more(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        staff.take_role(tx, practice.practice.id, practice.staff["Theo"], "therapist")


def erased(practice: Riverside) -> None:
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", NIGHT)


@pytest.mark.parametrize("happened", [moved, no_therapist_any_more, erased])
def test_a_link_is_dead_once_the_client_is_no_longer_its_holders(
    theo: Page, happened: Callable[[Riverside], None]
) -> None:
    """Mailed while it was theirs; nothing is shown, taken on or mailed again by it."""
    happened(theo.practice)
    assert theo.get().status_code == 404
    assert [theo.post(ending).status_code for ending in ("", "/again", "/resume")] == [404] * 3
    theo.now += timedelta(hours=72)
    assert theo.get().status_code == 404
    assert theo.post("/again").status_code == 404
    assert theo.stored().acknowledged_at is None


def test_danger_stays_open_to_the_therapist_it_was_told_to(practice: Riverside, danger: Alert) -> None:
    """Moving the client just then must not leave everybody thinking that somebody else looks."""
    moved(practice)
    assert "Someone may need help now" in Page(practice, danger, "Theo", NIGHT).text()


def test_the_page_is_kept_nowhere_and_found_by_nobody(theo: Page) -> None:
    headers = theo.get().headers
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


# ------------------------------------------------------------------------------------------- language and time


@pytest.mark.parametrize(
    ("language", "said"),
    [("es", ("Sobre C-Ana", "Cómo ha ido", "Me ocupo yo", "2 de noviembre de 2026, 13:00")),
     ("fr", ("À propos de C-Ana", "Comment cela s'est passé", "Je m'en occupe", "2 novembre 2026, 13:00"))],
)  # fmt: skip
def test_the_page_speaks_the_practices_language(theo: Page, language: str, said: tuple[str, ...]) -> None:
    with theo.practice.ctx.store.transaction() as tx:
        practices.save(tx, replace(theo.practice.practice, language=language))
    text = theo.text()
    for words in said:
        assert words in text
    assert f'lang="{language}"' in theo.get().text
    for english in ("How it has gone", "usual", "Take it on", "Worth asking", "note for"):
        assert english not in text


def test_times_are_the_practices_own(theo: Page) -> None:
    """Six in the evening in London is one in the afternoon in New York."""
    assert "Noted 2 November 2026, 1:00 pm" in theo.text()
    with theo.practice.ctx.store.transaction() as tx:
        practices.save(tx, replace(theo.practice.practice, timezone="Europe/London"))
    assert "Noted 2 November 2026, 6:00 pm" in theo.text()


def test_a_supervisor_is_a_clinician(practice: Riverside, danger: Alert) -> None:
    with practice.ctx.store.transaction() as tx:
        people.give_role(tx, practice.practice.id, practice.staff["Dana"], "supervisor")
    page = Page(practice, danger, "Dana", NIGHT)
    page.post()
    assert "Let check-ins go on" in page.text()
