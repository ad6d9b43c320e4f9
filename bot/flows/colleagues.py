"""The practice's own people, and its API tokens, as a manager looks after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.flows import accounts, by_hand, cells
from bot.flows.access import ROLES, Me, NotHere
from bot.flows.accounts import InviteResult
from bot.flows.cells import BadCell
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of, sentence
from bot.flows.settings import BadSetting
from bot.store import Tx, people, practices, staff
from bot.store.people import Person
from bot.store.staff import Token


@dataclass(frozen=True)
class Colleague:
    """One of the practice's people. `clients`: how many in care are theirs; `lone_manager`: without them nobody could
    manage the practice."""

    person: Person
    roles: list[str]
    clients: int
    lone_manager: bool = False
    is_me: bool = False


def everyone(ctx: Context, me: Me) -> list[Colleague]:
    """Everybody who was ever with the practice; those who left come last."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        roles, clients = staff.roles(tx, practice.id), staff.clients_of(tx, practice.id)
        found = staff.everyone(tx, practice.id)
    lines = [Colleague(each, roles.get(each.id, []), clients.get(each.id, 0), is_me=each.id == me.person.id)
             for each in found]  # fmt: skip
    return sorted(lines, key=lambda line: (not line.person.active, line.person.name.casefold()))


def one(ctx: Context, me: Me, person_id: str) -> Colleague:
    """One of them. Raises NotHere."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        person = _find(tx, me, person_id)
        return Colleague(
            person,
            people.roles_of(tx, practice.id, person.id),
            staff.clients_of(tx, practice.id).get(person.id, 0),
            _is_lone_manager(tx, practice.id, person.id),
            person.id == me.person.id,
        )


def invite(ctx: Context, me: Me, typed: Mapping[str, str], now: datetime) -> InviteResult:
    """Invite somebody by mail. Raises Refused."""
    practice = practice_of(me)
    if not typed.get("name", "").strip():
        raise Refused({"name": "Write their name, as clients or colleagues know them."})
    if typed.get("role") not in ROLES:
        raise Refused({"role": "Choose what they do."})
    try:
        return accounts.invite(ctx, me, practice, typed["role"], typed.get("email", ""), typed["name"], now)
    except BadSetting as error:
        raise Refused({"email": str(error)}) from None


def invite_again(ctx: Context, me: Me, person_id: str, now: datetime) -> InviteResult:
    """A fresh invitation for one of them. Raises NotHere, or Refused for whoever has left or has no role."""
    found = one(ctx, me, person_id)
    role = next((role for role in found.roles if role in ROLES), "")
    if not role or not found.person.active:
        raise Refused({"": "They have no role that signs in, or have left."})
    try:
        return invite(ctx, me, {"name": found.person.name, "email": found.person.email, "role": role}, now)
    except Refused as error:  # there is no field for it here
        raise Refused({"": next(iter(error.problems.values()))}) from None


def change(ctx: Context, me: Me, person_id: str, typed: Mapping[str, str], now: datetime) -> None:
    """Another name or number. Raises NotHere or Refused."""
    practice = practice_of(me)
    problems: dict[str, str] = {}
    read: dict[str, str] = {}
    for field in ("name", "phone"):
        text = typed.get(field, "")
        try:
            read[field] = cells.text(text, "their name") if field == "name" else cells.phone(text, practice.country)
        except BadCell as error:
            problems[field] = sentence(str(error))
    if problems:
        raise Refused(problems)
    with ctx.store.transaction() as tx:
        person = _find(tx, me, person_id)
        staff.rename(tx, practice.id, person.id, read["name"], read["phone"])
        practices.note(tx, practice.id, me.person.id, "colleague changed", person.id, now)


def set_roles(ctx: Context, me: Me, person_id: str, wanted: set[str], now: datetime) -> bool:
    """What somebody does from now on; False if nothing differs. Their sessions end, since what they may see changes.

    Raises NotHere, or Refused where nobody would manage the practice, or clients would be left without a therapist.
    """
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        person = _find(tx, me, person_id)
        had = set(people.roles_of(tx, practice.id, person.id)) & ROLES
        wanted &= ROLES
        if wanted == had:
            return False
        _may_lose(tx, me, person, had - wanted)
        for role in sorted(wanted - had):
            people.give_role(tx, practice.id, person.id, role)
        for role in sorted(had - wanted):
            staff.take_role(tx, practice.id, person.id, role)
        accounts.end_sessions(tx, practice.id, person.id, now)
        what = f"roles: {', '.join(sorted(wanted)) or 'none'}"
        practices.note(tx, practice.id, me.person.id, what, person.id, now)
    return True


def set_active(ctx: Context, me: Me, person_id: str, active: bool, now: datetime) -> bool:
    """Somebody left, or is back; False if it was so before. Raises NotHere, or Refused for the last manager."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        person = _find(tx, me, person_id)
        if not active and _is_lone_manager(tx, practice.id, person.id):
            raise Refused({"": "Nobody else manages the practice: make somebody else a manager first."})
        return by_hand.put_active(ctx, tx, practice, person, active, me.person.id, now)


def tokens(ctx: Context, me: Me) -> list[Token]:
    """The practice's API tokens, newest first."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        return staff.tokens(tx, practice.id)


def new_token(ctx: Context, me: Me, name: str, now: datetime) -> str:
    """Make a token; it can't be shown again. Raises Refused without a name."""
    practice = practice_of(me)
    try:
        name = cells.text(name, "whose token it is")
    except BadCell as error:
        raise Refused({"name": sentence(str(error))}) from None
    with ctx.store.transaction() as tx:
        token = practices.new_token(tx, practice.id, name, now)
        practices.note(tx, practice.id, me.person.id, "token", practice.id, now, words=name)
    return token


def revoke(ctx: Context, me: Me, token_id: str, now: datetime) -> None:
    """A token opens nothing more. Raises NotHere for one that isn't there or was revoked before."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        if not staff.revoke(tx, practice.id, token_id, now):
            raise NotHere
        practices.note(tx, practice.id, me.person.id, "token revoked", token_id, now)


def _find(tx: Tx, me: Me, person_id: str) -> Person:
    try:
        return people.get(tx, practice_of(me).id, person_id)
    except KeyError:
        raise NotHere from None


def _is_lone_manager(tx: Tx, practice_id: str, person_id: str) -> bool:
    return [person.id for person in people.with_role(tx, practice_id, "manager")] == [person_id]


def _may_lose(tx: Tx, me: Me, person: Person, roles: set[str]) -> None:
    practice_id = practice_of(me).id
    if "manager" in roles and _is_lone_manager(tx, practice_id, person.id):
        raise Refused({"roles": "Nobody else manages the practice: make somebody else a manager first."})
    if "therapist" in roles and (count := staff.clients_of(tx, practice_id).get(person.id, 0)):
        whom = "One client in care is theirs" if count == 1 else f"{count} clients in care are theirs"
        raise Refused({"roles": f"{whom}: move them to another therapist first."})
