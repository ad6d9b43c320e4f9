"""When Ana is asked about a visit to Theo, and the reasons why not."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import schedule as rules
from surveys.keys import FORMS
from surveys.schedule import (
    Appointment,
    Asking,
    BadSchedule,
    Client,
    Planned,
    Schedule,
    Skipped,
    expires_at,
    gone_quiet,
    plan,
    plan_all,
    reminder_due,
    unanswered,
    why_not_now,
)
from surveys.window import Holidays, days_between
from tests.support.timing import takes_at_most

ZONES = (
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "America/St_Johns",
)
NEW_YORK = ZONES[0]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REASONS = sorted(value for name, value in vars(rules).items() if name.isupper() and isinstance(value, str))


def at(text: str, zone: str = NEW_YORK) -> datetime:
    """An instant, from what a clock in New York shows."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def visit(start: str, status: str = "attended", name: str = "", therapist: str = "theo") -> Appointment:
    begins = at(start)
    return Appointment(name or start, begins, begins + HOUR, status, therapist)


def weekly(count: int, start: str = "2026-01-05T10:00", status: str = "attended") -> list[Appointment]:
    """Visits in as many weeks, each on Monday at ten by the clock unless told otherwise."""
    first = datetime.fromisoformat(start)
    return [visit((first + 7 * DAY * week).isoformat(), status) for week in range(count)]


def asked(visits: Sequence[Appointment], answered: bool = False, closed: bool = True) -> list[Asking]:
    return [Asking(each.id, each.ends_at + 2 * HOUR, answered, closed) for each in visits]


def plans(
    visits: Sequence[Appointment],
    now: str,
    *,
    client: Client | None = None,
    askings: Sequence[Asking] = (),
    **rule: str,
) -> list[Planned | Skipped]:
    found = plan_all(visits, client=client or ANA, askings=askings, schedule=Schedule.read(rule), now=at(now))
    return [found[each.id] for each in visits]


def dues(found: Sequence[Planned | Skipped]) -> list[datetime | str]:
    """Times and reasons, to compare."""
    return [each.due_at if isinstance(each, Planned) else each.reason for each in found]


ANA = Client(zone=NEW_YORK, consent_at=at("2025-12-01T09:00"))
MONDAY = visit("2026-11-23T10:00")


def reason_for(visit: Appointment = MONDAY, client: Client = ANA, now: str = "2026-11-23T12:00") -> str:
    (found,) = plans([visit], now, client=client)
    assert isinstance(found, Skipped)
    return found.reason


# What the rule says


def test_the_defaults_are_those_promised() -> None:
    assert Schedule.read({}) == Schedule()
    assert Schedule().show() == {
        "which": "attended",
        "every": "1",
        "first": "0",
        "delay_minutes": "120",
        "next_day_at": "",
        "hours": "09:00-20:00",
        "days": "mon,tue,wed,thu,fri,sat",
        "min_gap_days": "6",
        "reminder_hours": "24",
        "expiry_hours": "72",
        "digits": "4",
        "paused_until": "",
        "holidays": "",
        "fourth": "any",
        "channels": "",
        "link": "no",
    }


def test_every_field_has_a_key_and_every_key_a_field() -> None:
    assert [each.name for each in fields(Schedule)] == list(FORMS)


def test_a_misspelt_key_is_told_with_the_nearest_and_all_known_ones() -> None:
    with pytest.raises(BadSchedule) as told:
        Schedule.read({"expiry_hour": "12"})
    assert "no key expiry_hour. Did you mean expiry_hours?" in str(told.value)
    assert all(key in str(told.value) for key in FORMS)


def test_every_wrong_value_is_told_at_once_with_what_is_expected() -> None:
    with pytest.raises(BadSchedule) as told:
        Schedule.read({"hours": "20:00-09:00", "delay_minutes": "60", "days": "never"})
    assert list(told.value.problems) == ["hours", "days"]
    assert told.value.problems["hours"] == (
        "hours=20:00-09:00 can't be used: expected two times of day such as 09:00-20:00, or 00:00-24:00."
    )


