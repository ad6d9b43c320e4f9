"""Signed links to one alert, for one person, for a short time. The time is ours, not the signer's, so that
a link's life follows the same clock as everything else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from bot.config import Config
from bot.store.sql import epoch

LIFE = timedelta(hours=72)
ID_BYTES, TIME_BYTES = 16, 6


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


def _signer(config: Config) -> Signer:
    # itsdangerous signs with the last key and accepts any; ours come newest first
    return Signer(list(reversed(config.secrets)), salt="alert-link")
