"""The second step: a code from an app (RFC 6238), and codes for the day the phone is lost."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp

from bot.flows import accounts_letters as letters
from bot.flows.access import Me
from bot.flows.context import Context
from bot.store import SealBroken, Tx, accounts, practices, sign_ins

ISSUER = "Attune"
PERIOD = 30  # seconds that a code is shown
AROUND = (0, -1, 1)  # phones' clocks are off by a little
CODES, LETTERS = 8, "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
CODE_LENGTH = 12


class BadCode(ValueError):
    """This code opens nothing; the message says what to do."""


@dataclass(frozen=True)
class Offer:
    """A secret for an app, to be proved by a code: as typed, as a link for the app, and sealed for the form."""

    secret: str
    uri: str
    sealed: str


@dataclass(frozen=True)
class Done:
    """What taking or setting up the second step gives: a new secret for the browser where the session became strong,
    and recovery codes, to be shown once, where they were made."""

    secret: str = ""
    codes: tuple[str, ...] = ()


def offer(ctx: Context, me: Me, sealed: str = "") -> Offer:
    """A new secret for an app, or the one that was offered before. Nothing is stored until a code proves that the app
    has it. Raises BadCode for a form that isn't ours."""
    secret = _opened(ctx, me, sealed) if sealed else pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=me.person.email, issuer_name=f"{ISSUER} {me.practice.name}")
    return Offer(secret, uri, sealed or ctx.store.sealer.seal(_where(me), secret))


def set_up(ctx: Context, me: Me, sealed: str, code: str, browser: str, now: datetime) -> Done:
    """Set up or replace the app, once a code shows that it has the secret. The first time makes recovery codes.

    Raises BadCode where the code isn't right, or where another second step would have to be taken first.
    """
    if me.half_way:
        raise BadCode("Take your second step first.")
    secret = _opened(ctx, me, sealed)
    step = _step_of(secret, code, now)
    if step is None:
        raise BadCode("That isn't the code the app shows now. Is the phone's clock right?")
    with ctx.store.transaction() as tx:
        before = accounts.get(tx, me.practice.id, me.person.id)
        if before.totp == secret:
            raise BadCode("That app is set up already.")
        accounts.set_totp(tx, me.practice.id, me.person.id, secret, step, now)
        codes = () if before.recovery else _new_codes(tx, me, now)
        letters.tell_of_change(ctx, tx, me.practice, me.person, "second", now)
        practices.note(tx, me.practice.id, me.person.id, "second factor set up", me.person.id, now)
        return Done(strengthen(tx, me, browser, now), codes)


def take(ctx: Context, me: Me, code: str, browser: str, now: datetime) -> Done:
    """Take the second step, with the app's code or a recovery code; each works once. Raises BadCode."""
    with ctx.store.transaction() as tx:
        account = accounts.get(tx, me.practice.id, me.person.id)
        if not _right_code(tx, me, account.totp, code, now) and not _right_recovery(ctx, tx, me, account, code, now):
            raise BadCode("That code isn't right, or was used before. Take the one the app shows now.")
        practices.note(tx, me.practice.id, me.person.id, "second step taken", me.person.id, now)
        return Done(strengthen(tx, me, browser, now))


def new_codes(ctx: Context, me: Me, now: datetime) -> tuple[str, ...]:
    """Recovery codes in place of the old ones, to be shown once. Raises BadCode before the second step."""
    if not me.strong:
        raise BadCode("Take your second step first.")
    with ctx.store.transaction() as tx:
        codes = _new_codes(tx, me, now)
        letters.tell_of_change(ctx, tx, me.practice, me.person, "codes", now)
        practices.note(tx, me.practice.id, me.person.id, "recovery codes made", me.person.id, now)
    return codes


def strengthen(tx: Tx, me: Me, browser: str, now: datetime) -> str:
    """A session that has taken the second step, in place of the one that hadn't; empty where it had already."""
    if me.strong:
        return ""
    sign_ins.end(tx, me.practice.id, me.person.id, me.sign_in_id, now)
    return sign_ins.start(tx, me.practice.id, me.person.id, True, browser, now)


def _right_code(tx: Tx, me: Me, secret: str, code: str, now: datetime) -> bool:
    step = _step_of(secret, code, now) if secret else None
    return step is not None and accounts.use_step(tx, me.practice.id, me.person.id, step)


def _right_recovery(ctx: Context, tx: Tx, me: Me, account: accounts.Account, code: str, now: datetime) -> bool:
    hashed = _hash(code)
    left = [each for each in account.recovery if not hmac.compare_digest(each, hashed)]
    if len(left) == len(account.recovery):
        return False
    accounts.set_recovery(tx, me.practice.id, me.person.id, left, now)
    letters.tell_of_change(ctx, tx, me.practice, me.person, "recovery", now)
    practices.note(tx, me.practice.id, me.person.id, "recovery code used", me.person.id, now)
    return True


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, among those around now."""
    digits = "".join(code.split())
    totp, here = pyotp.TOTP(secret), int(now.timestamp()) // PERIOD
    if not (digits.isascii() and digits.isdigit()):
        return None
    return next((here + by for by in AROUND if hmac.compare_digest(totp.generate_otp(here + by), digits)), None)


def _new_codes(tx: Tx, me: Me, now: datetime) -> tuple[str, ...]:
    codes = tuple("".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH)) for _ in range(CODES))
    accounts.set_recovery(tx, me.practice.id, me.person.id, [_hash(code) for code in codes], now)
    return tuple("-".join((code[:4], code[4:8], code[8:])) for code in codes)


def _hash(code: str) -> str:
    # long and random, so a plain hash is enough
    told = "".join(letter for letter in code.casefold() if letter in LETTERS)
    return hashlib.sha256(told.encode()).hexdigest()


def _opened(ctx: Context, me: Me, sealed: str) -> str:
    try:
        return ctx.store.sealer.open(_where(me), sealed)
    except SealBroken:
        raise BadCode("This form was too old. Begin again.") from None


def _where(me: Me) -> str:
    return f"account|totp offered|{me.person.id}"
