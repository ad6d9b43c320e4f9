"""A client is written to in the open hours of the client's own clock, whatever that clock does."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from surveys.window import (
    LONGEST_OPEN,
    Holidays,
    NeverOpens,
    Window,
    clock_shows,
    days_between,
)

ZONES = sorted(available_timezones() - {"localtime"})  # that one is the machine's own
NEW_YORK, LORD_HOWE, KATHMANDU, APIA = (
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
)
EVERY_DAY = frozenset(range(7))
ALWAYS = Window(0, 1440, EVERY_DAY)
MINUTE = timedelta(minutes=1)


def local(text: str, zone: str = NEW_YORK, fold: int = 0) -> datetime:
    """An instant, from what the client's clock shows."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def is_open_by_the_clock(window: Window, at: datetime, zone: str) -> bool:
    """The definition, from the clock's face alone: what the rest is measured by."""
    shown = at.astimezone(ZoneInfo(zone))
    minute = shown.hour * 60 + shown.minute
    on_this_day = shown.weekday() in window.days and shown.date() not in window.holidays
    return on_this_day and window.start <= minute < window.end


@cache
def changes(zone: str, year: int) -> tuple[datetime, ...]:
    """The hours of the year in which the zone's offset from UTC changes."""
    clock = ZoneInfo(zone)
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=count) for count in range(366 * 24)]
    offsets = [each.astimezone(clock).utcoffset() for each in hours]
    return tuple(hours[i] for i in range(len(hours) - 1) if offsets[i] != offsets[i + 1])


@st.composite
def moments(draw: st.DrawFn) -> tuple[datetime, str]:
    """A zone and an instant there: any, or within two days of a change of its clock."""
    zone = draw(st.sampled_from(ZONES))
    year = draw(st.integers(1996, 2040))
    near = draw(st.sampled_from([datetime(year, 1, 1, tzinfo=UTC), *changes(zone, year)]))
    reach = 366 * 1440 if near.month == near.day == 1 else 2 * 1440
    return near + draw(st.integers(-reach, reach)) * MINUTE, zone


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 1439))
    end = draw(st.integers(start + 1, 1440))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return Window(start, end, days)


@settings(max_examples=300, deadline=None)
@given(moments(), windows())
@example((local("2026-03-08T01:30"), NEW_YORK), Window(150, 190, EVERY_DAY))
@example((local("2026-11-01T00:30"), NEW_YORK), Window(90, 110, EVERY_DAY))
@example((local("2011-12-29T12:00", APIA), APIA), Window(540, 600, EVERY_DAY))
def test_the_next_opening_is_the_earliest(moment: tuple[datetime, str], window: Window) -> None:
    """Nothing between the time asked from and the time found is open, minute by minute."""
    at, zone = moment
    found = window.next_open(at, zone)
    assert found >= at
    assert is_open_by_the_clock(window, found, zone)
    assume(found - at < timedelta(days=3))  # a longer way takes too long to walk
    minutes = (found - at) // MINUTE
    assert not any(is_open_by_the_clock(window, at + step * MINUTE, zone) for step in range(minutes))


