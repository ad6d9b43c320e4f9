"""One client's page: what it gathers, from whom, and what comes next."""

from datetime import datetime, timedelta

import pytest

from bot.flows import client_page
from bot.flows.access import NotHere
from bot.flows.client_page import ClientPage
from bot.store import clients
from tests.support.cast import Riverside
from tests.support.therapist import asked, audit, me_of, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, WELL, assess, weekly

NOW = FIRST_VISIT + timedelta(weeks=7, hours=6)
HOUR = timedelta(hours=1)


def page(practice: Riverside, name: str = "Ana", who: str = "Theo", now: datetime = NOW, **more: bool) -> ClientPage:
    return client_page.page(practice.ctx, me_of(practice, who), practice.clients[name], now, **more)


def move(practice: Riverside, name: str, therapist: str) -> None:
    with practice.ctx.store.transaction() as tx:
        tx.run(
            "update client set therapist_id = :t where id = :c",
            {"t": practice.staff[therapist], "c": practice.clients[name]},
        )


def test_the_trend_has_each_feeling_with_its_band_and_how_many_answers_it_rests_on(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW)
    trend = page(practice).trend
    assert trend.fallen[:1] == trend.feelings[:1]
    assert trend.answers("heard") == 8
    assert trend.usual["heard"].high > 4
    assert trend.raised_at == NOW, "when the open note was raised"


def test_visits_say_what_was_answered_or_why_nothing_was_asked(practice: Riverside) -> None:
    weekly(practice, "Ana", ((5, 5, 4), None))
    practice.visit("Ana", NOW - 2 * HOUR, status="cancelled", now=NOW)
    found = page(practice).visits
    assert [each.appointment.not_asked for each in found] == ["the appointment was cancelled", None, None]
    assert found[1].check_in
    assert (found[1].check_in.state, found[1].answers) == ("expired", {})
    assert found[2].answers == {"heard": 5, "respected": 5, "understood": 4}


def test_scores_stand_in_the_order_in_which_the_questions_are_asked(practice: Riverside) -> None:
    """Whatever order they came in: Ana's second thought is about the first question."""
    asked(practice, "Ana", NOW - 4 * HOUR)
    writes(practice, "Ana", "respected 4, understood 3", NOW - 2 * HOUR)
    writes(practice, "Ana", "heard 5", NOW - HOUR)
    assert list(page(practice).visits[0].answers.items()) == [("heard", 5), ("respected", 4), ("understood", 3)]


def test_a_reply_has_the_clients_own_words_and_how_they_were_read(practice: Riverside) -> None:
    asked(practice, "Ana", NOW - 4 * HOUR)
    writes(practice, "Ana", "5 4 3 it felt rushed", NOW - HOUR)
    reply = page(practice).replies[0]
    assert reply.words == "5 4 3 it felt rushed"
    assert reply.counts == {"heard": 5, "respected": 4, "understood": 3}
    assert [(feeling, score) for feeling, score, _, _ in reply.because][:3] == list(reply.counts.items())
    assert reply.choices[0].counts


def test_a_mention_of_past_danger_is_shown_as_a_note(practice: Riverside) -> None:
    asked(practice, "Ana", NOW - 4 * HOUR)
    writes(practice, "Ana", "5 5 5 I used to be suicidal years ago", NOW - HOUR)
    found = page(practice)
    assert found.replies[0].reading["note"]
    assert found.reason.kind != "danger"


def test_a_new_therapist_starts_fresh_and_the_former_one_finds_nothing(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW)
    later = NOW + timedelta(weeks=1)
    asked(practice, "Ana", later - 4 * HOUR)
    writes(practice, "Ana", "5 4 3 please tell nobody", later - HOUR)
    assert page(practice, now=later).replies
    move(practice, "Ana", "Ines")
    found = page(practice, who="Ines", now=later)
    assert (found.trend.points, found.visits, found.notes, found.replies) == ([], [], [], [])
    with pytest.raises(NotHere):
        page(practice, who="Theo")


