"""May this message go out now? Asked again at the moment of sending, for every message to a client.

One table says what each kind of message obeys; `judge` applies it. Crisis replies go at once, whatever
the hours: everything else waits for the hours in the client's own zone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from surveys.schedule import CLOSED, DIED, STOPPED, Appointment, Client, Schedule, why_not_now
from surveys.window import NeverOpens

SHORTEST_STAY = timedelta(seconds=60)  # less time than this before the edge isn't worth the risk of crossing it
# 47 CFR 64.1200(a)(12): one confirmation of an opt-out may be sent, within five minutes of the request.
CONFIRM_WITHIN = timedelta(minutes=5)
STALE = timedelta(hours=24)
AT_ANY_HOUR = timedelta(hours=10)


@dataclass(frozen=True)
class Go:
    """Send it; the provider must not deliver it at or after `until`."""

    until: datetime


@dataclass(frozen=True)
class Wait:
    """Not now, but from `until` on, and why."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Drop:
    """Not any more, and why."""

    reason: str


@dataclass(frozen=True)
class Manners:
    """What a kind of message obeys."""

    hours: bool = True  # only in the practice's hours in the client's zone
    unasked: bool = False  # we begin the talk: needs consent, an active client, an appointment still wanted
    planned_only: bool = False  # pointless once its check-in was asked or closed
    open_only: bool = False  # makes sense only while its check-in is open
    after_stop: bool = False  # may go to someone who said STOP
    within: timedelta = STALE  # after that it would only puzzle


KINDS: dict[str, Manners] = {
    "welcome": Manners(unasked=True, planned_only=True, within=timedelta.max),
    "check_in": Manners(unasked=True, planned_only=True, within=timedelta.max),
    "reminder": Manners(unasked=True, open_only=True, within=timedelta.max),
    "ask_rest": Manners(open_only=True),
    "explain": Manners(open_only=True),
    "confirm_low": Manners(),
    "thanks": Manners(),
    "comment_thanks": Manners(),
    "replaced": Manners(),
    "call": Manners(),
    "started": Manners(),
    "help": Manners(),
    "closed": Manners(),
    "unexpected": Manners(),
    "wrong_person": Manners(after_stop=True),
    "stopped": Manners(after_stop=True, within=CONFIRM_WITHIN),
    "crisis": Manners(hours=False),
    "crisis_stopped": Manners(hours=False, after_stop=True),
}


@dataclass(frozen=True)
class Errand:
    """A message about to go: its kind, when it was written, and how its check-in stands now."""

    kind: str
    written_at: datetime
    appointment: Appointment | None = None
    open: bool = True
    planned: bool = True
    expires_at: datetime | None = None


def judge(errand: Errand, client: Client, schedule: Schedule, now: datetime) -> Go | Wait | Drop:
    """Go, wait or drop; times UTC. Raises KeyError for a kind without manners."""
    manners = KINDS[errand.kind]
    if reason := _why_never(errand, manners, client, schedule, now):
        return Drop(reason)
    if not manners.hours:
        return Go(now + AT_ANY_HOUR)
    return _in_hours(errand, manners, client, schedule, now)


def _why_never(errand: Errand, manners: Manners, client: Client, schedule: Schedule, now: datetime) -> str | None:
    if client.stopped and not manners.after_stop:
        return STOPPED
    if client.state == "died" and manners.hours:  # whoever has the phone now may need help
        return DIED
    if now - errand.written_at > manners.within:
        return "too late to be of use"
    if (manners.open_only and not errand.open) or (manners.planned_only and not errand.planned):
        return "its check-in is closed"
    return _why_not_ask(errand, client, schedule, now) if manners.unasked else None


def _why_not_ask(errand: Errand, client: Client, schedule: Schedule, now: datetime) -> str | None:
    """The schedule's own reasons, looked at again; being outside the hours is only a reason to wait."""
    if errand.expires_at is not None and now >= errand.expires_at:
        return "its time is over"
    if errand.appointment is None:
        return "its appointment is gone"
    reason = why_not_now(client, errand.appointment, schedule, now)
    return None if reason == CLOSED else reason


def _in_hours(errand: Errand, manners: Manners, client: Client, schedule: Schedule, now: datetime) -> Go | Wait | Drop:
    """Inside the hours, and with enough of them left; a message that can't wait that long is dropped."""
    window = schedule.window
    closes = window.closes_at(now, client.zone)
    last = errand.expires_at if manners.unasked or manners.open_only else None
    if last and last - now < SHORTEST_STAY:
        return Drop("its time is over")
    if closes - now >= SHORTEST_STAY:
        return Go(min(closes, last or closes))
    try:
        opens = window.next_open(max(now, closes), client.zone)
    except NeverOpens:
        return Drop("the schedule leaves no hours to write in")
    if opens - errand.written_at > manners.within or (last and opens >= last):
        return Drop("too late to be of use once the hours begin")
    return Wait(opens, "outside the practice's hours")