@st.composite
def any_rule(draw: st.DrawFn) -> Schedule:
    start = draw(st.integers(0, 1439))
    return Schedule(
        which=draw(st.sampled_from(["attended", "attended_or_booked"])),
        every=draw(st.integers(1, 3)),
        first=draw(st.integers(0, 3)),
        delay_minutes=draw(st.integers(0, 3000)),
        next_day_at=draw(st.none() | st.integers(0, 1439)),
        hours=(start, draw(st.integers(start + 1, 1440))),
        days=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        min_gap_days=draw(st.integers(0, 14)),
        reminder_hours=draw(st.integers(0, 72)),
        expiry_hours=draw(st.integers(1, 200)),
        digits=draw(st.integers(3, 4)),
        paused_until=draw(
            st.none()
            | st.dates(date(2026, 1, 1), date(2026, 12, 31))
            | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
        ),
        holidays=Holidays(
            draw(st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5)),
            draw(st.sampled_from([(), ("US",), ("NP", "US-NY")])),
        ),
    )


@settings(max_examples=200, deadline=None)
@given(any_rule())
def test_a_rule_shown_and_read_again_is_the_same(rule: Schedule) -> None:
    assert Schedule.read(rule.show()) == rule


# When


def test_a_visit_is_asked_about_two_hours_after_its_end() -> None:
    assert plans([MONDAY], "2026-11-23T11:00") == [
        Planned(due_at=at("2026-11-23T13:00"), expires_at=at("2026-11-26T13:00"))
    ]


def test_after_an_evening_visit_the_check_in_waits_for_the_morning() -> None:
    late = visit("2026-11-23T18:00")
    assert dues(plans([late], "2026-11-23T19:00")) == [at("2026-11-24T09:00")]


def test_over_a_closed_sunday_it_waits_for_monday() -> None:
    saturday = visit("2026-11-28T18:30")
    assert dues(plans([saturday], "2026-11-28T19:30")) == [at("2026-11-30T09:00")]


def test_the_hours_are_those_where_the_client_lives() -> None:
    in_madrid = replace(ANA, zone="Europe/Madrid")
    found = plans([MONDAY], "2026-11-23T11:00", client=in_madrid)
    assert dues(found) == [at("2026-11-23T19:00", "Europe/Madrid")]
    later = visit("2026-11-23T13:00")  # ends at 20:00 there
    assert dues(plans([later], "2026-11-23T14:00", client=in_madrid)) == [at("2026-11-24T09:00", "Europe/Madrid")]


def test_next_day_at_is_a_time_on_the_clients_clock_the_day_after() -> None:
    assert dues(plans([MONDAY], "2026-11-23T11:00", next_day_at="10:30")) == [at("2026-11-24T10:30")]


def test_next_day_at_a_time_left_out_in_spring_is_the_moment_of_the_change() -> None:
    saturday = visit("2026-03-07T10:00")
    found = plans([saturday], "2026-03-07T11:00", next_day_at="02:30", hours="00:00-24:00", days="mon..sun")
    assert dues(found) == [at("2026-03-08T03:00")]


def test_next_day_at_a_time_that_comes_twice_is_the_first() -> None:
    saturday = visit("2026-10-31T10:00")
    found = plans([saturday], "2026-10-31T11:00", next_day_at="01:30", hours="00:00-24:00", days="mon..sun")
    assert dues(found) == [datetime(2026, 11, 1, 5, 30, tzinfo=UTC)]


def test_the_delay_is_hours_gone_by_not_hours_on_the_clock() -> None:
    """Across the spring change, 24 hours after 11:00 are 12:00 on the clock."""
    saturday = visit("2026-03-07T10:00")
    found = plans([saturday], "2026-03-07T11:00", delay_minutes="1440", days="mon..sun")
    assert dues(found) == [at("2026-03-08T12:00")]


