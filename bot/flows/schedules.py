"""Changing a rule: looked at first, then saved and planned anew, and the last change taken back.

A rule is the practice's, or what differs for one therapist or one client. Nothing is saved that wasn't looked at: a
page carries the mark of what it showed, and a save with another mark is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.flows import looking_ahead
from bot.flows.context import Context
from bot.flows.planning import mark_to_plan, planned, replan, replan_all
from bot.flows.settings import BadSetting
from bot.store import Tx, clients, people, practices, schedules
from bot.store.practices import Practice
from bot.store.schedules import Change
from surveys import layers
from surveys.preview import Preview
from surveys.schedule import Schedule

SHOWN = 12  # changes in the history


class CantUndo(ValueError):
    """The last change can't be taken back; the message says why."""


@dataclass(frozen=True)
class Place:
    """Whose rule. `scope`: practice, therapist or client; `id`: theirs."""

    scope: str
    id: str


@dataclass(frozen=True)
class Standing:
    """A rule as it stands. `own`: the keys it holds itself; `below`: every key of what it lies over."""

    place: Place
    own: Mapping[str, str]
    below: Mapping[str, str]

    @property
    def shown(self) -> dict[str, str]:
        """Every key with its value; closed days and pause are its own, since those of below come on top."""
        merged = Schedule.read(layers.merge(self.below, self.own)).show()
        return {**merged, **{key: self.own.get(key, "") for key in ("holidays", "paused_until")}}


@dataclass(frozen=True)
class Look:
    """What a change would do. `own`: the keys the rule would hold; `mark` stands for all that was looked at."""

    standing: Standing
    own: Mapping[str, str]
    changes: bool
    preview: Preview
    mark: str

    @property
    def shown(self) -> dict[str, str]:
        """Every key as it would be."""
        return replace(self.standing, own=self.own).shown


def place_of(tx: Tx, practice: Practice, therapist: str | None, client: str | None) -> Place:
    """Whose rule is meant: a therapist by address, a client by reference, or the practice. Raises BadSetting."""
    if therapist and client:
        raise BadSetting("Name either a therapist or a client, not both.")
    if therapist:
        person = people.by_email(tx, practice.id, therapist)
        if person is None or "therapist" not in people.roles_of(tx, practice.id, person.id):
            raise BadSetting("No therapist has this mail address; `attune import therapists` adds one.")
        return Place("therapist", person.id)
    if client:
        client_id = clients.refs(tx, practice.id).get(client)
        if client_id is None:
            raise BadSetting(f"{client} is not on the roster.")
        return Place("client", client_id)
    return Place("practice", practice.id)


def standing(tx: Tx, practice: Practice, place: Place) -> Standing:
    """A rule as it stands, and what it lies over."""
    own = _own(tx, practice, place)
    below: list[Mapping[str, str]] = [] if place.scope == "practice" else [practice.schedule]
    if place.scope == "client" and (therapist := clients.get(tx, practice.id, place.id).therapist_id):
        below.append(schedules.own(tx, practice.id, "therapist", therapist))
    return Standing(place, own, Schedule.read(layers.merge(*below)).show())


def in_force(tx: Tx, practice: Practice, place: Place) -> dict[str, str]:
    """The rule that holds in this place, every key, with all that it lies over."""
    found = standing(tx, practice, place)
    return Schedule.read(layers.merge(found.below, found.own)).show()


def change(
    ctx: Context, practice_id: str, place: Place, changes: Mapping[str, str], by_id: str | None, now: datetime
) -> None:
    """Change some keys of a rule and plan anew what isn't sent yet. `by_id`: None for a command. Raises BadSchedule."""
    with ctx.store.transaction() as tx:
        schedules.take_turn(tx, practice_id)
        practice = practices.get(tx, practice_id)
        own = _own(tx, practice, place)
        _store(tx, practice, place, layers.changed(own, changes, place.scope), by_id, now, changes)
    _replan(ctx, practice_id, place, now)


def look(
    ctx: Context, practice_id: str, place: Place, texts: Mapping[str, str], now: datetime, *, drop: bool = False
) -> Look:
    """What a rule with these texts (all its keys) would do; nothing is stored. `drop`: nothing that it holds now is
    held on to. Raises BadSchedule."""
    with ctx.store.transaction(write=False) as tx:
        practice = practices.get(tx, practice_id)
        at_present = standing(tx, practice, place)
        typed = layers.changed({}, texts, place.scope)
        own = layers.differing(typed, at_present.below, {} if drop else at_present.own)
        return _look(ctx, tx, practice, at_present, own, now)


def save(
    ctx: Context, practice_id: str, place: Place, texts: Mapping[str, str], mark: str, by_id: str, now: datetime
) -> bool:
    """Save what was looked at; False when it isn't what the mark stands for, and must be looked at again.

    Raises BadSchedule.
    """
    with ctx.store.transaction() as tx:
        schedules.take_turn(tx, practice_id)
        practice = practices.get(tx, practice_id)
        at_present = standing(tx, practice, place)
        typed = layers.changed({}, texts, place.scope)
        either = [layers.differing(typed, at_present.below, held) for held in (at_present.own, {})]
        own = next((each for each in either if _mark(practice, at_present, each) == mark), None)
        if own is None:
            return False
        _store(tx, practice, place, own, by_id, now)
    _replan(ctx, practice_id, place, now)
    return True


