"""One's own account at a glance: how one signs in, where one is signed in, and ending that."""

from dataclasses import dataclass
from datetime import datetime

from bot.flows.access import Me, NotHere
from bot.flows.accounts import end_sessions
from bot.flows.context import Context
from bot.flows.setting_up import setup_finished
from bot.store import accounts, passkeys, practices, sign_ins
from bot.store.passkeys import Passkey
from bot.store.sign_ins import SignIn


@dataclass(frozen=True)
class Overview:
    """What the account page shows. `codes` is how many recovery codes are left."""

    password: bool
    app: bool
    codes: int
    passkeys: tuple[Passkey, ...]
    sessions: tuple[SignIn, ...]


def first_page(ctx: Context, me: Me) -> str:
    """Where each role begins: clients first, where there are several; a manager with setting up, until it is done."""
    if "therapist" in me.roles:
        return "/caseload"
    if "supervisor" in me.roles:
        return "/waiting"
    with ctx.store.transaction(write=False) as tx:
        return "/delivery" if setup_finished(ctx, tx, me.practice) else "/setup"


def overview(ctx: Context, me: Me, now: datetime) -> Overview:
    """How this person signs in, and their live sessions, this one first."""
    who = (me.practice.id, me.person.id)
    with ctx.store.transaction(write=False) as tx:
        account, keys = accounts.get(tx, *who), passkeys.of_person(tx, *who)
        found = sign_ins.of_person(tx, *who, now)
    found.sort(key=lambda each: each.id != me.sign_in_id)
    return Overview(bool(account.password_hash), bool(account.totp), len(account.recovery), tuple(keys), tuple(found))


def end_session(ctx: Context, me: Me, sign_in_id: str, now: datetime) -> None:
    """End one of one's own sessions, at its next request. Raises NotHere where it isn't theirs or is over."""
    with ctx.store.transaction() as tx:
        if not sign_ins.end(tx, me.practice.id, me.person.id, sign_in_id, now):
            raise NotHere
        practices.note(tx, me.practice.id, me.person.id, "a session was ended", me.person.id, now)


def end_others(ctx: Context, me: Me, now: datetime) -> int:
    """End every session of one's own but this one; how many there were."""
    with ctx.store.transaction() as tx:
        ended = end_sessions(tx, me.practice.id, me.person.id, now, but=me.sign_in_id)
        practices.note(tx, me.practice.id, me.person.id, "other sessions were ended", me.person.id, now)
    return ended
