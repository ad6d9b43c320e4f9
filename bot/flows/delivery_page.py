"""What became of every appointment lately: asked or not and why, answered or not, what waits for a person, what it
cost. Whether somebody answered is told, never what."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

from bot.flows import by_hand
from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of
from bot.flows.settings import BadSetting
from bot.store import Tx, clients, delivery, exports, people
from bot.store.delivery import Due, Stuck
from bot.store.practices import Practice
from bot.store.sql import epoch, moment_of
from surveys.window import clock_shows, known_zone

DAYS = 28
WEEKS = 12
LOST = "unaccounted for"
NO_REASON = "no reason was noted"


@dataclass
class Sum:
    """The promise that nothing is silently lost: every appointment that ended is one of these."""

    due: int = 0
    sent: int = 0
    skipped: int = 0
    waiting: int = 0
    held: int = 0
    lost: int = 0

    @property
    def holds(self) -> bool:
        """due = sent + skipped + waiting + needs a person."""
        return self.due == self.sent + self.skipped + self.waiting + self.held


@dataclass
class Day:
    """One day's appointments. `failed`: the provider or carrier refused the question; `expired`: it ran out."""

    day: date
    sum: Sum = field(default_factory=Sum)
    delivered: int = 0
    answered: int = 0
    expired: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Rate:
    """How often check-ins were answered, of those that were answered or ran out, and how soon (median minutes)."""

    name: str
    asked: int
    answered: int
    minutes: int | None

    @property
    def share(self) -> float:
        """Of those asked, from 0 to 1."""
        return self.answered / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Task:
    """Something a person must do about a client, or one of our own people, and how it stands."""

    client_id: str | None
    who: str
    what: str
    why: str
    at: datetime | None = None
    message_id: str = ""


@dataclass(frozen=True)
class Cost:
    """Texts that went out, in segments; `price` in words where the practice has set one."""

    texts: int
    segments: int
    price: str


@dataclass(frozen=True)
class Delivery:
    """The page. `reasons`: why appointments weren't asked about, most frequent first. `stops`: for each week, how many
    opted out and how many came back. `unread`: messages that nobody has been able to read lately."""

    since: datetime
    days: list[Day]
    sum: Sum
    hours: list[Rate]
    channels: list[Rate]
    reasons: list[tuple[str, int]]
    tasks: list[Task]
    unread: int
    cost: Cost
    stops: list[tuple[date, int, int]]


def show(ctx: Context, me: Me, now: datetime) -> Delivery:
    """The last four weeks, days on the practice's clock."""
    practice = practice_of(me)
    zone = ZoneInfo(practice.timezone)
    today = now.astimezone(zone).date()
    since = clock_shows(today - timedelta(days=DAYS - 1), 0, practice.timezone)
    monday = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    with ctx.store.transaction(write=False) as tx:
        due = delivery.due_between(tx, practice.id, since, now)
        stops = delivery.opt_outs(tx, practice.id, clock_shows(monday, 0, practice.timezone))
        tasks, unread = _tasks(tx, practice, since), delivery.unread(tx, practice.id, since)
        cost = _cost(practice, *delivery.segments(tx, practice.id, since))
    days = _days(due, today, practice.timezone)
    reasons = Counter(each.reason or NO_REASON for each in due if standing(each) == "skipped")
    return Delivery(
        since=since,
        days=days,
        sum=_total(days),
        hours=_rates(due, _Hours(practice)),
        channels=_rates(due, lambda each: each.channel or ""),
        reasons=reasons.most_common(),
        tasks=tasks,
        unread=unread,
        cost=cost,
        stops=_weeks(stops, monday, zone),
    )


def skipped(ctx: Context, me: Me, reason: str, now: datetime) -> list[tuple[str, str, list[str]]]:
    """Who wasn't asked for one reason in the last four weeks: client id, reference, references of appointments.

    Raises NotHere where there is nobody.
    """
    practice = practice_of(me)
    today = now.astimezone(ZoneInfo(practice.timezone)).date()
    since = clock_shows(today - timedelta(days=DAYS - 1), 0, practice.timezone)
    with ctx.store.transaction(write=False) as tx:
        rows = delivery.skipped(tx, practice.id, since, now)
        found: dict[str, list[str]] = {}
        for client_id, ref, why in rows:
            if (why or NO_REASON) == reason:
                found.setdefault(client_id, []).append(ref)
        refs = delivery.refs(tx, practice.id, list(found))
    if not found:
        raise NotHere
    return sorted(((each, refs[each], visits) for each, visits in found.items()), key=lambda line: line[1])


def stuck(ctx: Context, me: Me, message_id: str) -> tuple[Stuck, str]:
    """A message that waits for a person, and whom it was to reach. Raises NotHere."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        found = next((each for each in delivery.stuck(tx, practice.id) if each.id == message_id), None)
        if found is None:
            raise NotHere
        return found, _whom(tx, practice, found)


def settle(ctx: Context, me: Me, message_id: str, verdict: str, now: datetime) -> None:
    """What a person found in the provider's log: `sent` or `not_sent`. Raises NotHere or Refused."""
    practice = practice_of(me)
    stuck(ctx, me, message_id)
    try:
        by_hand.settle(ctx, practice, message_id, verdict, me.person.id, now)
    except BadSetting as error:
        raise Refused({"verdict": str(error)}) from None


