"""Days told as people tell them, on the practice's own calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from surveys.page_wording import page_words
from surveys.reading_words import kind, left_open, mention

NOW = datetime(2026, 9, 17, 16, 0, tzinfo=UTC)  # a Thursday, noon in New York


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(hours=1), "today"),
        (timedelta(hours=13), "yesterday"),
        (timedelta(days=2), "Tuesday"),
        (timedelta(days=6), "Friday"),
        (timedelta(days=7), "10 Sep"),
        (timedelta(days=365), "17 September 2025"),
        (timedelta(days=-3), "20 Sep"),
    ],
)
def test_a_day_is_told_by_how_long_ago_it_was(ago: timedelta, told: str) -> None:
    assert page_words("en", "America/New_York").lately(NOW - ago, NOW) == told


def test_the_calendar_is_the_practices() -> None:
    late = datetime(2026, 9, 17, 2, 0, tzinfo=UTC)  # still Wednesday in New York
    assert page_words("en", "America/New_York").lately(late, NOW) == "yesterday"
    assert page_words("en", "UTC").lately(late, NOW) == "today"


def test_the_clock_is_told_as_the_language_does() -> None:
    assert page_words("en", "America/New_York").clock(NOW) == "12:00 pm"
    assert page_words("fr", "Europe/Paris").clock(NOW) == "18:00"


def test_each_rule_and_kind_has_words() -> None:
    assert left_open("S10") == "between two points of the scale"
    assert left_open("a rule to come") == "not said clearly enough"
    assert kind("late")
    assert kind("answer") == ""
    assert "denies" in mention("denial")
    assert "something new" in mention("something new")
