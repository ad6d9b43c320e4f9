"""What a manager may type for each key of the rule, and how it is shown."""

import pytest

from surveys.keys import FORMS
from surveys.window import NO_HOLIDAYS


@pytest.mark.parametrize(
    ("key", "text", "shown"),
    [
        ("hours", "9:00 - 20:00", "09:00-20:00"),
        ("hours", "00:00-24:00", "00:00-24:00"),
        ("days", "mon..sat", "mon,tue,wed,thu,fri,sat"),
        ("days", "Mon-Wed, fri", "mon,tue,wed,fri"),
        ("days", "sat-mon", "mon,sat,sun"),
        ("days", "sun", "sun"),
        ("next_day_at", "8:05", "08:05"),
        ("next_day_at", "", ""),
        ("paused_until", "2026-12-01", "2026-12-01"),
        ("paused_until", "2026-12-01T09:00-05:00", "2026-12-01T09:00:00-05:00"),
        ("paused_until", "2026-12-01T14:00Z", "2026-12-01T14:00:00+00:00"),
        ("paused_until", "", ""),
        ("holidays", "2026-12-25, us-ny", "US-NY,2026-12-25"),
        ("holidays", "", ""),
        ("channels", "SMS, mail", "sms,mail"),
        ("channels", "mail", "mail"),
        ("channels", "", ""),
        ("link", "yes", "yes"),
        ("link", "no", "no"),
        ("fourth", "any", "any"),
        ("fourth", "seen, accepted", "accepted,seen"),
        ("fourth", "dependable,accepted,involved,seen", "any"),
    ],
)
def test_a_value_may_be_typed_loosely_and_is_shown_plainly(key: str, text: str, shown: str) -> None:
    assert FORMS[key].show(FORMS[key].read(text)) == shown


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("hours", "20:00-09:00"),
        ("hours", "09:00-09:00"),
        ("hours", "09:00"),
        ("hours", "09:00-24:30"),
        ("hours", "24:00-24:00"),
        ("hours", "09:60-10:00"),
        ("hours", "09:00-12:00-13:00"),
        ("days", ""),
        ("days", "mon,"),
        ("days", "mon..tue..wed"),
        ("days", "funday"),
        ("next_day_at", "24:00"),
        ("next_day_at", "soon"),
        ("paused_until", "2026-12-01T09:00"),
        ("paused_until", "1999-12-01"),
        ("paused_until", "9999-12-01T00:00Z"),
        ("paused_until", "tomorrow"),
        ("holidays", "US-ZZ"),
        ("holidays", "US-"),
        ("holidays", "Atlantis"),
        ("holidays", "2026-02-30"),
        ("delay_minutes", "-1"),
        ("delay_minutes", "1.5"),
        ("delay_minutes", "1_0"),
        ("delay_minutes", "١٢"),
        ("delay_minutes", "007"),
        ("digits", "5"),
        ("which", "booked"),
        ("channels", "phone"),
        ("channels", "sms,sms"),
        ("link", "true"),
        ("link", ""),
        ("fourth", ""),
        ("fourth", "heard"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(key: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        FORMS[key].read(text)


def test_no_holidays_are_none() -> None:
    assert FORMS["holidays"].read("") == NO_HOLIDAYS
