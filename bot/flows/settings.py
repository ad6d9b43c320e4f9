"""A practice's own settings: its schedule, its name and zone, who is told of danger. All by KEY=VALUE."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.flows import cells
from bot.flows.cells import BadCell
from bot.store import Store, Tx, people, practices
from bot.store.people import Person
from bot.store.practices import Practice
from surveys import alerting
from surveys.schedule import Schedule
from surveys.wording import why_not_name

if TYPE_CHECKING:  # what changes the plan loads slowly, and to show a setting takes none of it
    from bot.flows.context import Context


class BadSetting(ValueError):
    """One or more settings can't be used; the message names each and says what to do."""


# Whom to tell, by role: `duty_email=...`, `duty_phone=...`, `duty_name=...`; the same for the others.
CONTACTS = ("duty", "second", "supervisor", "manager", "privacy")
WORDS = {
    "duty_hours": "when the duty contact can be reached",
    "local_lines": "what to call in an emergency, in place of the country's own lines",
    "crisis_words": "words of danger to look for besides the shipped ones, with commas between",
    "not_for_appraisal": "yes: answers are not used for pay, appraisal, caseload or discipline",
    "segment_price": "what one segment of a text costs, as in 0.0083",
    "segment_currency": "its currency, as in USD",
    "alert_client": "how mails to a therapist name their client: none, initials or code",
    "alert_picture": "yes: mails about rapport show a small picture of the trend",
    "supervisor_after_days": "after how many working days a supervisor learns that a note waits",
    "second_contact_minutes": "how many minutes after the therapist the second contact is told of danger",
}
# What holds where it was never set.
HOLDS = {
    "alert_client": "none",
    "alert_picture": "no",
    "supervisor_after_days": str(alerting.SUPERVISOR_DAYS),
    "second_contact_minutes": str(alerting.SECOND_AFTER),
}
OWN = ("country", "name", "sms_name", "timezone", "language")
KEYS = (
    *OWN,
    "one_false_alarm_in",
    *WORDS,
    *(f"{role}_{part}" for role in CONTACTS for part in ("name", "email", "phone")),
)
LONGEST_LINES = 120  # characters of a text about danger that the practice may fill
SHORTEST_WORD = 3


def find_practice(tx: Tx, name: str | None, now: datetime, create: bool = False) -> Practice:
    """The practice of that name; without a name the only one, made on first use.

    Raises BadSetting when there are several and none is named, or none has that name.
    """
    everyone = practices.every(tx)
    name = name and " ".join(name.split())
    if name is None:
        if len(everyone) > 1:
            raise BadSetting(f"There are several practices: add --practice with one of {_names(everyone)}.")
        return everyone[0] if everyone else practices.add(tx, practices.FIRST_NAME, now)
    for practice in everyone:
        if practice.name == name:
            return practice
    if create:
        return practices.add(tx, _practice_name(name), now)
    raise BadSetting(f"There is no practice called {name!r}; there is {_names(everyone) or 'none yet'}.")


def show_schedule(practice: Practice) -> dict[str, str]:
    """The practice's rule, every key."""
    return Schedule.read(practice.schedule).show()


def show_rule(store: Store, practice: Practice, therapist: str | None, client: str | None) -> dict[str, str]:
    """The rule that holds for a therapist's clients or for one client, every key. Raises BadSetting."""
    if not therapist and not client:
        return show_schedule(practice)
    from bot.flows import schedules

    with store.transaction(write=False) as tx:
        return schedules.in_force(tx, practice, schedules.place_of(tx, practice, therapist, client))


def set_schedule(
    ctx: "Context",
    practice: Practice,
    changes: Mapping[str, str],
    now: datetime,
    therapist: str | None = None,
    client: str | None = None,
) -> dict[str, str]:
    """Change the practice's rule, or what differs for one therapist (by address) or client (by reference), and plan
    anew what is not yet sent; the rule that holds from then on. Raises BadSchedule or BadSetting."""
    from bot.flows import schedules

    with ctx.store.transaction(write=False) as tx:
        place = schedules.place_of(tx, practice, therapist, client)
    schedules.change(ctx, practice.id, place, changes, None, now)
    with ctx.store.transaction(write=False) as tx:
        return schedules.in_force(tx, practices.get(tx, practice.id), place)


