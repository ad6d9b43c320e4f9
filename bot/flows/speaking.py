"""Putting words to the client into the outbox."""

from datetime import datetime

from bot.store import Tx, outbox
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.outbox import ORDINARY, REPLY, URGENT, Draft
from bot.store.practices import Practice
from surveys.instrument import Instruments
from surveys.segments import segments
from surveys.wording import Say, Voice, write

_URGENCY = {"crisis": URGENT, "crisis_stopped": URGENT, "check_in": ORDINARY, "welcome": ORDINARY}
_URGENCY |= {"reminder": ORDINARY}


def say_to(
    tx: Tx,
    instruments: Instruments,
    practice: Practice,
    client: Client,
    say: Say,
    dedupe: str,
    now: datetime,
    check_in_id: str | None = None,
    to: Inbound | None = None,
) -> str | None:
    """Queue one message to a client in their language; None when one of that name is there already.

    It goes to the client's own address, or, as an answer, to where the message `to` came from.
    """
    voice = voice_of(practice, client.language)
    channel, address = (to.channel, to.sender) if to else (client.channel, client.address)
    draft = _draft(instruments, voice, say, dedupe, channel, address)
    owned = Draft(**{**draft.__dict__, "client_id": client.id, "check_in_id": check_in_id})
    return outbox.put(tx, practice.id, owned, now, now)


def answer_stranger(
    tx: Tx,
    instruments: Instruments,
    practice: Practice,
    address: str,
    channel: str,
    say: Say,
    dedupe: str,
    now: datetime,
) -> str | None:
    """Queue one message to an address that belongs to no client we know, in the practice's language."""
    draft = _draft(instruments, voice_of(practice, practice.language), say, dedupe, channel, address)
    return outbox.put(tx, practice.id, draft, now, now)


def voice_of(practice: Practice, language: str) -> Voice:
    """How the practice speaks, in one language."""
    return Voice(
        sms_name=practice.sms_name,
        language=language,
        country=practice.country,
        own_lines=practice.settings.get("local_lines", ""),
    )


def _draft(instruments: Instruments, voice: Voice, say: Say, dedupe: str, channel: str, address: str) -> Draft:
    written = write(say, voice, instruments)
    return Draft(
        kind=say.kind,
        dedupe=dedupe,
        channel=channel,
        address=address,
        subject=written.subject if channel == "mail" else "",
        body=written.text,
        segments=segments(written.text).count if channel == "sms" else 1,
        urgency=_URGENCY.get(say.kind, REPLY),
    )
