"""Groups over time: only months that are over, counted once, and as they were then."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.flows import groups
from bot.flows.access import Me, NotHere
from bot.store import check_ins, clients, inbox, people, practices
from bot.store.clients import Entry
from bot.store.inbox import Inbound
from surveys import groups as rule
from tests.support.cast import Riverside
from tests.support.managing import manager

NOVEMBER = datetime(2026, 11, 9, 12, 0, tzinfo=UTC)  # October closed on the eighth
OCTOBER = datetime(2026, 10, 12, 15, 0, tzinfo=UTC)


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


def answer(practice: Riverside, at: datetime, count: int = 6, score: int = 4, language: str = "en") -> None:
    """So many clients of three therapists answer one question each, on the same day."""
    tx_practice = practice.practice.id
    with practice.ctx.store.transaction() as tx:
        third, _ = people.save(tx, tx_practice, name="Uma", email="uma@riverside.example", now=at)
        therapists = [practice.staff["Theo"], practice.staff["Ines"], third]
        for n in range(count):
            ref, who = f"{language}-{n}", therapists[n % 3]
            entry = Entry(ref, ref, f"+1202555{n:04}", "", language, "America/New_York", "sms", at, who)
            practice.clients[ref], _ = clients.save(tx, tx_practice, entry, at)
            practice.staff[f"of {ref}"] = who
    for n in range(count):
        ref = f"{language}-{n}"
        practice.visit(ref, at, therapist=f"of {ref}")
        found = practice.check_ins(ref)[-1]
        with practice.ctx.store.transaction() as tx:
            kept = inbox.remember(tx, tx_practice, Inbound("sms", f"SM{ref}{at}", f"+1202555{n:04}", "4"), at)
            assert kept
            check_ins.add_answers(tx, tx_practice, found.id, kept, {"heard": score}, at, False)
            check_ins.set_state(tx, tx_practice, found.id, "answered", at)


def means(practice: Riverside, dana: Me, now: datetime = NOVEMBER, group: str = "all") -> dict[str, float | str]:
    """What is shown of "heard", by month: its mean, or why not."""
    found = groups.show(practice.ctx, dana, group, now).cells
    return {month: cell.shown.mean if cell.shown else cell.why for (_, month), cell in found.items()}


def test_a_month_is_shown_a_week_after_it_is_over(practice: Riverside, dana: Me) -> None:
    answer(practice, OCTOBER)
    assert means(practice, dana, datetime(2026, 11, 7, 12, 0, tzinfo=UTC)) == {}
    assert means(practice, dana) == {"2026-10": 4.0}
    found = groups.show(practice.ctx, dana, "all", NOVEMBER)
    assert (found.next_month, found.next_at) == ("2026-11", date(2026, 12, 8))


def test_too_few_are_a_gap_with_its_reason(practice: Riverside, dana: Me) -> None:
    answer(practice, OCTOBER, count=4)
    assert means(practice, dana) == {"2026-10": rule.FEW_CLIENTS}


def test_a_month_that_was_counted_stays_as_it_was(practice: Riverside, dana: Me) -> None:
    """Whoever is erased, moved, merged or read anew later can't be told from the difference."""
    answer(practice, OCTOBER)
    before = means(practice, dana)
    with practice.ctx.store.transaction() as tx:
        tx.run("update answer set score = 1 where id = (select min(id) from answer)")
        tx.run("update client set language = 'fr' where client_ref = 'en-0'")
    assert means(practice, dana) == before
    assert means(practice, dana, NOVEMBER + timedelta(days=40))["2026-10"] == 4.0


def test_a_small_language_is_neither_shown_nor_left_as_the_difference(practice: Riverside, dana: Me) -> None:
    answer(practice, OCTOBER, count=12)
    answer(practice, OCTOBER, count=3, score=1, language="es")
    assert means(practice, dana, group="language=es") == {"2026-10": rule.FEW_CLIENTS}
    assert means(practice, dana, group="language=en") == {"2026-10": rule.GIVES_AWAY}
    assert isinstance(means(practice, dana)["2026-10"], float)


def test_nothing_is_cut_by_therapist_or_by_anything_unknown(practice: Riverside, dana: Me) -> None:
    for group in ("therapist=1", "language=de", "", "all' or 1=1"):
        with pytest.raises(NotHere):
            groups.show(practice.ctx, dana, group, NOVEMBER)


def test_the_worker_counts_months_once_for_all_practices(practice: Riverside, dana: Me) -> None:
    answer(practice, OCTOBER - timedelta(days=30))
    answer(practice, OCTOBER)
    assert groups.close_months(practice.ctx, NOVEMBER) == 2
    assert groups.close_months(practice.ctx, NOVEMBER) == 0
    assert means(practice, dana) == {"2026-09": 4.0, "2026-10": 4.0}


def test_an_answer_at_midnight_belongs_to_the_month_on_the_practices_clock(practice: Riverside, dana: Me) -> None:
    """Three in the morning of the first in Greenwich is still September in New York."""
    answer(practice, datetime(2026, 10, 1, 3, 0, tzinfo=UTC))
    assert means(practice, dana) == {"2026-09": 4.0}


def test_managers_only_and_of_this_practice(practice: Riverside, dana: Me) -> None:
    answer(practice, OCTOBER)
    with pytest.raises(NotHere):
        groups.show(practice.ctx, manager(practice.ctx, practice.practice, practice.staff["Theo"], "therapist"), "all",
                    NOVEMBER)  # fmt: skip
    with practice.ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", OCTOBER)
    stranger = Me(dana.person, other, frozenset({"manager"}), True, "s")
    assert groups.show(practice.ctx, stranger, "all", NOVEMBER).cells == {}
