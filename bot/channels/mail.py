"""Mail by any SMTP server."""

import contextlib
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from bot.channels.base import DeliveryFailed, InDoubt, Outgoing
from bot.channels.codes import BAD_ADDRESS, BUSY
from bot.config import Config

TIMEOUT_SECONDS = 20


class MailChannel:
    """Sends mail. It has no look-up: the Message-ID stays the same, so that receivers can merge."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._url = urlsplit(config.smtp_url)

    @property
    def sender(self) -> str:
        """Whose pace a message uses up."""
        return self.config.mail_from

    def send(self, message: Outgoing) -> str:
        """Hand over one mail; its Message-ID. Raises DeliveryFailed or InDoubt."""
        mail = compose(message, self.config.mail_from)
        try:
            smtp = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryFailed(
                f"the mail server can't be reached ({error.__class__.__name__})",
                permanent=False,
                meaning=BUSY,
            ) from error
        try:
            self._hand_over(smtp, message.to, mail)
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
        return str(mail["Message-ID"])

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port
        context = ssl.create_default_context()
        if self._url.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_SECONDS)
        smtp.ehlo()
        if smtp.has_extn("starttls") and self._url.scheme == "smtp":
            smtp.starttls(context=context)
            smtp.ehlo()
        if self._url.username:
            smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
        return smtp

    def _hand_over(self, smtp: smtplib.SMTP, to: str, mail: EmailMessage) -> None:
        try:
            _expect(smtp.mail(parseaddr(self.config.mail_from)[1]), 250)
            _expect(smtp.rcpt(to), 250, 251)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise DeliveryFailed("the mail server hung up", permanent=False, meaning=BUSY) from error
        try:
            _expect(smtp.data(mail.as_bytes(policy=SMTP_POLICY)), 250)
        except smtplib.SMTPDataError as error:  # DATA itself was refused: nothing was handed over
            raise _refused(error.smtp_code) from error
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise InDoubt(f"no answer after the mail ({error.__class__.__name__})") from error


def compose(message: Outgoing, mail_from: str) -> EmailMessage:
    """The mail as it goes out: text, HTML where there is one, and headers that keep robots from answering."""
    mail = EmailMessage()
    mail["From"] = mail_from
    mail["To"] = message.to
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.now)
    mail["Message-ID"] = f"<{message.message_id}@{parseaddr(mail_from)[1].rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes in answer
    mail.set_content(message.body)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    return mail


def _expect(answer: tuple[int, bytes], *good: int) -> None:
    if answer[0] not in good:
        raise _refused(answer[0])


def _refused(status: int) -> DeliveryFailed:
    permanent = 500 <= status < 600
    return DeliveryFailed(
        f"the mail server said {status}",
        permanent=permanent,
        code=str(status),
        meaning=BAD_ADDRESS if permanent else BUSY,
    )
