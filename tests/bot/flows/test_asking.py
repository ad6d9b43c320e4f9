"""Asking, reminding, closing: what goes into the outbox when, and what a long silence leads to."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.flows import asking, sending, standing
from bot.flows.context import Context
from bot.flows.planning import replan_all
from bot.sandbox import Sandbox
from bot.store import check_ins, clients
from bot.store.clients import Entry
from surveys import rapport, schedule
from tests.support.cast import PHONES, Riverside
from tests.support.talk import CORE, Talk, at

NOON = at("09-07 12:00")  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def talk(ctx: Context, practice: Riverside) -> Talk:
    return Talk(ctx, practice)


def visit(talk: Talk, name: str, when: datetime) -> None:
    """A visit whose check-in is due then."""
    talk.practice.visit(name, when - 2 * HOUR, now=when - 2 * HOUR)


def work(talk: Talk, now: datetime) -> None:
    """What a worker does at one moment, until nothing is left to do."""
    for _ in range(10):
        asking.expire_due(talk.ctx, now)
        asking.ask_due(talk.ctx, now)
        asking.remind_due(talk.ctx, now)
        claimed = sending.claim(talk.ctx, "worker", now)
        for message in claimed:
            sending.deliver(talk.ctx, message, now)
        if not claimed:
            return


def got(talk: Talk, name: str) -> list[str]:
    """What the provider took for a client, by kind."""
    return [message.kind for message in talk.messages(name) if message.state == "sent"]


def join(talk: Talk, name: str, phone: str) -> None:
    entry = Entry(
        f"C-{name}", name, phone, "", "en", "America/New_York", "sms", NOON - 30 * DAY, talk.practice.staff["Theo"]
    )
    with talk.ctx.store.transaction() as tx:
        clients.save(tx, talk.id, entry, NOON)


def ignored(talk: Talk, name: str, times: int, first: datetime = NOON) -> datetime:
    """Weekly visits until so many check-ins were asked and ran out; the week after the last."""
    week = first
    while times:
        visit(talk, name, week)
        times -= talk.ask_planned(name, week) is not None
        asking.expire_due(talk.ctx, week + 73 * HOUR)
        week += 7 * DAY
    return week


# ---------------------------------------------------------------------------------- the welcome


def test_the_welcome_goes_first_and_once(talk: Talk) -> None:
    for week in range(2):
        visit(talk, "Ana", NOON + 7 * week * DAY)
        work(talk, NOON + 7 * week * DAY)
    assert got(talk, "Ana") == ["welcome", "check_in", "check_in"]


def test_the_question_waits_until_the_provider_has_the_welcome(talk: Talk) -> None:
    visit(talk, "Ana", NOON)
    assert asking.ask_due(talk.ctx, NOON) == 1
    assert asking.ask_due(talk.ctx, NOON) == 0
    assert talk.said("Ana") == ["welcome"]
    work(talk, NOON)
    assert got(talk, "Ana") == ["welcome", "check_in"]


def test_after_a_refused_welcome_the_next_check_in_brings_it_again(talk: Talk) -> None:
    """The sandbox refuses this number, as Twilio's documented test numbers do."""
    join(talk, "Ana", "+15005550009")
    visit(talk, "Ana", NOON)
    work(talk, NOON)
    assert [c.state for c in talk.practice.check_ins("Ana")] == ["failed"]
    join(talk, "Ana", PHONES["Ana"])
    visit(talk, "Ana", NOON + 7 * DAY)
    work(talk, NOON + 7 * DAY)
    assert got(talk, "Ana") == ["welcome", "check_in"]


@pytest.mark.parametrize(
    ("rule", "often"),
    [
        ({}, "about once a week"),
        ({"min_gap_days": "0"}, "after most visits"),
        ({"min_gap_days": "13"}, "about every two weeks"),
        ({"every": "4"}, "about once a month"),
    ],
)
def test_the_welcome_says_how_often_by_the_practices_rule(talk: Talk, rule: dict[str, str], often: str) -> None:
    talk.practice.set_rule(**rule, first="9")
    visit(talk, "Ana", NOON)
    asking.ask_due(talk.ctx, NOON)
    assert often in talk.messages("Ana")[0].body


# ---------------------------------------------------------------------------------- the question


def test_a_check_in_asks_the_core_first_and_four_at_most(talk: Talk) -> None:
    visit(talk, "Ana", NOON)
    work(talk, NOON)
    feelings = talk.last("Ana").feelings
    assert feelings[:3] == CORE
    assert len(feelings) <= 4


