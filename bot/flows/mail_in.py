"""A client's mail on its way in: raw MIME becomes a `MailIn`. However broken a mail is, what can be had is kept.

Anyone may write to us, and the time the standard library takes over a header grows with the square of its length, most
of all by `email.policy.default`: that one reads only the few headers we need, and each header is cut first.
"""

import codecs
import hashlib
import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32, default

from bot.flows.bounces import Failure, failures
from bot.store.inbox import Inbound
from surveys.replies.html import html_to_text

LONGEST_HEADER = 2_000
LONGEST_ROUTE = 20_000
LONGEST_HTML = 300_000
NOBODY = "<>"  # the sender of a mail without a usable one, as in RFC 5321: not to be answered
CARRIED = (
    *("Subject", "From", "Auto-Submitted", "Precedence", "Return-Path", "List-Id", "X-Auto-Response-Suppress"),
    *("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Failed-Recipients", "X-Auto-Reply"),
)
# Where a mail was sent to, by whichever header the servers on its way have kept it in.
SENT_TO = (
    *("to", "cc", "delivered-to", "x-delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "resent-to"),
    *("x-forwarded-to", "original-recipient", "x-original-recipient"),
)
REFERS = ("in-reply-to", "references")
PLAIN, HTML = "text/plain", "text/html"
_ADDRESS = re.compile(r"[^\s<>\"(),:;@]{1,200}@[^\s<>\"(),:;@]{1,255}")
_SLOW = frozenset({"idna", "punycode"})  # for names of hosts; reading a long text as one takes hours


@dataclass(frozen=True)
class MailIn(Inbound):
    """A mail. `sent_to` and `refers_to` are headers as they came: to which addresses it went, which mails it answers.
    `failures`: it reports that mails of ours came back."""

    sent_to: str = ""
    refers_to: str = ""
    failures: tuple[Failure, ...] = ()


class _Cut(Compat32):
    """Headers up to a length that nobody's mail program reaches in one we read."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]


_POLICY = _Cut()


def read_mail(raw: bytes) -> MailIn:
    """What a mail says, from whom, and the headers by which a reader tells people from machines. Never raises.

    The body is the text as written or, where there is only HTML, its source. The same mail has the same
    `provider_id`, made from Message-ID and sender, since either may hold a name; without Message-ID from all of it.
    """
    mail = _parsed(raw)
    kind, body = _body(mail)
    headers = {name: value for name in CARRIED if (value := _header(mail, name)) is not None}
    headers["Content-Type"] = kind
    sender = _sender(mail)
    if sender == NOBODY:
        headers["Return-Path"] = NOBODY
    name = (_header(mail, "Message-ID") or "").strip()
    identity = f"{name}\n{sender}".encode("utf-8", "surrogatepass") if name else raw
    return MailIn(
        "mail",
        hashlib.sha256(identity).hexdigest(),
        sender,
        body.replace("\x00", ""),
        headers=headers,
        sent_to=_all(mail, SENT_TO),
        refers_to=_all(mail, REFERS),
        failures=failures(mail),
    )


def _parsed(raw: bytes) -> Message:
    try:
        return message_from_bytes(raw, policy=_POLICY)
    except Exception:  # parts within parts, a thousand deep
        return BytesHeaderParser(policy=_POLICY).parsebytes(raw)


def _header(mail: Message, name: str) -> str | None:
    """The first header of that name, decoded; as it stands where it can't be decoded."""
    found = next((value for key, value in mail.raw_items() if key.lower() == name.lower()), None)
    if found is None:
        return None
    try:
        return str(default.header_fetch_parse(name, str(found)))
    except Exception:
        return str(found)


def _all(mail: Message, names: Collection[str]) -> str:
    """Every header of these names, one a line, as they came."""
    return "\n".join(str(value) for name, value in mail.raw_items() if name.lower() in names)[:LONGEST_ROUTE]


def _sender(mail: Message) -> str:
    """The address in From, in small letters."""
    value = next((str(value) for key, value in mail.raw_items() if key.lower() == "from"), "")
    try:
        found = [each.addr_spec for each in default.header_fetch_parse("From", value).addresses]
    except Exception:
        found = []
    good = [each for each in [*found, *_ADDRESS.findall(value)[::-1]] if _ADDRESS.fullmatch(each)]
    return good[0].lower() if good else NOBODY


def _body(mail: Message) -> tuple[str, str]:
    """The type and text of what there is to read; a report keeps its own type, which tells that it is one."""
    kind = mail.get_content_type()
    try:
        texts = _texts(mail)
    except Exception:
        texts = []
    if not texts:  # nothing to read, unless what should be parts isn't
        return kind, _decoded(mail) if mail.get_content_maintype() == "multipart" else ""
    found, body = _joined(texts)
    return kind if kind == "multipart/report" else found, body


def _texts(part: Message) -> list[tuple[str, str]]:
    """Type and text of every part meant to be read, in order; of alternatives the plain one unless it is empty."""
    kind, payload = part.get_content_type(), part.get_payload()
    if isinstance(payload, list):
        if part.get_content_maintype() != "multipart":
            return []  # a mail within the mail: someone else's words
        found = [each for child in payload if isinstance(child, Message) for each in _texts(child)]
        plain = [(kind, text) for kind, text in found if kind == PLAIN and text.strip()]
        return plain or found if part.get_content_subtype() == "alternative" else found
    if kind not in (PLAIN, HTML) or part.get_content_disposition() == "attachment":
        return []
    return [(kind, _decoded(part))]


def _joined(texts: list[tuple[str, str]]) -> tuple[str, str]:
    """Texts around a picture are one text; plain ones become HTML beside HTML. HTML that shows nothing is empty."""
    texts = [(kind, text) for kind, text in texts if text.strip()]
    if all(kind == PLAIN for kind, _ in texts):
        return PLAIN, "\n".join(text for _, text in texts)
    source = "<br>\n".join(
        text if kind == HTML else html.escape(text, quote=False).replace("\n", "<br>\n") for kind, text in texts
    )
    return HTML, source if html_to_text(source[:LONGEST_HTML], ()).strip() else ""


def _decoded(part: Message) -> str:
    """A part's text in the character set it names, else UTF-8, else what was usual before."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    for charset in (part.get_content_charset(), "utf-8"):
        try:
            if charset and codecs.lookup(charset).name not in _SLOW:
                return raw.decode(charset)
        except (LookupError, ValueError):
            continue
    return raw.decode("cp1252", "replace")
