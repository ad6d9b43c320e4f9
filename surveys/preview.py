"""What a change of the rule would do in the next four weeks: a calendar, the difference to now, what it costs in texts.

Made with the planner itself. Coming appointments that are booked are taken as if everyone came, since nobody can mark
them yet; where the rule asks about booked ones anyway, they stay booked. Appointments not yet entered can't be known.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from surveys.instrument import Instruments
from surveys.schedule import ASKED, Appointment, Asking, Client, Planned, Schedule, Skipped, plan_all
from surveys.segments import segments
from surveys.wording import Say, Voice, write

DAYS = 28
SOON = timedelta(hours=1)
Fates = Mapping[str, Planned | Skipped]


@dataclass(frozen=True)
class Cost:
    """Segments of the texts of one check-in to one client; mails take none."""

    question: int = 0
    reminder: int = 0
    thanks: int = 0
    welcome: int = 0


@dataclass(frozen=True)
class Side:
    """One client's rule, as it is or would be, the client as it sees them, and what its texts take."""

    schedule: Schedule
    client: Client
    cost: Cost = Cost()


@dataclass(frozen=True)
class Case:
    """One client with all appointments, past and coming, and the rule now and then. `ref`: how they are shown;
    `earlier`: as plan_all takes it, where only the latest appointments are given."""

    ref: str
    appointments: Sequence[Appointment]
    askings: Sequence[Asking]
    now: Side
    then: Side
    welcomed: bool = True
    earlier: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class Day:
    """One day of the practice's calendar. `planned`: when, and to whom; `skipped`: reason to references."""

    day: date
    planned: list[tuple[datetime, str]] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def left_out(self) -> int:
        """How many are not asked about a visit of this day."""
        return sum(map(len, self.skipped.values()))


@dataclass(frozen=True)
class Soon:
    """A check-in that is due within the hour by the rule now or then; None: not planned by it."""

    ref: str
    now: datetime | None
    then: datetime | None
    reason: str = ""


@dataclass
class Bill:
    """Segments of four weeks of texts: at least (questions and welcomes), at most (reminders and thanks too)."""

    least: int = 0
    most: int = 0


@dataclass
class Preview:
    """Four weeks by the rule that was given, beside the rule as it is."""

    days: list[Day]
    soon: list[Soon] = field(default_factory=list)
    more: int = 0
    fewer: int = 0
    moved: int = 0
    oftener: int = 0
    less_often: int = 0
    planned: int = 0
    planned_now: int = 0
    bill: Bill = field(default_factory=Bill)
    bill_now: Bill = field(default_factory=Bill)
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def same(self) -> bool:
        """Whether nothing that is known would change."""
        return not (self.more or self.fewer or self.moved)


def preview(cases: Iterable[Case], zone: str, now: datetime) -> Preview:
    """Look four weeks ahead from `now`, by the calendar of the practice's zone. Nothing is kept of it."""
    today = now.astimezone(ZoneInfo(zone)).date()
    made = Preview([Day(today + timedelta(days=each)) for each in range(DAYS)])
    until = now + timedelta(days=DAYS)
    for case in cases:
        _add(made, case, ZoneInfo(zone), now, until)
    for day in made.days:
        day.planned.sort()
    made.soon.sort(key=lambda each: (each.then or each.now or now, each.ref))
    return made


def cost_of(
    schedule: Schedule, channel: str, voice: Voice, instruments: Instruments, link: str, discreet: bool = False
) -> Cost:
    """What the longest texts of one check-in take by a rule, on the first channel of a client whose own this is.

    `link`: one as long as those that are sent, for a rule or a client that is asked by a link.
    """
    if schedule.channels_for(channel)[0] != "sms":
        return Cost()
    core = instruments.core
    further = [each for each in instruments.questions if each not in core and each in (schedule.fourth or (each,))]
    asked = [(*core, each)[: schedule.digits] for each in further] or [core]
    by_link = Say("", link=link if schedule.link or discreet else "", bare=discreet)

    def longest(say: Say) -> int:
        return max(segments(write(replace(say, feelings=each), voice, instruments).text).count for each in asked)

    return Cost(
        question=longest(replace(by_link, kind="check_in")),
        reminder=longest(replace(by_link, kind="reminder", bare=False))
        if schedule.reminder_hours and not discreet
        else 0,
        thanks=longest(Say("thanks")),
        welcome=longest(Say("welcome")),
    )


def as_if_all_came(appointments: Iterable[Appointment], schedule: Schedule, now: datetime) -> list[Appointment]:
    """Appointments, with coming ones marked as attended where the rule asks about nothing else."""
    if schedule.which != "attended":
        return list(appointments)
    return [
        replace(each, status="attended") if each.status == "booked" and each.ends_at > now else each
        for each in appointments
    ]


def _add(made: Preview, case: Case, zone: ZoneInfo, now: datetime, until: datetime) -> None:
    before = _fates(case, case.now, now)
    after = before if case.then == case.now else _fates(case, case.then, now)
    visits = [each for each in case.appointments if each.ends_at < until and after[each.id] != Skipped(ASKED)]
    counts = [0, 0]
    for visit in visits:
        old, new = before[visit.id], after[visit.id]
        counts[0] += isinstance(old, Planned)
        counts[1] += isinstance(new, Planned)
        _differ(made, old, new)
        _soon(made, case.ref, old, new, now + SOON)
        _on_calendar(made, case.ref, visit, new, zone)
    made.oftener += counts[1] > counts[0]
    made.less_often += counts[1] < counts[0]
    made.planned_now += counts[0]
    made.planned += counts[1]
    _charge(made.bill_now, counts[0], case.now.cost, case.welcomed)
    _charge(made.bill, counts[1], case.then.cost, case.welcomed)


def _fates(case: Case, side: Side, now: datetime) -> Fates:
    return plan_all(
        as_if_all_came(case.appointments, side.schedule, now),
        client=side.client,
        askings=case.askings,
        schedule=side.schedule,
        now=now,
        earlier=case.earlier,
    )


def _differ(made: Preview, old: Planned | Skipped, new: Planned | Skipped) -> None:
    if isinstance(old, Planned) and isinstance(new, Planned):
        made.moved += old.due_at != new.due_at
    else:
        made.more += isinstance(new, Planned)
        made.fewer += isinstance(old, Planned)


def _soon(made: Preview, ref: str, old: Planned | Skipped, new: Planned | Skipped, hour: datetime) -> None:
    before, after = (each.due_at if isinstance(each, Planned) else None for each in (old, new))
    if any(at is not None and at <= hour for at in (before, after)):
        made.soon.append(Soon(ref, before, after, new.reason if isinstance(new, Skipped) else ""))


def _on_calendar(made: Preview, ref: str, visit: Appointment, new: Planned | Skipped, zone: ZoneInfo) -> None:
    """A planned one on the day it is asked, one left out on the day of its visit."""
    at = new.due_at if isinstance(new, Planned) else visit.ends_at
    place = (at.astimezone(zone).date() - made.days[0].day).days
    if not 0 <= place < len(made.days):
        return
    if isinstance(new, Planned):
        made.days[place].planned.append((new.due_at, ref))
    else:
        made.days[place].skipped[new.reason].append(ref)
        made.reasons[new.reason] += 1


def _charge(bill: Bill, planned: int, cost: Cost, welcomed: bool) -> None:
    least = planned * cost.question + (cost.welcome if planned and not welcomed else 0)
    bill.least += least
    bill.most += least + planned * (cost.reminder + cost.thanks)
