"""The hours in which a client may be written to, by the client's own clock; and a rule's values as text.

A zone's clock is a row of *stretches*, each with one offset from UTC. Inside a stretch local time runs as UTC
does; between two of them it jumps. Cutting the open hours at the jumps makes every case plain: an hour that
doesn't exist is never open, one that comes twice is open twice, and no local time is taken for an instant that
it might not be.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays as public_holidays

DAY = 24 * 60 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARS = range(2000, 2100)  # what a date in a rule may say: wide enough, and far from the ends of the calendar
LONGEST_CLOSED = 400 * DAY  # a rule that opens nowhere in a year opens never
LONGEST_OPEN = 8 * DAY  # closes_at looks no further: nothing we send stays valid that long

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()


class NeverOpens(ValueError):
    """The hours, days and holidays together leave no time to write at."""


@dataclass(frozen=True)
class Holidays:
    """Closed dates: single ones, and the public holidays of regions such as ``US`` or ``US-NY``."""

    dates: frozenset[date] = frozenset()
    regions: tuple[str, ...] = ()

    def __contains__(self, day: date) -> bool:
        return day in self.dates or any(day in _public(region, day.year) for region in self.regions)


NO_HOLIDAYS = Holidays()


@dataclass(frozen=True)
class Window:
    """Open from minute ``start`` to minute ``end`` (at most 1440) of the local day, on ``days`` (0: Monday).

    All times given are aware; all times returned are UTC. A zone is an IANA name; one that zoneinfo doesn't
    know raises its ``ZoneInfoNotFoundError``, since only the caller knows what to use instead.
    """

    start: int = 9 * 60
    end: int = 20 * 60
    days: frozenset[int] = frozenset(range(6))
    holidays: Holidays = NO_HOLIDAYS

    def is_open(self, at: datetime, zone: str) -> bool:
        """Whether a client in ``zone`` may be written to at this instant."""
        local = at.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        return self.start <= minute < self.end and self._opens_on(local.toordinal())

    def next_open(self, at: datetime, zone: str) -> datetime:
        """The earliest open instant that is not before ``at``. Raises NeverOpens if a year has none."""
        since = _seconds(at)
        for opens, _ in self._spans(zone, since, since + LONGEST_CLOSED):
            return _instant(opens) if opens > since else at.astimezone(UTC)
        raise NeverOpens("These hours, days and holidays leave no time to write at: open at least one day.")

    def closes_at(self, at: datetime, zone: str) -> datetime:
        """The first closed instant not before ``at``, exact to the second: ``at`` itself if closed then.

        Neighbouring days of 00:00-24:00 are one span. Eight days ahead is the furthest it looks.
        """
        since = closes = _seconds(at)
        for opens, ends in self._spans(zone, since, since + LONGEST_OPEN):
            if opens > closes:
                break
            closes = ends
        return _instant(closes) if closes > since else at.astimezone(UTC)

    def _spans(self, zone: str, since: int, until: int) -> Iterator[tuple[int, int]]:
        """Open spans between two instants, in order; two may touch, at midnight or where the clock jumps."""
        for begins, ends, offset in _stretches(zone, since, until):
            for day in range((begins + offset) // DAY, (ends + offset - 1) // DAY + 1):
                midnight = day * DAY - offset
                opens = max(begins, midnight + self.start * 60)
                closes = min(ends, midnight + self.end * 60)
                if opens < closes and self._opens_on(_EPOCH_DAY + day):
                    yield opens, closes

    def _opens_on(self, ordinal: int) -> bool:
        return (ordinal - 1) % 7 in self.days and date.fromordinal(ordinal) not in self.holidays


def clock_shows(day: date, minute: int, zone: str) -> datetime:
    """The first instant (UTC) at which the clock of ``zone`` shows this minute of this day, or is past it.

    A minute that the spring change leaves out is the moment of the change; one that comes twice, the first.
    """
    wanted = (day.toordinal() - _EPOCH_DAY) * DAY + minute * 60
    for begins, ends, offset in _stretches(zone, wanted - 2 * DAY, wanted + 2 * DAY):
        if wanted - offset < ends:
            return _instant(max(begins, wanted - offset))
    raise AssertionError("no zone is two days from UTC")


def days_between(before: datetime, after: datetime, zone: str) -> int:
    """Days from one to the other on the calendar of ``zone``."""
    local = ZoneInfo(zone)
    return (after.astimezone(local).date() - before.astimezone(local).date()).days


def _stretches(zone: str, since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """(begins, ends, offset) in seconds, covering since to until and cut to it."""
    for year in range(_instant(since).year, _instant(until).year + 1):
        for begins, ends, offset in _year_of(zone, year):
            if ends > since and begins < until:
                yield max(begins, since), min(ends, until), offset


@lru_cache(maxsize=8192)
def _year_of(zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """The stretches of one UTC year, looked for day by day, since zoneinfo doesn't list its changes.

    No zone has had two changes within a day since 1995, nor has one announced.
    """
    clock = ZoneInfo(zone)
    edge = _seconds(datetime(year, 1, 1, tzinfo=UTC))
    last = _seconds(datetime(year + 1, 1, 1, tzinfo=UTC))
    found = []
    for day in range(edge, last, DAY):
        before = _offset(clock, day)
        if before != _offset(clock, day + DAY):
            change = _change(clock, day)
            found.append((edge, change, before))
            edge = change
    return (*found, (edge, last, _offset(clock, edge)))


def _change(clock: ZoneInfo, day: int) -> int:
    """The second of this day from which the offset is that of the day's end."""
    after = _offset(clock, day + DAY)
    return day + bisect_left(range(DAY), True, key=lambda second: _offset(clock, day + second) == after)


