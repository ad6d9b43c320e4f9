"""Texts by Twilio's own client. Its address is a setting, so that the sandbox can stand in for the cloud."""

import threading
import unicodedata
from datetime import datetime, timedelta
from typing import Any

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import MaxRetryError, NewConnectionError

from bot.channels import codes
from bot.channels.base import DeliveryFailed, InDoubt, Outgoing, Received
from bot.config import Config

CONNECT_SECONDS = 5
READ_SECONDS = 15
LONGEST_VALIDITY = 36_000  # https://www.twilio.com/docs/messaging/api/message-resource: 1 to 36,000 seconds
# How far the provider's clock may be from ours, wrongly set ones too. What is older and ours is known by its id.
SKEW = timedelta(hours=24)
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError)  # what Twilio's client makes of an odd answer
LOOK_BACK = 200  # messages to one number that a look-up reads at the most


class SmsChannel:
    """Sends texts, and looks up what became of one whose answer was lost."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._http = _Http()
        self._client = Client(config.twilio_account_sid, config.twilio_auth_tokens[0], http_client=self._http)
        self._client.api.base_url = config.twilio_api_url

    @property
    def sender(self) -> str:
        """Whose pace a message uses up."""
        return self.config.twilio_messaging_service_sid or self.config.twilio_from

    def send(self, message: Outgoing) -> str:
        """Hand over one text; Twilio's id for it. Raises DeliveryFailed or InDoubt; never tries twice itself."""
        try:
            sid = str(self._client.messages.create(**self._fields(message)).sid or "")
        except (TwilioRestException, TwilioServiceException) as error:
            raise _failure(error, self._http.retry_after) from error
        except requests.exceptions.RequestException as error:
            if _never_left(error):
                reason = "Twilio's address doesn't take connections"
                raise DeliveryFailed(reason, permanent=False, meaning=codes.BUSY) from error
            raise InDoubt(f"no answer ({error.__class__.__name__})") from error
        except (TwilioException, *_NONSENSE) as error:
            raise InDoubt(f"an answer that makes no sense ({error.__class__.__name__})") from error
        if not sid:
            raise InDoubt("an answer without an id")
        return sid

    def find(self, to: str, body: str, since: datetime) -> list[str]:
        """Ids of texts to a number with these words, created since then, newest first. Raises InDoubt if none can
        be had."""
        try:
            found = self._client.messages.list(to=to, limit=LOOK_BACK)
            return [str(m.sid) for m in found if m.sid and _is_ours(m, body, since - SKEW)]
        except (TwilioException, requests.exceptions.RequestException, *_NONSENSE) as error:
            raise InDoubt(f"the look-up failed ({error.__class__.__name__})") from error

    def received(self, since: datetime, most: int) -> list[Received]:
        """Texts that reached our number since then, as the provider keeps them, oldest first; at most the newest
        `most`. Raises InDoubt if none can be had."""
        number = self.config.twilio_from
        try:
            found = self._client.messages.list(
                date_sent_after=since, limit=most, page_size=1000, **({"to": number} if number else {})
            )
            texts = [Received(str(m.sid), str(m.from_ or ""), m.body or "", m.date_sent) for m in found if _came_in(m)]
        except (TwilioException, requests.exceptions.RequestException, *_NONSENSE) as error:
            raise InDoubt(f"the list of received texts failed ({error.__class__.__name__})") from error
        return texts[::-1]

    def _fields(self, message: Outgoing) -> dict[str, Any]:
        config = self.config
        fields: dict[str, Any] = {
            "to": message.to,
            "body": message.body,
            "status_callback": f"{config.public_url}/webhooks/twilio/status?attempt={message.attempt_id}",
            "validity_period": max(1, min(message.valid_seconds, LONGEST_VALIDITY)),
        }
        if config.twilio_messaging_service_sid:
            return fields | {"messaging_service_sid": config.twilio_messaging_service_sid}
        return fields | {"from_": config.twilio_from}


class _Http(TwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Twilio's HTTP client with explicit time-outs, a fresh connection a call, and no retries.

    A kept connection that the other side has closed would fail in a way that can't be told from a lost
    answer, and put a message in doubt for nothing.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=False)
        self.timeout = (CONNECT_SECONDS, READ_SECONDS)
        self._last = threading.local()

    @property
    def retry_after(self) -> int | None:
        """Seconds the last answer to this thread asked us to wait, if it named any."""
        return getattr(self._last, "retry_after", None)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        response = super().request(*args, **kwargs)
        after = str((response.headers or {}).get("Retry-After", ""))
        self._last.retry_after = int(after) if after.isdigit() else None
        return response


def _failure(error: TwilioRestException | TwilioServiceException, retry_after: int | None) -> Exception:
    # A 5xx (and 408, or an odd redirect) can have been accepted all the same.
    if error.status >= 500 or error.status == 408 or error.status < 400:
        return InDoubt(f"status {error.status}")
    number = error.code if isinstance(error.code, int) else None
    found = codes.code(number, error.status)
    return DeliveryFailed(
        found.words,
        permanent=found.permanent,
        code=str(number or error.status),
        meaning=found.meaning,
        retry_after=retry_after,
    )


def _never_left(error: requests.exceptions.RequestException) -> bool:
    """Whether no connection was made at all, so that nothing can have been accepted."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _came_in(found: Any) -> bool:
    return bool(found.sid) and str(found.direction or "") == "inbound"


def _is_ours(found: Any, body: str, since: datetime) -> bool:
    outbound = str(found.direction or "").startswith("outbound")
    recent = found.date_created is None or found.date_created >= since
    return outbound and recent and _letters(found.body or "").endswith(_letters(body))


def _letters(text: str) -> str:
    """What stays the same when a provider trims, swaps quotes and accents for plain ones (Twilio's Smart Encoding)
    or puts its own words in front (as trial accounts do). One number has one live attempt, so this is enough."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if c.isascii() and c.isalnum())
