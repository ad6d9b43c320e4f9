"""A person's own times, as they are stored: quiet hours such as "20:00-07:00", a weekly digest such as "mon 08:00".

Both by the clock of the practice's zone. Mails about danger know no quiet hours.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from surveys.window import WEEKDAYS, clock_shows

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_A_DAY = 24 * 60


class BadTime(ValueError):
    """A time that can't be used; the message says why."""


@dataclass(frozen=True)
class QuietHours:
    """From minute `start` to minute `end` of the day; over midnight where `end` is the smaller."""

    start: int
    end: int

    @classmethod
    def read(cls, text: str) -> "QuietHours | None":
        """Quiet hours from text; None for the empty one. Raises BadTime."""
        if not text:
            return None
        start, _, end = text.partition("-")
        found = cls(_minute(start), _minute(end))
        if found.start == found.end:
            raise BadTime("quiet hours that begin and end at the same time would last all day, or not at all")
        return found

    def __str__(self) -> str:
        return f"{_shown(self.start)}-{_shown(self.end)}"

    def over_at(self, now: datetime, zone: str) -> datetime | None:
        """When they end (UTC), if this moment lies within them; else None."""
        local = now.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        if not (minute - self.start) % _A_DAY < (self.end - self.start) % _A_DAY:
            return None
        tomorrow = self.end <= minute
        return clock_shows(local.date() + timedelta(days=tomorrow), self.end, zone)


@dataclass(frozen=True)
class Digest:
    """Once a week: on `day` (0: Monday) at this minute of the day."""

    day: int
    minute: int

    @classmethod
    def read(cls, text: str) -> "Digest | None":
        """A digest's day and hour from text; None for the empty one. Raises BadTime."""
        if not text:
            return None
        day, _, clock = text.partition(" ")
        if day not in WEEKDAYS:
            raise BadTime(f"the day must be one of {', '.join(WEEKDAYS)}, not {day!r}")
        return cls(WEEKDAYS.index(day), _minute(clock))

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.day]} {_shown(self.minute)}"

    def latest(self, now: datetime, zone: str) -> datetime:
        """When it was last due (UTC), at this moment at the latest."""
        today = now.astimezone(ZoneInfo(zone)).date()
        day = today - timedelta(days=(today.weekday() - self.day) % 7)
        due = clock_shows(day, self.minute, zone)
        return due if due <= now else clock_shows(day - timedelta(days=7), self.minute, zone)


def _minute(text: str) -> int:
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise BadTime(f"a time of day is written like 08:30, not {text!r}")
    return int(found[1]) * 60 + int(found[2])


def _shown(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
