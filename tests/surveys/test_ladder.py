"""The ladder of a note with quiet hours, leave and a practice's own patience: every case, without a clock."""

from datetime import UTC, datetime, timedelta

import pytest

from surveys import alerting
from surveys.alerting import TAKEN_WITHIN, rung
from surveys.window import NO_HOLIDAYS

NEW_YORK = "America/New_York"
OPENED = datetime(2026, 9, 14, 22, 0, tzinfo=UTC)  # a Monday, six in the evening there
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEVEN = OPENED + 13 * HOUR


def test_whether_a_mail_was_taken_is_asked_half_an_hour_after_quiet_hours() -> None:
    first = rung("rapport", 0, OPENED, OPENED, NEW_YORK, NO_HOLIDAYS, quiet_until=SEVEN)
    assert (first.roles, first.next_at) == (("therapist",), SEVEN + TAKEN_WITHIN)


def test_a_mail_that_is_not_to_be_sent_yet_is_held_and_not_late() -> None:
    """The step stays, so that it is asked again when the hours have ended."""
    held = rung("rapport", 1, OPENED, OPENED + HOUR, NEW_YORK, NO_HOLIDAYS, quiet_until=SEVEN)
    assert (held.kind, held.next_step, held.next_at, held.roles) == ("held", 1, SEVEN + TAKEN_WITHIN, ())
    told = rung("rapport", 1, OPENED, OPENED + HOUR, NEW_YORK, NO_HOLIDAYS, quiet_until=SEVEN, told_at=OPENED)
    assert told.kind == "untaken"


def test_days_count_from_the_moment_it_was_told() -> None:
    told = rung("rapport", 1, OPENED, SEVEN + HOUR, NEW_YORK, NO_HOLIDAYS, told_at=SEVEN)
    assert told.next_at == SEVEN + DAY


@pytest.mark.parametrize("kind", ["rapport", "silent", "wrong_number"])
def test_a_covers_turn_comes_after_a_working_day(kind: str) -> None:
    assert rung(kind, 0, OPENED, OPENED, NEW_YORK, NO_HOLIDAYS, covered=True).roles == ("therapist",)
    assert rung(kind, 2, OPENED, OPENED + DAY, NEW_YORK, NO_HOLIDAYS, covered=True).roles == ("cover",)
    assert rung(kind, 2, OPENED, OPENED + DAY, NEW_YORK, NO_HOLIDAYS).roles == ("therapist",)


def test_a_wish_for_a_call_is_the_covers_at_once() -> None:
    assert rung("call", 0, OPENED, OPENED, NEW_YORK, NO_HOLIDAYS, covered=True).roles == ("therapist", "cover")


@pytest.mark.parametrize("step", range(5))
def test_danger_is_the_covers_at_every_step_and_knows_no_quiet_hours(step: int) -> None:
    """Nothing of the ladder moves for quiet hours, and nobody who was to be told is left out for the cover."""
    now = OPENED + step * timedelta(minutes=15)
    plain = rung("danger", step, OPENED, now, NEW_YORK, NO_HOLIDAYS)
    quiet = rung("danger", step, OPENED, now, NEW_YORK, NO_HOLIDAYS, quiet_until=SEVEN)
    covered = rung("danger", step, OPENED, now, NEW_YORK, NO_HOLIDAYS, covered=True)
    assert quiet == plain
    assert (covered.roles, covered.next_at) == ((*plain.roles, "cover"), plain.next_at)


@pytest.mark.parametrize(("chosen", "days"), [({}, 2), ("4", 4), ("10", 10), ("1", 2), ("99", 10), ("", 2)])
def test_a_practice_chooses_a_supervisors_patience_within_limits(chosen: str, days: int) -> None:
    settings = {"supervisor_after_days": chosen} if isinstance(chosen, str) else {}
    after = alerting.supervisor_after(settings)
    assert after == days
    told = rung("rapport", 2, OPENED, OPENED + DAY, NEW_YORK, NO_HOLIDAYS, told_at=OPENED, supervisor_after=after)
    assert alerting.working_days(OPENED, told.next_at or OPENED, NEW_YORK, NO_HOLIDAYS) == days