@settings(max_examples=300, deadline=None)
@given(moments(), windows(), st.integers(0, 59))
@example((local("2026-11-01T01:40"), NEW_YORK), Window(90, 1200, EVERY_DAY), 0)
def test_the_closing_is_the_first_closed_moment(moment: tuple[datetime, str], window: Window, seconds: int) -> None:
    """Exact to the second: open until the second before, closed in it, and open at every minute between."""
    at, zone = moment[0] + timedelta(seconds=seconds), moment[1]
    closes = window.closes_at(at, zone)
    if not is_open_by_the_clock(window, at, zone):
        assert closes == at
        return
    if closes - at < timedelta(seconds=LONGEST_OPEN):
        assert not is_open_by_the_clock(window, closes, zone)
    assert is_open_by_the_clock(window, closes - timedelta(seconds=1), zone)
    minutes = min((closes - at) // MINUTE, 3 * 1440)
    assert all(is_open_by_the_clock(window, at + step * MINUTE, zone) for step in range(minutes))


@settings(max_examples=200, deadline=None)
@given(moments(), st.integers(0, 1439))
@example((local("2026-03-08T12:00"), NEW_YORK), 150)
@example((local("2011-12-29T12:00", APIA), APIA), 600)
def test_a_time_of_day_is_the_first_moment_the_clock_shows_or_has_passed(
    moment: tuple[datetime, str], minute: int
) -> None:
    at, zone = moment
    day = at.astimezone(ZoneInfo(zone)).date()
    wanted = datetime.combine(day, time(minute // 60, minute % 60))
    found = clock_shows(day, minute, zone)
    assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) >= wanted
    before = [found - step * MINUTE for step in range(1, 1500)]
    assert all(each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) < wanted for each in before)


def test_in_every_zone_of_the_world_nothing_is_open_that_the_clock_calls_closed() -> None:
    """A hundred thousand moments, a hundred and seventy in each zone; the seed is shown if one fails."""
    seed = 20261123
    random = Random(seed)
    for zone in ZONES:
        for _ in range(170):
            start = random.randrange(1440)
            window = Window(start, random.randint(start + 1, 1440), frozenset({random.randrange(7), 2}))
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(2 * 366 * 86400))
            opens = window.next_open(at, zone)
            closes = window.closes_at(opens, zone)
            case = (seed, zone, window, at)
            assert is_open_by_the_clock(window, opens, zone), case
            assert is_open_by_the_clock(window, closes - timedelta(seconds=1), zone), case
            assert not is_open_by_the_clock(window, closes, zone), case


def test_hours_that_the_spring_change_leaves_out_do_not_open() -> None:
    window = Window(120, 180, EVERY_DAY)
    assert window.next_open(local("2026-03-08T00:00"), NEW_YORK) == local("2026-03-09T02:00")


def test_hours_that_begin_in_the_gap_open_when_the_clock_has_jumped() -> None:
    window = Window(150, 240, EVERY_DAY)
    assert window.next_open(local("2026-03-08T00:00"), NEW_YORK) == local("2026-03-08T03:00")


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    window = Window(60, 90, EVERY_DAY)
    first, second = local("2026-11-01T01:00"), local("2026-11-01T01:00", fold=1)
    assert window.is_open(first, NEW_YORK)
    assert window.is_open(second, NEW_YORK)
    assert window.closes_at(first, NEW_YORK) == first + 30 * MINUTE
    assert window.next_open(first + 30 * MINUTE, NEW_YORK) == second


def test_the_clock_going_back_before_the_opening_closes_again() -> None:
    window = Window(90, 1200, EVERY_DAY)
    assert window.closes_at(local("2026-11-01T01:40"), NEW_YORK) == local("2026-11-01T01:00", fold=1)


def test_lord_howe_changes_by_half_an_hour() -> None:
    window = Window(120, 150, EVERY_DAY)
    assert window.next_open(local("2026-10-04T00:00", LORD_HOWE), LORD_HOWE) == local("2026-10-05T02:00", LORD_HOWE)


def test_kathmandu_opens_at_its_own_quarter_hour() -> None:
    at = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert Window().next_open(at, KATHMANDU) == datetime(2026, 11, 23, 3, 15, tzinfo=UTC)


def test_apia_opens_on_the_day_after_the_one_it_never_had() -> None:
    window = Window(540, 1200, EVERY_DAY)
    assert window.next_open(local("2011-12-29T21:00", APIA), APIA) == local("2011-12-31T09:00", APIA)
    assert days_between(local("2011-12-29T21:00", APIA), local("2011-12-31T09:00", APIA), APIA) == 2


def test_the_closing_minute_is_closed_and_the_second_before_is_open() -> None:
    edge = local("2026-11-23T20:00")
    assert Window().is_open(edge - timedelta(microseconds=1), NEW_YORK)
    assert not Window().is_open(edge, NEW_YORK)
    assert Window().closes_at(edge - timedelta(microseconds=1), NEW_YORK) == edge


