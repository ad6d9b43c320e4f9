"""A therapist lets check-ins rest and go on."""

from datetime import timedelta

import pytest

from bot.flows import holding, standing
from bot.flows.access import NotHere
from bot.flows.settings import BadSetting
from bot.store import alerts
from surveys.schedule import HALTED
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.talk import Talk
from tests.support.therapist import audit, me_of
from tests.support.weeks import alerts_of

NOW = MONDAY_NOON
HOUR = timedelta(hours=1)


def test_what_is_planned_waits_or_is_open_goes_no_further_until_they_let_it_go_on(practice: Riverside) -> None:
    me, ana = me_of(practice), practice.clients["Ana"]
    Talk(practice.ctx, practice).asked("Ana", NOW)
    assert holding.pause(practice.ctx, me, ana, NOW)
    assert not holding.pause(practice.ctx, me, ana, NOW)
    practice.visit("Ana", NOW + timedelta(days=7))
    [open_, *later] = practice.check_ins("Ana")
    assert (open_.state, open_.reason, later) == ("cancelled", HALTED, [])
    assert holding.go_on(practice.ctx, me, ana, NOW + timedelta(days=7))
    assert practice.check_ins("Ana")[-1].state == "planned"
    assert not holding.go_on(practice.ctx, me, ana, NOW + timedelta(days=7))
    assert audit(practice, ana) == ["check-ins paused", "check-ins resumed"]
    assert practice.rows("select 1 from outbox where kind <> 'check_in'") == []


def test_an_answer_to_what_was_asked_before_a_pause_is_stored_and_nothing_is_said(practice: Riverside) -> None:
    """They had been asked, and took the trouble."""
    talk = Talk(practice.ctx, practice)
    talk.asked("Ana", NOW)
    holding.pause(practice.ctx, me_of(practice), practice.clients["Ana"], NOW + HOUR)
    talk.text("Ana", "5 4 5", NOW + 2 * HOUR)
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert (talk.last("Ana").state, talk.said("Ana")) == ("answered", [])
    assert practice.client("Ana").halted
    assert practice.rows("select therapist_id from to_assess") == [{"therapist_id": practice.staff["Theo"]}]


def test_it_is_stored_and_thanked_for_where_check_ins_go_on_already(practice: Riverside) -> None:
    me, ana, talk = me_of(practice), practice.clients["Ana"], Talk(practice.ctx, practice)
    talk.asked("Ana", NOW)
    holding.pause(practice.ctx, me, ana, NOW + HOUR)
    holding.go_on(practice.ctx, me, ana, NOW + HOUR)
    talk.text("Ana", "5 4 5", NOW + 2 * HOUR)
    assert (len(talk.answers("Ana")), talk.said("Ana")) == (3, ["thanks"])


def test_after_its_time_and_while_danger_waits_scores_are_words_like_any_others(practice: Riverside) -> None:
    """They are kept, as a message."""
    talk = Talk(practice.ctx, practice)
    for name in ("Ana", "Ben"):
        talk.asked(name, NOW)
    holding.pause(practice.ctx, me_of(practice), practice.clients["Ana"], NOW + HOUR)
    talk.text("Ana", "5 4 5", NOW + 73 * HOUR)
    talk.text("Ben", "I want to kill myself", NOW + HOUR)
    talk.text("Ben", "5 4 5", NOW + 2 * HOUR)
    assert (talk.answers("Ana"), talk.answers("Ben")) == ({}, {})
    assert [len(talk.kept(name)) for name in ("Ana", "Ben")] == [1, 2]


def test_words_of_danger_with_the_answer_are_answered_and_told_and_the_answer_is_stored(practice: Riverside) -> None:
    talk = Talk(practice.ctx, practice)
    talk.asked("Ana", NOW)
    holding.pause(practice.ctx, me_of(practice), practice.clients["Ana"], NOW + HOUR)
    talk.text("Ana", "1 1 1 I want to kill myself", NOW + 2 * HOUR)
    assert (talk.said("Ana"), talk.alerts()) == (["crisis"], [("danger", "Ana")])
    assert set(talk.answers("Ana").values()) == {1}


def test_danger_that_nobody_has_looked_at_comes_first(practice: Riverside) -> None:
    me, ana = me_of(practice), practice.clients["Ana"]
    Talk(practice.ctx, practice).text("Ana", "I want to kill myself", NOW)
    with pytest.raises(BadSetting, match="comes first"):
        holding.go_on(practice.ctx, me, ana, NOW)
    with pytest.raises(BadSetting, match="comes first"):
        standing.resume(practice.ctx, practice.practice, "C-Ana", "command", NOW)
    assert practice.client("Ana").halted
    (alert,) = alerts_of(practice, "Ana", "danger")
    with practice.ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, me.person.id, "", NOW)
    assert holding.go_on(practice.ctx, me, ana, NOW)


def test_it_is_their_own_therapists_alone_and_nobody_takes_back_a_stop(practice: Riverside) -> None:
    ana = practice.clients["Ana"]
    for deed in (holding.pause, holding.go_on):
        with pytest.raises(NotHere):
            deed(practice.ctx, me_of(practice, "Ines"), ana, NOW)
    holding.pause(practice.ctx, me_of(practice), ana, NOW)
    with practice.ctx.store.transaction() as tx:
        standing.opt_out(tx, practice.client("Ana"), "command", NOW)
    with pytest.raises(BadSetting, match="STOP"):
        holding.go_on(practice.ctx, me_of(practice), ana, NOW)
