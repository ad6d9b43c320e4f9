"""What became of every appointment: nothing is lost on the page either, and no answer is on it."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.channels import InDoubt, Outgoing
from bot.flows import asking, client_record, delivery_page, sending, settling
from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.delivery_page import Delivery
from bot.flows.managing import Refused
from bot.store import clients, doubts, erasing, practices
from surveys import courtesy, schedule
from surveys.schedule import Client
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.managing import manager
from tests.support.weeks import one

NOW = MONDAY_NOON + timedelta(days=5)


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


class Lost:
    """Every answer is lost, and nothing can be looked up."""

    sender = "lost"

    def send(self, message: Outgoing) -> str:
        raise InDoubt("lost")

    def find(self, to: str, body: str, since: object) -> list[str]:
        raise InDoubt("lost")


def show(practice: Riverside, dana: Me) -> Delivery:
    return delivery_page.show(practice.ctx, dana, NOW)


def lose(practice: Riverside) -> str:
    """A question of which nobody knows whether it went out."""
    practice.visit("Ana", MONDAY_NOON)
    ctx, due = replace(practice.ctx, channels={"sms": Lost()}), MONDAY_NOON + timedelta(hours=2)
    asking.ask_due(ctx, due)
    for message in sending.claim(ctx, "w", due):
        sending.deliver(ctx, message, due)
    for hours in range(1, 26):
        settling.look_up_due(ctx, due + timedelta(hours=hours))
    return str(practice.rows("select id from outbox where state = 'needs_person'")[0]["id"])


def test_every_appointment_that_ended_is_in_the_sum_once(practice: Riverside, dana: Me) -> None:
    """Asked and answered, asked in vain, not asked for two reasons, still waiting, and one nobody knows about."""
    one(practice, "Ben", MONDAY_NOON, (5, 5, 5))
    one(practice, "Chidi", MONDAY_NOON, None)
    practice.visit("Chidi", MONDAY_NOON + timedelta(days=2), status="no_show")
    practice.visit("Ben", MONDAY_NOON + timedelta(days=1), status="cancelled")
    practice.visit("Ben", NOW - timedelta(minutes=30), now=NOW - timedelta(minutes=30))
    lose(practice)
    found = show(practice, dana)
    told = (found.sum.due, found.sum.sent, found.sum.skipped, found.sum.waiting, found.sum.held, found.sum.lost)
    assert told == (6, 2, 3, 0, 1, 0)
    assert found.sum.holds
    assert dict(found.reasons) == {schedule.NO_SHOW: 1, schedule.CANCELLED: 1, schedule.TOO_SOON: 1}


def test_an_appointment_without_check_in_or_reason_breaks_the_sum(practice: Riverside, dana: Me) -> None:
    practice.visit("Ana", MONDAY_NOON, status="no_show")
    with practice.ctx.store.transaction() as tx:
        tx.run("update appointment set not_asked = null")
    found = show(practice, dana)
    assert (found.sum.due, found.sum.lost, found.sum.holds) == (1, 1, False)


def test_what_waits_is_waiting(practice: Riverside, dana: Me) -> None:
    practice.visit("Ana", NOW - timedelta(minutes=10), now=NOW - timedelta(minutes=10))
    assert (show(practice, dana).sum.waiting, show(practice, dana).sum.holds) == (1, True)


def test_days_are_the_practices_and_the_newest_comes_first(practice: Riverside, dana: Me) -> None:
    """Half past eleven at night in New York is the next day in Greenwich."""
    late = MONDAY_NOON + timedelta(hours=11, minutes=30)
    practice.visit("Ana", late, status="no_show", now=late)
    days = [day for day in show(practice, dana).days if day.sum.due]
    assert [day.day for day in days] == [date(2026, 9, 7)]
    assert show(practice, dana).days[0].day == date(2026, 9, 12)
    assert len(show(practice, dana).days) == 28


def test_answers_count_by_the_clients_own_hour_and_how_long_they_took(practice: Riverside, dana: Me) -> None:
    one(practice, "Ana", MONDAY_NOON, (5, 5, 5))
    one(practice, "Ben", MONDAY_NOON, None)
    [rate] = show(practice, dana).hours
    assert (rate.name, rate.asked, rate.answered, rate.minutes, rate.share) == ("14", 2, 1, 60, 0.5)


def test_what_is_still_open_is_no_silence(practice: Riverside, dana: Me) -> None:
    one(practice, "Ana", MONDAY_NOON, (5, 5, 5))
    with practice.ctx.store.transaction() as tx:
        tx.run("update check_in set state = 'asked', answered_at = null")
    assert show(practice, dana).hours == []


def test_who_was_not_asked_is_listed_by_reason_without_their_names(practice: Riverside, dana: Me) -> None:
    ref = practice.visit("Ana", MONDAY_NOON, status="no_show")
    [line] = delivery_page.skipped(practice.ctx, dana, schedule.NO_SHOW, NOW)
    assert line == (practice.clients["Ana"], "C-Ana", [ref])
    with pytest.raises(NotHere):
        delivery_page.skipped(practice.ctx, dana, "no such reason", NOW)


def test_a_message_that_needs_a_person_is_settled_on_the_page(practice: Riverside, dana: Me) -> None:
    message_id = lose(practice)
    [task] = show(practice, dana).tasks
    assert (task.what, task.who, task.message_id) == ("settle", "C-Ana", message_id)
    stuck, whom = delivery_page.stuck(practice.ctx, dana, message_id)
    assert (stuck.address, whom) == ("+12025550101", "C-Ana")
    with pytest.raises(Refused):
        delivery_page.settle(practice.ctx, dana, message_id, "perhaps", NOW)
    delivery_page.settle(practice.ctx, dana, message_id, "sent", NOW)
    assert show(practice, dana).tasks == []
    with pytest.raises(NotHere):
        delivery_page.settle(practice.ctx, dana, message_id, "sent", NOW)


def test_clients_who_cannot_be_reached_are_tasks(practice: Riverside, dana: Me) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.drop_address(tx, practice.practice.id, practice.clients["Ana"], "sms")
    one(practice, "Ben", MONDAY_NOON, None)
    with practice.ctx.store.transaction() as tx:
        tx.run("update check_in set state = 'failed', reason = 'the number is not in service', asked_at = null")
    found = show(practice, dana).tasks
    assert [(task.who, task.what, task.why) for task in found] == [
        ("C-Ben", "reach", "the number is not in service"),
        ("C-Ana", "address", ""),
    ]


def test_opt_outs_are_counted_by_week_once_however_many_messages_they_took(practice: Riverside, dana: Me) -> None:
    client_record.opt_out(practice.ctx, dana, practice.clients["Ana"], NOW - timedelta(days=1))
    with practice.ctx.store.transaction() as tx:
        clients.note_consent(tx, practice.practice.id, practice.clients["Ben"], None, "restored", "reply", NOW)
    weeks = show(practice, dana).stops
    assert len(weeks) == 12
    assert weeks[-1] == (date(2026, 9, 7), 1, 1)


def test_money_is_told_where_a_price_is_set(practice: Riverside, dana: Me) -> None:
    assert show(practice, dana).cost.price == ""
    settings = {"segment_price": "0.0083", "segment_currency": "USD"}
    priced = replace(dana, practice=replace(practice.practice, settings=settings))
    assert show(practice, priced).cost.price == "USD 0.00"


def test_another_practice_sees_nothing_of_this_one(practice: Riverside, dana: Me) -> None:
    lose(practice)
    with practice.ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
    stranger = replace(dana, practice=other)
    found = show(practice, stranger)
    assert (found.sum.due, found.tasks) == (0, [])
    with pytest.raises(NotHere):
        show(practice, replace(dana, roles=frozenset({"therapist"})))


def test_every_reason_that_the_page_can_show_is_explained(practice: Riverside, ctx: Context) -> None:
    """Those of the schedule have a test of their own; here those that are given later, up to the moment of sending."""
    page = (Path(__file__).parents[3] / "docs" / "schedule.md").read_text(encoding="utf-8")
    practice.visit("Ana", MONDAY_NOON)
    asking.expire_due(ctx, MONDAY_NOON + timedelta(days=5))
    [overdue] = practice.rows("select reason from check_in")
    ana, rule = Client(zone="America/New_York", consent_at=MONDAY_NOON), schedule.Schedule()
    late = courtesy.Errand("check_in", MONDAY_NOON, expires_at=MONDAY_NOON)
    errands = [late, replace(late, expires_at=None), replace(late, planned=False)]
    dropped = [courtesy.judge(each, ana, rule, MONDAY_NOON) for each in errands]
    reasons = {each.reason for each in dropped if isinstance(each, courtesy.Drop)}
    assert len(reasons) == len(errands)
    reasons |= {str(overdue["reason"]), doubts.REASON, erasing.GONE, delivery_page.NO_REASON}
    assert [reason for reason in sorted(reasons) if f"| {reason} |" not in page] == []
