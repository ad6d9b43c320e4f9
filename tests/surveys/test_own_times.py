"""A person's quiet hours and the hour of their digest, read from text and compared with a clock."""

from datetime import UTC, datetime

import pytest

from surveys.own_times import BadTime, Digest, QuietHours

NEW_YORK = "America/New_York"


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_quiet_hours_over_midnight_end_in_the_morning() -> None:
    quiet = QuietHours.read("20:00-07:00")
    assert quiet
    assert quiet.over_at(at(2026, 9, 15, 1), NEW_YORK) == at(2026, 9, 15, 11), "nine in the evening"
    assert quiet.over_at(at(2026, 9, 15, 10), NEW_YORK) == at(2026, 9, 15, 11), "six in the morning"
    assert quiet.over_at(at(2026, 9, 15, 11), NEW_YORK) is None, "seven: they are over"
    assert quiet.over_at(at(2026, 9, 15, 16), NEW_YORK) is None


def test_quiet_hours_within_a_day() -> None:
    quiet = QuietHours.read("12:00-13:30")
    assert quiet
    assert quiet.over_at(at(2026, 9, 15, 16, 15), NEW_YORK) == at(2026, 9, 15, 17, 30)
    assert quiet.over_at(at(2026, 9, 15, 18), NEW_YORK) is None


def test_quiet_hours_end_at_the_change_of_the_clock_too() -> None:
    quiet = QuietHours.read("22:00-02:30")
    assert quiet
    assert quiet.over_at(at(2027, 3, 14, 5), NEW_YORK) == at(2027, 3, 14, 7), "half past two doesn't exist that night"


def test_nothing_written_means_none() -> None:
    assert QuietHours.read("") is None
    assert Digest.read("") is None


@pytest.mark.parametrize("text", ["20:00", "20-7", "24:00-07:00", "20:00-20:00", "late-early", "8:00-9:00"])
def test_quiet_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(BadTime):
        QuietHours.read(text)


@pytest.mark.parametrize("text", ["monday 08:00", "mon", "mon 8", "08:00"])
def test_a_digest_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        Digest.read(text)


@pytest.mark.parametrize("text", ["20:00-07:00", "00:00-23:59"])
def test_text_comes_back_as_it_was(text: str) -> None:
    assert str(QuietHours.read(text)) == text
    assert str(Digest.read("mon 08:00")) == "mon 08:00"


def test_a_digest_was_last_due_this_week_or_the_week_before() -> None:
    digest = Digest.read("mon 08:00")
    assert digest
    assert digest.latest(at(2026, 9, 14, 12), NEW_YORK) == at(2026, 9, 14, 12), "Monday at eight sharp"
    assert digest.latest(at(2026, 9, 14, 11, 59), NEW_YORK) == at(2026, 9, 7, 12)
    assert digest.latest(at(2026, 9, 20, 3), NEW_YORK) == at(2026, 9, 14, 12), "still Saturday there"