def history(tx: Tx, practice_id: str) -> list[Change]:
    """The latest changes of any rule, the newest first."""
    return schedules.changes(tx, practice_id, SHOWN)


def last_change(tx: Tx, practice_id: str) -> Change:
    """The change that can be taken back. Raises CantUndo."""
    found = schedules.changes(tx, practice_id, 1)
    if not found:
        raise CantUndo("Nothing was changed yet.")
    if found[0].undone_at:
        raise CantUndo("The last change was taken back already.")
    practice = practices.get(tx, practice_id)
    place = Place(found[0].scope, found[0].scope_id)
    if not _same(place, _own(tx, practice, place), found[0].after):
        raise CantUndo("The rule is no longer as that change left it. Set it anew instead.")
    return found[0]


def look_back(ctx: Context, practice_id: str, now: datetime) -> tuple[Change, Look]:
    """What taking the last change back would do. Raises CantUndo."""
    with ctx.store.transaction(write=False) as tx:
        last = last_change(tx, practice_id)
        practice = practices.get(tx, practice_id)
        at_present = standing(tx, practice, Place(last.scope, last.scope_id))
        return last, _look(ctx, tx, practice, at_present, last.before, now)


def undo(ctx: Context, practice_id: str, change_id: str, by_id: str, now: datetime) -> Change:
    """Take the last change back and plan anew. Raises CantUndo, also where it isn't the last one any more."""
    with ctx.store.transaction() as tx:
        schedules.take_turn(tx, practice_id)
        last = last_change(tx, practice_id)
        if last.id != change_id:
            raise CantUndo("There has been another change since. Look at it first.")
        place = Place(last.scope, last.scope_id)
        _keep(tx, practices.get(tx, practice_id), place, last.before, now)
        schedules.mark_undone(tx, practice_id, last.id, now)
        practices.note(tx, practice_id, by_id, "schedule: last change taken back", place.id, now)
    _replan(ctx, practice_id, place, now)
    return last


def _own(tx: Tx, practice: Practice, place: Place) -> dict[str, str]:
    return (
        dict(practice.schedule) if place.scope == "practice" else schedules.own(tx, practice.id, place.scope, place.id)
    )


def _same(place: Place, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two layers mean the same. The practice's lies over the defaults, which no manager changes; elsewhere a
    key that is held is more than one that isn't: it stays when the practice changes."""
    if place.scope == "practice":
        return Schedule.read(one).show() == Schedule.read(other).show()
    return dict(one) == dict(other)


def _keep(tx: Tx, practice: Practice, place: Place, own: Mapping[str, str], now: datetime) -> None:
    mark_to_plan(tx, practice.id, now)
    if place.scope == "practice":
        practices.save(tx, replace(practice, schedule=own))
    else:
        schedules.save(tx, practice.id, place.scope, place.id, own)


def _store(
    tx: Tx,
    practice: Practice,
    place: Place,
    own: Mapping[str, str],
    by_id: str | None,
    now: datetime,
    named: Mapping[str, str] | None = None,
) -> None:
    """Keep a rule's own keys; in the history where they mean something else than before, in the audit trail by name."""
    before = _own(tx, practice, place)
    keys = named or {key for key in {**before, **own} if before.get(key) != own.get(key)}
    if own != before:
        _keep(tx, practice, place, own, now)
    if not _same(place, own, before):
        schedules.note(tx, practice.id, place.scope, place.id, before, own, by_id, now)
    practices.note(tx, practice.id, by_id or "command", f"schedule: {', '.join(keys)}", place.id, now)


def _replan(ctx: Context, practice_id: str, place: Place, now: datetime) -> None:
    if place.scope == "practice":
        replan_all(ctx, practice_id, now)
    elif place.scope == "client":
        replan(ctx, practice_id, [place.id], now)
    else:
        with ctx.store.transaction(write=False) as tx:
            theirs = schedules.clients_of(tx, practice_id, place.id)
        replan(ctx, practice_id, theirs, now)
    planned(ctx, practice_id)


def _look(
    ctx: Context, tx: Tx, practice: Practice, at_present: Standing, own: Mapping[str, str], now: datetime
) -> Look:
    place = at_present.place
    made = looking_ahead.four_weeks(ctx, tx, practice, place.scope, place.id, own, now)
    return Look(at_present, own, not _same(place, at_present.own, own), made, _mark(practice, at_present, own))


def _mark(practice: Practice, at_present: Standing, own: Mapping[str, str]) -> str:
    """Stands for the rule as it is, what it lies over, and what it would become."""
    seen = [at_present.place.scope, at_present.place.id, dict(at_present.own), dict(at_present.below), dict(own)]
    return hashlib.sha256(json.dumps([practice.id, *seen], sort_keys=True).encode()).hexdigest()[:32]
