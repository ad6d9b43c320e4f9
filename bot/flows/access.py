"""Who is asking, and whose rows they may touch. Every flow behind a page begins here; what isn't theirs isn't there."""

from dataclasses import dataclass
from datetime import datetime

from bot.flows.context import Context
from bot.store import Tx, accounts, clients, passkeys, people, practices, sign_ins
from bot.store.clients import Client
from bot.store.people import Person
from bot.store.practices import Practice

ROLES = frozenset({"manager", "therapist", "supervisor"})
SEES_RATINGS = frozenset({"therapist", "supervisor"})


class NotHere(Exception):
    """No such row, or not one this person may know of: the page says the same for both."""


@dataclass(frozen=True)
class Me:
    """The signed-in person. `strong`: a second factor was used in this session; `has_second`: one is set up, an app or
    a passkey. `sign_in_id` names the session, not its secret."""

    person: Person
    practice: Practice
    roles: frozenset[str]
    strong: bool
    sign_in_id: str
    has_second: bool = False

    @property
    def half_way(self) -> bool:
        """Whether the second step is set up and still to be taken: until then nothing opens but that."""
        return self.has_second and not self.strong

    @property
    def waits(self) -> bool:
        """Whether the second step comes before any page but the account's: to be taken, or to be set up."""
        return not self.strong and (self.has_second or self.sees_ratings)

    @property
    def sees_ratings(self) -> bool:
        """Whether a page may show this person what clients answered, which needs a second factor."""
        return bool(self.roles & SEES_RATINGS)


def signed_in(ctx: Context, secret: str, now: datetime) -> Me | None:
    """Whose session a browser's secret stands for; None when it is over, or its person has left or holds no role."""
    with ctx.store.transaction(write=False) as tx:
        found = sign_ins.find(tx, secret, now)
        if found is None:
            return None
        person = people.get(tx, found.practice_id, found.person_id)
        roles = frozenset(people.roles_of(tx, found.practice_id, found.person_id)) & ROLES
        practice = practices.get(tx, found.practice_id)
        has_second = has_second_factor(tx, practice.id, person.id)
    if not person.active or not roles:
        return None
    if now - found.seen_at >= sign_ins.TOUCH:
        with ctx.store.transaction() as tx:
            sign_ins.touch(tx, found.id, now)
    return Me(person, practice, roles, found.strong, found.id, has_second)


def has_second_factor(tx: Tx, practice_id: str, person_id: str) -> bool:
    """Whether a person has set up a second step: codes from an app, or a passkey."""
    if accounts.get(tx, practice_id, person_id).totp:
        return True
    return bool(passkeys.of_person(tx, practice_id, person_id))


def sign_out(ctx: Context, me: Me, now: datetime) -> None:
    """End this session."""
    with ctx.store.transaction() as tx:
        sign_ins.end(tx, me.practice.id, me.person.id, me.sign_in_id, now)


def own_client(tx: Tx, me: Me, client_id: str) -> Client:
    """A client who is this therapist's now. Raises NotHere for anyone else's, an erased one, or nobody's."""
    client = practice_client(tx, me, client_id)
    if "therapist" not in me.roles or client.therapist_id != me.person.id:
        raise NotHere
    return client


def practice_client(tx: Tx, me: Me, client_id: str) -> Client:
    """A client of this person's practice. Raises NotHere, also for one who was erased."""
    try:
        client = clients.get(tx, me.practice.id, client_id)
    except KeyError:
        raise NotHere from None
    if client.erased:
        raise NotHere
    return client
