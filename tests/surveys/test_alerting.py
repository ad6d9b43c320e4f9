"""When an alert opens, deepens and ends, and how it climbs until a person has acknowledged it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import alerting
from surveys.alerting import MENDED_BELOW, Rung, Standing
from surveys.rapport import Observation
from surveys.window import Holidays

NEW_YORK = "America/New_York"
NONE = Holidays()
MONDAY = datetime(2026, 9, 14, 15, 0, tzinfo=UTC)  # eleven in New York
FRIDAY = MONDAY + timedelta(days=4)
THRESHOLD = -1.0
OPEN, TAKEN, FRESH = Standing(open=True), Standing(open=True, acknowledged=True), Standing()


def rung(kind: str, step: int, now: datetime, opened_at: datetime = MONDAY, told_at: datetime | None = None) -> Rung:
    return alerting.rung(kind, step, opened_at, now, NEW_YORK, NONE, told_at=told_at)


def test_evidence_at_the_threshold_opens_an_alert_once() -> None:
    assert alerting.decide(THRESHOLD, THRESHOLD, FRESH) == "open"
    assert alerting.decide(THRESHOLD, THRESHOLD, OPEN) == "deepen"


def test_evidence_below_the_threshold_opens_nothing() -> None:
    assert alerting.decide(THRESHOLD - 0.01, THRESHOLD, FRESH) == "nothing"


def test_an_acknowledged_alert_does_not_deepen_however_strong_the_evidence() -> None:
    """Somebody has taken it on: it doesn't nag."""
    assert alerting.decide(9.0, THRESHOLD, TAKEN) == "nothing"


@pytest.mark.parametrize("standing", [OPEN, TAKEN])
def test_an_alert_ends_only_when_the_evidence_is_well_below_the_threshold(standing: Standing) -> None:
    """Else answers that hover around the threshold would open one alert after the other."""
    assert alerting.decide(THRESHOLD - MENDED_BELOW + 0.01, THRESHOLD, standing) == "nothing"
    assert alerting.decide(THRESHOLD - MENDED_BELOW, THRESHOLD, standing) == "resolve"


@pytest.mark.parametrize(("answered_since", "verdict"), [(0, "nothing"), (1, "nothing"), (2, "open")])
def test_a_relapse_straight_after_an_alert_that_was_taken_on_does_not_nag(answered_since: int, verdict: str) -> None:
    """They are at it; if it lasts, it is told."""
    ended = Standing(acknowledged=True, answered_since=answered_since)
    assert alerting.decide(9.0, THRESHOLD, ended) == verdict


def test_a_relapse_after_an_alert_that_nobody_took_on_is_told_at_once() -> None:
    assert alerting.decide(THRESHOLD, THRESHOLD, Standing(acknowledged=False, answered_since=0)) == "open"


START = Standing(open=True, start=True)


@pytest.mark.parametrize(
    ("start", "standing", "verdict"),
    [
        (0.01, FRESH, "open"),
        (0.03, FRESH, "nothing"),
        (0.01, START, "nothing"),
        (0.04, START, "nothing"),
        (0.06, START, "resolve"),
        (1.0, START, "resolve"),
    ],
)
def test_a_start_lower_than_one_in_n_opens_an_alert_that_ends_when_it_was_nothing(
    start: float, standing: Standing, verdict: str
) -> None:
    """At one in fifty. Once it is no start any more, the evidence alone decides."""
    assert alerting.decide(-9.0, THRESHOLD, standing, start=start, rate=1 / 50) == verdict


@given(st.lists(st.floats(-9, 9), max_size=60))
def test_two_alerts_are_never_open_at_once(evidence: list[float]) -> None:
    standing = FRESH
    for each in evidence:
        verdict = alerting.decide(each, THRESHOLD, standing)
        assert not (verdict == "open" and standing.open)
        assert not (verdict in ("deepen", "resolve") and not standing.open)
        standing = {"open": OPEN, "resolve": FRESH}.get(verdict, standing)


@pytest.mark.parametrize(("said", "used"), [("50", 50), ("1", 20), ("9999", 200)])
def test_the_practices_choice_of_false_alarms_is_kept_within_limits(said: str, used: int) -> None:
    assert alerting.one_in({"one_false_alarm_in": said}) == used
    assert alerting.one_in({}) == 50


def test_a_therapists_own_choice_comes_before_the_practices_within_the_same_limits() -> None:
    assert alerting.one_in({"one_false_alarm_in": "50"}, 100) == 100
    assert alerting.one_in({"one_false_alarm_in": "50"}, 5) == 20
    assert alerting.one_in({"one_false_alarm_in": "80"}, None) == 80


# ------------------------------------------------------------------------------------------- a single low answer

CORE = ("heard", "respected", "understood")
FIVES, TWOS = dict.fromkeys(CORE, 5), dict.fromkeys(CORE, 2)


