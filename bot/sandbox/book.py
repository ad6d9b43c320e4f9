"""The provider's own book: every message it took, with times by the sandbox's clock.

The tests' auditor reads this and never our database: what the book says was sent, was sent.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from threading import RLock
from typing import Any

from surveys.segments import segments

INBOUND, OUTBOUND, AUTOMATIC = "inbound", "outbound-api", "outbound-reply"
LONGEST_VALIDITY = 36000  # seconds a message may wait in Twilio's queue
ERROR_TEXTS = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Carrier violation",
    30008: "Unknown error",
}


@dataclass(frozen=True)
class Line:
    """What a client texts with: a number of ours, perhaps in a messaging service."""

    sender: str
    messaging_service_sid: str | None = None

    @property
    def key(self) -> str:
        """What an opt-out holds for: the whole messaging service, else the number."""
        return self.messaging_service_sid or self.sender


def new_sid() -> str:
    """An identifier in the form of Twilio's."""
    return f"SM{uuid.uuid4().hex}"


@dataclass(frozen=True)
class Message:
    """One text, in either direction. Times are epoch seconds of the sandbox's clock."""

    line: Line
    client: str
    body: str
    direction: str
    status: str
    created_at: float
    updated_at: float
    sent_at: float | None = None
    sid: str = field(default_factory=new_sid)
    validity: int = LONGEST_VALIDITY
    status_callback: str = ""
    error_code: int | None = None
    answered: int | None = None  # HTTP status of the webhook's last answer, 0 when there was none

    @property
    def sender(self) -> str:
        return self.client if self.direction == INBOUND else self.line.sender

    @property
    def to(self) -> str:
        return self.line.sender if self.direction == INBOUND else self.client

    @property
    def segments(self) -> int:
        """How many SMS it takes."""
        return segments(self.body).count

    @property
    def error_message(self) -> str | None:
        return ERROR_TEXTS.get(self.error_code, "Unknown error") if self.error_code else None

    def as_row(self) -> dict[str, Any]:
        """Everything, for the auditor."""
        row = asdict(self) | asdict(self.line)
        del row["line"]
        return row | {"from": self.sender, "to": self.to, "segments": self.segments}


@dataclass(frozen=True)
class Refusal:
    """A message we were asked to send and didn't take: the number it was for, the error's code, when."""

    client: str
    code: int
    at: float


class Book:
    """All messages in the order they were taken, and who opted out. Safe to use from several threads."""

    def __init__(self, now: Callable[[], float], default_line: Line) -> None:
        self._now = now
        self._default_line = default_line
        self._lock = RLock()
        self._messages: dict[str, Message] = {}
        self._refusals: list[Refusal] = []
        self._opted_out: set[tuple[str, str]] = set()

    def add(self, line: Line, client: str, body: str, direction: str, status: str, **more: Any) -> Message:
        """Write a message down."""
        now = self._now()
        message = Message(line, client, body, direction, status, created_at=now, updated_at=now, **more)
        with self._lock:
            self._messages[message.sid] = message
        return message

    def change(self, sid: str, **changes: Any) -> Message:
        """Note what became of a message."""
        with self._lock:
            self._messages[sid] = replace(self._messages[sid], updated_at=self._now(), **changes)
            return self._messages[sid]

    def get(self, sid: str) -> Message | None:
        with self._lock:
            return self._messages.get(sid)

    def all(self) -> list[Message]:
        """Oldest first."""
        with self._lock:
            return list(self._messages.values())

    def refuse(self, client: str, code: int) -> None:
        """Write down that a message wasn't taken."""
        with self._lock:
            self._refusals.append(Refusal(client, code, self._now()))

    def refusals(self) -> list[Refusal]:
        """Oldest first."""
        with self._lock:
            return list(self._refusals)

    def with_client(self, client: str) -> list[Message]:
        """The conversation with one client's number, oldest first."""
        return [message for message in self.all() if message.client == client]

    def line_to(self, client: str) -> Line:
        """What this client would answer to: whatever texted them last."""
        sent = [m.line for m in self.with_client(client) if m.direction == OUTBOUND]
        return sent[-1] if sent else self._default_line

    def set_opted_out(self, line: Line, client: str, out: bool) -> bool:
        """Opt a client out of (or back in to) a line; whether that changed anything."""
        with self._lock:
            before = len(self._opted_out)
            pair = {(line.key, client)}
            self._opted_out = self._opted_out | pair if out else self._opted_out - pair
            return len(self._opted_out) != before

    def is_opted_out(self, line: Line, client: str) -> bool:
        with self._lock:
            return (line.key, client) in self._opted_out
