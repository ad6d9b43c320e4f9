"""Another mail address for a colleague: a manager enters it, its owner confirms it from there, the old one is told.

By their address people are known and get links to sign in. So that a manager can't become a colleague who sees ratings,
it is never changed for one without a second step, and a second step isn't taken off within a week of a change.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.flows import accounts, cells, privacy
from bot.flows import accounts_letters as letters
from bot.flows.access import SEES_RATINGS, Me, NotHere, has_second_factor
from bot.flows.cells import BadCell
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of, sentence
from bot.store import Tx, new_address, people, practices
from bot.store import accounts as kept
from bot.store.new_address import NewAddress
from bot.store.people import Person
from bot.store.practices import Practice


@dataclass(frozen=True)
class Asked:
    """What a link would do: whose address becomes which, in which practice."""

    person: Person
    practice: Practice
    address: str


def ask(ctx: Context, me: Me, person_id: str, typed: str, now: datetime) -> None:
    """Mail a link to a new address, and word of it to the old one; one asked for before holds no more. Raises NotHere
    or Refused."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        person = _find(tx, me, person_id)
        address = _read(tx, practice, person, typed)
        _may(ctx, tx, person)
        token = new_address.ask(tx, practice.id, person.id, address, me.person.id, now)
        letters.ask_to_confirm(ctx, tx, practice, person, address, me.person.name, token, now)
        practices.note(tx, practice.id, me.person.id, "new mail address asked for", person.id, now)


def waiting(ctx: Context, me: Me, person_id: str, now: datetime) -> str:
    """The address that waits to be confirmed; empty where none does. Raises NotHere."""
    with ctx.store.transaction(write=False) as tx:
        person = _find(tx, me, person_id)
        found = new_address.of_person(tx, person.practice_id, person.id)
    return found.address if found and found.waits(now) else ""


def withdraw(ctx: Context, me: Me, person_id: str, now: datetime) -> bool:
    """The link that was mailed confirms nothing any more; False if none waited. Raises NotHere."""
    with ctx.store.transaction() as tx:
        person = _find(tx, me, person_id)
        found = new_address.of_person(tx, person.practice_id, person.id)
        if found is None or not found.waits(now):
            return False
        new_address.withdraw(tx, found, now)
        practices.note(tx, person.practice_id, me.person.id, "new mail address withdrawn", person.id, now)
    return True


def opened(ctx: Context, token: str, now: datetime) -> Asked | None:
    """What a link would do, while it can. Looking changes nothing: mail scanners do."""
    with ctx.store.transaction(write=False) as tx:
        found = new_address.find(tx, token, now)
        return _asked(tx, found) if found else None


def confirm(ctx: Context, token: str, now: datetime) -> bool:
    """The new address holds; sessions and mailed links end, and the old address is told. False where it can't be
    confirmed any more, or is somebody else's by now."""
    with ctx.store.transaction() as tx:
        found = new_address.find(tx, token, now)
        asked = _asked(tx, found) if found else None
        if found is None or asked is None:
            return False
        practice, person = asked.practice, asked.person
        letters.tell_old_address(tx, practice, person, found.address, now)
        new_address.confirm(tx, found, now)
        kept.end_links(tx, practice.id, person.id, now)
        accounts.end_sessions(tx, practice.id, person.id, now)
        privacy.tell(tx, practice, "address", now, by=_name(tx, found), about=person.name)
        practices.note(tx, practice.id, person.id, "new mail address confirmed", person.id, now)
    return True


def _asked(tx: Tx, found: NewAddress) -> Asked | None:
    person = people.get(tx, found.practice_id, found.person_id)
    taken = people.by_email(tx, found.practice_id, found.address)
    return None if taken or not person.active else Asked(person, practices.get(tx, found.practice_id), found.address)


def _read(tx: Tx, practice: Practice, person: Person, typed: str) -> str:
    try:
        address = cells.mail(cells.text(typed, "the new address"))
    except BadCell as error:
        raise Refused({"email": sentence(str(error))}) from None
    if address == person.email:
        raise Refused({"email": "That is their address already."})
    if people.by_email(tx, practice.id, address):
        raise Refused({"email": "Somebody else of the practice has this address."})
    return address


def _may(ctx: Context, tx: Tx, person: Person) -> None:
    if "mail" not in ctx.channels:
        raise Refused({"email": "No mail can be sent, so the new address can't be confirmed."})
    if not person.active:
        raise Refused({"email": "They have left."})
    sees = SEES_RATINGS & set(people.roles_of(tx, person.practice_id, person.id))
    has_been_in = person.id in kept.accepted_at(tx, person.practice_id)
    if sees and has_been_in and not has_second_factor(tx, person.practice_id, person.id):
        raise Refused({"email": f"{person.name} has no second step set up now: they sign in and do that first."})


def _name(tx: Tx, found: NewAddress) -> str:
    return people.get(tx, found.practice_id, found.asked_by).name


def _find(tx: Tx, me: Me, person_id: str) -> Person:
    try:
        return people.get(tx, practice_of(me).id, person_id)
    except KeyError:
        raise NotHere from None
