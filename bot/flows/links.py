"""Links and addresses that are keys. An alert's: signed, for one person, for a short time; the time is ours, not the
signer's, so that a link's life follows the same clock as everything else. A client's: to one check-in's form, to stop,
and the address to which a reply to one check-in goes."""

import hmac
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from hashlib import sha256

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from bot.config import Config
from bot.store.sql import epoch

LIFE = timedelta(hours=72)
ID_BYTES, TIME_BYTES = 16, 6
MARK_BYTES = 10
LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1


@dataclass(frozen=True)
class AlertLink:
    """What a link lets its holder do: see one alert as one person, until it expires."""

    practice_id: str
    alert_id: str
    person_id: str
    expires_at: int

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return epoch(now) >= self.expires_at


def alert_link(config: Config, practice_id: str, alert_id: str, person_id: str, now: datetime) -> str:
    """The address of an alert's page for one person. Packed, since it also goes by text, where length costs."""
    ids = bytes.fromhex(practice_id + alert_id + person_id)
    packed = base64_encode(ids + epoch(now + LIFE).to_bytes(TIME_BYTES))
    return f"{config.public_url}/a/{_signer(config).sign(packed).decode()}"


def read_alert_link(config: Config, token: str) -> AlertLink | None:
    """What a token stands for, expired or not; None when it isn't ours, to the last letter."""
    try:
        signed = token.encode("ascii")
        raw = base64_decode(_signer(config).unsign(signed))
        signature = signed.rpartition(b".")[2]
        if base64_encode(base64_decode(signature)) != signature:  # its last letter has two bits to spare
            return None
    except (BadData, UnicodeEncodeError):
        return None
    if len(raw) != 3 * ID_BYTES + TIME_BYTES:
        return None
    practice_id, alert_id, person_id = (raw[at : at + ID_BYTES].hex() for at in (0, ID_BYTES, 2 * ID_BYTES))
    return AlertLink(practice_id, alert_id, person_id, int.from_bytes(raw[3 * ID_BYTES :]))


def one_tap_link(config: Config, token: str) -> str:
    """The address of a check-in's form. The token stands for nothing; the store knows what it opens."""
    return f"{config.public_url}/c/{token}"


def stop_link(config: Config, message_id: str) -> str:
    """The address by which whoever got this message stops all of them. It works as long as the message is kept: a
    wish to stop has no last day."""
    signed = _signer(config, "stop-link").sign(base64_encode(bytes.fromhex(message_id)))
    return f"{config.public_url}/c/stop/{signed.decode()}"


def read_stop_link(config: Config, token: str) -> str | None:
    """The message a stop link was in; None when it isn't ours."""
    try:
        message_id = base64_decode(_signer(config, "stop-link").unsign(token.encode("ascii")))
    except (BadData, UnicodeEncodeError):
        return None
    return message_id.hex() if len(message_id) == ID_BYTES else None


def reply_address(config: Config, check_in_id: str) -> str:
    """Where a reply to one check-in goes: MAIL_FROM's address with a signed part after a plus, `notes+...@...`, in
    small letters and digits, since some servers change the case. The plain address where that would be too long."""
    name, _, domain = parseaddr(config.mail_from)[1].rpartition("@")
    raw = bytes.fromhex(check_in_id)
    part = b32encode(raw + _reply_mark(config.secrets[0], raw)).decode().lower().rstrip("=")
    local = f"{name}+{part}"
    return f"{local if len(local) <= LONGEST_LOCAL else name}@{domain}"


def read_reply_part(config: Config, part: str) -> str | None:
    """The check-in that the part after the plus stands for; None when it isn't ours."""
    try:
        raw = b32decode(part.upper() + "=" * (-len(part) % 8))
    except ValueError:
        return None
    check_in, mark = raw[:ID_BYTES], raw[ID_BYTES:]
    good = any(hmac.compare_digest(mark, _reply_mark(secret, check_in)) for secret in config.secrets)
    return check_in.hex() if good else None


def _reply_mark(secret: str, check_in: bytes) -> bytes:
    key = Signer(secret, salt="reply-address", digest_method=sha256).derive_key()
    return hmac.digest(key, check_in, "sha256")[:MARK_BYTES]


def _signer(config: Config, salt: str = "alert-link") -> Signer:
    # itsdangerous signs with the last key and accepts any; ours come newest first
    return Signer(list(reversed(config.secrets)), salt=salt)
