"""When an alert opens, deepens and ends, and how it climbs until a person has acknowledged it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from surveys.window import Holidays

ONE_IN = 50  # about one false alarm in this many check-ins, unless the practice chose otherwise
LIMITS = (20, 200)
STRAIGHT_AFTER = 2  # answered check-ins after the end of an alert that somebody took on: sooner no new one opens
LOWEST, NOT_LOW = 1, 3.0  # an answer told of by itself; the mean of earlier answers from which on it is unusual
TO_MEAN_OTHERWISE = timedelta(hours=24)  # a client asked "if you meant otherwise" may send the numbers again
LOW_IS_OLD = timedelta(days=7)  # an answer older than this isn't told of any more
SILENT, REGULAR = 3, (4, 6)  # unanswered in a row, after so many answered of so many
ORDINARY_START = 2.5  # times the rate of false alarms: a start as likely as this is nothing to speak of
MENDED_BELOW = 1.5  # under the alarm's threshold, in log odds: the odds of "down now" are less than a quarter of it

SECOND_AFTER = 15  # minutes; a practice may choose fewer, down to none
DUTY_AFTER = timedelta(minutes=30)
DANGER_AGAIN = timedelta(minutes=30)
UNKNOWN_AGAIN = timedelta(minutes=15)
TAKEN_WITHIN = timedelta(minutes=30)  # a first mail that no server has taken by then: the managers are told
REMINDER_DAYS, SUPERVISOR_DAYS, SUPERVISOR_AGAIN_DAYS = 1, 2, 5  # working days
SUPERVISOR_LIMITS = (2, 10)  # a practice may choose another number of days in these


class Answered(Protocol):
    """What is read of `surveys.rapport.Observation`."""

    @property
    def answered(self) -> bool: ...


@dataclass(frozen=True)
class Standing:
    """How the latest alert of this client with this therapist stands.

    `open`: not ended yet. `acknowledged`: somebody took it on. `answered_since`: check-ins answered after it ended.
    `start`: it was about a low start, not a fall.
    """

    open: bool = False
    acknowledged: bool = False
    answered_since: int = 0
    start: bool = False


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: whom to tell and as what, which step follows, and when.

    `kind`: first, held (its mail waits for the end of quiet hours), untaken (was the first mail taken? nobody else is
    told), reminder, waiting, or danger. `next_at` is
    None where it climbs no further: a note about a single low answer is told once.
    """

    roles: tuple[str, ...]
    kind: str
    next_step: int
    next_at: datetime | None
    escalated: bool = False


def one_in(settings: Mapping[str, str], own: int | None = None) -> int:
    """ "One false alarm in n check-ins", within limits: a therapist's `own` choice, or the practice's."""
    return max(LIMITS[0], min(LIMITS[1], own or int(settings.get("one_false_alarm_in", ONE_IN))))


def supervisor_after(settings: Mapping[str, str]) -> int:
    """After how many working days a supervisor learns that a note waits, within limits."""
    low, high = SUPERVISOR_LIMITS
    return max(low, min(high, int(settings.get("supervisor_after_days") or SUPERVISOR_DAYS)))


def second_contact_after(settings: Mapping[str, str]) -> timedelta:
    """How long after the therapist the second contact is told of danger: a quarter of an hour, or less down to none."""
    chosen = settings.get("second_contact_minutes") or SECOND_AFTER
    return timedelta(minutes=max(0, min(SECOND_AFTER, int(chosen))))


def danger_steps(second_after: timedelta) -> tuple[tuple[timedelta, tuple[str, ...]], ...]:
    """How long after danger was noticed who is told; afterwards all of them again, until somebody acknowledges."""
    alone = ((timedelta(0), ("therapist",)),) if second_after else ()
    return (*alone, (second_after, ("therapist", "second")), (DUTY_AFTER, ("therapist", "second", "duty")))