def test_a_check_in_closes_when_the_next_visit_starts() -> None:
    thursday = visit("2026-11-26T08:00", "booked")
    found = plans([MONDAY, thursday], "2026-11-23T11:00")
    assert found[0] == Planned(at("2026-11-23T13:00"), at("2026-11-26T08:00"))


def test_a_cancelled_next_visit_does_not_close_a_check_in() -> None:
    thursday = visit("2026-11-26T08:00", "cancelled")
    found = plans([MONDAY, thursday], "2026-11-23T11:00")
    assert found[0] == Planned(at("2026-11-23T13:00"), at("2026-11-26T13:00"))


# Why not


def test_no_check_in_after_a_cancelled_appointment() -> None:
    assert reason_for(visit("2026-11-23T10:00", "cancelled")) == rules.CANCELLED


def test_no_check_in_after_a_no_show() -> None:
    assert reason_for(visit("2026-11-23T10:00", "no_show")) == rules.NO_SHOW


def test_no_check_in_before_the_visit_is_marked_as_attended() -> None:
    assert reason_for(visit("2026-11-23T10:00", "booked")) == rules.NOT_ATTENDED
    assert reason_for(visit("2026-11-23T10:00", "something new")) == rules.NOT_ATTENDED


def test_a_booked_visit_counts_by_choice_a_day_after_its_end() -> None:
    booked = visit("2026-11-23T10:00", "booked")
    found = plans([booked], "2026-11-23T12:00", which="attended_or_booked")
    assert dues(found) == [at("2026-11-24T11:00")]


def test_a_booked_visit_waits_for_a_longer_delay() -> None:
    booked = visit("2026-11-23T10:00", "booked")
    found = plans([booked], "2026-11-23T12:00", which="attended_or_booked", delay_minutes="2880")
    assert dues(found) == [at("2026-11-25T11:00")]


def test_even_by_choice_a_no_show_is_never_asked() -> None:
    missed = visit("2026-11-23T10:00", "no_show")
    assert dues(plans([missed], "2026-11-25T12:00", which="attended_or_booked")) == [rules.NO_SHOW]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "died"}, rules.DIED),
        ({"state": "discharged"}, rules.DISCHARGED),
        ({"state": "on_hold"}, rules.ON_HOLD),
        ({"state": "waiting list"}, rules.NOT_ACTIVE),
        ({"halted": True}, rules.HALTED),
        ({"stopped": True}, rules.STOPPED),
        ({"consent_at": None}, rules.NO_CONSENT),
        ({"reachable": False}, rules.UNREACHABLE),
        ({"paused_until": at("2026-12-01T00:00")}, rules.CLIENT_PAUSED),
        ({"consent_at": at("2026-12-01T00:00")}, rules.CONSENT_LATER),
    ],
)
def test_a_client_who_must_not_be_asked_is_not_for_the_reason(change: dict[str, object], reason: str) -> None:
    """Neither planned nor, if that changed since, sent."""
    client = replace(ANA, **change)  # type: ignore[arg-type]
    assert reason_for(client=client) == reason
    assert why_not_now(client, MONDAY, Schedule(), at("2026-11-23T13:00")) == reason


def test_what_stops_a_client_in_danger_is_not_told_to_a_manager() -> None:
    assert not {"danger", "crisis", "risk"} & set(rules.HALTED.split())


def test_consent_given_after_the_visit_but_before_the_check_in_counts() -> None:
    client = replace(ANA, consent_at=at("2026-11-23T12:30"))
    assert dues(plans([MONDAY], "2026-11-23T12:30", client=client)) == [at("2026-11-23T13:00")]


def test_a_visit_in_the_practices_pause_is_not_asked_about_even_after_it() -> None:
    for now in ("2026-11-23T12:00", "2026-11-24T09:30"):
        assert dues(plans([MONDAY], now, paused_until="2026-11-24")) == [rules.PRACTICE_PAUSED]


