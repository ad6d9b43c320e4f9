"""Calendar months by a practice's clock, and the morning on which the letter about one is due. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from surveys.window import Holidays, clock_shows

MORNING = 9 * 60  # nine o'clock
SATURDAY = 5


@dataclass(frozen=True)
class Month:
    """One month of a year, as 2026 and 11."""

    year: int
    number: int

    @classmethod
    def at(cls, now: datetime, zone: str) -> "Month":
        """The month in which a moment lies."""
        local = now.astimezone(ZoneInfo(zone))
        return cls(local.year, local.month)

    @property
    def before(self) -> "Month":
        """The month before this one."""
        return Month(self.year, self.number - 1) if self.number > 1 else Month(self.year - 1, 12)

    @property
    def after(self) -> "Month":
        """The month after this one."""
        return Month(self.year, self.number + 1) if self.number < 12 else Month(self.year + 1, 1)

    def begins(self, zone: str) -> datetime:
        """Its first moment (UTC); the next month's is its end."""
        return clock_shows(date(self.year, self.number, 1), 0, zone)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02d}"


def letter_due(month: Month, zone: str, closed: Holidays) -> datetime:
    """When the letter about a month is due (UTC): nine o'clock on the next month's first working day."""
    day = date(month.after.year, month.after.number, 1)
    while day.weekday() >= SATURDAY or day in closed:
        day += timedelta(days=1)
    return clock_shows(day, MORNING, zone)


def latest_letter(now: datetime, zone: str, closed: Holidays) -> tuple[datetime, Month]:
    """When a letter was last due, at this moment at the latest, and about which month."""
    month = Month.at(now, zone).before
    while (due := letter_due(month, zone, closed)) > now:
        month = month.before
    return due, month
