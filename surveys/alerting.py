"""When an alert opens, deepens and ends, and how it climbs until a person has acknowledged it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from surveys.window import Holidays

ONE_IN = 50  # about one false alarm in this many check-ins, unless the practice chose otherwise
LIMITS = (20, 200)
MENDED_BELOW = 1.5  # under the alarm's threshold, in log odds: the odds of "down now" are less than a quarter of it

# Danger: the therapist at once, the second contact after 15 minutes, the duty contact after 30, then
# everyone again every half hour until somebody acknowledges.
DANGER_STEPS: tuple[tuple[timedelta, tuple[str, ...]], ...] = (
    (timedelta(0), ("therapist",)),
    (timedelta(minutes=15), ("therapist", "second")),
    (timedelta(minutes=30), ("therapist", "second", "duty")),
)
DANGER_AGAIN = timedelta(minutes=30)
UNKNOWN_AGAIN = timedelta(minutes=15)
TAKEN_WITHIN = timedelta(minutes=30)  # a first mail that no server has taken by then: the managers are told
REMINDER_DAYS, SUPERVISOR_DAYS, SUPERVISOR_AGAIN_DAYS = 1, 2, 5  # working days


@dataclass(frozen=True)
class Standing:
    """How the latest alert of this client with this therapist stands: not ended yet; taken on by somebody."""

    open: bool = False
    acknowledged: bool = False


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: whom to tell and as what, which step follows, and when.

    `kind`: first, untaken (was the first mail taken? nobody else is told), reminder, waiting, or danger.
    """

    roles: tuple[str, ...]
    kind: str
    next_step: int
    next_at: datetime
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


def rung(
    kind: str,
    step: int,
    opened_at: datetime,
    now: datetime,
    zone: str,
    closed: Holidays,
    *,
    told_at: datetime | None = None,
) -> Rung:
    """What happens at one step of the ladder. Times UTC; working days are counted in the practice's zone.

    `told_at`: when the first mail was taken, from which the therapist's days count (so that nobody is said
    to have left a note waiting that we couldn't deliver).
    """
    if kind in ("danger", "danger_unknown"):
        return _danger_rung(kind, step, opened_at, now)
    since = told_at or opened_at
    if step == 0:
        return Rung(("therapist",), "first", 1, now + TAKEN_WITHIN)
    if step == 1:
        return Rung((), "untaken", 2, after_working_days(since, REMINDER_DAYS, zone, closed))
    if step == 2:
        return Rung(("therapist",), "reminder", 3, after_working_days(since, SUPERVISOR_DAYS, zone, closed))
    again = after_working_days(now, SUPERVISOR_AGAIN_DAYS, zone, closed)
    return Rung(("supervisor",), "waiting", step + 1, again, escalated=True)


def working_days(since: datetime, until: datetime, zone: str, closed: Holidays) -> int:
    """How many whole working days have passed; at least one, as "has waited one day" is the least we say."""
    first, last = since.astimezone(ZoneInfo(zone)), until.astimezone(ZoneInfo(zone))
    days = [first.date() + timedelta(days=n) for n in range(1, (last.date() - first.date()).days + 1)]
    today_is_over = last.time() >= first.time()
    return max(1, sum(_is_working_day(day, closed) for day in days if day < last.date() or today_is_over))


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
    if kind == "danger_unknown":  # nobody's number, or nobody in care any more: the duty contact at once
        return Rung(("duty", "second"), "danger", step + 1, now + UNKNOWN_AGAIN, escalated=step > 0)
    # A worker that was down tells everyone who should know by now, once, not rung after rung.
    late = sum(opened_at + offset <= now for offset, _ in DANGER_STEPS) - 1
    reached = max(step, late)
    roles = DANGER_STEPS[min(reached, len(DANGER_STEPS) - 1)][1]
    ahead = reached + 1 < len(DANGER_STEPS)
    next_at = opened_at + DANGER_STEPS[reached + 1][0] if ahead else now + DANGER_AGAIN
    return Rung(roles, "danger", reached + 1, next_at, escalated=reached > 0)
