"""What a channel takes and how it fails."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Picture:
    """A PNG inside a mail, shown where its HTML names it by `cid:`."""

    name: str
    png: bytes


@dataclass(frozen=True)
class Outgoing:
    """One message for one address. `attempt_id` comes back in the provider's callbacks;
    `message_id` is the same whenever this message is tried again; `valid_seconds`: the provider
    must not deliver later than that from now. For mails: `sender_name` stands in place of the name in MAIL_FROM,
    `reply_to` is where answers go, `unsubscribe` an address that stops more by one POST,
    `follows` the `message_id` of the mail whose thread it belongs to."""

    to: str
    body: str
    message_id: str
    attempt_id: str
    valid_seconds: int
    now: datetime
    subject: str = ""
    html: str = ""
    sender_name: str = ""
    reply_to: str = ""
    unsubscribe: str = ""
    follows: str = ""
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Received:
    """A text as the provider keeps it."""

    provider_id: str
    sender: str
    body: str
    at: datetime | None


class DeliveryFailed(Exception):
    """A definite no: the provider did not take the message.

    `permanent`: trying again with the same address and words can't help. `meaning` is a word of
    `bot.channels.codes`; `retry_after` seconds, where the provider named a time.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool,
        code: str = "",
        meaning: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.code = code
        self.meaning = meaning
        self.retry_after = retry_after


class InDoubt(Exception):
    """Nobody can say whether the provider took it: the answer was lost or made no sense."""
