"""How notes do in a practice: only where the figures speak of nobody, and only up to the month's beginning."""

from datetime import UTC, datetime, timedelta

from bot.flows.insight import Insight, insight, month_began
from bot.store import alerts, notes
from tests.support.cast import Riverside
from tests.support.therapist import me_of, raised, third_therapist

OCTOBER = datetime(2026, 10, 5, 15, tzinfo=UTC)


def seen(practice: Riverside, now: datetime = OCTOBER) -> Insight:
    return insight(practice.ctx, me_of(practice, "Dana", "manager"), now)


def test_figures_are_of_the_whole_practice(practice: Riverside) -> None:
    third_therapist(practice)
    raised(practice, "Theo", 4, "helpful")
    raised(practice, "Ines", 4, "false")
    raised(practice, "Mo", 4)
    found = seen(practice).figures
    assert found
    assert (found.opened, found.judged, found.taken.count) == (12, 8, 12)
    assert (found.helpful.count, found.wrong.count, found.helpful.of) == (4, 4, 8)


def test_two_therapists_are_too_few(practice: Riverside) -> None:
    raised(practice, "Theo", 6)
    raised(practice, "Ines", 6)
    assert (seen(practice).figures, seen(practice).why_not) == (None, "therapists")


def test_a_therapist_with_most_of_the_notes_keeps_them_all_hidden(practice: Riverside) -> None:
    third_therapist(practice)
    raised(practice, "Theo", 9)
    raised(practice, "Ines", 4)
    raised(practice, "Mo", 4)
    assert (seen(practice).figures, seen(practice).why_not) == (None, "one")


def test_nothing_changes_between_the_beginnings_of_months(practice: Riverside) -> None:
    third_therapist(practice)
    for name in ("Theo", "Ines", "Mo"):
        raised(practice, name, 4)
    before = seen(practice)
    raised(practice, "Theo", 3, "false", at=OCTOBER - timedelta(days=2))
    with practice.ctx.store.transaction() as tx:
        first = alerts.of_therapist(tx, practice.practice.id, practice.staff["Theo"])[-1]
        notes.save_verdict(tx, first, "false", practice.staff["Theo"], OCTOBER)
    assert seen(practice) == before
    later = seen(practice, datetime(2026, 11, 2, tzinfo=UTC)).figures
    assert later
    assert (later.opened, later.wrong.count) == (15, 4)


def test_a_month_begins_by_the_practices_clock() -> None:
    assert month_began(datetime(2026, 10, 1, 3, tzinfo=UTC), "America/New_York") == datetime(2026, 9, 1, 4, tzinfo=UTC)


def test_another_practices_notes_do_not_count(practice: Riverside) -> None:
    third_therapist(practice)
    for name in ("Theo", "Ines", "Mo"):
        raised(practice, name, 4)
    with practice.ctx.store.transaction(write=False) as tx:
        assert notes.counts(tx, "another", OCTOBER) == []