def test_a_fault_in_the_signal_keeps_nobody_from_being_asked(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise FloatingPointError

    monkeypatch.setattr(rapport, "choose", broken)
    visit(talk, "Ana", NOON)
    work(talk, NOON)
    assert talk.last("Ana").feelings == CORE


def test_a_fault_with_one_client_holds_up_no_other(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was half done for the one is undone."""
    for name in ("Ana", "Ben"):
        visit(talk, name, NOON)
    with talk.ctx.store.transaction() as tx:
        clients.mark_welcomed(tx, talk.id, talk.practice.clients["Ana"], NOON)
    real, ana = asking.say_to, talk.practice.clients["Ana"]

    def broken_for_ana(ctx: Any, tx: Any, practice: Any, client: Any, *rest: Any) -> Any:
        if client.id == ana:
            raise ValueError
        return real(ctx, tx, practice, client, *rest)

    monkeypatch.setattr(asking, "say_to", broken_for_ana)
    asking.ask_due(talk.ctx, NOON)
    assert (talk.said("Ana"), talk.said("Ben")) == ([], ["welcome"])
    assert [each.feelings for each in talk.practice.check_ins("Ana")] == [()]


def test_without_a_number_the_check_in_is_cancelled_with_its_reason(talk: Talk) -> None:
    visit(talk, "Ana", NOON)
    with talk.ctx.store.transaction() as tx:
        clients.drop_address(tx, talk.id, talk.practice.clients["Ana"], "sms")
    work(talk, NOON)
    assert [(c.state, c.reason) for c in talk.practice.check_ins("Ana")] == [("cancelled", schedule.UNREACHABLE)]


def test_two_on_one_phone_are_asked_one_after_the_other_by_initial(talk: Talk) -> None:
    join(talk, "Ben", PHONES["Ana"])
    for name in ("Ana", "Ben"):
        visit(talk, name, NOON)
    work(talk, NOON)
    asked = [message for message in talk.messages("Ana") if message.kind == "check_in" and message.state == "sent"]
    first = next(name for name, client_id in talk.practice.clients.items() if client_id == asked[0].client_id)
    second = {"Ana": "Ben", "Ben": "Ana"}[first]
    assert len(asked) == 1
    assert asked[0].body.startswith(f"For {first[0]}.: ")
    talk.text("Ana", "5 4 5 3" if len(talk.last(first).feelings) == 4 else "5 4 5", NOON + HOUR)
    for minutes in (60, 91, 92, 122):  # the other one's turn is looked at every half hour
        work(talk, NOON + timedelta(minutes=minutes))
    [then] = [message for message in talk.messages("Ana") if message.client_id == talk.practice.clients[second]][-1:]
    assert (then.kind, then.state) == ("check_in", "sent")
    assert then.body.startswith(f"For {second[0]}.: ")


# ---------------------------------------------------------------------------------- reminders


def test_one_reminder_after_a_day_without_an_answer(talk: Talk) -> None:
    visit(talk, "Ana", NOON)
    for hours in (0, 23, 24, 25, 48):
        work(talk, NOON + hours * HOUR)
    assert got(talk, "Ana") == ["welcome", "check_in", "reminder"]
    assert talk.last("Ana").state == "reminded"


@pytest.mark.parametrize("body", ["5 4 5", "5", "stop"])
def test_no_reminder_after_an_answer_or_stop(talk: Talk, body: str) -> None:
    visit(talk, "Ana", NOON)
    work(talk, NOON)
    talk.text("Ana", body, NOON + HOUR)
    work(talk, NOON + 24 * HOUR)
    assert "reminder" not in talk.said("Ana")


def test_no_reminder_when_the_practice_wants_none(talk: Talk) -> None:
    talk.practice.set_rule(reminder_hours="0")
    visit(talk, "Ana", NOON)
    for hours in (0, 24, 48):
        work(talk, NOON + hours * HOUR)
    assert got(talk, "Ana") == ["welcome", "check_in"]


# ---------------------------------------------------------------------------------- the end


def test_a_check_in_closes_when_its_time_is_over_and_is_assessed(talk: Talk) -> None:
    visit(talk, "Ana", NOON)
    work(talk, NOON)
    work(talk, NOON + 71 * HOUR)
    assert talk.last("Ana").state == "reminded"
    work(talk, NOON + 72 * HOUR)
    assert talk.last("Ana").state == "expired"
    assert len(talk.practice.rows("select 1 from to_assess")) == 1


def test_what_could_not_be_sent_in_time_is_closed_with_its_reason_and_never_asked(talk: Talk) -> None:
    visit(talk, "Ana", NOON)
    late = NOON + 10 * DAY
    assert asking.ask_due(talk.ctx, late) == 0
    work(talk, late)
    [found] = talk.practice.check_ins("Ana")
    assert (found.state, found.reason) == ("expired", "its time was over before it could be sent")
    assert talk.said("Ana") == []
    assert talk.practice.rows("select 1 from to_assess") == []


def test_after_days_of_downtime_each_client_gets_one_check_in_at_most(talk: Talk) -> None:
    """Daily appointments, no gap wanted, a week down: only the newest is caught up."""
    talk.practice.set_rule(min_gap_days="0", expiry_hours="168")
    for name in ("Ana", "Ben"):
        for day in range(6):
            visit(talk, name, NOON + day * DAY)
    back = NOON + 5 * DAY + 3 * HOUR
    replan_all(talk.ctx, talk.id, back)
    for minutes in (0, 1, 2):
        work(talk, back + timedelta(minutes=minutes))
    for name in ("Ana", "Ben"):
        assert got(talk, name) == ["welcome", "check_in"]
        newest = max(talk.practice.check_ins(name), key=lambda each: each.due_at)
        assert talk.last(name).id == newest.id


# ---------------------------------------------------------------------------------- silence


def test_after_eight_unanswered_in_a_row_the_therapist_is_told_once(talk: Talk) -> None:
    after = ignored(talk, "Ana", 7)
    assert talk.alerts() == []
    after = ignored(talk, "Ana", 1, after)
    assert talk.alerts() == [("silent", "Ana")]
    alert = talk.practice.rows("select therapist_id, check_in_id from alert")[0]
    assert alert == {"therapist_id": talk.practice.staff["Theo"], "check_in_id": talk.last("Ana").id}


def test_one_more_that_runs_out_after_the_eighth_is_not_told_again(talk: Talk) -> None:
    """It may have been on its way when the eighth ran out."""
    after = ignored(talk, "Ana", 8)
    with talk.ctx.store.transaction() as tx:
        tx.run("update alert set acknowledged_at = 1, next_step_at = null")
    visit(talk, "Ana", after)
    appointment = talk.practice.rows("select * from appointment order by starts_at desc limit 1")[0]
    row = (appointment["id"], appointment["client_id"], appointment["therapist_id"], after, after + 72 * HOUR)
    with talk.ctx.store.transaction() as tx:
        check_ins.add_planned(tx, talk.id, [row])  # type: ignore[list-item]
    assert talk.ask_planned("Ana", after)
    asking.expire_due(talk.ctx, after + 73 * HOUR)
    assert talk.last("Ana").state == "expired"
    assert talk.alerts() == [("silent", "Ana")]


def test_a_silence_that_goes_on_after_starting_again_is_told_again_only_after_eight_more(talk: Talk) -> None:
    after = ignored(talk, "Ana", 8)
    standing.resume(talk.ctx, talk.practice.practice, "C-Ana", "command", after)
    with talk.ctx.store.transaction() as tx:
        tx.run("update alert set acknowledged_at = 1, next_step_at = null")
    after = ignored(talk, "Ana", 7, after + DAY)
    assert talk.alerts() == [("silent", "Ana")]
    ignored(talk, "Ana", 1, after)
    assert talk.alerts() == [("silent", "Ana")] * 2


def test_one_word_from_the_client_ends_the_silence(talk: Talk) -> None:
    after = ignored(talk, "Ana", 6)
    talk.text("Ana", "sorry, i am travelling", after)
    ignored(talk, "Ana", 7, after + DAY)
    assert talk.alerts() == []


def test_after_eight_no_more_are_planned_until_the_practice_starts_them_again(talk: Talk) -> None:
    after = ignored(talk, "Ana", 8)
    talk.practice.visit("Ana", after, now=after)
    assert talk.practice.rows("select not_asked from appointment order by starts_at desc limit 1") == [
        {"not_asked": schedule.GONE_QUIET}
    ]
    assert standing.resume(talk.ctx, talk.practice.practice, "C-Ana", "command", after)
    assert talk.practice.check_ins("Ana")[-1].state == "planned"


@pytest.mark.parametrize("state", ["discharged", "on_hold"])
def test_silence_of_someone_no_longer_asked_is_no_news(talk: Talk, state: str) -> None:
    eighth = eighth_asked(talk)
    standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", state, "command", eighth)
    asking.expire_due(talk.ctx, eighth + 73 * HOUR)
    assert talk.last("Ana").state == "expired"
    assert talk.alerts() == []


def test_a_check_in_answered_in_part_is_no_silence(talk: Talk) -> None:
    eighth = eighth_asked(talk)
    talk.text("Ana", "5", eighth)
    asking.expire_due(talk.ctx, eighth + 73 * HOUR)
    assert talk.last("Ana").state == "expired"
    assert talk.alerts() == []


def eighth_asked(talk: Talk) -> datetime:
    """Seven ran out, and the eighth has just been asked; when."""
    week = ignored(talk, "Ana", 7)
    while True:
        visit(talk, "Ana", week)
        if talk.ask_planned("Ana", week):
            return week
        week += 7 * DAY


def test_nothing_is_written_while_nothing_is_due(talk: Talk, sandbox: Sandbox) -> None:
    """A worker looks twice a second; replies must not wait for its turn at writing."""
    visit(talk, "Ana", NOON)
    with talk.ctx.store.transaction(write=False) as tx:
        before = check_ins.next_due(tx)
    assert before == NOON
    for step in (asking.expire_due, asking.ask_due, asking.remind_due):
        assert step(talk.ctx, NOON - HOUR) == 0