def standing(each: Due) -> str:
    """Where one appointment is counted: sent, skipped, waiting, held, or lost."""
    if each.asked_at:
        return "sent"
    if each.state == "planned":
        return "held" if each.held else "waiting"
    return "skipped" if each.state or each.reason else "lost"


def _days(due: Iterable[Due], today: date, zone: str) -> list[Day]:
    days = [Day(today - timedelta(days=n)) for n in reversed(range(DAYS))]
    starts = [epoch(clock_shows(each.day, 0, zone)) for each in days]
    for each in due:
        found = days[bisect_right(starts, each.ended_at) - 1]
        found.sum.due += 1
        where, answered = standing(each), _answered(each)
        setattr(found.sum, where, getattr(found.sum, where) + 1)
        found.answered += answered
        found.delivered += answered or each.delivery == "delivered"
        found.expired += each.state == "expired" and each.asked_at is not None
        found.failed += each.state == "failed"
    return days[::-1]


def _total(days: Iterable[Day]) -> Sum:
    total = Sum()
    for day in days:
        for name, count in vars(day.sum).items():
            setattr(total, name, getattr(total, name) + count)
    return total


def _answered(each: Due) -> bool:
    return each.answered_at is not None or each.state == "partly_answered"


def _rates(due: Iterable[Due], name: Callable[[Due], str]) -> list[Rate]:
    """By name, of those that were answered or ran out: what is open would look like silence."""
    groups: dict[str, list[Due]] = {}
    for each in due:
        if each.asked_at and (_answered(each) or each.state == "expired"):
            groups.setdefault(name(each), []).append(each)
    return [_rate(key, groups[key]) for key in sorted(groups)]


def _rate(name: str, found: Sequence[Due]) -> Rate:
    waits = [(each.answered_at - each.asked_at) / 60 for each in found if each.answered_at and each.asked_at]
    return Rate(name, len(found), sum(map(_answered, found)), round(median(waits)) if waits else None)


class _Hours:
    """The hour on a client's own clock. Clocks change on full quarters, so a quarter is looked up once."""

    def __init__(self, practice: Practice) -> None:
        self._otherwise = practice.timezone
        self._found: dict[tuple[str, int], str] = {}

    def __call__(self, each: Due) -> str:
        """The hour at which they were asked, as two digits."""
        key = (each.zone, (each.asked_at or 0) // 900)
        if key not in self._found:
            zone = ZoneInfo(known_zone(each.zone, self._otherwise))
            self._found[key] = f"{moment_of(key[1] * 900).astimezone(zone):%H}"
        return self._found[key]


def _weeks(stops: Iterable[tuple[str, datetime]], monday: date, zone: ZoneInfo) -> list[tuple[date, int, int]]:
    found = {monday + timedelta(weeks=n): Counter[str]() for n in range(WEEKS)}
    for what, at in stops:
        day = at.astimezone(zone).date()
        week = day - timedelta(days=day.weekday())
        if week in found:
            found[week][what] += 1
    return [(week, count["stopped"], count["restored"]) for week, count in found.items()]


def _cost(practice: Practice, texts: int, segments: int) -> Cost:
    price = practice.settings.get("segment_price")
    if not price:
        return Cost(texts, segments, "")
    currency = practice.settings.get("segment_currency", "")
    return Cost(texts, segments, f"{currency} {Decimal(price) * segments:.2f}".strip())


def _tasks(tx: Tx, practice: Practice, since: datetime) -> list[Task]:
    """Messages of unknown fate first, then clients who can't be reached."""
    found = [
        Task(each.client_id, _whom(tx, practice, each), "settle", each.reason, each.started_at, each.id)
        for each in delivery.stuck(tx, practice.id)
    ]
    failed = delivery.failed(tx, practice.id, since)
    refs: Mapping[str, str] = delivery.refs(tx, practice.id, [client_id for client_id, _, _ in failed])
    told: set[str] = set()
    for client_id, why, at in failed:
        if client_id not in told:
            found.append(Task(client_id, refs[client_id], "reach", why, at))
        told.add(client_id)
    for what, lacking in {"bounces": delivery.bouncing, "address": delivery.without_address}.items():
        found += [Task(each, ref, what, "") for each, ref in lacking(tx, practice.id) if each not in told]
    return found


def _whom(tx: Tx, practice: Practice, message: Stuck) -> str:
    if message.client_id:
        return clients.get(tx, practice.id, message.client_id).client_ref
    return people.get(tx, practice.id, message.person_id).name if message.person_id else "a number that is nobody's"


def kind_of(message: Stuck) -> str:
    """What kind of message it is, as far as a manager may know."""
    return exports.told_kind(message.kind)