def test_a_pause_until_a_date_ends_as_that_day_begins_for_the_client() -> None:
    evening = visit("2026-11-23T18:30")
    for until in ("2026-11-24", "2026-11-24T09:00-05:00"):
        assert dues(plans([evening], "2026-11-23T20:00", paused_until=until)) == [at("2026-11-24T09:00")]
    assert dues(plans([evening], "2026-11-23T20:00", paused_until="2026-11-24T09:01-05:00")) == [rules.PRACTICE_PAUSED]


def test_a_clients_pause_ends_at_its_moment() -> None:
    until_due = replace(ANA, paused_until=at("2026-11-23T13:00"))
    assert dues(plans([MONDAY], "2026-11-23T11:00", client=until_due)) == [at("2026-11-23T13:00")]


def test_a_schedule_without_open_hours_says_so() -> None:
    days = ",".join((date(2026, 11, 1) + DAY * count).isoformat() for count in range(500))
    assert dues(plans([MONDAY], "2026-11-23T12:00", holidays=days)) == [rules.NEVER_OPEN]
    rule = Schedule.read({"holidays": days})
    assert reminder_due(at("2026-11-23T13:00"), rule, NEW_YORK, []) is None


@pytest.mark.parametrize(("year", "reason"), [("0001", rules.TOO_LATE), ("9999", rules.FAR_AHEAD)])
def test_a_mistyped_year_is_a_reason_and_not_a_crash(year: str, reason: str) -> None:
    wrong = Appointment(
        "typo", datetime(int(year), 12, 1, tzinfo=UTC), datetime(int(year), 12, 1, 1, tzinfo=UTC), "attended"
    )
    assert dues(plans([wrong], "2026-11-23T12:00", next_day_at="10:00")) == [reason]


def test_an_unknown_zone_is_left_to_the_caller() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        plans([MONDAY], "2026-11-23T12:00", client=replace(ANA, zone="Mars/Olympus"))


# How often


def test_every_second_visit_is_asked_about() -> None:
    found = dues(plans(weekly(5), "2026-01-01T09:00", every="2"))
    assert [reason == rules.NOT_CHOSEN for reason in found] == [True, False, True, False, True]


def test_the_first_two_and_then_every_third_are_asked_about() -> None:
    found = dues(plans(weekly(9), "2026-01-01T09:00", first="2", every="3"))
    chosen = [number for number, each in enumerate(found, 1) if each != rules.NOT_CHOSEN]
    assert chosen == [1, 2, 5, 8]


def test_only_attended_visits_are_counted() -> None:
    visits = weekly(4)
    visits[1] = replace(visits[1], status="no_show")
    found = dues(plans(visits, "2026-01-01T09:00", every="2"))
    assert found == [rules.NOT_CHOSEN, rules.NO_SHOW, at("2026-01-19T13:00"), rules.NOT_CHOSEN]


def test_with_a_new_therapist_the_count_starts_again() -> None:
    visits = weekly(4)
    visits[2:] = [replace(each, therapist_id="ines") for each in visits[2:]]
    found = dues(plans(visits, "2026-01-01T09:00", every="3", first="1"))
    assert found == [
        at("2026-01-05T13:00"),
        rules.NOT_CHOSEN,
        at("2026-01-19T13:00"),
        rules.NOT_CHOSEN,
    ]


def test_someone_seen_weekly_is_asked_weekly_even_an_hour_earlier() -> None:
    visits = [visit("2026-11-16T10:00"), visit("2026-11-23T09:00")]
    assert dues(plans(visits, "2026-11-16T09:00")) == [at("2026-11-16T13:00"), at("2026-11-23T12:00")]


def test_six_days_on_the_calendar_are_enough() -> None:
    """The first check-in slipped into Tuesday morning; Monday's is asked all the same."""
    visits = [visit("2026-11-16T19:00"), visit("2026-11-23T09:00")]
    assert dues(plans(visits, "2026-11-16T09:00")) == [at("2026-11-17T09:00"), at("2026-11-23T12:00")]


