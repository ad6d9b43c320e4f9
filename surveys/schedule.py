"""When a client is asked about an appointment, and why not.

A manager's rule is a Schedule; plan_all applies it to all appointments of one client and gives each a time or
a reason. Nothing here remembers, or reads a clock: the same facts and the same ``now`` give the same plan, so
one may plan again at any moment; and what was asked is never planned again, whatever the rule becomes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from surveys import keys
from surveys.keys import BadSchedule as BadSchedule  # what Schedule.read raises
from surveys.window import NO_HOLIDAYS, Holidays, NeverOpens, Window, clock_shows, days_between

# Reasons hold no numbers, so that skipped check-ins can be counted by reason; docs/schedule.md explains each.
CANCELLED = "the appointment was cancelled"
NO_SHOW = "the client did not come"
NOT_ATTENDED = "the appointment is not marked as attended"
NOT_OVER = "the appointment has not ended"
FAR_AHEAD = "the appointment is dated more than two years ahead"
ASKED = "already asked about"
SAME_TIME = "another appointment at the same time is asked about"
DIED = "the client has died"
DISCHARGED = "the client is discharged"
ON_HOLD = "the client is on hold"
NOT_ACTIVE = "the client is not active"
HALTED = "waiting until a clinician resumes check-ins"  # not why: managers see this
STOPPED = "the client has opted out"
NO_CONSENT = "the client has given no consent"
CONSENT_LATER = "the client's consent is dated later"
UNREACHABLE = "the client has no number or address that works"
CLIENT_PAUSED = "the client's check-ins are paused"
PRACTICE_PAUSED = "check-ins are paused by the schedule"
NOT_CHOSEN = "not one of the appointments the schedule asks about"
QUIET = "four or more unanswered in a row: only every fourth appointment is asked about"
GONE_QUIET = "eight unanswered in a row: check-ins have stopped"
TOO_LATE = "too long ago to ask about now"
NEXT_STARTED = "the next appointment started before it could be asked about"
TOO_SOON = "too soon after the last check-in"
NEVER_OPEN = "the schedule leaves no hours to write in"
CLOSED = "outside the hours for messages"

_BY_STATUS = {"cancelled": CANCELLED, "no_show": NO_SHOW}
_BY_STATE = {"died": DIED, "discharged": DISCHARGED, "on_hold": ON_HOLD}
_LIVE = ("booked", "attended")  # only such an appointment ends the asking about the one before
_BOOKED_WAIT = timedelta(hours=24)  # gives the practice a day to mark a no-show
_PLAUSIBLE = timedelta(days=731)  # longer than any delay, closed year and expiry together

NO_REMINDER_AFTER, SELDOM_AFTER, SILENT_AFTER = 2, 4, 8  # unanswered in a row
SELDOM = 4  # then every fourth appointment


@dataclass(frozen=True)
class Appointment:
    """One therapy session; times aware. ``status``: booked, attended, cancelled or no_show."""

    id: str
    starts_at: datetime
    ends_at: datetime
    status: str
    therapist_id: str = ""


@dataclass(frozen=True)
class Asking:
    """A check-in already sent, or being sent, to this client. ``closed``: no reply to it counts any more."""

    appointment_id: str
    at: datetime
    answered: bool
    closed: bool


@dataclass(frozen=True)
class Client:
    """What planning needs to know of a client. ``halted``: after danger, until a clinician resumes check-ins.

    ``fresh_from``: unanswered check-ins up to then don't count, since the client wrote, or was started again.
    """

    zone: str
    consent_at: datetime | None
    stopped: bool = False
    reachable: bool = True
    state: str = "active"
    paused_until: datetime | None = None
    halted: bool = False
    fresh_from: datetime | None = None


@dataclass(frozen=True)
class Planned:
    """To be asked at ``due_at`` and closed at ``expires_at``; both UTC."""

    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Skipped:
    """Not to be asked, for one of the reasons above."""

    reason: str


@dataclass(frozen=True)
class Schedule:
    """A manager's rule. Its fields are the keys of ``attune schedule set``, explained in docs/schedule.md."""

    which: str = "attended"
    every: int = 1
    first: int = 0
    delay_minutes: int = 120
    next_day_at: int | None = None
    hours: tuple[int, int] = (9 * 60, 20 * 60)
    days: frozenset[int] = frozenset(range(6))
    min_gap_days: int = 6
    reminder_hours: int = 24
    expiry_hours: int = 72
    digits: int = 4
    paused_until: date | datetime | None = None
    holidays: Holidays = NO_HOLIDAYS
    fourth: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    link: bool = False

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> "Schedule":
        """The rule with these keys, the others at their defaults. BadSchedule names all that is wrong."""
        return cls(**keys.read_all(texts))

    def show(self) -> dict[str, str]:
        """Every key with its value as text; ``Schedule.read(rule.show()) == rule``."""
        return keys.show_all(self)

    def channels_for(self, own: str) -> tuple[str, ...]:
        """The ways to ask a client whose own channel is this, the first one first."""
        return self.channels or (own,)

    @cached_property
    def window(self) -> Window:
        """The hours, days and holidays as one."""
        return Window(*self.hours, self.days, self.holidays)


