"""A mailbox that is looked into by IMAP, for practices whose mail provider can't hand mails on."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from imap_tools import AND, MailMessageFlags
from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted

from bot.channels.base import DeliveryFailed

TIMEOUT_SECONDS = 20
LARGEST = 5_000_000  # what of a mail is fetched at most, as for the webhook


class Postbox:
    """One folder, opened."""

    def __init__(self, mailbox: BaseMailBox) -> None:
        self._mailbox = mailbox

    def unseen(self, most: int) -> list[str]:
        """The mails nobody has read yet, the oldest first."""
        return self._mailbox.uids(AND(seen=False))[:most]

    def raw(self, uid: str) -> bytes:
        """A mail as it came, without marking it as read; empty when it is gone."""
        _, parts = self._mailbox.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)")
        return next((part[1] for part in parts if isinstance(part, tuple)), b"")

    def mark_seen(self, uid: str) -> None:
        """It is ours now."""
        self._mailbox.flag(uid, MailMessageFlags.SEEN, True)


@contextmanager
def open_postbox(url: str) -> Iterator[Postbox]:
    """The folder at an IMAP_URL (`imaps://user:password@host/INBOX`). Raises DeliveryFailed where it can't be opened,
    or stops answering."""
    parts = urlsplit(url)
    folder = unquote(parts.path.strip("/")) or "INBOX"
    try:
        mailbox = _connect(parts.scheme, parts.hostname or "", parts.port)
        try:
            mailbox.login(unquote(parts.username or ""), unquote(parts.password or ""), folder)
            yield Postbox(mailbox)
        finally:
            mailbox.client.shutdown()
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise DeliveryFailed(f"the mailbox can't be read ({error.__class__.__name__})", permanent=False) from error


def _connect(scheme: str, host: str, port: int | None) -> BaseMailBox:
    """No password over a connection that anyone between could read, but to this machine itself."""
    context = ssl.create_default_context()
    if scheme == "imaps":
        return MailBox(host, port or 993, TIMEOUT_SECONDS, ssl_context=context)
    if host in ("localhost", "127.0.0.1", "::1"):
        return MailBoxUnencrypted(host, port or 143, TIMEOUT_SECONDS)
    return MailBoxStartTls(host, port or 143, TIMEOUT_SECONDS, ssl_context=context)