def test_someone_seen_twice_a_week_is_asked_once() -> None:
    visits = [visit("2026-11-16T10:00"), visit("2026-11-19T10:00"), visit("2026-11-23T10:00")]
    found = dues(plans(visits, "2026-11-16T09:00"))
    assert found == [at("2026-11-16T13:00"), rules.TOO_SOON, at("2026-11-23T13:00")]


def test_the_gap_is_counted_from_what_was_really_asked() -> None:
    visits = [visit("2026-11-16T10:00"), visit("2026-11-23T10:00")]
    late = [Asking(visits[0].id, at("2026-11-19T09:00"), True, True)]
    assert dues(plans(visits, "2026-11-20T09:00", askings=late)) == [rules.ASKED, rules.TOO_SOON]


def test_two_entries_for_one_visit_are_one_check_in() -> None:
    twice = [MONDAY, replace(MONDAY, id="again")]
    found = plans(twice, "2026-11-23T12:00", min_gap_days="0")
    assert sorted(map(str, dues(found))) == sorted([str(at("2026-11-23T13:00")), rules.SAME_TIME])
    for one, other in (twice, twice[::-1]):
        again = plans([one, other], "2026-11-23T14:00", min_gap_days="0", askings=asked([one]))
        assert dues(again) == [rules.ASKED, rules.SAME_TIME]


def test_after_four_unanswered_every_fourth_visit_is_asked_about() -> None:
    visits = weekly(12)
    found = dues(plans(visits, "2026-02-01T09:00", askings=asked(visits[:4])))
    assert found[4:] == [rules.QUIET] * 3 + [at("2026-02-23T13:00")] + [rules.QUIET] * 3 + [at("2026-03-23T13:00")]


def test_three_unanswered_change_nothing() -> None:
    visits = weekly(5)
    found = dues(plans(visits, "2026-01-20T09:00", askings=asked(visits[:3])))
    assert found[3:] == [at("2026-01-26T13:00"), at("2026-02-02T13:00")]


def test_after_eight_unanswered_nothing_is_asked() -> None:
    visits = weekly(20)
    askings = asked(visits[:8])
    assert dues(plans(visits, "2026-03-01T09:00", askings=askings))[8:] == [rules.GONE_QUIET] * 12
    assert gone_quiet(askings)
    assert not gone_quiet(askings[:7])


def test_an_answer_ends_the_silence() -> None:
    visits = weekly(10)
    askings = [*asked(visits[:8]), *asked(visits[8:9], answered=True)]
    assert unanswered(askings) == 0
    assert dues(plans(visits, "2026-03-03T09:00", askings=askings))[9] == at("2026-03-09T13:00")


def test_an_open_check_in_is_not_yet_unanswered() -> None:
    visits = weekly(5)
    askings = [*asked(visits[:4]), *asked(visits[4:], closed=False)]
    assert unanswered(askings) == 4


def test_a_client_started_again_is_asked_as_before() -> None:
    visits = weekly(9)
    fresh = replace(ANA, fresh_from=at("2026-03-01T09:00"))
    found = dues(plans(visits, "2026-03-01T09:00", client=fresh, askings=asked(visits[:8])))
    assert found[8] == at("2026-03-02T13:00")
    assert unanswered(asked(visits[:8]), fresh_from=asked(visits)[7].at) == 0


# After downtime, and after what was asked


def test_a_check_in_missed_by_less_than_its_expiry_is_caught_up_at_once() -> None:
    assert plans([MONDAY], "2026-11-25T12:00") == [
        Planned(due_at=at("2026-11-25T12:00"), expires_at=at("2026-11-28T12:00"))
    ]


def test_at_night_it_is_caught_up_in_the_morning() -> None:
    assert dues(plans([MONDAY], "2026-11-24T23:00")) == [at("2026-11-25T09:00")]