def test_a_moment_just_before_the_opening_waits_for_it() -> None:
    opens = local("2026-11-23T09:00")
    just_before = opens - timedelta(microseconds=1)
    assert Window().next_open(just_before, NEW_YORK) == opens
    assert Window().closes_at(just_before, NEW_YORK) == just_before


def test_an_open_moment_is_its_own_next_opening_in_utc() -> None:
    at = datetime(2026, 11, 23, 10, 0, 0, 5, tzinfo=ZoneInfo(NEW_YORK))
    assert Window().next_open(at, NEW_YORK) == at
    assert Window().next_open(at, NEW_YORK).tzinfo is UTC
    assert Window().closes_at(at, NEW_YORK).tzinfo is UTC


def test_neighbouring_whole_days_are_one_span() -> None:
    window = Window(0, 1440, frozenset({0, 1, 2}))
    assert window.closes_at(local("2026-11-23T15:00"), NEW_YORK) == local("2026-11-26T00:00")


def test_whole_days_run_through_both_clock_changes() -> None:
    window = Window(0, 1440, frozenset({5, 6, 0}))
    assert window.closes_at(local("2026-03-07T15:00"), NEW_YORK) == local("2026-03-10T00:00")
    assert window.closes_at(local("2026-10-31T15:00"), NEW_YORK) == local("2026-11-03T00:00")


def test_a_span_runs_over_the_new_year() -> None:
    assert ALWAYS.closes_at(local("2026-12-31T15:00"), NEW_YORK) > local("2027-01-05T00:00")


def test_always_open_is_looked_at_eight_days_ahead() -> None:
    at = local("2026-11-23T15:00")
    assert ALWAYS.closes_at(at, NEW_YORK) == at + timedelta(days=8)


def test_a_holiday_is_closed_and_ends_a_whole_day_span() -> None:
    window = Window(0, 1440, EVERY_DAY, Holidays(frozenset({date(2026, 12, 25)})))
    assert not window.is_open(local("2026-12-25T12:00"), NEW_YORK)
    assert window.closes_at(local("2026-12-24T12:00"), NEW_YORK) == local("2026-12-25T00:00")
    assert window.next_open(local("2026-12-25T00:00"), NEW_YORK) == local("2026-12-26T00:00")


def test_a_country_closes_its_public_holidays_and_a_state_its_own_too() -> None:
    thanksgiving, lincoln = date(2026, 11, 26), date(2026, 2, 12)
    assert thanksgiving in Holidays(regions=("US",))
    assert lincoln not in Holidays(regions=("US",))
    assert lincoln in Holidays(regions=("US-NY",))


def test_a_holiday_moved_to_a_weekday_of_the_year_before_is_closed() -> None:
    assert date(2021, 12, 31) in Holidays(regions=("US",)), "New Year 2022 was a Saturday"


def test_hours_that_never_open_are_said_so() -> None:
    every_day = frozenset(date(2026, 1, 1) + timedelta(days=count) for count in range(800))
    for window in (Window(days=frozenset()), Window(holidays=Holidays(every_day))):
        with pytest.raises(NeverOpens, match="open at least one day"):
            window.next_open(local("2026-03-01T12:00"), NEW_YORK)
        assert window.closes_at(local("2026-03-01T12:00"), NEW_YORK) == local("2026-03-01T12:00")


def test_one_open_day_in_a_year_is_found() -> None:
    but_one = frozenset(
        date(2026, 1, 1) + timedelta(days=count) for count in range(800) if count != 390
    )  # 26 January 2027, a Tuesday
    window = Window(holidays=Holidays(but_one))
    assert window.next_open(local("2026-03-01T12:00"), NEW_YORK) == local("2027-01-26T09:00")


def test_an_unknown_zone_is_left_to_the_caller() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        Window().next_open(local("2026-11-23T12:00"), "Mars/Olympus")
