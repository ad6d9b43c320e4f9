"""A therapist's own settings: how readily notes are raised, quiet times, leave and cover, a weekly digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.flows.access import Me
from bot.flows.context import Context
from bot.flows.digests import DEFAULT, NONE
from bot.store import Tx, check_ins, clients, people, practices
from bot.store.people import Person
from surveys.alerting import LIMITS, one_in
from surveys.own_times import BadTime, Digest, QuietHours
from surveys.rapport.honesty import Figures, figures
from surveys.window import WEEKDAYS, clock_shows

OFFERED = (20, 30, 50, 75, 100, 150, 200)  # "about one false alarm in so many check-ins"
LONGEST_LEAVE = timedelta(days=400)


class BadOwnSetting(ValueError):
    """Settings that can't be kept: what is wrong, by field. Nothing was changed."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class OwnSettings:
    """What the page shows. `fields`: as a form carries them; `practice_one_in`: what holds without an own choice;
    `offered`: the choices, each with what it means by simulation."""

    fields: Mapping[str, str]
    practice_one_in: int
    offered: Mapping[int, Figures]
    colleagues: Sequence[Person]


def show(ctx: Context, me: Me) -> OwnSettings:
    """The signed-in therapist's settings."""
    with ctx.store.transaction(write=False) as tx:
        person = people.get(tx, me.practice.id, me.person.id)
        return OwnSettings(
            fields=_fields(person, me.practice.timezone),
            practice_one_in=one_in(me.practice.settings),
            offered={n: figures(n) for n in sorted({*OFFERED, person.one_false_alarm_in or OFFERED[0]})},
            colleagues=_colleagues(tx, me),
        )


def save(ctx: Context, me: Me, form: Mapping[str, str], now: datetime) -> bool:
    """Keep the settings of a whole form; False where nothing differs. Raises BadOwnSetting.

    Another sensitivity is looked at with each client's next answer, and at once for those with answers.
    """
    with ctx.store.transaction() as tx:
        before = people.get(tx, me.practice.id, me.person.id)
        after = _read(before, form, {each.id for each in _colleagues(tx, me)}, me.practice.timezone)
        if after == before:
            return False
        people.save_settings(tx, after)
        if after.one_false_alarm_in != before.one_false_alarm_in:
            for client in clients.of_therapist(tx, me.practice.id, me.person.id):
                check_ins.mark_to_assess(tx, me.practice.id, client.id, me.person.id)
        practices.note(tx, me.practice.id, me.person.id, "own settings changed", me.person.id, now)
    return True


def _colleagues(tx: Tx, me: Me) -> list[Person]:
    found = people.with_role(tx, me.practice.id, "therapist")
    return sorted((each for each in found if each.id != me.person.id), key=lambda each: each.name)


def _fields(person: Person, zone: str) -> dict[str, str]:
    quiet = QuietHours.read(person.quiet_hours)
    digest = None if person.digest == NONE else Digest.read(person.digest or DEFAULT)
    start, _, end = str(quiet or "-").partition("-")
    day, _, clock = str(digest or " ").partition(" ")
    return {
        "one_in": str(person.one_false_alarm_in or ""),
        "quiet_from": start,
        "quiet_until": end,
        "digest_day": day,
        "digest_at": clock,
        "away_from": _day(person.away_from, zone),
        "away_until": _day(person.away_until - timedelta(minutes=1) if person.away_until else None, zone),
        "cover_id": person.cover_id or "",
    }


def _day(at: datetime | None, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).date().isoformat() if at else ""


def _read(before: Person, form: Mapping[str, str], colleagues: set[str], zone: str) -> Person:
    """The person with the form's settings; every problem is told at once."""
    given = {name: form.get(name, "").strip() for name in _fields(before, zone)}
    problems: dict[str, str] = {}
    sensitivity = _one_in(given["one_in"], problems)
    quiet = _quiet(given["quiet_from"], given["quiet_until"], problems)
    digest = _digest(given["digest_day"], given["digest_at"], problems)
    digest = before.digest if (digest, before.digest) == (DEFAULT, "") else digest
    away_from, away_until = _leave(given["away_from"], given["away_until"], zone, problems)
    cover = given["cover_id"] or None
    if cover and cover not in colleagues:
        problems["cover_id"] = "Choose a colleague from the list: this one is no therapist of the practice (any more)."
    if problems:
        raise BadOwnSetting(problems)
    return replace(
        before, one_false_alarm_in=sensitivity, quiet_hours=quiet, digest=digest, away_from=away_from,
        away_until=away_until, cover_id=cover,
    )  # fmt: skip


def _one_in(text: str, problems: dict[str, str]) -> int | None:
    low, high = LIMITS
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        problems["one_in"] = f"Choose one false alarm in {low} to {high} check-ins."
        return None
    return int(text)


def _quiet(start: str, end: str, problems: dict[str, str]) -> str:
    if not start and not end:
        return ""
    try:
        return str(QuietHours.read(f"{start}-{end}"))
    except BadTime as error:
        where = "quiet_from" if not start else "quiet_until"
        lacks = "Give both times, or neither." if not (start and end) else ""
        problems[where] = lacks or f"{str(error)[:1].upper()}{str(error)[1:]}."
        return ""


def _digest(day: str, clock: str, problems: dict[str, str]) -> str:
    if not day:
        return NONE
    try:
        return str(Digest.read(f"{day} {clock}"))
    except BadTime as error:
        where = "digest_day" if day not in WEEKDAYS else "digest_at"
        problems[where] = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return ""


def _leave(first: str, last: str, zone: str, problems: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    """From the beginning of the first day to the end of the last, by the practice's clock."""
    if not first and not last:
        return None, None
    days = {"away_from": _date(first), "away_until": _date(last)}
    for name, day in days.items():
        if day is None:
            problems[name] = "Give both the first and the last day, as in 2026-12-24; or neither."
    begins, ends = days.values()
    if begins is None or ends is None:
        return None, None
    if ends < begins:
        problems["away_until"] = "The last day can't be before the first."
    elif ends - begins > LONGEST_LEAVE:
        problems["away_until"] = "That is more than a year: if you leave the practice, a manager can note that instead."
    return clock_shows(begins, 0, zone), clock_shows(ends + timedelta(days=1), 0, zone)


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None