def test_a_check_in_missed_by_its_expiry_is_too_old() -> None:
    assert dues(plans([MONDAY], "2026-11-26T12:59")) == [at("2026-11-26T12:59")]
    assert dues(plans([MONDAY], "2026-11-26T13:00")) == [rules.TOO_LATE]


def test_one_that_would_be_too_old_when_the_hours_open_is_not_promised() -> None:
    """Due on Friday at noon, back on Sunday night: on Monday at nine it is 69 hours late."""
    friday = visit("2026-11-27T09:00")
    assert dues(plans([friday], "2026-11-29T22:00", expiry_hours="70")) == [at("2026-11-30T09:00")]
    assert dues(plans([friday], "2026-11-29T22:00", expiry_hours="69")) == [rules.TOO_LATE]


def test_after_a_week_down_only_the_newest_visit_is_caught_up() -> None:
    days = ("20T10:00", "21T10:00", "23T10:00")
    visits = [visit(f"2026-11-{day}") for day in days]
    found = dues(plans(visits, "2026-11-23T14:00", min_gap_days="0"))
    assert found == [rules.TOO_LATE, rules.NEXT_STARTED, at("2026-11-23T14:00")]


def test_a_visit_whose_next_one_starts_first_is_not_asked_about() -> None:
    for start in ("12:00", "13:00"):  # before it is due, and just then
        visits = [visit("2026-11-23T10:00"), visit(f"2026-11-23T{start}", "booked")]
        assert dues(plans(visits, "2026-11-23T11:00")) == [rules.NEXT_STARTED, rules.NOT_ATTENDED]


def test_what_was_asked_is_never_planned_again() -> None:
    for status in ("attended", "cancelled", "booked"):
        again = replace(MONDAY, status=status)
        assert dues(plans([again], "2026-11-23T14:00", askings=asked([MONDAY]))) == [rules.ASKED]


def test_one_appointment_is_planned_as_among_all() -> None:
    visits = weekly(4)
    rule, now = Schedule(), at("2026-01-01T09:00")
    together = plan_all(visits, client=ANA, askings=(), schedule=rule, now=now)
    for others in (visits, visits[:-1]):
        alone = plan(visits[-1], client=ANA, appointments=others, askings=(), schedule=rule, now=now)
        assert alone == together[visits[-1].id]


# At the moment of sending, reminders, expiry


def test_at_the_moment_of_sending_nothing_stands_in_the_way() -> None:
    assert why_not_now(ANA, MONDAY, Schedule(), at("2026-11-23T13:00")) is None


def test_a_check_in_is_held_back_outside_the_hours() -> None:
    for now in ("2026-11-23T20:00", "2026-11-24T08:59:59", "2026-11-29T12:00"):
        assert why_not_now(ANA, MONDAY, Schedule(), at(now)) == rules.CLOSED


def test_an_appointment_cancelled_or_moved_since_is_not_asked_about() -> None:
    now = at("2026-11-23T13:00")
    assert why_not_now(ANA, replace(MONDAY, status="cancelled"), Schedule(), now) == rules.CANCELLED
    moved = visit("2026-11-23T15:00")
    assert why_not_now(ANA, moved, Schedule(), now) == rules.NOT_OVER


def test_a_booked_one_is_held_back_for_its_day() -> None:
    booked = visit("2026-11-23T10:00", "booked")
    rule = Schedule(which="attended_or_booked")
    assert why_not_now(ANA, booked, rule, at("2026-11-24T10:59")) == rules.NOT_OVER
    assert why_not_now(ANA, booked, rule, at("2026-11-24T11:00")) is None
    assert why_not_now(ANA, booked, Schedule(), at("2026-11-24T11:00")) == rules.NOT_ATTENDED


def test_a_practice_paused_since_sends_nothing() -> None:
    rule = Schedule.read({"paused_until": "2026-11-24"})
    assert why_not_now(ANA, MONDAY, rule, at("2026-11-23T13:00")) == rules.PRACTICE_PAUSED
    assert why_not_now(ANA, MONDAY, rule, at("2026-11-24T09:00")) is None


