"""A therapist's week, by mail, at the day and hour they chose: who is worth a look, who is back, who has gone quiet.

Whose time has come since the calendar was last looked at gets the letter, however late; after days of downtime only
the latest, and never two for one week.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import log
from bot.flows import monthly
from bot.flows.access import Me
from bot.flows.caseload import Line, lines
from bot.flows.context import Context
from bot.flows.letters import post, short_name
from bot.flows.paper import Button, Letter, Part
from bot.flows.signal import history_of, recovery_of
from bot.store import Tx, alerts, people, practices, system
from bot.store.people import Person
from bot.store.practices import Practice
from bot.store.sql import epoch, moment_of
from surveys import alerting
from surveys.digest_wording import URGENCY, Week, digest_words, week_text
from surveys.own_times import BadTime, Digest

EVERY = timedelta(minutes=10)
DEFAULT, NONE = "mon 08:00", "none"
A_WEEK = timedelta(days=7)
LOOKED = "letters by the calendar: looked at"


def send_due(ctx: Context, now: datetime) -> int:
    """Queue every letter by the calendar that has fallen due; how many. The first time ever, none: nobody waits."""
    with ctx.store.transaction() as tx:
        looked = system.value(tx, LOOKED)
        everyone = practices.every(tx)
        if looked is None:
            system.set_value(tx, LOOKED, str(epoch(now)))
    if looked is None:
        return 0
    since = moment_of(int(looked))
    done = [_guarded(each, ctx, practice, since, now) for practice in everyone for each in (_weekly, monthly.send)]
    if (
        None not in done
    ):  # else all are looked at again, and those that went have a name that keeps them from going twice
        with ctx.store.transaction() as tx:
            system.set_value(tx, LOOKED, str(epoch(now)))
    return sum(filter(None, done))


def week_of(ctx: Context, practice: Practice, person: Person, due: datetime, now: datetime) -> Week | None:
    """A therapist's week, due at a time (UTC); None where nobody in their care was ever asked."""
    me = Me(person, practice, frozenset({"therapist"}), False, "")
    caseload = lines(ctx, me, now)
    if not any(line.recent for line in caseload):
        return None
    names = {line.client.id: short_name(practice, line.client) for line in caseload}
    with ctx.store.transaction(write=False) as tx:
        quiet = [line for line in caseload if line.reason.kind == "quiet" and _gone_silent(tx, line, person)]
        recovered = _recovered(tx, person, now)
    return Week(
        clients=len(caseload),
        due=due,
        attention={kind: [names[x.client.id] for x in caseload if x.reason.kind == kind] for kind in URGENCY},
        recovered=[names[client_id] for client_id in recovered if client_id in names],
        quiet=[names[line.client.id] for line in quiet],
    )


def letter_of(ctx: Context, practice: Practice, week: Week) -> Letter:
    """A week as the letter that goes out. Its links lead behind sign-in."""
    text = week_text(week, digest_words(practice.language, practice.timezone))
    return Letter(
        sender=practice.name,
        language=practice.language,
        subject=text.subject,
        lead=text.lead,
        buttons=[Button(text.action, f"{ctx.config.public_url}/caseload")],
        parts=[Part(section.heading, section.lines) for section in text.sections],
        small=[text.why],
    )


def _weekly(ctx: Context, practice: Practice, since: datetime, now: datetime) -> int:
    with ctx.store.transaction(write=False) as tx:
        therapists = people.with_role(tx, practice.id, "therapist")
    return sum(_to_one(ctx, practice, person, since, now) for person in therapists)


def _to_one(ctx: Context, practice: Practice, person: Person, since: datetime, now: datetime) -> bool:
    digest = _chosen(person)
    if digest is None or not person.email or person.away(now):
        return False
    due = digest.latest(now, practice.timezone)
    week = week_of(ctx, practice, person, due, now) if since < due <= now else None
    if week is None:
        return False
    letter = letter_of(ctx, practice, week)
    year, number, _ = due.astimezone(ZoneInfo(practice.timezone)).isocalendar()
    return post(ctx, practice, person, "week", f"week:{person.id}:{year}-{number:02d}", letter, now)


def _chosen(person: Person) -> Digest | None:
    """A person's day and hour; None where they want none."""
    if person.digest == NONE:
        return None
    try:
        return Digest.read(person.digest or DEFAULT)
    except BadTime:
        log.get().warning("a digest's time can't be read", person=person.id)
        return Digest.read(DEFAULT)


def _gone_silent(tx: Tx, line: Line, person: Person) -> bool:
    history = history_of(tx, line.client.practice_id, line.client.id, person.id)
    return alerting.gone_silent(history) > 0


def _recovered(tx: Tx, person: Person, now: datetime) -> Sequence[str]:
    """The clients whose decline ended in the last seven days, each once."""
    found = alerts.of_therapist(tx, person.practice_id, person.id)
    ended = [a for a in found if a.resolved_at and now - A_WEEK < a.resolved_at <= now and recovery_of(a)]
    return list(dict.fromkeys(alert.client_id for alert in ended if alert.client_id))


def _guarded(
    send: Callable[[Context, Practice, datetime, datetime], int],
    ctx: Context,
    practice: Practice,
    since: datetime,
    now: datetime,
) -> int | None:
    """A fault with one practice's letters holds up no other's; then None."""
    try:
        return send(ctx, practice, since, now)
    except Exception as error:
        log.get().error("fault", what=send.__module__, practice=practice.id, error=error.__class__.__name__)
        return None