def plan(
    appointment: Appointment,
    *,
    client: Client,
    appointments: Iterable[Appointment],
    askings: Sequence[Asking],
    schedule: Schedule,
    now: datetime,
) -> Planned | Skipped:
    """The plan for one appointment, among all of the client's (with or without this one)."""
    all_of_them = [*(each for each in appointments if each.id != appointment.id), appointment]
    return plan_all(all_of_them, client=client, askings=askings, schedule=schedule, now=now)[appointment.id]


def plan_all(
    appointments: Iterable[Appointment],
    *,
    client: Client,
    askings: Sequence[Asking],
    schedule: Schedule,
    now: datetime,
    earlier: Mapping[tuple[str, str], int] | None = None,
) -> dict[str, Planned | Skipped]:
    """A time or a reason for each of one client's appointments, by id, in time order.

    Give all, past and coming, in any order: every nth is counted from the first, and each one's start ends the
    asking about the one before. What is overdue is caught up at the first open moment from ``now``: one at
    most, as the others' next appointments have started. An unknown zone raises ZoneInfoNotFoundError.

    ``earlier``: how many there were before those given, by therapist and status; then one that was asked about and
    answered must be among those given, with every asking since.
    """
    walk = _Walk(client, schedule, now, askings, earlier or {})
    # of several at the same time the one asked about stands first, so that the others see it
    ordered = sorted(appointments, key=lambda a: (a.starts_at, a.id not in walk.asked, a.ends_at, a.id))
    next_start = dict(pairwise(sorted({each.starts_at for each in ordered if each.status in _LIVE})))
    return {each.id: walk.visit(each, next_start.get(each.starts_at)) for each in ordered}


def why_not_now(client: Client, appointment: Appointment, schedule: Schedule, now: datetime) -> str | None:
    """Why a check-in or its reminder may not be sent right now, or None. Asked again before each send."""
    wait = _BOOKED_WAIT if appointment.status == "booked" else timedelta()
    return (
        _why_not(client, appointment, schedule)
        or _paused(client, schedule, now)
        or _first_true(
            {
                NOT_OVER: now < appointment.ends_at + wait,
                CONSENT_LATER: client.consent_at is not None and now < client.consent_at,
                CLOSED: not schedule.window.is_open(now, client.zone),
            }
        )
    )


def expires_at(asked_at: datetime, schedule: Schedule, next_appointment_starts_at: datetime | None) -> datetime:
    """When a check-in closes: ``expiry_hours`` after it was asked, or when the next appointment starts."""
    closes = asked_at + timedelta(hours=schedule.expiry_hours)
    return min(closes, next_appointment_starts_at or closes).astimezone(UTC)


def reminder_due(
    asked_at: datetime,
    schedule: Schedule,
    zone: str,
    askings: Iterable[Asking],
    *,
    fresh_from: datetime | None = None,
    expires: datetime | None = None,
) -> datetime | None:
    """When to remind, once, of a check-in asked at ``asked_at``; None if none is wanted or there is no time.

    ``askings``: the client's, since after two unanswered none is sent. ``expires``: as expires_at says.
    """
    if not schedule.reminder_hours or unanswered(askings, fresh_from) >= NO_REMINDER_AFTER:
        return None
    try:
        due = schedule.window.next_open(asked_at + timedelta(hours=schedule.reminder_hours), zone)
    except NeverOpens:
        return None
    return due if due < expires_at(asked_at, schedule, expires) else None


def unanswered(askings: Iterable[Asking], fresh_from: datetime | None = None) -> int:
    """How many of the latest check-ins in a row closed without an answer; those still open are left out."""
    count = 0
    for asking in sorted(askings, key=lambda each: each.at, reverse=True):
        if asking.answered or (fresh_from and asking.at <= fresh_from):
            break
        count += asking.closed
    return count


def gone_quiet(askings: Iterable[Asking], fresh_from: datetime | None = None) -> bool:
    """Whether so many in a row went unanswered that check-ins stop, and the therapist should be told."""
    return unanswered(askings, fresh_from) >= SILENT_AFTER


