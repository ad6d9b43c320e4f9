"""From appointments to check-ins: planned once, moved, taken back, and what was asked left alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.flows import asking, planning
from bot.flows.context import Context
from bot.flows.planning import LONG_AGO, askings_of, replan, replan_all
from bot.store import appointments, check_ins, clients, outbox
from bot.store.outbox import Draft
from surveys import schedule
from tests.support.cast import PHONES, Riverside
from tests.support.talk import Talk, at

NOON = at("09-07 12:00")  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def talk(ctx: Context, practice: Riverside) -> Talk:
    return Talk(ctx, practice)


def change(talk: Talk, ref: str, now: datetime, **changes: Any) -> None:
    """The practice's system tells an appointment anew."""
    row = talk.practice.rows("select id from appointment where appointment_ref = :ref", ref=ref)[0]
    with talk.ctx.store.transaction() as tx:
        found = appointments.get(tx, talk.id, str(row["id"]))
        told = {name: getattr(found, name) for name in ("client_id", "therapist_id", "starts_at", "ends_at", "status")}
        appointments.save(tx, talk.id, appointment_ref=ref, **{**told, **changes})
    replan(talk.ctx, talk.id, [found.client_id], now)


def not_asked(talk: Talk) -> list[object]:
    return [row["not_asked"] for row in talk.practice.rows("select not_asked from appointment order by starts_at")]


def test_planning_twice_changes_nothing(talk: Talk) -> None:
    for week in range(3):
        talk.practice.visit("Ana", NOON + 7 * week * DAY, now=NOON)
    before = talk.practice.rows("select * from check_in order by id")
    assert len(before) == 3
    for hours in (0, 1):
        replan_all(talk.ctx, talk.id, NOON + hours * HOUR)
    assert talk.practice.rows("select * from check_in order by id") == before


def test_everyone_is_planned_however_many_at_once(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "AT_ONCE", 2)
    for name in PHONES:
        with talk.ctx.store.transaction() as tx:
            appointments.save(
                tx, talk.id, appointment_ref=f"V-{name}", client_id=talk.practice.clients[name],
                therapist_id=talk.practice.staff["Theo"], starts_at=NOON - HOUR, ends_at=NOON, status="attended",
            )  # fmt: skip
    replan_all(talk.ctx, talk.id, NOON)
    assert [len(talk.practice.check_ins(name)) for name in PHONES] == [1, 1, 1]


def test_a_change_of_the_rule_moves_what_is_not_yet_asked(talk: Talk) -> None:
    talk.asked("Ben", NOON)
    asked_before = talk.practice.check_ins("Ben")
    talk.practice.visit("Ana", NOON, now=NOON)
    [before] = talk.practice.check_ins("Ana")
    talk.practice.set_rule(delay_minutes="180", expiry_hours="24")
    replan_all(talk.ctx, talk.id, NOON)
    [after] = talk.practice.check_ins("Ana")
    assert after.id == before.id
    assert (after.due_at, after.expires_at) == (NOON + 3 * HOUR, NOON + 27 * HOUR)
    assert talk.practice.check_ins("Ben") == asked_before


def test_a_cancelled_appointment_takes_its_check_in_back_and_says_why(talk: Talk) -> None:
    ref = talk.practice.visit("Ana", NOON, now=NOON)
    change(talk, ref, NOON, status="cancelled")
    assert talk.practice.check_ins("Ana") == []
    assert not_asked(talk) == [schedule.CANCELLED]
    change(talk, ref, NOON, status="attended")
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["planned"]
    assert not_asked(talk) == [None]


def test_a_check_in_whose_welcome_is_out_is_kept_as_cancelled_with_the_reason(talk: Talk) -> None:
    ref = talk.practice.visit("Ana", NOON - 3 * HOUR, now=NOON)
    asking.ask_due(talk.ctx, NOON)
    change(talk, ref, NOON, status="no_show")
    assert [(c.state, c.reason) for c in talk.practice.check_ins("Ana")] == [("cancelled", schedule.NO_SHOW)]


@pytest.mark.parametrize("state", ["claimed", "in_doubt", "needs_person"])
def test_a_question_that_is_with_the_provider_is_left_to_the_providers_answer(talk: Talk, state: str) -> None:
    ref = talk.practice.visit("Ana", NOON - 3 * HOUR, now=NOON)
    [check_in] = talk.practice.check_ins("Ana")
    draft = Draft("check_in", "q", "sms", PHONES["Ana"], "...", client_id=check_in.client_id, check_in_id=check_in.id)
    with talk.ctx.store.transaction() as tx:
        outbox.put(tx, talk.id, draft, NOON, NOON)
        tx.run("update outbox set state = :state, attempt_id = 'a1'", {"state": state})
    change(talk, ref, NOON, status="cancelled")
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["planned"]