@pytest.mark.parametrize(
    ("answers", "earlier", "told"),
    [
        ({"heard": 1, "respected": 5, "understood": 4}, [FIVES, FIVES], ("heard",)),
        ({"heard": 1, "respected": 1, "understood": 4}, [FIVES], ("heard", "respected")),
        ({"heard": 2, "respected": 5, "understood": 4}, [FIVES, FIVES], ()),
        ({"heard": 5, "seen": 1}, [FIVES, FIVES], ()),
        ({"heard": 1}, [TWOS, FIVES, TWOS, TWOS], ()),
        ({"heard": 1}, [], ("heard",)),
        ({}, [FIVES], ()),
    ],
)
def test_a_one_on_a_core_feeling_is_told_of_someone_who_does_not_usually_rate_low(
    answers: dict[str, int], earlier: list[dict[str, int]], told: tuple[str, ...]
) -> None:
    assert alerting.very_low(answers, earlier, CORE) == told


def test_a_note_about_one_low_answer_is_mailed_once_and_climbs_no_further() -> None:
    assert rung("low", 0, MONDAY).roles == ("therapist",)
    last = rung("low", 1, MONDAY + timedelta(minutes=30))
    assert (last.roles, last.kind, last.next_at) == ((), "untaken", None)


# ------------------------------------------------------------------------------------------- silence


def answered(pattern: str) -> list[Observation]:
    """x: answered, -: not."""
    return [Observation(n, each == "x") for n, each in enumerate(pattern)]


@pytest.mark.parametrize(
    ("pattern", "silent"),
    [
        ("xxxxxx---", 3),
        ("xx-xx-x----", 4),
        ("xxxx---", 3),
        ("xxxxxx--", 0),
        ("x-x--x---", 0),
        ("---", 0),
        ("xxx---", 0),
        ("xxxxxx---x", 0),
        ("", 0),
    ],
)
def test_silence_is_told_of_someone_who_answered_regularly_before(pattern: str, silent: int) -> None:
    """Three or more in a row, after at least four of six."""
    assert alerting.gone_silent(answered(pattern)) == silent


# ------------------------------------------------------------------------------------------- notes


def test_a_note_goes_to_the_therapist_at_once() -> None:
    first = rung("rapport", 0, MONDAY)
    assert (first.roles, first.kind) == (("therapist",), "first")


def test_half_an_hour_later_it_is_looked_whether_the_mail_was_taken() -> None:
    assert rung("rapport", 0, MONDAY).next_at == MONDAY + timedelta(minutes=30)
    assert rung("rapport", 1, MONDAY + timedelta(minutes=30)).roles == ()


def test_after_one_working_day_the_therapist_is_reminded_and_after_two_the_supervisor_is_told() -> None:
    assert rung("rapport", 1, MONDAY).next_at == MONDAY + timedelta(days=1)
    reminder = rung("rapport", 2, MONDAY + timedelta(days=1))
    assert (reminder.roles, reminder.kind, reminder.escalated) == (("therapist",), "reminder", False)
    assert reminder.next_at == MONDAY + timedelta(days=2)
    waiting = rung("rapport", 3, MONDAY + timedelta(days=2))
    assert (waiting.roles, waiting.kind, waiting.escalated) == (("supervisor",), "waiting", True)


def test_a_weekend_does_not_count() -> None:
    assert rung("rapport", 1, FRIDAY, FRIDAY).next_at == FRIDAY + timedelta(days=3)
    assert rung("rapport", 2, FRIDAY, FRIDAY).next_at == FRIDAY + timedelta(days=4)


def test_a_holiday_of_the_practice_does_not_count() -> None:
    closed = Holidays(dates=frozenset({date(2026, 9, 15)}))
    assert alerting.after_working_days(MONDAY, 1, NEW_YORK, closed) == MONDAY + timedelta(days=2)


def test_working_days_are_the_practices_own_days_not_those_of_utc() -> None:
    """Friday 22:00 in New York is Saturday in UTC; the next working day is Monday 22:00 there."""
    late = datetime(2026, 9, 19, 2, 0, tzinfo=UTC)
    assert alerting.after_working_days(late, 1, NEW_YORK, NONE) == datetime(2026, 9, 22, 2, 0, tzinfo=UTC)


def test_a_working_day_over_the_end_of_daylight_saving_ends_at_the_same_hour_there() -> None:
    friday = datetime(2026, 10, 30, 15, 0, tzinfo=UTC)  # eleven
    assert alerting.after_working_days(friday, 1, NEW_YORK, NONE) == datetime(2026, 11, 2, 16, 0, tzinfo=UTC)