def show_practice(store: Store, practice: Practice) -> dict[str, str]:
    """Every setting of a practice; where it was not set what holds without it, empty if that is nothing."""
    shown = {key: getattr(practice, key) for key in OWN}
    shown["one_false_alarm_in"] = str(alerting.one_in(practice.settings))
    shown |= {
        key: practice.settings.get(key) or without for key, without in {**dict.fromkeys(WORDS, ""), **HOLDS}.items()
    }
    with store.transaction(write=False) as tx:
        for role in CONTACTS:
            holders = people.with_role(tx, practice.id, role)
            for part in ("name", "email", "phone"):
                shown[f"{role}_{part}"] = getattr(holders[0], part) if holders else ""
    return shown


def set_practice(
    ctx: "Context", practice: Practice, changes: Mapping[str, str], now: datetime, who: str = "command"
) -> None:
    """Change settings of a practice. Raises BadSetting naming every bad one, a line each; then nothing is changed."""
    from bot.flows import privacy
    from bot.flows.planning import mark_to_plan, planned, replan_all

    with ctx.store.transaction() as tx:
        changed = _changed(tx, practices.get(tx, practice.id), changes)
        practices.save(tx, changed)
        before = people.with_role(tx, practice.id, privacy.ROLE)
        for role in CONTACTS:
            _contact(tx, changed, role, changes, now)
        privacy.tell_replaced(ctx, tx, changed, before, now, people.name_of(tx, practice.id, who))
        practices.note(tx, practice.id, who, f"settings: {', '.join(changes)}", practice.id, now)
        mark_to_plan(tx, practice.id, now)
    replan_all(ctx, practice.id, now)
    planned(ctx, practice.id)


def _changed(tx: Tx, practice: Practice, changes: Mapping[str, str]) -> Practice:
    """The practice with its changes; BadSetting names every one that can't be made."""
    problems = [_unknown(key) for key in changes if key not in KEYS]
    # the country first: numbers among the others are read as of it
    for key in (key for key in KEYS if key in changes):
        try:
            practice = _apply(practice, key, changes[key].strip())
        except BadCell as error:
            problems.append(f"{key} {str(error).removesuffix('.')}.")
    others = [each for each in practices.every(tx) if each.id != practice.id]
    if practice.name in {each.name for each in others}:
        problems.append(f"name is another practice's already; there is {_names(others)}.")
    if problems:
        raise BadSetting("\n".join(problems))
    return practice


def _apply(practice: Practice, key: str, value: str) -> Practice:
    if key in OWN:
        checked: dict[str, Any] = {key: _OWN_CHECKS[key](value, practice)}
        return replace(practice, **checked)
    role, _, part = key.rpartition("_")
    if role in CONTACTS and key not in WORDS:
        _check_contact(part, value, practice)
        return practice
    value = _one_in(value) if key == "one_false_alarm_in" else _words(key, value)
    return replace(practice, settings={**practice.settings, key: value})


def _practice_name(name: str) -> str:
    try:
        return cells.text(name, "the practice's name")
    except BadCell as error:
        raise BadSetting(f"--practice {error}.") from None


def _sms_name(value: str, _practice: Practice) -> str:
    if reason := why_not_name(value):
        raise BadCell(f"can't be used. {reason}")
    return value


def _country(value: str, _practice: Practice) -> str:
    import phonenumbers  # loads slowly

    if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise BadCell("must be the two letters of a country, as in US or GB")
    return value.upper()


