"""A rule in plain words."""

import pytest

from surveys.keys import FORMS
from surveys.rule_wording import LABELS, differences, say, span
from surveys.schedule import Schedule


def test_every_key_has_a_name_and_says_something_at_its_default() -> None:
    shown = Schedule().show()
    assert set(LABELS) == set(FORMS)
    assert all(say(key, shown[key]) for key in FORMS)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("delay_minutes", "180", "waits 3 h"),
        ("delay_minutes", "0", "at once"),
        ("every", "1", "every visit"),
        ("every", "2", "every 2nd visit"),
        ("every", "11", "every 11th visit"),
        ("first", "3", "the first 3 all"),
        ("days", "mon,tue,wed,thu,fri,sat", "Mon to Sat"),
        ("days", "mon,wed,thu,fri,sun", "Mon, Wed to Fri, Sun"),
        ("days", "mon,tue,wed,thu,fri,sat,sun", "every day"),
        ("hours", "00:00-24:00", "at any hour"),
        ("min_gap_days", "1", "at least 1 day apart"),
        ("reminder_hours", "0", "none"),
        ("next_day_at", "10:00", "at 10:00"),
        ("paused_until", "", "no pause"),
        ("paused_until", "2026-12-01", "paused until 1 December 2026"),
        ("paused_until", "2026-12-01T09:00-05:00", "paused until 1 December 2026, 09:00 (UTC-0500)"),
        ("channels", "", "each client's own"),
        ("channels", "sms,mail", "text first, then mail"),
        ("channels", "mail", "by mail only"),
        ("link", "yes", "texts carry a link"),
        ("fourth", "accepted,seen", "accepted, seen"),
        ("holidays", "US,2026-12-24", "US, 2026-12-24"),
    ],
)
def test_a_value_in_words(key: str, text: str, words: str) -> None:
    assert say(key, text) == words


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "0 min"), (45, "45 min"), (150, "2 h 30 min"), (1440, "1 day"), (4380, "3 days 1 h")]
)
def test_lengths_of_time(minutes: int, words: str) -> None:
    assert span(minutes) == words


def test_what_differs_is_told_against_the_default_or_against_the_practice() -> None:
    assert differences({}, {"digits": "3"}) == [("Questions", "three, now and then four", "three")]
    assert differences({"digits": "3"}, {}, "as the practice") == [("Questions", "three", "as the practice")]
