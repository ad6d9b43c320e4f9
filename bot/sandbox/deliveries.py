"""What Twilio posts to us: status callbacks from a queue of its own, and clients' texts, signed alike.

Like Twilio's, a post that fails isn't tried again: what was missed can only be listed.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import phonenumbers
import requests
from twilio.request_validator import RequestValidator

from bot.sandbox.book import Book, Message
from bot.sandbox.clock import SandboxClock
from bot.sandbox.faults import Faults

API_VERSION = "2010-04-01"
PATIENCE = 15  # seconds Twilio waits for a webhook
INBOUND_PATH = "/webhooks/twilio/sms"


def sign(url: str, fields: Mapping[str, str], token: str) -> str:
    """X-Twilio-Signature of a form post, by Twilio's own library."""
    return str(RequestValidator(token).compute_signature(url, dict(fields)))


class Deliveries:
    """Posts to Attune's webhooks, and tells the clock while something is under way."""

    def __init__(
        self, public_url: str, account_sid: str, token: str, book: Book, clock: SandboxClock, faults: Faults
    ) -> None:
        self.inbound_url = public_url.rstrip("/") + INBOUND_PATH
        self._account_sid, self._token = account_sid, token
        self._book, self._clock, self._faults = book, clock, faults
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="callbacks")
        self._stopping = Event()
        self._pause = 0.0 if clock.held else 0.3  # long enough to be seen on the phone's page

    def stop(self) -> None:
        """Let what is under way end, without its pauses, and drop the rest."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def deliver(self, sid: str) -> None:
        """Take a message through its statuses in the background, posting each to its StatusCallback."""
        self._clock.begin()
        self._pool.submit(self._deliver, sid)

    def _deliver(self, sid: str) -> None:
        try:
            lost = self._faults.take("undelivered")
            times = 2 if self._faults.take("callback_twice") else 1
            for status in ("queued", "sent", "undelivered" if lost else "delivered"):
                self._stopping.wait(self._pause)
                self._step(sid, status, lost.code if lost and status == "undelivered" else None, times)
        finally:
            self._clock.end()

    def _step(self, sid: str, status: str, error_code: int | None, times: int) -> None:
        sent = {"sent_at": self._clock.now()} if status == "sent" else {}
        message = self._book.change(sid, status=status, error_code=error_code, **sent)
        for _ in range(times if message.status_callback else 0):
            answered = self._post(message.status_callback, self._callback_fields(message))
            self._book.change(sid, answered=answered)
            self._clock.happened()

    def inbound(self, message: Message, opt_out_type: str | None) -> int:
        """Post a client's text; the webhook's HTTP status, 0 when nobody answered."""
        if self._faults.take("inbound_lost"):
            return 0
        fields = self._inbound_fields(message)
        if opt_out_type:
            fields["OptOutType"] = opt_out_type
        with self._clock.under_way():
            if self._faults.take("inbound_twice"):
                self._post(self.inbound_url, fields)
            answered = self._post(self.inbound_url, fields)
            self._book.change(message.sid, answered=answered)
        return answered

    def _post(self, url: str, fields: Mapping[str, str]) -> int:
        headers = {"X-Twilio-Signature": sign(url, fields, self._token), "User-Agent": "TwilioProxy/1.1"}
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy of the machine's has no business between two local servers
                answer = session.post(url, fields, headers=headers, timeout=PATIENCE, allow_redirects=False)
                return answer.status_code
        except requests.RequestException:
            return 0

    def _common_fields(self, message: Message) -> dict[str, str]:
        fields = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "AccountSid": self._account_sid,
            "From": message.sender,
            "To": message.to,
            "ApiVersion": API_VERSION,
            "SmsStatus": message.status,
        }
        if message.line.messaging_service_sid:
            fields["MessagingServiceSid"] = message.line.messaging_service_sid
        return fields

    def _callback_fields(self, message: Message) -> dict[str, str]:
        fields = self._common_fields(message) | {"MessageStatus": message.status}
        if message.status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = datetime.fromtimestamp(message.updated_at, UTC).strftime("%y%m%d%H%M")
        if message.error_code:
            fields["ErrorCode"] = str(message.error_code)
        return fields

    def _inbound_fields(self, message: Message) -> dict[str, str]:
        places = {
            f"{end}{part}": ""
            for end in ("From", "To")
            for part in ("City", "State", "Zip")  # what Twilio guesses from the number; it often can't
        }
        return (
            self._common_fields(message)
            | places
            | {
                "SmsMessageSid": message.sid,
                "Body": message.body,
                "NumMedia": "0",
                "NumSegments": str(message.segments),
                "FromCountry": _country(message.sender),
                "ToCountry": _country(message.to),
            }
        )


def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
