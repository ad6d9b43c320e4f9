"""Mail by any SMTP server."""

import contextlib
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, parseaddr
from urllib.parse import unquote, urlsplit

from bot.channels.base import DeliveryFailed, InDoubt, Outgoing, Picture
from bot.channels.codes import BAD_ADDRESS, BUSY, SET_UP, UNREACHABLE
from bot.config import Config

TIMEOUT_SECONDS = 20
_POLICY = SMTP_POLICY.clone(cte_type="7bit")  # not every server on the way takes 8 bits


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
        try:
            mail = compose(message, self.config.mail_from)
            message.to.encode("ascii")
            sealed = mail.as_bytes(policy=_POLICY)
        except (ValueError, LookupError) as error:
            reason = f"no mail can be made of it ({error.__class__.__name__})"
            raise DeliveryFailed(reason, permanent=True, meaning=BAD_ADDRESS) from error
        try:
            smtp = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryFailed(
                f"the mail server can't be reached ({error.__class__.__name__})",
                permanent=False,
                meaning=BUSY,
            ) from error
        try:
            self._hand_over(smtp, message.to, sealed)
        finally:
            with contextlib.suppress(OSError):  # the answer is known: nobody waits for a goodbye
                smtp.putcmd("QUIT")
            smtp.close()
        return str(mail["Message-ID"])

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port
        context = ssl.create_default_context()
        if self._url.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_SECONDS)
        try:
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls") and self._url.scheme == "smtp":
                smtp.starttls(context=context)
                smtp.ehlo()
            if self._url.username:
                self._refuse_in_the_open(smtp)
                smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _refuse_in_the_open(self, smtp: smtplib.SMTP) -> None:
        """No password over a connection that anyone between could have kept from being encrypted."""
        here = self._url.hostname in ("localhost", "127.0.0.1", "::1")
        if not here and not isinstance(smtp.sock, ssl.SSLSocket):
            raise smtplib.SMTPNotSupportedError("no encryption offered; a password would travel in the open")

    def _hand_over(self, smtp: smtplib.SMTP, to: str, mail: bytes) -> None:
        try:
            _expect(smtp.mail(parseaddr(self.config.mail_from)[1]), SET_UP, 250)
            _expect(smtp.rcpt(to), BAD_ADDRESS, 250, 251, 252)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise DeliveryFailed("the mail server hung up", permanent=False, meaning=BUSY) from error
        try:
            answer = smtp.data(mail)
        except smtplib.SMTPDataError as error:  # DATA itself was refused: nothing was handed over
            raise _refused(error.smtp_code, UNREACHABLE) from error
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise InDoubt(f"no answer after the mail ({error.__class__.__name__})") from error
        if not 200 <= answer[0] < 600:
            raise InDoubt("an answer after the mail that makes no sense")
        _expect(answer, UNREACHABLE, 250)


def compose(message: Outgoing, mail_from: str) -> EmailMessage:
    """The mail as it goes out: text, HTML where there is one, and headers that keep robots from answering."""
    mail = EmailMessage()
    address = parseaddr(mail_from)[1]
    mail["From"] = formataddr((message.sender_name, address)) if message.sender_name else mail_from
    mail["To"] = message.to
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.now)
    domain = address.rpartition("@")[2] or "localhost"
    mail["Message-ID"] = f"<{message.message_id}@{domain}>"
    if message.follows:
        mail["In-Reply-To"] = mail["References"] = f"<{message.follows}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes in answer
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    if message.unsubscribe:  # RFC 8058: one POST, no page in between
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.body)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
        _show(mail, message.pictures)
    return mail


def _show(mail: EmailMessage, pictures: Sequence[Picture]) -> None:
    """The pictures travel with the HTML, so that nothing is fetched when the mail is read."""
    page = mail.get_body(("html",))
    if page is not None:
        for picture in pictures:
            page.add_related(picture.png, "image", "png", cid=f"<{picture.name}>")


def _expect(answer: tuple[int, bytes], blame: str, *good: int) -> None:
    if answer[0] not in good:
        raise _refused(answer[0], blame)


def _refused(status: int, blame: str) -> DeliveryFailed:
    """5xx is for good, unless it is about our own sender; 4xx (greylisting among them) is for later."""
    meaning = blame if 500 <= status < 600 else BUSY
    return DeliveryFailed(
        f"the mail server said {status}",
        permanent=meaning in (BAD_ADDRESS, UNREACHABLE),
        code=str(status),
        meaning=meaning,
    )
