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


def test_danger_that_nobody_has_looked_at_comes_first(practice: Riverside) -> None:
    me, ana = me_of(practice), practice.clients["Ana"]
    Talk(practice.ctx, practice).text("Ana", "I want to kill myself", NOW)
    with pytest.raises(BadSetting, match="comes first"):
        holding.go_on(practice.ctx, me, ana, NOW)
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