def test_a_reminder_comes_a_day_later_in_the_hours() -> None:
    assert reminder_due(at("2026-11-23T13:00"), Schedule(), NEW_YORK, []) == at("2026-11-24T13:00")
    assert reminder_due(at("2026-11-28T13:00"), Schedule(), NEW_YORK, []) == at("2026-11-30T09:00")


def test_no_reminder_when_none_is_wanted_or_it_would_come_after_the_close() -> None:
    asked_at = at("2026-11-23T13:00")
    assert reminder_due(asked_at, Schedule(reminder_hours=0), NEW_YORK, []) is None
    assert reminder_due(asked_at, Schedule(expiry_hours=24), NEW_YORK, []) is None
    assert reminder_due(asked_at, Schedule(), NEW_YORK, [], expires=asked_at + 24 * HOUR) is None
    assert reminder_due(asked_at, Schedule(), NEW_YORK, [], expires=asked_at + 25 * HOUR) is not None


def test_no_reminder_after_two_unanswered_in_a_row() -> None:
    visits = weekly(3)
    now_open = asked(visits[2:], closed=False)
    asked_at = now_open[0].at
    assert reminder_due(asked_at, Schedule(), NEW_YORK, [*asked(visits[:1]), *now_open]) is not None
    assert reminder_due(asked_at, Schedule(), NEW_YORK, [*asked(visits[:2]), *now_open]) is None
    fresh = visits[1].ends_at + DAY
    assert reminder_due(asked_at, Schedule(), NEW_YORK, asked(visits[:2]), fresh_from=fresh) is not None


def test_a_check_in_expires_after_three_days_or_as_the_next_visit_starts() -> None:
    asked_at = at("2026-11-23T13:00")
    assert expires_at(asked_at, Schedule(), None) == at("2026-11-26T13:00")
    assert expires_at(asked_at, Schedule(), at("2026-11-25T10:00")) == at("2026-11-25T10:00")
    assert expires_at(asked_at, Schedule(), at("2026-11-30T10:00")) == at("2026-11-26T13:00")


# Whatever the rule, the zone and the calendar


@st.composite
def any_case(draw: st.DrawFn) -> tuple[Client, list[Appointment], list[Asking], datetime]:
    client = replace(
        ANA,
        zone=draw(st.sampled_from(ZONES)),
        consent_at=draw(st.none() | st.just(ANA.consent_at)),
        paused_until=draw(st.none() | st.just(at("2026-04-01T09:00"))),
    )
    visits = []
    for number in range(draw(st.integers(1, 8))):
        start = at("2026-02-20T00:00") + draw(st.integers(0, 60 * 24 * 60)) * timedelta(minutes=1)
        status = draw(st.sampled_from(["attended", "attended", "booked", "cancelled", "no_show"]))
        therapist = draw(st.sampled_from(["theo", "ines"]))
        visits.append(Appointment(f"v{number}", start, start + HOUR, status, therapist))
    now = at("2026-02-20T00:00") + draw(st.integers(0, 70 * 24 * 60)) * timedelta(minutes=1)
    past = [each for each in visits if each.ends_at + 2 * HOUR <= now]
    askings = [each for each in asked(past) if draw(st.booleans())]
    return client, visits, askings, now


