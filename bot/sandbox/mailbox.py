"""The mailbox: an SMTP server that takes every mail and keeps it in memory."""

import re
from asyncio import Server, WriteTransport
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Lock

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.sandbox.faults import Faults

PATIENCE = 60.0  # seconds the server may take to be ready, on a slow or busy machine
NOTE = re.compile(r"https?://\S+/a/[^\s#]+")


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived; `at` is epoch seconds of the sandbox's clock."""

    id: int
    at: float
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", "(no subject)"))

    @property
    def note(self) -> str:
        """The address of the note it leads to; empty for a letter by the calendar, a link to sign in and the like."""
        found = NOTE.search(self.text)
        return found.group() if found else ""

    @property
    def text(self) -> str:
        """Its plain text part, empty if it has none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """Its HTML part, empty if it has none."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Mailbox:
    """All mails in order of arrival. Also the handler that aiosmtpd calls."""

    def __init__(self, now: Callable[[], float], arrived: Callable[[], None], faults: Faults) -> None:
        self._now, self._arrived, self._faults = now, arrived, faults
        self._lock = Lock()
        self._mails: list[Mail] = []

    def all(self) -> list[Mail]:
        """Oldest first."""
        with self._lock:
            return list(self._mails)

    def get(self, mail_id: int) -> Mail | None:
        return next((mail for mail in self.all() if mail.id == mail_id), None)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        """aiosmtpd's name for: a mail has come."""
        if self._faults.take("mail_451"):
            return "451 4.3.0 Put off, try again later"
        if self._faults.take("mail_550"):
            return "550 5.1.1 No such mailbox"
        self._keep(envelope)
        if self._faults.take("mail_lose_answer") and isinstance(server.transport, WriteTransport):
            server.transport.abort()
        return "250 2.0.0 Taken"

    def _keep(self, envelope: Envelope) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        with self._lock:
            number = len(self._mails) + 1
            sender, recipients = envelope.mail_from or "", tuple(envelope.rcpt_tos)
            self._mails.append(Mail(number, self._now(), sender, recipients, raw))
        self._arrived()


class MailServer(Controller):
    """Serves a mailbox on a port; port 0 takes any that is free. Any user and password will do."""

    def __init__(self, mailbox: Mailbox, host: str, port: int) -> None:
        super().__init__(
            mailbox,
            hostname=host,
            port=port,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=_welcome,
            ready_timeout=PATIENCE,
        )

    def _trigger_server(self) -> None:
        """Called by `start` once the port is open: before it is tried out, put down which port it became."""
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _welcome(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, _who: LoginPassword) -> AuthResult:
    return AuthResult(success=True)
