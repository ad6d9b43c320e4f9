"""Another mail address for a colleague: a manager enters it, its owner confirms it from there, the old one is told.

By their address people are known, get links to sign in, and get their notes. So that a manager can't become a colleague
who sees ratings, nor get what is written to them, the link changes nothing for such a colleague unless they themselves
press it, signed in with their second step; and a second step isn't taken off within a week of a change.
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
    """What a link would do: whose address becomes which, in which practice. `theirs_alone`: only they can confirm it,
    signed in with their second step."""

    person: Person
    practice: Practice
    address: str
    theirs_alone: bool

    def may(self, me: Me | None) -> bool:
        """Whether this person, or nobody who is signed in, can confirm it."""
        return not self.theirs_alone or (me is not None and me.person.id == self.person.id and me.strong)


def ask(ctx: Context, me: Me, person_id: str, typed: str, now: datetime) -> None:
    """Mail a link to a new address, and word of it to the old one; one asked for before holds no more. Raises NotHere
    or Refused."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        person = _find(tx, me, person_id)
        address = _read(tx, practice, person, typed)
        if why_not := _why_not(ctx, tx, person):
            raise Refused({"email": why_not})
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
        return _asked(ctx, tx, found) if found else None


def confirm(ctx: Context, token: str, me: Me | None, now: datetime) -> bool:
    """The new address holds; sessions and mailed links end, and the old address is told. False where it can't be
    confirmed any more, is somebody else's by now, or isn't for `me` (who is signed in, if anyone) to confirm."""
    with ctx.store.transaction() as tx:
        found = new_address.find(tx, token, now)
        asked = _asked(ctx, tx, found) if found else None
        if found is None or asked is None or not asked.may(me):
            return False
        practice, person = asked.practice, asked.person
        letters.tell_old_address(tx, practice, person, found.address, now)
        new_address.confirm(tx, found, now)
        kept.end_links(tx, practice.id, person.id, now)
        accounts.end_sessions(tx, practice.id, person.id, now)
        privacy.tell(ctx, tx, practice, "address", now, by=_name(tx, found), about=person.name)
        practices.note(tx, practice.id, person.id, "new mail address confirmed", person.id, now)
    return True


def _asked(ctx: Context, tx: Tx, found: NewAddress) -> Asked | None:
    person = people.get(tx, found.practice_id, found.person_id)
    if people.by_email(tx, found.practice_id, found.address) or _why_not(ctx, tx, person):
        return None
    return Asked(person, practices.get(tx, found.practice_id), found.address, _theirs_alone(tx, person))


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


def _why_not(ctx: Context, tx: Tx, person: Person) -> str:
    """Why nobody could confirm another address for them now; empty where somebody can."""
    if "mail" not in ctx.channels:
        return "No mail can be sent, so the new address can't be confirmed."
    if not person.active:
        return "They have left."
    if _theirs_alone(tx, person) and not has_second_factor(tx, person.practice_id, person.id):
        return (
            f"{person.name} has no second step set up now, and is the only one who can confirm this: they sign in and "
            "set it up first. If mail doesn't reach them, whoever keeps the server hands them a link, by attune "
            "sign-in-link."
        )
    return ""


def _theirs_alone(tx: Tx, person: Person) -> bool:
    """Whether the account opens, or mails to it tell, what clients answered, now or from their next answer on."""
    if new_address.has_answers(tx, person.practice_id, person.id):
        return True
    if not SEES_RATINGS & set(people.roles_of(tx, person.practice_id, person.id)):
        return False
    has_been_in = person.id in kept.accepted_at(tx, person.practice_id)
    return has_been_in or has_second_factor(tx, person.practice_id, person.id)


def _name(tx: Tx, found: NewAddress) -> str:
    return people.get(tx, found.practice_id, found.asked_by).name


def _find(tx: Tx, me: Me, person_id: str) -> Person:
    try:
        return people.get(tx, practice_of(me).id, person_id)
    except KeyError:
        raise NotHere from None
