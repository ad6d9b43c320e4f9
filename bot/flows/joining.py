"""Whose message it is, and about which check-in. A shared number or address is never guessed.

A mail is joined to a check-in by the signed address it went to, else by the mail of ours that it answers, which nobody
knows but who got it. Who it says it is from, which anyone can write, counts only where it brings neither.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parseaddr

from bot.config import Config
from bot.flows.links import read_reply_part
from bot.flows.mail_in import MailIn
from bot.store import Tx, check_ins, clients, outbox, practices
from bot.store.check_ins import OPEN, CheckIn
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.practices import Practice

RECENT = timedelta(hours=24)
MOST_REFERRED = 20
_MESSAGE = re.compile(r"<([0-9a-f]{32})@[^>\s]{1,255}>")


@dataclass(frozen=True)
class Sender:
    """Whose message it is, as far as that can be told. `all`: everyone who may have sent it. `certain`: it is about
    this very check-in, and no other."""

    practice: Practice
    client: Client | None
    check_in: CheckIn | None
    all: list[Client]
    certain: bool = False


def who(config: Config, tx: Tx, inbound: Inbound, now: datetime) -> Sender:
    """Whose message it is. A signed address that isn't ours makes it nobody's answer, whoever it says it is from."""
    by_sender = _by_sender(tx, inbound.sender, now)
    if not isinstance(inbound, MailIn):
        return by_sender
    parts = _reply_parts(config, inbound)
    signed = next((known for part in parts if (known := read_reply_part(config, part))), None)
    if parts:
        found = check_ins.anywhere(tx, signed) if signed else None
        return _about(tx, found) if found else Sender(by_sender.practice, None, None, by_sender.all)
    answered = _answered(tx, inbound)
    if answered:
        return _about(tx, answered)
    return by_sender if _was_mailed(tx, by_sender) else replace(by_sender, check_in=None)


def _was_mailed(tx: Tx, sender: Sender) -> bool:
    """Whether the open question went out by mail: anyone can write a From, so that one asked by text alone is not
    answered by a mail that shows no sign of having got it."""
    check_in = sender.check_in
    if check_in is None:
        return True
    ways = outbox.channels_of(tx, check_in.practice_id, check_in.id, "check_in")
    return not ways or "mail" in ways


def _reply_parts(config: Config, mail: MailIn) -> list[str]:
    """What stands after the plus in each of our addresses that the mail went to."""
    name, _, domain = parseaddr(config.mail_from)[1].rpartition("@")
    if not name:
        return []
    ours = rf"(?<![^\s<\"',;:]){re.escape(name)}\+([^\s@<>,;:\"]{{1,64}})@{re.escape(domain)}(?![\w.-])"
    return re.findall(ours, mail.sent_to, re.IGNORECASE)


def _answered(tx: Tx, mail: MailIn) -> CheckIn | None:
    """The check-in of the latest mail of ours that this one answers."""
    for message_id in _MESSAGE.findall(mail.refers_to)[-MOST_REFERRED:][::-1]:
        message = outbox.anywhere(tx, message_id)
        if message and message.client_id and message.check_in_id:
            return check_ins.get(tx, message.practice_id, message.check_in_id)
    return None


def _about(tx: Tx, check_in: CheckIn) -> Sender:
    client = clients.get(tx, check_in.practice_id, check_in.client_id)
    if client.erased:  # nobody we know: what is kept of it belongs to no one
        return Sender(practices.get(tx, check_in.practice_id), None, None, [])
    return Sender(practices.get(tx, check_in.practice_id), client, check_in, [client], certain=True)


def _by_sender(tx: Tx, address: str, now: datetime) -> Sender:
    found = clients.by_address(tx, address)
    asked = {client.id: check_ins.latest_asked(tx, client.practice_id, client.id, now) for client in found}
    waiting = [c for c in found if (latest := asked[c.id]) and latest.state in OPEN and latest.expires_at > now]
    recent = [c for c in found if (latest := asked[c.id]) and latest.asked_at and now - latest.asked_at <= RECENT]
    # With one phone for two, only an open question, or the only one asked lately, says who is writing.
    chosen = next((some for some in (waiting, recent) if len(some) == 1), found) if len(waiting) < 2 else found
    client = chosen[0] if len(chosen) == 1 else None
    practice_id = (client or found[0]).practice_id if found else None
    practice = practices.get(tx, practice_id) if practice_id else practices.first(tx, now)
    return Sender(practice, client, asked[client.id] if client else None, found)