def decide(evidence: float, threshold: float, standing: Standing, *, start: float = 1.0, rate: float = 0.0) -> str:
    """`open`, `deepen`, `resolve` or `nothing`.

    One alert at a time; it ends when rapport has recovered, and only then can a new one open, so that an
    acknowledged alert doesn't nag. Nor does a relapse straight after one that somebody took on: they are at it.

    `start`: the chance that a client as usual starts as low as this one (1.0 once there is a usual to fall from);
    one no larger than `rate`, that of false alarms, opens an alert too, which ends when a start isn't so low after
    all, or when by then this is simply how the client rates.
    """
    if standing.open and standing.start and start < 1.0:
        return "resolve" if start > ORDINARY_START * rate else "nothing"
    if standing.open:
        if evidence <= threshold - MENDED_BELOW:
            return "resolve"
        return "deepen" if evidence >= threshold and not standing.acknowledged else "nothing"
    straight_after = standing.acknowledged and standing.answered_since < STRAIGHT_AFTER
    return "open" if (evidence >= threshold or start <= rate) and not straight_after else "nothing"


def very_low(answers: Mapping[str, int], earlier: Sequence[Mapping[str, int]], core: Sequence[str]) -> tuple[str, ...]:
    """The core feelings answered with the lowest score, by someone who doesn't usually rate low; in their order.

    Of someone who has answered nothing before, nothing is usual: a 1 is told.
    """
    before = [score for scores in earlier for score in scores.values()]
    if before and sum(before) / len(before) < NOT_LOW:
        return ()
    return tuple(feeling for feeling in core if answers.get(feeling) == LOWEST)


def gone_silent(history: Sequence[Answered]) -> int:
    """How many check-ins in a row a client has left unanswered who answered regularly before; 0 where that isn't so.

    Weak evidence, so a line in a digest and never an alert: about one in forty who answer two in three would be told
    of at any time without anything being wrong.
    """
    answered = [seen.answered for seen in history]
    silent = next((n for n, was in enumerate(reversed(answered)) if was), len(answered))
    before = answered[: len(answered) - silent][-REGULAR[1] :]
    return silent if silent >= SILENT and sum(before) >= REGULAR[0] else 0


def rung(
    kind: str,
    step: int,
    opened_at: datetime,
    now: datetime,
    zone: str,
    closed: Holidays,
    *,
    told_at: datetime | None = None,
    quiet_until: datetime | None = None,
    covered: bool = False,
    supervisor_after: int = SUPERVISOR_DAYS,
    second_after: timedelta = timedelta(minutes=SECOND_AFTER),
) -> Rung:
    """What happens at one step of the ladder. Times UTC; working days are counted in the practice's zone.

    `told_at`: when the first mail was taken, from which the therapist's days count (so that nobody is said
    to have left a note waiting that we couldn't deliver). `quiet_until`: the end of the quiet hours in which the
    therapist is now. `covered`: they are away, and someone stands in. `supervisor_after`: so many working days.
    `second_after`: how long after the therapist the second contact is told of danger.
    """
    if kind in ("danger", "danger_unknown"):
        return _danger_rung(kind, step, opened_at, now, covered, danger_steps(second_after))
    since = told_at or opened_at
    if step == 0:
        roles = ("therapist", "cover") if covered and kind == "call" else ("therapist",)
        return Rung(roles, "first", 1, max(now, quiet_until or now) + TAKEN_WITHIN)
    if step == 1 and quiet_until and told_at is None:  # not late: it isn't to be sent yet
        return Rung((), "held", 1, quiet_until + TAKEN_WITHIN)
    if kind == "low":
        return Rung((), "untaken", 2, None)
    if step == 1:
        return Rung((), "untaken", 2, after_working_days(since, REMINDER_DAYS, zone, closed))
    if step == 2:
        roles = ("cover",) if covered else ("therapist",)
        return Rung(roles, "reminder", 3, after_working_days(since, supervisor_after, zone, closed))
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


def _danger_rung(
    kind: str,
    step: int,
    opened_at: datetime,
    now: datetime,
    covered: bool,
    steps: Sequence[tuple[timedelta, tuple[str, ...]]],
) -> Rung:
    if kind == "danger_unknown":  # nobody's number, or nobody in care any more: the duty contact at once
        return Rung(("duty", "second"), "danger", step + 1, now + UNKNOWN_AGAIN, escalated=step > 0)
    # A worker that was down tells everyone who should know by now, once, not rung after rung.
    late = sum(opened_at + offset <= now for offset, _ in steps) - 1
    reached = max(step, late)
    roles = (*steps[min(reached, len(steps) - 1)][1], *(("cover",) if covered else ()))
    ahead = reached + 1 < len(steps)
    next_at = opened_at + steps[reached + 1][0] if ahead else now + DANGER_AGAIN
    return Rung(roles, "danger", reached + 1, next_at, escalated=reached > 0)
