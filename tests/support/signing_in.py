"""Ways in, as people take them: links out of mails, codes of an app, passkeys made and used in software."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import cbor2
import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url
from werkzeug.test import TestResponse

from bot.flows import accounts_second
from bot.flows.access import Me
from bot.store import people, practices, sign_ins
from tests.support.browsing import Browser
from tests.support.cast import Riverside, riverside
from tests.support.letters import letters


def mailed(practice: Riverside, kind: str = "sign_in_link") -> list[str]:
    """The paths of all links of a kind that were mailed, oldest first."""
    found = [re.search(r"http\S+/(sign-in|new-address)/\S+", m.body) for m in letters(practice) if m.kind == kind]
    return [urlsplit(each[0]).path for each in found if each]


def neighbours(practice: Riverside) -> Riverside:
    """Another practice on the same installation, Hillside, with people and clients of the same names."""
    with practice.ctx.store.transaction() as tx:
        practices.save(tx, replace(practice.practice, name="For a moment"))
    other = riverside(practice.ctx)
    other.practice = replace(other.practice, name="Hillside")
    with practice.ctx.store.transaction() as tx:
        for each in (other.practice, practice.practice):
            practices.save(tx, each)
    return other


def me(practice: Riverside, name: str, now: datetime, strong: bool = True) -> Me:
    """Somebody signed in, for flows that are called directly."""
    with practice.ctx.store.transaction() as tx:
        person = people.get(tx, practice.practice.id, practice.staff[name])
        secret = sign_ins.start(tx, practice.practice.id, person.id, strong, "a test", now)
        found = sign_ins.find(tx, secret, now)
        roles = frozenset(people.roles_of(tx, practice.practice.id, person.id))
    assert found
    return Me(person, practice.practice, roles, strong, found.id)


@dataclass
class App:
    """An app that shows codes."""

    secret: str

    def code(self, now: datetime, ahead: int = 0) -> str:
        """What it shows now, or so many steps of half a minute later."""
        return pyotp.TOTP(self.secret).at(now + timedelta(seconds=30 * ahead))


def with_app(practice: Riverside, name: str, now: datetime) -> App:
    """Somebody sets up an app a while before; its code can be used again by now."""
    before = now - timedelta(minutes=5)
    who = me(practice, name, before, strong=False)
    offer = accounts_second.offer(practice.ctx, who)
    app = App(offer.secret)
    accounts_second.set_up(practice.ctx, who, offer.sealed, app.code(before), "a test", before)
    return app


@dataclass
class Device:
    """An authenticator in software: P-256 keys, by the letter of WebAuthn. `verifies`: it asks for finger or face."""

    origin: str
    verifies: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 0
    user: bytes = b""

    def made(self, options: str) -> dict[str, object]:
        """A new key for what a site asks."""
        asked = json.loads(options)
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        told = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(asked["rp"]["id"], attested)})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer({"attestationObject": told, "clientDataJSON": client})

    def signed(self, options: str) -> dict[str, object]:
        """The challenge, signed."""
        asked = json.loads(options)
        self.count += 1
        client, data = self._client("webauthn.get", asked["challenge"]), self._data(asked["rpId"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"authenticatorData": data, "clientDataJSON": client, "signature": signature})

    def _data(self, host: str, attested: bytes = b"") -> bytes:
        flags = 0x01 | (0x04 if self.verifies else 0) | (0x40 if attested else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + attested

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, bytes]) -> dict[str, object]:
        text = {name: bytes_to_base64url(value) for name, value in response.items()}
        name = bytes_to_base64url(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": text}


def add_passkey(browser: Browser, device: Device, name: str = "") -> TestResponse:
    """A signed-in browser adds a passkey."""
    made = device.made(browser.send("/account/passkeys/options", {}).text)
    return browser.send("/account/passkeys", {**made, "name": name})


def use_passkey(browser: Browser, device: Device) -> TestResponse:
    """A browser signs in by a passkey."""
    return browser.send("/sign-in/passkey", device.signed(browser.send("/sign-in/passkey/options", {}).text))
