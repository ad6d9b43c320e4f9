"""What the pages about schedules show: rules with their owners' names, and what was changed by whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.flows import schedules
from bot.flows.access import Me, NotHere, practice_client
from bot.flows.context import Context
from bot.flows.schedules import CantUndo, Place, Standing
from bot.store import Tx, clients, people, practices
from bot.store import schedules as stored
from bot.store.practices import Practice
from bot.store.schedules import Change
from surveys import rule_wording


@dataclass(frozen=True)
class Owner:
    """A therapist or client with a rule of their own; `words`: what differs, empty where nothing does."""

    id: str
    name: str
    words: str


@dataclass(frozen=True)
class Past:
    """A change of a rule, in words. `lines`: label, value before, value after."""

    change: Change
    whose: str
    by: str
    lines: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Overview:
    """All rules of a practice. `undo`: the change that can be taken back."""

    standing: Standing
    therapists: list[Owner]
    clients: list[Owner]
    changes: list[Past]
    undo: Past | None


@dataclass(frozen=True)
class Opened:
    """One rule, opened to be changed. `whose`: how its owner is named; `practice`: as stored now."""

    practice: Practice
    standing: Standing
    whose: str


def overview(ctx: Context, me: Me) -> Overview:
    """The practice's rule, whose rules differ, and the latest changes."""
    with ctx.store.transaction(write=False) as tx:
        practice = practices.get(tx, me.practice.id)
        past = [_past(tx, practice, each) for each in schedules.history(tx, practice.id)]
        return Overview(
            schedules.standing(tx, practice, Place("practice", practice.id)),
            _therapists(tx, practice),
            _clients(tx, practice),
            past,
            past[0] if past and _undoable(tx, practice) else None,
        )


def opened(ctx: Context, me: Me, scope: str, owner_id: str, seen_at: datetime | None = None) -> Opened:
    """One rule of the manager's practice. That a client's was opened is noted, where `seen_at` says when it was.

    Raises NotHere.
    """
    with ctx.store.transaction(write=seen_at is not None) as tx:
        practice = practices.get(tx, me.practice.id)
        place = Place(scope, practice.id if scope == "practice" else owner_id)
        whose = _whose(tx, me, place)
        if scope == "client" and seen_at:
            practices.note(tx, practice.id, me.person.id, "schedule seen", owner_id, seen_at)
        return Opened(practice, schedules.standing(tx, practice, place), whose)


def told(ctx: Context, me: Me, change: Change) -> Past:
    """A change in words."""
    with ctx.store.transaction(write=False) as tx:
        return _past(tx, me.practice, change)


def client_named(ctx: Context, me: Me, ref: str) -> str | None:
    """The client with this reference, if there is one."""
    with ctx.store.transaction(write=False) as tx:
        return clients.refs(tx, me.practice.id).get(" ".join(ref.split()))


def _whose(tx: Tx, me: Me, place: Place) -> str:
    if place.scope == "client":
        return practice_client(tx, me, place.id).client_ref
    if place.scope == "therapist":
        return _therapist(tx, me.practice.id, place.id)
    return me.practice.name


def _therapist(tx: Tx, practice_id: str, person_id: str) -> str:
    try:
        person = people.get(tx, practice_id, person_id)
    except KeyError:
        raise NotHere from None
    if "therapist" not in people.roles_of(tx, practice_id, person_id):
        raise NotHere
    return person.name


def _therapists(tx: Tx, practice: Practice) -> list[Owner]:
    own = stored.every(tx, practice.id, "therapist")
    return [
        Owner(each.id, each.name, _words(own.get(each.id, {})))
        for each in people.with_role(tx, practice.id, "therapist")
    ]


def _clients(tx: Tx, practice: Practice) -> list[Owner]:
    own = stored.every(tx, practice.id, "client")
    return [Owner(each.id, each.client_ref, _words(own[each.id])) for each in clients.many(tx, practice.id, list(own))]


def _words(own: Mapping[str, str]) -> str:
    """What differs, in one line: "Own: waits 3 h; one after 24 h"."""
    return "; ".join(f"{rule_wording.LABELS[key].lower()}: {rule_wording.say(key, text)}" for key, text in own.items())


def _past(tx: Tx, practice: Practice, change: Change) -> Past:
    absent = "" if change.scope == "practice" else "as the practice"
    lines = rule_wording.differences(change.before, change.after, absent)
    return Past(change, _owner(tx, practice, change), _by(tx, practice, change.by_id), lines)


def _owner(tx: Tx, practice: Practice, change: Change) -> str:
    try:
        if change.scope == "client":
            return clients.get(tx, practice.id, change.scope_id).client_ref
        if change.scope == "therapist":
            return people.get(tx, practice.id, change.scope_id).name
    except KeyError:
        return "somebody who is no longer here"
    return "the practice"


def _by(tx: Tx, practice: Practice, person_id: str | None) -> str:
    return people.get(tx, practice.id, person_id).name if person_id else "a command"


def _undoable(tx: Tx, practice: Practice) -> bool:
    try:
        return bool(schedules.last_change(tx, practice.id))
    except CantUndo:
        return False