class _Walk:
    """One pass over a client's appointments in time order, remembering what the later plans depend on."""

    def __init__(
        self,
        client: Client,
        schedule: Schedule,
        now: datetime,
        askings: Sequence[Asking],
        earlier: Mapping[tuple[str, str], int],
    ) -> None:
        self.client, self.schedule, self.now = client, schedule, now
        self.asked = {asking.appointment_id for asking in askings}
        self.last = max((asking.at for asking in askings), default=None)
        self.silence = unanswered(askings, client.fresh_from)
        self.numbers: Counter[str] = Counter()  # by therapist: with a new one it starts afresh
        for (therapist_id, status), count in earlier.items():
            self.numbers[therapist_id] += count if status in _wanted(schedule) else 0
        self.since_asked = 0
        self.start_asked: datetime | None = None

    def visit(self, appointment: Appointment, next_start: datetime | None) -> Planned | Skipped:
        """The plan for this appointment, kept in mind for the next ones."""
        counts = _status_reason(appointment, self.schedule) is None
        self.numbers[appointment.therapist_id] += counts
        self.since_asked += counts
        planned = self._plan(appointment, next_start)
        if isinstance(planned, Planned):
            self.last = planned.due_at
        if isinstance(planned, Planned) or appointment.id in self.asked:
            self.since_asked, self.start_asked = 0, appointment.starts_at
        return planned

    def _plan(self, appointment: Appointment, next_start: datetime | None) -> Planned | Skipped:
        if reason := self._why_not_this(appointment):
            return Skipped(reason)
        try:
            due = _first_due(appointment, self.schedule, self.client.zone)
            at = due if due > self.now else self.schedule.window.next_open(self.now, self.client.zone)
        except NeverOpens:
            return Skipped(NEVER_OPEN)
        reason = self._why_not_then(due, at, next_start)
        return Skipped(reason) if reason else Planned(at, expires_at(at, self.schedule, next_start))

    def _why_not_this(self, appointment: Appointment) -> str | None:
        if appointment.id in self.asked:
            return ASKED
        number = self.numbers[appointment.therapist_id] - self.schedule.first
        return _why_not(self.client, appointment, self.schedule) or _first_true(
            {
                SAME_TIME: appointment.starts_at == self.start_asked,
                NOT_CHOSEN: number > 0 and number % self.schedule.every != 0,
                GONE_QUIET: self.silence >= SILENT_AFTER,
                QUIET: self.silence >= SELDOM_AFTER and self.since_asked < SELDOM,
                FAR_AHEAD: appointment.ends_at > self.now + _PLAUSIBLE,
                TOO_LATE: appointment.ends_at < self.now - _PLAUSIBLE,
            }
        )

    def _why_not_then(self, due: datetime, at: datetime, next_start: datetime | None) -> str | None:
        """Pauses and gaps go by when it was first due, so what fell into one stays skipped ever after."""
        # days of the client's calendar, not hours: a weekly client seen an hour earlier this week is asked
        days = days_between(self.last, due, self.client.zone) if self.last else self.schedule.min_gap_days
        return _paused(self.client, self.schedule, due) or _first_true(
            {
                TOO_LATE: due < at and at - due >= timedelta(hours=self.schedule.expiry_hours),
                NEXT_STARTED: next_start is not None and next_start <= at,
                CONSENT_LATER: self.client.consent_at is not None and at < self.client.consent_at,
                TOO_SOON: days < self.schedule.min_gap_days,
            }
        )


def _first_true(reasons: Mapping[str, bool]) -> str | None:
    return next((reason for reason, true in reasons.items() if true), None)


def _wanted(schedule: Schedule) -> tuple[str, ...]:
    return _LIVE if schedule.which == "attended_or_booked" else ("attended",)


def _status_reason(appointment: Appointment, schedule: Schedule) -> str | None:
    return None if appointment.status in _wanted(schedule) else _BY_STATUS.get(appointment.status, NOT_ATTENDED)


def _why_not(client: Client, appointment: Appointment, schedule: Schedule) -> str | None:
    """What speaks against asking at any time."""
    return _status_reason(appointment, schedule) or _first_true(
        {
            _BY_STATE.get(client.state, NOT_ACTIVE): client.state != "active",
            HALTED: client.halted,
            STOPPED: client.stopped,
            NO_CONSENT: client.consent_at is None,
            UNREACHABLE: not client.reachable,
        }
    )


def _first_due(appointment: Appointment, schedule: Schedule, zone: str) -> datetime:
    """The delay is elapsed time, so added in UTC; a time on the next day is read off the client's clock."""
    ended = appointment.ends_at.astimezone(UTC)
    due = ended + timedelta(minutes=schedule.delay_minutes)
    if schedule.next_day_at is not None:
        tomorrow = ended.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        due = clock_shows(tomorrow, schedule.next_day_at, zone)
    if appointment.status == "booked":
        due = max(due, ended + _BOOKED_WAIT)
    return schedule.window.next_open(due, zone)


def _paused(client: Client, schedule: Schedule, at: datetime) -> str | None:
    """Which pause covers this moment; one until a bare date ends as that day begins on the client's clock."""
    until = schedule.paused_until
    if until is not None and not isinstance(until, datetime):
        until = clock_shows(until, 0, client.zone)
    if client.paused_until is not None and at < client.paused_until:
        return CLIENT_PAUSED
    return PRACTICE_PAUSED if until is not None and at < until else None