@pytest.mark.parametrize("state", ["discharged", "died"])
def test_a_client_who_has_left_has_no_page(practice: Riverside, state: str) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], state)
    with pytest.raises(NotHere):
        page(practice)
    with pytest.raises(NotHere):
        client_page.printed(practice.ctx, me_of(practice), practice.clients["Ana"], NOW)
    with pytest.raises(NotHere):
        client_page.talked(practice.ctx, me_of(practice), practice.clients["Ana"], NOW)


def test_opening_it_is_audited_once_a_view(practice: Riverside) -> None:
    page(practice)
    page(practice, record=False)
    client_page.printed(practice.ctx, me_of(practice), practice.clients["Ana"], NOW)
    assert audit(practice, practice.clients["Ana"]) == [
        "a client's page was opened",
        "a client's page was opened to print",
    ]


def test_what_comes_next_follows_from_the_visits(practice: Riverside) -> None:
    assert (page(practice).next.kind, page(practice).next.reason) == ("none", "no visit is booked")
    practice.visit("Ana", NOW + timedelta(days=2), status="booked", now=NOW)
    expected = page(practice).next
    assert expected.kind == "expected"
    assert expected.at == NOW + timedelta(days=2, hours=2)
    practice.visit("Ben", NOW - HOUR, now=NOW)
    planned = page(practice, "Ben").next
    assert (planned.kind, planned.at) == ("planned", NOW + HOUR)
    asked(practice, "Chidi", NOW - 4 * HOUR)
    assert page(practice, "Chidi").next.kind == "open"


def test_a_client_on_hold_is_not_asked_and_the_page_says_why(practice: Riverside) -> None:
    practice.visit("Ana", NOW + timedelta(days=2), status="booked", now=NOW)
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], "on_hold")
    found = page(practice)
    assert (found.next.kind, found.next.reason) == ("none", "the client is on hold")
    assert found.reason.kind == "paused"


def test_only_the_latest_visits_and_replies_are_shown_unless_asked_for_all(practice: Riverside) -> None:
    for week in range(14):
        asked(practice, "Ana", FIRST_VISIT + timedelta(weeks=week))
        writes(practice, "Ana", "5 4 5", FIRST_VISIT + timedelta(weeks=week, hours=3))
    later = FIRST_VISIT + timedelta(weeks=14)
    found = page(practice, now=later)
    assert (len(found.visits), found.more_visits, len(found.replies), found.more_replies) == (12, 2, 12, 2)
    whole = page(practice, now=later, everything=True)
    assert (len(whole.visits), whole.more_visits, len(whole.replies), whole.more_replies) == (14, 0, 14, 0)


def test_words_that_belong_to_no_check_in_are_shown_from_the_first_visit_on(practice: Riverside) -> None:
    writes(practice, "Ana", "who is this", FIRST_VISIT - timedelta(days=9))
    practice.visit("Ana", FIRST_VISIT, now=FIRST_VISIT)
    writes(practice, "Ana", "could we meet earlier next time", FIRST_VISIT + HOUR)
    assert [each.words for each in page(practice).replies] == ["could we meet earlier next time"]


def test_that_the_two_talked_about_it_is_noted(practice: Riverside) -> None:
    client_page.talked(practice.ctx, me_of(practice), practice.clients["Ana"], NOW)
    assert practice.client("Ana").talked_at == NOW
    assert audit(practice, practice.clients["Ana"]) == ["talked about rapport"]


def test_the_page_to_look_at_together_has_the_trend_and_nothing_else(practice: Riverside) -> None:
    weekly(practice, "Ana", WELL)
    assess(practice, NOW)
    found = client_page.printed(practice.ctx, me_of(practice), practice.clients["Ana"], NOW)
    assert (len(found.trend.points), found.trend.raised_at, found.trend.fallen) == (6, None, ())
