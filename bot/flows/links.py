"""Signed links to one alert, for one person, for a short time. The time is ours, not the signer's, so that
a link's life follows the same clock as everything else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from bot.config import Config
from bot.store.sql import epoch

LIFE = timedelta(hours=72)


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
    """The address of an alert's page for one person."""
    token = _signer(config).dumps([practice_id, alert_id, person_id, epoch(now + LIFE)])
    return f"{config.public_url}/a/{token}"


def read_alert_link(config: Config, token: str) -> AlertLink | None:
    """What a token stands for, expired or not; None when it isn't ours."""
    try:
        practice_id, alert_id, person_id, expires_at = _signer(config).loads(token)
    except (BadData, ValueError, TypeError):
        return None
    return AlertLink(practice_id, alert_id, person_id, expires_at)


def _signer(config: Config) -> URLSafeSerializer:
    # itsdangerous signs with the last key and accepts any; ours come newest first
    return URLSafeSerializer(list(reversed(config.secrets)), salt="alert-link")
