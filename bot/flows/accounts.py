"""Who may sign in: invitations, links that work once, sessions that end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.flows import accounts_letters as letters
from bot.flows import cells, privacy
from bot.flows.access import ROLES, Me, NotHere
from bot.flows.context import Context
from bot.flows.settings import BadSetting
from bot.store import Tx, accounts, attempts, new_address, passkeys, people, practices, sign_ins
from bot.store.accounts import INVITATION, SIGN_IN
from bot.store.people import Person
from bot.store.practices import Practice

GUARDED = timedelta(days=7)  # after a change of address
COMMAND = "command"  # who, in the audit trail, where nobody is signed in


@dataclass(frozen=True)
class InviteResult:
    """What an invitation did. `link` is given only where no mail can be sent: whoever invites hands it on."""

    person_id: str
    name: str
    email: str
    role: str
    new_person: bool
    new_role: bool
    mailed: bool
    link: str = ""


@dataclass(frozen=True)
class Opened:
    """Whom a link would sign in, where, and whether it is their first time."""

    person: Person
    practice: Practice
    invited: bool


def invite(
    ctx: Context, me: Me | None, practice: Practice, role: str, email: str, name: str, now: datetime
) -> InviteResult:
    """Give a person a role, make them known if they aren't, and send them a link that works once, within seven days.

    `me` is the manager who invites, or None for a command. Inviting again ends the link before. Raises NotHere for
    whoever may not invite, BadSetting, in words, for what can't be used, and where a manager would be handed a link
    to pages that are somebody else's by now.
    """
    _may_invite(me, practice)
    if role not in ROLES:
        raise BadSetting(f"{role!r} can't be invited: say manager, therapist or supervisor.")
    address = _address(email)
    with ctx.store.transaction() as tx:
        mailed = "mail" in ctx.channels
        if me is not None and not mailed:
            _nobodys_pages_yet(tx, practice, address)
        person, new_person = _known(tx, practice, address, " ".join(name.split()), now)
        new_role = people.give_role(tx, practice.id, person.id, role)
        if new_role and not new_person:
            end_sessions(tx, practice.id, person.id, now)  # the next sign-in has what the role needs
        accounts.end_links(tx, practice.id, person.id, now, INVITATION)
        token = accounts.add_link(tx, practice.id, person.id, INVITATION, now)
        if mailed:
            by = me.person.name if me else ""
            letters.send_invitation(ctx, tx, practice, person, role, by, token, now)
        practices.note(tx, practice.id, _who(me), f"invited: {role}", person.id, now)
    link = "" if mailed else letters.link_of(ctx, token)
    return InviteResult(person.id, person.name, address, role, new_person, new_role, mailed, link)


def sign_in_link(
    ctx: Context, practice: Practice, email: str, now: datetime, *, forget: bool = False, who: str = COMMAND
) -> str:
    """A link that signs somebody in, once, within fifteen minutes: for the first manager and for emergencies.

    With `forget`, their password, second factor and passkeys are dropped and their sessions end. They are told by
    mail where that works. Raises BadSetting for whoever isn't with the practice or holds no role.
    """
    address = _address(email)
    with ctx.store.transaction() as tx:
        person = people.by_email(tx, practice.id, address)
        if person is None:
            raise BadSetting(f"Nobody in {practice.name} has that mail address: see `attune invite`.")
        _may_sign_in(tx, practice, person)
        if forget:
            _forget(tx, practice, person, now)
        token = accounts.add_link(tx, practice.id, person.id, SIGN_IN, now)
        letters.tell_of_change(ctx, tx, practice, person, "forgotten" if forget else "link", now)
        privacy.tell(ctx, tx, practice, "forgotten" if forget else "link", now, about=person.name)
        what = "a link to sign in was made, second factor forgotten" if forget else "a link to sign in was made"
        practices.note(tx, practice.id, who, what, person.id, now)
    return letters.link_of(ctx, token)


def end_sessions(tx: Tx, practice_id: str, person_id: str, now: datetime, but: str = "") -> int:
    """End a person's sessions (but the one with that id) and mailed links; how many sessions there were.

    For whoever takes a role, a password or the person's place away: their next request is turned back.
    """
    accounts.end_links(tx, practice_id, person_id, now, SIGN_IN)
    return sign_ins.end_all(tx, practice_id, person_id, now, but)


def forget_second_factor(ctx: Context, me: Me, person_id: str, now: datetime) -> None:
    """For a colleague who lost phone and codes: drop their password, second factor and passkeys, and end their
    sessions; they begin again from a mailed link. Raises NotHere for whoever may not, or nobody, and BadSetting where
    no mail can be sent, or their address is new: then the link would be in the wrong hands."""
    _may_invite(me, me.practice)
    if "mail" not in ctx.channels:
        raise BadSetting("No mail can be sent: whoever keeps the server does this, by attune sign-in-link --forget.")
    with ctx.store.transaction() as tx:
        try:
            person = people.get(tx, me.practice.id, person_id)
        except KeyError:
            raise NotHere from None
        if new_address.changed_since(tx, me.practice.id, person.id, now - GUARDED):
            raise BadSetting(f"The mail address of {person.name} was changed within the last seven days, and both "
                             "together would open their account to whoever holds that address: whoever keeps the "
                             "server does this, by attune sign-in-link --forget.")  # fmt: skip
        _forget(tx, me.practice, person, now)
        letters.tell_of_change(ctx, tx, me.practice, person, "forgotten", now)
        privacy.tell(ctx, tx, me.practice, "forgotten", now, by=me.person.name, about=person.name)
        practices.note(tx, me.practice.id, me.person.id, "second factor forgotten", person.id, now)


def ask_for_link(ctx: Context, email: str, now: datetime) -> None:
    """Somebody typed this address on the sign-in page: mail a link, in each practice where it is a person's who may
    sign in; nothing where no mail can be sent. The same work is done, and undone, for an address that is nobody's, so
    that the time it takes tells nothing."""
    try:
        address = _address(email)
    except BadSetting:
        address = ""
    if "mail" not in ctx.channels:
        return
    with ctx.store.transaction() as tx:
        found = _who_may(tx, address)
        attempts.count(tx, "links asked for", accounts.LIVES[SIGN_IN], now)
        for practice, person in found:
            _mail_link(ctx, tx, practice, person, now)
        if not found:
            _as_if(ctx, tx, now)


def opened(ctx: Context, token: str, now: datetime) -> Opened | None:
    """Whom a link would sign in, while it can be used. Looking at it changes nothing: mail scanners do."""
    with ctx.store.transaction(write=False) as tx:
        return _opened(tx, token, now)


def follow(ctx: Context, token: str, browser: str, now: datetime) -> str | None:
    """Use a link up and begin a session: the secret for the browser. None where the link is used up or too old, or
    its person may not sign in any more."""
    with ctx.store.transaction() as tx:
        found, link = _opened(tx, token, now), accounts.link(tx, token, now)
        if found is None or link is None or not accounts.use_link(tx, link.id, now):
            return None
        accounts.end_links(tx, found.practice.id, found.person.id, now)
        return begin(tx, found.practice.id, found.person.id, strong=False, how="link", browser=browser, now=now)


def begin(tx: Tx, practice_id: str, person_id: str, *, strong: bool, how: str, browser: str, now: datetime) -> str:
    """Begin a session and note it; the secret for the browser. `how`: link, password, passkey."""
    accounts.accept(tx, practice_id, person_id, now)
    practices.note(tx, practice_id, person_id, f"signed in by {how}", person_id, now)
    return sign_ins.start(tx, practice_id, person_id, strong, browser[:300], now)


def may_sign_in(tx: Tx, practice_id: str, person: Person) -> bool:
    """Whether a person is with the practice and holds a role that has pages."""
    return person.active and bool(ROLES & set(people.roles_of(tx, practice_id, person.id)))


def _opened(tx: Tx, token: str, now: datetime) -> Opened | None:
    link = accounts.link(tx, token, now)
    if link is None:
        return None
    person, practice = people.get(tx, link.practice_id, link.person_id), practices.get(tx, link.practice_id)
    return Opened(person, practice, link.purpose == INVITATION) if may_sign_in(tx, practice.id, person) else None


def _who_may(tx: Tx, address: str) -> list[tuple[Practice, Person]]:
    found = [(p, people.get(tx, p, who)) for p, who in accounts.people_with(tx, address)] if address else []
    return [(practices.get(tx, p), person) for p, person in found if may_sign_in(tx, p, person)]


def _mail_link(ctx: Context, tx: Tx, practice: Practice, person: Person, now: datetime) -> None:
    token = accounts.add_link(tx, practice.id, person.id, SIGN_IN, now)
    letters.send_link(ctx, tx, practice, person, token, now)
    practices.note(tx, practice.id, person.id, "asked for a link to sign in", person.id, now)


class _Undo(Exception):
    """Raised to undo a savepoint."""


def _as_if(ctx: Context, tx: Tx, now: datetime) -> None:
    """What is done for a person, done for anyone and taken back."""
    anyone = next(_anyone(tx), None)
    if anyone is None:
        return
    try:
        with tx.savepoint():
            _mail_link(ctx, tx, *anyone, now)
            raise _Undo
    except _Undo:
        return


def _anyone(tx: Tx) -> Iterator[tuple[Practice, Person]]:
    return (
        (each, person)
        for each in practices.every(tx)
        for role in ROLES
        for person in people.with_role(tx, each.id, role)
    )


def _may_invite(me: Me | None, practice: Practice) -> None:
    if me is not None and ("manager" not in me.roles or me.practice.id != practice.id):
        raise NotHere


def _may_sign_in(tx: Tx, practice: Practice, person: Person) -> None:
    if not person.active:
        raise BadSetting(f"{person.name} has left {practice.name}; `attune person set` takes them back.")
    if not may_sign_in(tx, practice.id, person):
        raise BadSetting(f"{person.name} has no role with pages: `attune invite` gives one.")


def _nobodys_pages_yet(tx: Tx, practice: Practice, address: str) -> None:
    """A link for whoever has signed in before, or has clients who answered, opens what is theirs alone, and would be in
    somebody else's hands."""
    known = people.by_email(tx, practice.id, address)
    if known is None:
        return
    if known.id in accounts.accepted_at(tx, practice.id) or new_address.has_answers(tx, practice.id, known.id):
        raise BadSetting(
            f"No mail can be sent, and a link that signs in as {known.name} is for them alone: whoever keeps the "
            "server can hand them one (attune sign-in-link)."
        )


def _known(tx: Tx, practice: Practice, address: str, name: str, now: datetime) -> tuple[Person, bool]:
    """The person with this address, made where there is none, by the new name where one is given."""
    known = people.by_email(tx, practice.id, address)
    if known is not None and not known.active:
        raise BadSetting(f"{known.name} has left {practice.name}: take them back first (`attune person set`).")
    name = name or (known.name if known else address.partition("@")[0])
    person_id, _ = people.save(tx, practice.id, name=name, email=address, now=now)
    return people.get(tx, practice.id, person_id), known is None


def _forget(tx: Tx, practice: Practice, person: Person, now: datetime) -> None:
    waiting = new_address.of_person(tx, practice.id, person.id)
    if waiting and waiting.waits(now):
        new_address.withdraw(tx, waiting, now)
    accounts.forget(tx, practice.id, person.id)
    passkeys.remove_all(tx, practice.id, person.id)
    end_sessions(tx, practice.id, person.id, now)


def _address(email: str) -> str:
    try:
        address = cells.mail(email)
    except cells.BadCell as error:
        raise BadSetting(f"The mail address {error}.") from None
    if not address:
        raise BadSetting("A mail address is needed.")
    return address


def _who(me: Me | None) -> str:
    return me.person.id if me else COMMAND