@settings(max_examples=400, deadline=None)
@given(any_case(), any_rule(), st.randoms(use_true_random=False))
def test_plans_keep_their_promises(
    case: tuple[Client, list[Appointment], list[Asking], datetime], rule: Schedule, random: Random
) -> None:
    """Open hours, at most one overdue, one at a time, the gap kept, in any order of input, twice the same."""
    client, visits, askings, now = case
    found = plan_all(visits, client=client, askings=askings, schedule=rule, now=now)
    live = [(each, found[each.id]) for each in visits]
    planned = [(each, that) for each, that in live if isinstance(that, Planned)]
    planned.sort(key=lambda pair: pair[1].due_at)

    for each, that in planned:
        assert now <= that.due_at < that.expires_at
        assert rule.window.is_open(that.due_at, client.zone)
        assert why_not_now(client, each, rule, that.due_at) is None
    for (_, earlier), (following, later) in pairwise(planned):
        assert earlier.expires_at <= following.starts_at
        assert days_between(earlier.due_at, later.due_at, client.zone) >= rule.min_gap_days
    assert sum(each.starts_at <= now for each, _ in planned) <= 1, "at most one is caught up"

    shuffled = list(visits)
    random.shuffle(shuffled)
    assert plan_all(shuffled, client=client, askings=askings, schedule=rule, now=now) == found


@settings(max_examples=150, deadline=None)
@given(any_case(), any_rule(), any_rule())
def test_changing_the_rule_never_unasks_what_was_asked(
    case: tuple[Client, list[Appointment], list[Asking], datetime], before: Schedule, after: Schedule
) -> None:
    """What goes out under one rule stays asked under the next, and under every later one."""
    client, visits, askings, now = case
    first = plan_all(visits, client=client, askings=askings, schedule=before, now=now)
    went_out = [Asking(name, each.due_at, False, False) for name, each in first.items() if isinstance(each, Planned)]
    later = max([now, *(each.at for each in went_out)])
    second = plan_all(visits, client=client, askings=[*askings, *went_out], schedule=after, now=later)
    for each in [*askings, *went_out]:
        assert second[each.appointment_id] == Skipped(rules.ASKED)


def test_a_visit_too_soon_after_a_check_in_stays_skipped_however_late_it_is_planned_again() -> None:
    """Seen on Saturday, five days after a check-in: planned anew on Monday it would have been far enough from it."""
    visits = [visit("2026-11-16T10:00"), visit("2026-11-21T10:00")]
    for now in ("2026-11-21T12:00", "2026-11-21T21:00", "2026-11-23T09:00"):
        assert dues(plans(visits, now, askings=asked(visits[:1], answered=True))) == [rules.ASKED, rules.TOO_SOON]


@settings(max_examples=150, deadline=None)
@given(any_case(), any_rule(), st.integers(1, 60 * 24 * 3))
def test_a_plan_stands_until_its_time(
    case: tuple[Client, list[Appointment], list[Asking], datetime], rule: Schedule, minutes: int
) -> None:
    """Planning again before anything is due, with nothing changed, moves nothing."""
    client, visits, askings, now = case
    first = plan_all(visits, client=client, askings=askings, schedule=rule, now=now)
    soonest = min((each.due_at for each in first.values() if isinstance(each, Planned)), default=None)
    if soonest is None or soonest == now:
        return
    then = min(now + timedelta(minutes=minutes), soonest - timedelta(seconds=1))
    again = plan_all(visits, client=client, askings=askings, schedule=rule, now=then)
    assert {name: each for name, each in again.items() if isinstance(each, Planned)} == {
        name: each for name, each in first.items() if isinstance(each, Planned)
    }


def test_five_hundred_clients_are_planned_in_a_second() -> None:
    """Ten thousand appointments. A hundred thousand may take fifteen seconds, and planning is linear."""
    visits = weekly(20)
    askings = asked(visits[:10], answered=True)

    def plan() -> None:
        for number in range(500):
            client = replace(ANA, zone=ZONES[number % len(ZONES)])
            plan_all(visits, client=client, askings=askings, schedule=Schedule(), now=at("2026-03-16T11:00"))

    assert takes_at_most(1.0, plan)


# The page for managers


def test_the_page_explains_every_key_and_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "schedule.md").read_text(encoding="utf-8")
    assert len(REASONS) == 26, "reasons are the constants in capitals"
    assert [reason for reason in REASONS if reason not in page] == []
    assert [key for key in FORMS if f"`{key}`" not in page] == []