def _words(key: str, value: str) -> str:
    """Settings in free words; what goes into a text is kept short."""
    if value and key == "not_for_appraisal" and value != "yes":
        raise BadCell("is either yes or empty")
    if key == "crisis_words" and any(len(each.strip()) < SHORTEST_WORD for each in value.split(",") if each.strip()):
        raise BadCell(f"has a word of less than {SHORTEST_WORD} letters, which would turn up in harmless replies")
    if len(value) > LONGEST_LINES and key == "local_lines":
        raise BadCell(f"is longer than {LONGEST_LINES} characters, which would make the text about danger too long")
    if value and key in _FORMS and not re.fullmatch(_FORMS[key][0], value, re.ASCII):
        raise BadCell(_FORMS[key][1])
    return cells.text(value, WORDS[key]) if value and key != "crisis_words" else value


_FORMS = {
    "segment_price": (r"[0-9]{1,3}(\.[0-9]{1,5})?", "must be a price such as 0.0083"),
    "segment_currency": (r"[A-Z]{3}", "must be the three letters of a currency, as in USD"),
    "alert_client": ("none|initials|code", "must be none, initials or code"),
    "alert_picture": ("yes|no", "must be yes or no"),
    "supervisor_after_days": ("[2-9]|10", "must be a whole number from 2 to 10: working days"),
    "second_contact_minutes": ("[0-9]|1[0-5]", "must be a whole number from 0, with the therapist, to 15: minutes"),
}
_OWN_CHECKS: dict[str, Callable[[str, Practice], str]] = {
    "name": lambda value, _practice: cells.text(value, "the practice's name"),
    "sms_name": _sms_name,
    "country": _country,
    "timezone": lambda value, practice: cells.zone(value, practice.timezone),
    "language": lambda value, practice: cells.language(value, practice.language),
}


def _one_in(value: str) -> str:
    low, high = alerting.LIMITS
    if not (value.isascii() and value.isdigit()) or not low <= int(value) <= high:
        raise BadCell(f"must be a whole number from {low} to {high}: about one false alarm in so many check-ins")
    return value


def _check_contact(part: str, value: str, practice: Practice) -> None:
    if part == "email":
        cells.mail(value)
    elif part == "phone":
        cells.phone(value, practice.country)
    elif value:
        cells.text(value, "the contact's name")


def _contact(tx: Tx, practice: Practice, role: str, changes: Mapping[str, str], now: datetime) -> None:
    """Name who holds a role; an empty mail address takes the role from everyone."""
    given = {part: changes[key].strip() for part in ("name", "email", "phone") if (key := f"{role}_{part}") in changes}
    if not given:
        return
    holders = people.with_role(tx, practice.id, role)
    email = cells.mail(given.get("email", holders[0].email if holders else ""))
    people.take_role(tx, practice.id, role)
    if not email:
        if "email" not in given:
            lone = ", ".join(f"{role}_{part}" for part in given)
            raise BadSetting(f"{lone} needs {role}_email beside it: it is how Attune knows the person.")
        return
    known = people.by_email(tx, practice.id, email)
    name = _contact_name(practice, role, known, given.get("name", ""))
    phone = cells.phone(given["phone"], practice.country) if "phone" in given else None
    person_id, _ = people.save(tx, practice.id, name=name, email=email, phone=phone, now=now)
    people.give_role(tx, practice.id, person_id, role)


def _contact_name(practice: Practice, role: str, known: Person | None, given: str) -> str:
    """Whom a contact's address names. Clients know people by their names: a contact's field renames nobody."""
    if known is None:
        if not given:
            raise BadSetting(f"{role}_name is needed: nobody in {practice.name} has that mail address yet.")
        return cells.text(given, "the contact's name")
    if not known.active:
        raise BadSetting(f"{role}_email is {known.name}'s, who has left {practice.name}: take them back first.")
    if given and cells.text(given, "the contact's name") != known.name:
        raise BadSetting(f"{role}_name differs from what the person with that address is called here, {known.name}: "
                         "leave it empty, or change it on their own page.")  # fmt: skip
    return known.name


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" The settings are: {', '.join(KEYS)}."
    return f"{key} is not a setting of a practice.{hint}"


def _names(found: Sequence[Practice]) -> str:
    return ", ".join(repr(practice.name) for practice in found)
