"""Mails that came back: what a report of non-delivery says (RFC 3464), and what follows.

A report counts only by the Message-ID of the mail it is about, which nobody knows but who got it: anyone may write that
a client's address doesn't work.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from bot import log
from bot.channels.codes import BAD_ADDRESS, UNREACHABLE
from bot.flows import outcomes
from bot.flows.context import Context
from bot.store import Tx, outbox, sends

MOST_PARTS = 50
_OURS = re.compile(r"<([0-9a-f]{32})@[^>\s]{1,255}>")
_STATUS = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
# The mailbox isn't there, or is closed (RFC 3463): the address itself is wrong. Anything else is about this one mail.
_NO_ADDRESS = re.compile(r"5\.(1\.\d{1,3}|2\.1)")


@dataclass(frozen=True)
class Failure:
    """A mail of ours that came back for good: its id, and the status the report gives (such as 5.1.1)."""

    message_id: str
    status: str


def failures(mail: Message) -> tuple[Failure, ...]:
    """What a mail reports as failed for good; nothing for any other mail, a delay among them. Never raises."""
    try:
        if mail.get_content_type() != "multipart/report" or not isinstance(mail.get_payload(), list):
            return ()
        parts = [part for part in mail.get_payload() if isinstance(part, Message)][:MOST_PARTS]
        statuses = [status for part in parts for status in _failed(part)]
        about = dict.fromkeys(found for part in parts[1:] for found in _message_ids(part))
    except Exception:  # a report too broken to be read reports nothing
        return ()
    return tuple(Failure(message_id, statuses[0]) for message_id in about) if statuses else ()


def note(ctx: Context, tx: Tx, failure: Failure, now: datetime) -> None:
    """A mail of ours came back: its row says so, its check-in goes by another channel or is closed, people are told.
    Once, however often it is reported."""
    message = outbox.anywhere(tx, failure.message_id)
    if message is None or message.channel != "mail" or not sends.set_delivery(tx, message.id, "failed", failure.status):
        return
    log.get().info("delivery", message=message.id, what="came back", code=failure.status)
    meaning = BAD_ADDRESS if _NO_ADDRESS.fullmatch(failure.status) else UNREACHABLE
    outcomes.unreachable(ctx, tx, message, meaning=meaning, reason=f"the mail came back ({failure.status})", now=now)


def _failed(part: Message) -> list[str]:
    """The status of each recipient that a delivery-status part reports as failed."""
    blocks = part.get_payload()
    if part.get_content_type() != "message/delivery-status" or not isinstance(blocks, list):
        return []
    found = []
    for block in (block for block in blocks[:MOST_PARTS] if isinstance(block, Message)):
        status = _STATUS.search(str(block.get("Status", "")))
        if status and str(block.get("Action", "")).strip().lower() == "failed":
            found.append(status[0])
    return found


def _message_ids(part: Message) -> list[str]:
    """Our ids of the mail that came back, from its own headers."""
    content = part.get_payload()
    inner = content[0] if isinstance(content, list) and content else None
    if part.get_content_type() == "message/rfc822" and isinstance(inner, Message):
        value = str(inner.get("Message-ID", ""))
    elif part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
        raw = part.get_payload(decode=True)
        text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else str(content)
        value = next(iter(re.findall(r"(?im)^Message-ID:\s*(\S{1,320})", text)), "")
    else:
        return []
    return _OURS.findall(value)[:1]