def test_what_is_due_is_not_moved_along_with_the_clock(talk: Talk) -> None:
    talk.practice.visit("Ana", NOON - 3 * HOUR, now=NOON - 3 * HOUR)
    [before] = talk.practice.check_ins("Ana")
    for minutes in (0, 5, 10):
        replan_all(talk.ctx, talk.id, NOON + timedelta(minutes=minutes))
    assert talk.practice.check_ins("Ana") == [before]


def test_an_open_check_in_closes_when_an_appointment_booked_since_starts(talk: Talk) -> None:
    check_in = talk.asked("Ana", NOON)
    assert check_in.expires_at == NOON + 72 * HOUR
    ref = talk.practice.visit("Ana", NOON + 48 * HOUR, status="booked", now=NOON + HOUR)
    starts_at = NOON + 48 * HOUR - timedelta(minutes=50)
    assert talk.last("Ana").expires_at == starts_at
    change(talk, ref, NOON + HOUR, status="cancelled")
    assert talk.last("Ana").expires_at == starts_at, "it never opens again for longer"


@pytest.mark.parametrize(("status", "days"), [("cancelled", 2), ("no_show", 2), ("booked", 7), ("attended", -1)])
def test_other_appointments_leave_an_open_check_in_as_it_is(talk: Talk, status: str, days: int) -> None:
    talk.asked("Ana", NOON)
    talk.practice.visit("Ana", NOON + days * DAY, status=status, now=NOON + HOUR)
    assert talk.last("Ana").expires_at == NOON + 72 * HOUR


def test_a_check_in_that_never_went_out_is_no_reason_to_wait_and_no_silence(talk: Talk) -> None:
    talk.practice.visit("Ana", NOON, now=NOON)
    [lost] = talk.practice.check_ins("Ana")
    with talk.ctx.store.transaction() as tx:
        check_ins.set_state(tx, talk.id, lost.id, "failed", NOON)
    talk.practice.visit("Ana", NOON + DAY, now=NOON + DAY)
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["failed", "planned"]
    assert [(a.at, a.answered, a.closed) for a in askings_of(talk.practice.check_ins("Ana"))] == [
        (LONG_AGO, False, False)
    ]


def test_after_a_check_in_that_was_asked_the_gap_is_kept(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    talk.practice.visit("Ana", NOON + DAY, now=NOON + DAY)
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["asked"]
    assert not_asked(talk)[-1] == schedule.TOO_SOON


def test_an_answer_ends_the_pause_that_silence_brought(talk: Talk) -> None:
    """After four unanswered only every fourth appointment is asked about, until the client writes."""
    for week in range(4):
        talk.asked("Ana", NOON + 7 * week * DAY)
        asking.expire_due(talk.ctx, NOON + 7 * week * DAY + 73 * HOUR)
    fifth = NOON + 28 * DAY
    talk.practice.visit("Ana", fifth, now=fifth)
    assert not_asked(talk)[-1] == schedule.QUIET
    talk.text("Ana", "sorry! 5 5 5", fifth + HOUR)
    talk.practice.visit("Ana", fifth + 7 * DAY, now=fifth + 7 * DAY)
    assert talk.practice.check_ins("Ana")[-1].state == "planned"


def test_a_machines_reply_ends_no_silence(talk: Talk) -> None:
    for week in range(4):
        talk.asked("Ana", NOON + 7 * week * DAY)
        asking.expire_due(talk.ctx, NOON + 7 * week * DAY + 73 * HOUR)
    talk.text("Ana", "I am driving", NOON + 27 * DAY)
    with talk.ctx.store.transaction() as tx:
        tx.run("update inbox set kind = 'autoreply'")
    talk.practice.visit("Ana", NOON + 28 * DAY, now=NOON + 28 * DAY)
    assert not_asked(talk)[-1] == schedule.QUIET


def test_a_zone_this_machine_does_not_know_is_the_practices(talk: Talk) -> None:
    with talk.ctx.store.transaction() as tx:
        tx.run("update client set timezone = 'Mars/Olympus' where id = :id", {"id": talk.practice.clients["Ana"]})
    talk.practice.visit("Ana", at("09-07 21:00"), now=NOON)
    assert [each.due_at for each in talk.practice.check_ins("Ana")] == [at("09-08 09:00")]


def test_one_more_hour_is_not_planned_for_someone_without_consent(talk: Talk) -> None:
    with talk.ctx.store.transaction() as tx:
        tx.run("update client set consent_at = null where id = :id", {"id": talk.practice.clients["Ana"]})
        assert clients.get(tx, talk.id, talk.practice.clients["Ana"]).consent_at is None
    talk.practice.visit("Ana", NOON, now=NOON)
    assert talk.practice.check_ins("Ana") == []
    assert not_asked(talk) == [schedule.NO_CONSENT]
