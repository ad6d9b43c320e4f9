"""Passkeys (WebAuthn level 2). One that checked its holder, by finger, face or lock, is both steps in one."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from bot.flows import accounts_letters as letters
from bot.flows.access import Me, NotHere
from bot.flows.accounts import begin, may_sign_in
from bot.flows.accounts_second import strengthen
from bot.flows.context import Context
from bot.store import Tx, accounts, attempts, passkeys, people, practices
from bot.store.passkeys import Passkey

LIFE = timedelta(minutes=5)
MOST, LONGEST_NAME = 20, 60


class BadPasskey(ValueError):
    """This passkey can't be used; the message says why."""


@dataclass(frozen=True)
class Question:
    """What a browser is asked to sign: the options for it (JSON), and what to keep until it answers."""

    options: str
    challenge: str


def ask_to_add(ctx: Context, me: Me) -> Question:
    """Ask a browser to make a passkey for this person, which it finds again without being told a name."""
    with ctx.store.transaction(write=False) as tx:
        known = passkeys.of_person(tx, me.practice.id, me.person.id)
    if me.half_way or len(known) >= MOST:
        raise BadPasskey("Take your second step first." if me.half_way else "There are too many passkeys already.")
    options = webauthn.generate_registration_options(
        rp_id=_host(ctx),
        rp_name=f"Attune {me.practice.name}",
        user_id=bytes.fromhex(me.person.id),
        user_name=me.person.email,
        user_display_name=me.person.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(p.credential_id)) for p in known],
    )
    return Question(options_to_json(options), bytes_to_base64url(options.challenge))


def add(
    ctx: Context, me: Me, answer: object, challenge: str, asked_at: datetime, name: str, browser: str, now: datetime
) -> str:
    """Keep the passkey a browser made. Where it is the first second step, the session becomes strong: the browser's
    new secret, else empty. Raises BadPasskey."""
    if me.half_way:
        raise BadPasskey("Take your second step first.")
    found = _registered(ctx, answer, challenge, asked_at, now)
    credential_id, key = bytes_to_base64url(found.credential_id), bytes_to_base64url(found.credential_public_key)
    called = " ".join(name.split())[:LONGEST_NAME] or browser
    with ctx.store.transaction() as tx:
        _first_time(tx, challenge, now)
        if not passkeys.add(tx, me.practice.id, me.person.id, credential_id, key, found.sign_count, called, now):
            raise BadPasskey("This passkey is known already.")
        letters.tell_of_change(ctx, tx, me.practice, me.person, "passkey", now)
        practices.note(tx, me.practice.id, me.person.id, "passkey added", me.person.id, now)
        return strengthen(tx, me, browser, now)


def remove(ctx: Context, me: Me, passkey_id: str, now: datetime) -> None:
    """Forget a passkey. Raises NotHere where it isn't theirs, BadPasskey where it is the only second step left of
    somebody who needs one."""
    with ctx.store.transaction() as tx:
        account = accounts.get(tx, me.practice.id, me.person.id)
        known = passkeys.of_person(tx, me.practice.id, me.person.id)
        needed = me.sees_ratings or bool(account.password_hash)
        if needed and not account.totp and [each.id for each in known] == [passkey_id]:
            raise BadPasskey("It is your only second step: set up another one first.")
        if not passkeys.remove(tx, me.practice.id, me.person.id, passkey_id):
            raise NotHere
        practices.note(tx, me.practice.id, me.person.id, "passkey removed", me.person.id, now)


def ask_to_sign_in(ctx: Context) -> Question:
    """Ask a browser for any passkey it has for this site."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(ctx), user_verification=UserVerificationRequirement.REQUIRED
    )
    return Question(options_to_json(options), bytes_to_base64url(options.challenge))


def sign_in(ctx: Context, answer: object, challenge: str, asked_at: datetime, browser: str, now: datetime) -> str:
    """Begin a strong session for whoever's passkey signed the challenge; the secret for the browser.

    Raises BadPasskey where it is unknown or didn't sign, or its person may not sign in any more.
    """
    with ctx.store.transaction() as tx:
        passkey = _offered(tx, answer)
        count = _signed(ctx, answer, passkey, challenge, asked_at, now)
        _first_time(tx, challenge, now)
        if not may_sign_in(tx, passkey.practice_id, people.get(tx, passkey.practice_id, passkey.person_id)):
            raise BadPasskey("This passkey opens nothing here.")
        passkeys.used(tx, passkey.id, count, now)
        who = (passkey.practice_id, passkey.person_id)
        return begin(tx, *who, strong=True, how="passkey", browser=browser, now=now)


def _registered(
    ctx: Context, answer: object, challenge: str, asked_at: datetime, now: datetime
) -> VerifiedRegistration:
    _in_time(asked_at, now)
    try:
        return webauthn.verify_registration_response(
            credential=json.dumps(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(ctx),
            expected_origin=_origin(ctx),
            require_user_verification=True,
        )
    except Exception:  # whatever a browser may send: the kinds of errors are many
        raise BadPasskey("The browser's answer wasn't understood. Please try again.") from None


def _signed(ctx: Context, answer: object, passkey: Passkey, challenge: str, asked_at: datetime, now: datetime) -> int:
    """The passkey's counter, once it is sure that it signed this very challenge. Raises BadPasskey."""
    _in_time(asked_at, now)
    try:
        found = webauthn.verify_authentication_response(
            credential=json.dumps(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(ctx),
            expected_origin=_origin(ctx),
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception:  # as above
        raise BadPasskey("This passkey opens nothing here.") from None
    return found.new_sign_count


def _offered(tx: Tx, answer: object) -> Passkey:
    credential_id = answer.get("id") if isinstance(answer, dict) else None
    known = isinstance(credential_id, str) and re.fullmatch(r"[\w-]{1,1400}", credential_id, re.ASCII)
    passkey = passkeys.find(tx, str(credential_id)) if known else None
    if passkey is None:
        raise BadPasskey("This passkey opens nothing here.")
    return passkey


def _in_time(asked_at: datetime, now: datetime) -> None:
    if not timedelta() <= now - asked_at <= LIFE:
        raise BadPasskey("That took too long. Please try again.")


def _first_time(tx: Tx, challenge: str, now: datetime) -> None:
    """An answer counts once: whoever overhears one can't use it again."""
    if not attempts.once(tx, f"challenge {challenge}", 2 * LIFE, now):
        raise BadPasskey("That was used before. Please try again.")


def _host(ctx: Context) -> str:
    return urlsplit(ctx.config.public_url).hostname or ""


def _origin(ctx: Context) -> str:
    parts = urlsplit(ctx.config.public_url)
    return f"{parts.scheme}://{parts.netloc}"