def test_the_therapists_days_count_from_when_the_mail_was_taken() -> None:
    """A server that was down over the weekend must not make the therapist look late."""
    told_at = MONDAY + timedelta(days=3)
    assert rung("rapport", 1, told_at, MONDAY, told_at).next_at == told_at + timedelta(days=1)


@given(st.integers(0, 60), st.integers(0, 23))
def test_the_days_told_agree_with_the_days_waited(days: int, hours: int) -> None:
    until = MONDAY + timedelta(days=days, hours=hours)
    told = alerting.working_days(MONDAY, until, NEW_YORK, NONE)
    if told > 1:
        assert alerting.after_working_days(MONDAY, told, NEW_YORK, NONE) <= until
    assert alerting.after_working_days(MONDAY, told + 1, NEW_YORK, NONE) > until


@given(st.sampled_from(["rapport", "call", "silent", "danger", "danger_unknown"]), st.integers(0, 40))
def test_every_step_has_a_next_one(kind: str, step: int) -> None:
    """An alert climbs until somebody has acknowledged it: there is no last rung."""
    now = MONDAY + timedelta(minutes=15 * step)
    following = rung(kind, step, now)
    assert following.next_step > step
    assert following.next_at > now or following.next_step <= 2


# ------------------------------------------------------------------------------------------- danger


@pytest.mark.parametrize(
    ("minutes", "roles"),
    [(0, ("therapist",)), (15, ("therapist", "second")), (30, ("therapist", "second", "duty"))],
)
def test_danger_climbs_at_once_after_a_quarter_and_after_half_an_hour(minutes: int, roles: tuple[str, ...]) -> None:
    assert rung("danger", minutes // 15, MONDAY + timedelta(minutes=minutes)).roles == roles


def test_danger_is_told_again_every_half_hour_for_as_long_as_nobody_answers() -> None:
    now, step, told = MONDAY, 0, []
    while now < MONDAY + timedelta(hours=3):
        found = rung("danger", step, now)
        told.append(((now - MONDAY).seconds // 60, len(found.roles)))
        now, step = found.next_at, found.next_step
    assert told == [(0, 1), (15, 2), (30, 3), (60, 3), (90, 3), (120, 3), (150, 3)]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("0", [(0, 2), (30, 3), (60, 3)]),
        ("5", [(0, 1), (5, 2), (30, 3), (60, 3)]),
        ("", [(0, 1), (15, 2), (30, 3), (60, 3)]),
        ("99", [(0, 1), (15, 2), (30, 3), (60, 3)]),
    ],
)
def test_a_practice_may_have_the_second_contact_told_sooner_but_never_later(
    chosen: str, told: list[tuple[int, int]]
) -> None:
    after = alerting.second_contact_after({"second_contact_minutes": chosen})
    now, step, seen = MONDAY, 0, []
    while now <= MONDAY + timedelta(hours=1):
        found = alerting.rung("danger", step, MONDAY, now, NEW_YORK, NONE, second_after=after)
        seen.append(((now - MONDAY).seconds // 60, len(found.roles)))
        now, step = found.next_at, found.next_step
    assert seen == told


@pytest.mark.parametrize("day", [MONDAY, FRIDAY + timedelta(days=1), MONDAY + timedelta(hours=12)])
def test_danger_knows_no_weekend_and_no_night(day: datetime) -> None:
    assert rung("danger", 0, day, day).next_at == day + timedelta(minutes=15)


def test_after_downtime_everyone_who_should_know_by_now_is_told_once() -> None:
    """Not the therapist three times within a second."""
    late = rung("danger", 0, MONDAY + timedelta(hours=2))
    assert late.roles == ("therapist", "second", "duty")
    assert late.next_at == MONDAY + timedelta(hours=2, minutes=30)


def test_a_clock_that_went_back_skips_nobody() -> None:
    early = rung("danger", 1, MONDAY - timedelta(hours=1))
    assert early.roles == ("therapist", "second")


def test_danger_from_an_unknown_number_goes_to_the_duty_contact_at_once() -> None:
    first = rung("danger_unknown", 0, MONDAY)
    assert first.roles == ("duty", "second")
    assert first.next_at == MONDAY + timedelta(minutes=15)


def test_a_worker_that_comes_back_at_the_very_minute_tells_the_second_contact_too() -> None:
    late = rung("danger", 0, MONDAY + timedelta(minutes=15))
    assert (late.roles, late.next_at) == (("therapist", "second"), MONDAY + timedelta(minutes=30))


def test_less_than_no_time_is_together_with_the_therapist() -> None:
    assert alerting.second_contact_after({"second_contact_minutes": "-5"}) == timedelta(0)


def test_who_is_told_first_is_told_nothing_that_others_left_waiting() -> None:
    first = alerting.rung("danger", 0, MONDAY, MONDAY, NEW_YORK, NONE, second_after=timedelta(0))
    assert (first.roles, first.escalated) == (("therapist", "second"), False)
