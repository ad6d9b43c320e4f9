"""Texts that are fetched late count as of when they were written: they undo and replace nothing that came after."""

from datetime import datetime, timedelta

import pytest

from bot.flows import planning, receiving
from bot.flows.context import Context
from bot.flows.mail_in import read_mail
from bot.store import check_ins, clients, outbox
from bot.store.inbox import Inbound
from bot.store.outbox import Draft
from tests.support.cast import MONDAY_NOON, PHONES, Riverside

MINUTE = timedelta(minutes=1)


def wrote(practice: Riverside, number: int, words: str, at: datetime) -> None:
    """Ana's text, taken in as of a time."""
    receiving.receive(practice.ctx, Inbound("sms", f"SM{number:032x}", PHONES["Ana"], words), at)


@pytest.fixture
def asked(practice: Riverside) -> Riverside:
    """Ana was asked at noon."""
    practice.visit("Ana", MONDAY_NOON - timedelta(hours=2), now=MONDAY_NOON - timedelta(hours=2))
    check_in = practice.check_ins("Ana")[0]
    ask(practice, check_in.id, MONDAY_NOON)
    return practice


def ask(practice: Riverside, check_in_id: str, at: datetime) -> None:
    where = (practice.practice.id, check_in_id)
    with practice.ctx.store.transaction() as tx:
        check_ins.set_feelings(tx, *where, ("heard", "respected", "understood"))
        check_ins.set_state(tx, *where, "asked", at)
        check_ins.set_asked(tx, *where, at, None, at + timedelta(hours=72))


def scores(practice: Riverside) -> list[int]:
    rows = practice.rows("select score from answer where replaced_at is null order by answered_at, id")
    return [int(str(row["score"])) for row in rows]


def test_a_start_written_before_a_stop_takes_nothing_back(practice: Riverside) -> None:
    """However late it is fetched."""
    wrote(practice, 1, "STOP", MONDAY_NOON)
    wrote(practice, 2, "please stop texting me", MONDAY_NOON + 12 * MINUTE)
    wrote(practice, 3, "START", MONDAY_NOON - 10 * MINUTE)
    assert practice.client("Ana").stopped


def test_a_start_takes_back_a_stop_on_every_address(practice: Riverside) -> None:
    """As our own text says."""
    with practice.ctx.store.transaction() as tx:
        for address in (PHONES["Ana"], "ana@clients.example"):
            clients.stop(tx, practice.practice.id, address, "manager", MONDAY_NOON)
        clients.mark_stopped(tx, practice.practice.id, practice.clients["Ana"], MONDAY_NOON)
    wrote(practice, 1, "START", MONDAY_NOON + MINUTE)
    assert not practice.client("Ana").stopped


def test_an_older_answer_replaces_no_newer_one(asked: Riverside) -> None:
    """A decline would be hidden."""
    wrote(asked, 1, "2 2 2", MONDAY_NOON + 15 * MINUTE)
    wrote(asked, 2, "5 5 5", MONDAY_NOON + 10 * MINUTE)
    assert scores(asked) == [2, 2, 2]


def test_an_answer_from_before_a_question_is_not_its_answer(asked: Riverside) -> None:
    """It was written about the visit before."""
    week = timedelta(days=7)
    asked.visit("Ana", MONDAY_NOON + week, now=MONDAY_NOON + week)
    first, second = asked.check_ins("Ana")
    ask(asked, second.id, MONDAY_NOON + week)
    wrote(asked, 1, "5 5 5", MONDAY_NOON + 10 * MINUTE)
    rows = asked.rows("select distinct check_in_id from answer")
    assert [row["check_in_id"] for row in rows] == [first.id]


def test_a_forged_mail_answers_no_question_that_went_by_text(asked: Riverside) -> None:
    """Anyone can write a From."""
    check_in = asked.check_ins("Ana")[0]
    draft = Draft(
        "check_in", "asked", "sms", PHONES["Ana"], "...", client_id=check_in.client_id, check_in_id=check_in.id
    )
    with asked.ctx.store.transaction() as tx:
        assert outbox.put(tx, asked.practice.id, draft, MONDAY_NOON, MONDAY_NOON)
    raw = b"From: ana@clients.example\r\nTo: notes@riverside.example\r\nMessage-ID: <1@x>\r\n\r\n2 2 2\r\n"
    receiving.receive(asked.ctx, read_mail(raw), MONDAY_NOON + 10 * MINUTE)
    assert scores(asked) == []


def test_a_rule_saved_and_never_planned_is_planned_by_a_worker(ctx: Context, practice: Riverside) -> None:
    """Should the process end between the two."""
    with ctx.store.transaction() as tx:
        planning.mark_to_plan(tx, practice.practice.id, MONDAY_NOON)
    assert planning.plan_marked(ctx, MONDAY_NOON + MINUTE) == 0
    assert planning.plan_marked(ctx, MONDAY_NOON + 3 * MINUTE) == 1
    assert planning.plan_marked(ctx, MONDAY_NOON + 4 * MINUTE) == 0
    assert practice.rows("select state from outbox") == [], "nobody is asked: it only plans"
