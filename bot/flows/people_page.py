"""The list of clients as a manager sees it: searched, filtered, counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.flows.access import Me
from bot.flows.context import Context
from bot.flows.managing import practice_of
from bot.store import clients, roster, staff
from bot.store.clients import Client
from bot.store.people import Person
from bot.store.roster import Standing

AT_ONCE = 50  # clients on one page
FILTERS = ("all", "asked", "no_consent", "stopped", "paused", "unreachable", "on_hold", "discharged", "died")
ORDER = ("died", "discharged", "on_hold", "stopped", "no_consent", "unreachable", "paused")
IN_CARE = "active"
FEWEST_DIGITS = 3  # of a number, to look for one


@dataclass(frozen=True)
class Asked:
    """What the list is asked for: part of a name, reference, number or address; a filter; a therapist; a page."""

    text: str = ""
    only: str = "all"
    therapist_id: str = ""
    page: int = 1


@dataclass(frozen=True)
class Listed:
    """One client in the list. `stands`: the filters that fit them, most telling first. `until`: the day that ends a
    manager's pause, while there is one."""

    client: Client
    therapist: str
    stands: str
    until: datetime | None


@dataclass(frozen=True)
class People:
    """One page of the list. `counts`: how many of all clients fit each filter; `found`: how many fit what is asked."""

    lines: list[Listed]
    counts: Mapping[str, int]
    found: int
    pages: int
    asked: Asked
    therapists: list[Person]


def people(ctx: Context, me: Me, asked: Asked, now: datetime) -> People:
    """The clients of the practice that fit, by reference. Only a search by text opens everybody's name and number."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        everyone = roster.standings(tx, practice.id)
        fitting = [each.id for each in everyone if _wanted(each, asked, now)]
        if text := asked.text.strip().casefold():
            holding = {each.id for each in clients.roster(tx, practice.id) if _holds(each, text)}
            fitting = [each for each in fitting if each in holding]
        pages = max(1, -(-len(fitting) // AT_ONCE))
        page = min(max(1, asked.page), pages)
        shown = clients.many(tx, practice.id, fitting[(page - 1) * AT_ONCE : page * AT_ONCE])
        staff_ = staff.everyone(tx, practice.id)
        roles = staff.roles(tx, practice.id)
    names = {person.id: person.name for person in staff_}
    lines = [
        Listed(client, names.get(client.therapist_id or "", ""), stands(client, now), paused_until(client, now))
        for client in shown
    ]
    asked = replace(asked, page=page)
    return People(lines, _counts(everyone, now), len(fitting), pages, asked, _therapists(staff_, roles, everyone))


def stands(client: Client | Standing, now: datetime) -> str:
    """The one thing to know about how a client stands: the first reason why they aren't asked, else `asked`."""
    return next((name for name in ORDER if _FITS[name](client, now)), "asked")


def paused_until(client: Client | Standing, now: datetime) -> datetime | None:
    """The day that ends a manager's pause; None where there is none, or it is over."""
    until = client.paused_until
    return until if client.state == IN_CARE and until is not None and now < until else None


def _paused(client: Client | Standing, now: datetime) -> bool:
    """By a manager until a day, or by a clinician, who may have any reason: the list doesn't tell which."""
    return client.state == IN_CARE and (client.halted or paused_until(client, now) is not None)


_FITS: Mapping[str, Callable[[Client | Standing, datetime], bool]] = {
    "all": lambda _client, _now: True,
    "asked": lambda client, now: stands(client, now) == "asked",
    "no_consent": lambda client, _now: client.state == IN_CARE and not client.consented,
    "stopped": lambda client, _now: client.state == IN_CARE and client.stopped,
    "paused": _paused,
    "unreachable": lambda client, _now: client.state == IN_CARE and not client.address,
    "on_hold": lambda client, _now: client.state == "on_hold",
    "discharged": lambda client, _now: client.state == "discharged",
    "died": lambda client, _now: client.state == "died",
}


def _counts(everyone: Sequence[Standing], now: datetime) -> dict[str, int]:
    return {name: sum(_FITS[name](client, now) for client in everyone) for name in FILTERS}


def _wanted(client: Standing, asked: Asked, now: datetime) -> bool:
    fits = asked.only not in FILTERS or _FITS[asked.only](client, now)
    return fits and asked.therapist_id in ("", client.therapist_id)


def _holds(client: Client, text: str) -> bool:
    digits = "".join(each for each in text if each.isdigit())
    held = (client.client_ref, client.name, client.email)
    return any(text in each.casefold() for each in held) or (len(digits) >= FEWEST_DIGITS and digits in client.phone)


def _therapists(staff_: Sequence[Person], roles: Mapping[str, list[str]], everyone: Sequence[Standing]) -> list[Person]:
    """Those who can be chosen: therapists, and whoever still has clients."""
    having = {client.therapist_id for client in everyone}
    found = [p for p in staff_ if p.id in having or (p.active and "therapist" in roles.get(p.id, []))]
    return sorted(found, key=lambda person: person.name.casefold())
