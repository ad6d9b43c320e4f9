"""Months by a practice's clock, and the morning of the letter about each."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.months import Month, latest_letter, letter_due
from surveys.window import NO_HOLIDAYS, Holidays

NEW_YORK = "America/New_York"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_months_follow_one_another_over_the_year() -> None:
    assert (Month(2026, 1).before, Month(2026, 12).after) == (Month(2025, 12), Month(2027, 1))
    assert str(Month(2026, 3)) == "2026-03"


def test_a_month_begins_by_the_practices_clock() -> None:
    assert Month(2026, 11).begins(NEW_YORK) == utc("2026-11-01T04:00")
    assert Month.at(utc("2026-11-01T03:59"), NEW_YORK) == Month(2026, 10)


@pytest.mark.parametrize(
    ("month", "closed", "due"),
    [
        (Month(2026, 8), NO_HOLIDAYS, "2026-09-01T13:00"),  # a Tuesday
        (Month(2026, 10), NO_HOLIDAYS, "2026-11-02T14:00"),  # the 1st is a Sunday, and the clocks went back on it
        (Month(2026, 12), Holidays(regions=("US",)), "2027-01-04T14:00"),  # New Year's Day, then a weekend
        (Month(2026, 8), Holidays(dates=frozenset({date(2026, 9, 1)})), "2026-09-02T13:00"),
    ],
)
def test_the_letter_is_due_at_nine_on_the_first_working_day(month: Month, closed: Holidays, due: str) -> None:
    assert letter_due(month, NEW_YORK, closed) == utc(due)


def test_before_that_morning_the_latest_letter_is_the_one_before() -> None:
    due = utc("2026-11-02T14:00")
    assert latest_letter(due, NEW_YORK, NO_HOLIDAYS) == (due, Month(2026, 10))
    assert latest_letter(due - timedelta(seconds=1), NEW_YORK, NO_HOLIDAYS)[1] == Month(2026, 9)


@given(
    st.integers(0, 6 * 365 * 24).map(lambda hours: utc("2024-01-01T00:00") + timedelta(hours=hours)),
    st.sampled_from([NEW_YORK, "Pacific/Apia", "Australia/Lord_Howe", "America/Sao_Paulo"]),
)
def test_the_latest_letter_is_never_ahead_and_the_next_is(now: datetime, zone: str) -> None:
    due, month = latest_letter(now, zone, NO_HOLIDAYS)
    assert due <= now < letter_due(month.after, zone, NO_HOLIDAYS)
