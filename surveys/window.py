"""The hours in which a client may be written to, by the client's own clock.

A zone's clock is a row of *stretches*, each with one offset from UTC. Inside a stretch local time runs as UTC
does; between two of them it jumps. Cutting the open hours at the jumps makes every case plain: an hour that
doesn't exist is never open, one that comes twice is open twice, and no local time is taken for an instant that
it might not be.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays as public_holidays

DAY = 24 * 60 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_CLOSED = 400 * DAY  # a rule that opens nowhere in a year opens never
LONGEST_OPEN = 8 * DAY  # closes_at looks no further: nothing we send stays valid that long

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()


class NeverOpens(ValueError):
    """The hours, days and holidays together leave no time to write at."""


def known_zone(zone: str, otherwise: str) -> str:
    """The zone, or the other one where this machine doesn't know it."""
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError):
        return otherwise


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


@lru_cache(maxsize=1024)
def _public(region: str, year: int) -> frozenset[date]:
    country, _, part = region.partition("-")
    return frozenset(public_holidays.country_holidays(country, subdiv=part or None, years=year))
