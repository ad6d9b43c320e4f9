"""When an alert opens, deepens and ends, and how it climbs until a person has acknowledged it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from surveys.window import Holidays

ONE_IN = 50  # about one false alarm in this many check-ins, unless the practice chose otherwise
LIMITS = (20, 200)
MENDED_BELOW = 1.5  # under the alarm's threshold, in log odds: the odds of "down now" have fallen to less than a quarter

# Danger: the therapist at once, the second contact after 15 minutes, the duty contact after 30, then
# everyone again every half hour until somebody acknowledges.
DANGER_STEPS: tuple[tuple[timedelta, tuple[str, ...]], ...] = (
    (timedelta(0), ("therapist",)),
    (timedelta(minutes=15), ("therapist", "second")),
    (timedelta(minutes=30), ("therapist", "second", "duty")),
)
DANGER_AGAIN = timedelta(minutes=30)
REMINDER_DAYS, SUPERVISOR_DAYS, SUPERVISOR_AGAIN_DAYS = 1, 2, 5  # working days


@dataclass(frozen=True)
class Standing:
    """How the latest alert of this client with this therapist stands: not ended yet; taken on by somebody."""

    open: bool = False
    acknowledged: bool = False


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: whom to tell, as what, and when the next step is due (None: the last)."""

    roles: tuple[str, ...]
    kind: str
    next_at: datetime | None
    escalated: bool = False


def one_in(settings: Mapping[str, str]) -> int:
    """The practice's choice of "one false alarm in n check-ins", within limits."""
    return max(LIMITS[0], min(LIMITS[1], int(settings.get("one_false_alarm_in", ONE_IN))))


def decide(evidence: float, threshold: float, standing: Standing) -> str:
    """`open`, `deepen`, `resolve` or `nothing`.

    One alert at a time; it ends when rapport has recovered, and only then can a new one open, so that an
    acknowledged alert doesn't nag.
    """
    if standing.open:
        if evidence <= threshold - MENDED_BELOW:
            return "resolve"
        return "deepen" if evidence >= threshold and not standing.acknowledged else "nothing"
    return "open" if evidence >= threshold else "nothing"


def rung(kind: str, step: int, opened_at: datetime, now: datetime, zone: str, closed: Holidays) -> Rung:
    """What happens at one step of the ladder. Times UTC; working days are counted in the practice's zone."""
    if kind in ("danger", "danger_unknown"):
        return _danger_rung(kind, step, opened_at, now)
    if step == 0:
        return Rung(("therapist",), "first", after_working_days(opened_at, REMINDER_DAYS, zone, closed))
    if step == 1:
        return Rung(("therapist",), "reminder", after_working_days(opened_at, SUPERVISOR_DAYS, zone, closed))
    again = after_working_days(now, SUPERVISOR_AGAIN_DAYS, zone, closed)
    return Rung(("supervisor",), "waiting", again, escalated=True)


def after_working_days(since: datetime, days: int, zone: str, closed: Holidays) -> datetime:
    """The same local time, this many working days (Monday to Friday, no holidays) later."""
    local = since.astimezone(ZoneInfo(zone))
    day, left = local.date(), days
    while left:
        day += timedelta(days=1)
        left -= _is_working_day(day, closed)
    return local.replace(year=day.year, month=day.month, day=day.day).astimezone(since.tzinfo)


def _is_working_day(day: date, closed: Holidays) -> bool:
    return day.weekday() < 5 and day not in closed


def _danger_rung(kind: str, step: int, opened_at: datetime, now: datetime) -> Rung:
    if kind == "danger_unknown":  # no client, so no therapist: the duty contact at once
        return Rung(("duty", "second"), "danger", now + timedelta(minutes=15), escalated=step > 0)
    if step >= len(DANGER_STEPS):
        return Rung(DANGER_STEPS[-1][1], "danger", now + DANGER_AGAIN, escalated=True)
    following = DANGER_STEPS[step + 1][0] if step + 1 < len(DANGER_STEPS) else None
    next_at = opened_at + following if following else now + DANGER_AGAIN
    # A worker that was down catches up one rung at a time, at once.
    return Rung(DANGER_STEPS[step][1], "danger", next_at, escalated=step > 0)
