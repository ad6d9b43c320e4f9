"""Sealing: names, numbers, addresses and words are unreadable without the key, which is not in the database.

A sealed field is `keyid.base64(nonce + ciphertext)`, AES-256-GCM (NIST SP 800-38D) with table, column and
row as associated data, so that a value moved to another row or column doesn't open. Numbers and addresses
are found by a keyed index: HMAC-SHA-256 under a key of its own, since a plain hash of a phone number can be
reversed by trying all numbers.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealBroken(Exception):
    """A sealed field doesn't open: it was changed, moved, or sealed with a key that is not among ours."""


@dataclass(frozen=True)
class Key:
    """One master key, known in the database by the first eight hex digits of a hash of it."""

    id: str
    cipher: AESGCM = field(repr=False)
    index: bytes = field(repr=False)

    @classmethod
    def from_secret(cls, secret: str) -> "Key":
        """Derive the sealing and the index key from one secret (HKDF, RFC 5869)."""
        sealing, index, name = (_derive(secret, purpose) for purpose in ("seal", "index", "name"))
        return cls(id=name.hex()[:8], cipher=AESGCM(sealing), index=index)


class Sealer:
    """Seals with the first key; opens and finds with any of them, so that keys can be rotated."""

    def __init__(self, secrets_: Sequence[str]) -> None:
        self.keys = [Key.from_secret(secret) for secret in secrets_]
        self._by_id = {key.id: key for key in self.keys}

    def seal(self, where: str, text: str) -> str:
        """Encrypt `text` for one place, `where` being "table|column|row"."""
        key, nonce = self.keys[0], secrets.token_bytes(12)
        # A lone surrogate can't be stored as UTF-8; a client's reply may hold one and must still be kept.
        sealed = nonce + key.cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), where.encode())
        return f"{key.id}.{base64.b64encode(sealed).decode()}"

    def open(self, where: str, sealed: str) -> str:
        """Decrypt what was sealed for this very place. Raises SealBroken."""
        key_id, _, rest = sealed.partition(".")
        key = self._by_id.get(key_id)
        if key is None:
            raise SealBroken(f"{where} was sealed with key {key_id}, which is not in SECRET_KEY or its file")
        try:
            raw = base64.b64decode(rest)
            if base64.b64encode(raw).decode() != rest:  # decoding passes over what it doesn't know
                raise InvalidTag
            return key.cipher.decrypt(raw[:12], raw[12:], where.encode()).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            raise SealBroken(f"{where} was changed, or belongs to another row") from None

    def index(self, value: str) -> str:
        """The keyed index under which an address is stored from now on."""
        return _index(self.keys[0], value)

    def indexes(self, value: str) -> list[str]:
        """Every index under which an address may have been stored, newest key first."""
        return [_index(key, value) for key in self.keys]


def _derive(secret: str, purpose: str) -> bytes:
    info = f"attune {purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret.encode())


def _index(key: Key, value: str) -> str:
    return hmac.new(key.index, value.casefold().encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
