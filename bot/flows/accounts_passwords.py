"""Passwords: how they are kept, what they must be, signing in by one. A password alone never shows a rating: it can
only be set once a second step is set up, and that is asked for every time."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.flows import accounts_letters as letters
from bot.flows import cells
from bot.flows.access import Me
from bot.flows.accounts import begin, end_sessions, may_sign_in
from bot.flows.context import Context
from bot.store import Tx, accounts, people, practices
from bot.store.people import Person
from bot.store.practices import Practice

SHORTEST, LONGEST = 12, 200
FEWEST_KINDS = 5  # of letters: "aaaaaaaaaaaa" is twelve long
CHECKED = 2  # how many hashes are computed for an address, whether it belongs to two people, one or nobody

# argon2id, 19 MiB: the first choice of OWASP's cheat sheet on storing passwords
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class BadPassword(ValueError):
    """This password can't be used; the message says why."""


@dataclass(frozen=True)
class Place:
    """One practice where an address and its password fit."""

    person: Person
    practice: Practice


def set_password(ctx: Context, me: Me, password: str, now: datetime) -> None:
    """Set or change one's own password; every other session ends. Needs a second step in this session.

    Raises BadPassword.
    """
    if not me.strong:
        raise BadPassword("Set up a second step first.")
    check(password, me)
    hashed = hasher.hash(_same(password))
    with ctx.store.transaction() as tx:
        accounts.set_password(tx, me.practice.id, me.person.id, hashed, now)
        end_sessions(tx, me.practice.id, me.person.id, now, but=me.sign_in_id)
        letters.tell_of_change(ctx, tx, me.practice, me.person, "password", now)
        practices.note(tx, me.practice.id, me.person.id, "password set", me.person.id, now)


def check(password: str, me: Me) -> None:
    """Raises BadPassword for one that is too short, or easily guessed by whoever knows the person."""
    told = _same(password)
    if len(told) < SHORTEST:
        raise BadPassword(f"Take at least {SHORTEST} characters; three or four words are good.")
    if len(told) > LONGEST:
        raise BadPassword(f"Take at most {LONGEST} characters.")
    if len(set(told)) < FEWEST_KINDS:
        raise BadPassword("Take more different characters.")
    address, practice = me.person.email.casefold(), me.practice.name.casefold()
    known = [address, *address.split("@"), practice, practice.replace(" ", "")]
    if any(len(part) > 3 and part in told.casefold() for part in known):
        raise BadPassword("Leave out your mail address and the name of the practice: both are easily guessed.")


def places(ctx: Context, email: str, password: str) -> list[Place]:
    """Where an address and a password fit; mostly one place, none where either is wrong. As many hashes are computed
    for an address that is nobody's, so that the time it takes tells nothing."""
    told = _same(password[: 2 * LONGEST])
    with ctx.store.transaction(write=False) as tx:
        known = _known(tx, email)
    hashes = [hash_ for _, hash_ in known] + [_nobodys()] * (CHECKED - len(known))
    fits = [_fits(hash_, told) for hash_ in hashes]
    return [place for (place, _), fit in zip(known, fits, strict=False) if fit]


def sign_in(ctx: Context, practice_id: str, person_id: str, browser: str, now: datetime) -> str | None:
    """Begin a session for whoever has just given the right password; the secret for the browser. Their second step is
    still to come. None where they may not sign in any more."""
    with ctx.store.transaction() as tx:
        if not may_sign_in(tx, practice_id, people.get(tx, practice_id, person_id)):
            return None
        return begin(tx, practice_id, person_id, strong=False, how="password", browser=browser, now=now)


def _known(tx: Tx, email: str) -> list[tuple[Place, str]]:
    """Everyone with this address who may sign in, and the hash of their password."""
    try:
        address = cells.mail(email)
    except cells.BadCell:
        return []
    found = []
    for practice_id, person_id in accounts.people_with(tx, address) if address else []:
        person = people.get(tx, practice_id, person_id)
        if may_sign_in(tx, practice_id, person):
            hashed = accounts.get(tx, practice_id, person_id).password_hash
            found.append((Place(person, practices.get(tx, practice_id)), hashed or _nobodys()))
    return found


def _fits(hash_: str, told: str) -> bool:
    try:
        return hasher.verify(hash_, told)
    except (VerificationError, InvalidHashError):
        return False


def _same(password: str) -> str:
    """One form for what different keyboards send for the same letters."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    """The hash of a password that nobody knows."""
    return hasher.hash(secrets.token_urlsafe(32))