def _offset(clock: ZoneInfo, at: int) -> int:
    return _seconds(_instant(at).astimezone(clock).replace(tzinfo=UTC)) - at


def _seconds(at: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return (at - _EPOCH) // timedelta(seconds=1)


def _instant(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


class BadSchedule(ValueError):
    """A rule that can't be read. ``problems``: key -> a sentence with key, value and what is expected."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Form:
    """How the value of a key is read from text (ValueError if it can't be), shown, and described."""

    expected: str
    read: Callable[[str], object]
    show: Callable[[Any], str] = str


def read_all(texts: Mapping[str, str]) -> dict[str, Any]:
    """The value of each key given. Raises BadSchedule naming every key that is unknown or has a bad value."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for key, text in texts.items():
        try:
            values[key] = FORMS[key].read(text.strip())
        except KeyError:
            problems[key] = _unknown(key)
        except ValueError:
            problems[key] = f"{key}={text} can't be used: expected {FORMS[key].expected}."
    if problems:
        raise BadSchedule(problems)
    return values


def show_all(rule: object) -> dict[str, str]:
    """The text of every key, from the attributes of the same names."""
    return {key: form.show(getattr(rule, key)) for key, form in FORMS.items()}


def _one_of(*choices: str) -> Form:
    """One of these words."""
    return Form(" or ".join(choices), lambda text: choices[choices.index(text)])


def _number(least: int, most: int, meaning: str) -> Form:
    """A whole number, both ends included."""
    known = {str(each): each for each in range(least, most + 1)}

    def read(text: str) -> int:
        if text not in known:
            raise ValueError(text)
        return known[text]

    return Form(f"a whole number from {least} to {most}, {meaning}", read)


def _or_empty(form: Form) -> Form:
    """The same, or nothing (None)."""
    return Form(
        f"{form.expected}, or nothing",
        lambda text: form.read(text) if text else None,
        lambda value: "" if value is None else form.show(value),
    )


def _unknown(key: str) -> str:
    near = get_close_matches(key, FORMS, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no key {key}.{meant} The keys are: {', '.join(FORMS)}."


def _read_minute(text: str) -> int:
    """18:30 as a minute of the day."""
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * 60 + int(found[2])


def _show_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _read_hours(text: str) -> tuple[int, int]:
    """Two minutes of the day; 24:00 is the day's end."""
    first, _, last = text.partition("-")
    start = _read_minute(first.strip())
    end = 24 * 60 if last.strip() == "24:00" else _read_minute(last.strip())
    if start >= end:
        raise ValueError(text)
    return start, end


def _show_hours(hours: tuple[int, int]) -> str:
    return "-".join(map(_show_minute, hours))


def _read_days(text: str) -> frozenset[int]:
    """Single days and ranges; a range may run over Sunday."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, *last = [WEEKDAYS.index(name.strip()) for name in re.split(r"\.\.|-", part, maxsplit=1)]
        length = (last[0] - first) % 7 + 1 if last else 1
        found.update((first + step) % 7 for step in range(length))
    return frozenset(found)


def _show_days(days: frozenset[int]) -> str:
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _read_date(text: str) -> date:
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise ValueError(text)
    return day


def _read_until(text: str) -> date | datetime:
    if len(text) <= len("2026-12-01"):
        return _read_date(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.year not in YEARS:
        raise ValueError(text)
    return moment


def _show_until(until: date | datetime) -> str:
    return until.isoformat()  # a datetime's own, with its time


def _read_holidays(text: str) -> Holidays:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    dates = frozenset(_read_date(part) for part in parts if part[0].isdigit())
    regions = {_read_region(part) for part in parts if not part[0].isdigit()}
    return Holidays(dates, tuple(sorted(regions)))


def _show_holidays(closed: Holidays) -> str:
    return ",".join((*closed.regions, *(day.isoformat() for day in sorted(closed.dates))))


def _read_region(text: str) -> str:
    country, dash, part = text.partition("-")
    names = {name.upper(): name for name in _regions().get(country.upper(), ())}
    if country.upper() not in _regions() or (dash and part.upper() not in names):
        raise ValueError(text)
    return f"{country.upper()}-{names[part.upper()]}" if dash else country.upper()


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, list[str]]:
    return public_holidays.list_supported_countries()


@lru_cache(maxsize=1024)
def _public(region: str, year: int) -> frozenset[date]:
    country, _, part = region.partition("-")
    return frozenset(public_holidays.country_holidays(country, subdiv=part or None, years=year))


FORMS: Mapping[str, Form] = {
    "which": _one_of("attended", "attended_or_booked"),
    "every": _number(1, 100, "to ask about every nth appointment"),
    "first": _number(0, 1000, "to ask about that many first ones without leaving any out"),
    "delay_minutes": _number(0, 10080, "the minutes from the end of the appointment to the check-in"),
    "next_day_at": _or_empty(Form("a time of day such as 10:00", _read_minute, _show_minute)),
    "hours": Form("two times of day such as 09:00-20:00, or 00:00-24:00", _read_hours, _show_hours),
    "days": Form("days such as mon,tue,fri or mon..sat", _read_days, _show_days),
    "min_gap_days": _number(0, 365, "the least days from one check-in to the next"),
    "reminder_hours": _number(0, 720, "the hours to the reminder, 0 for none"),
    "expiry_hours": _number(1, 720, "the hours in which a check-in can be answered"),
    "digits": _number(3, 4, "the most questions in one check-in"),
    "paused_until": _or_empty(Form("a date, or a time such as 2026-12-01T09:00-05:00", _read_until, _show_until)),
    "holidays": Form("dates and countries such as 2026-12-25,US,US-NY or nothing", _read_holidays, _show_holidays),
}
