"""Putting words to the client into the outbox."""

from dataclasses import replace
from datetime import datetime

from bot.store import Tx, clients, outbox
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.outbox import ORDINARY, REPLY, URGENT, Draft
from bot.store.practices import Practice
from surveys.instrument import Instruments
from surveys.schedule import Schedule
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

    It goes to the client's own address, or, as an answer, to where the message `to` came from. Two clients on
    one phone are told apart by their initial.
    """
    voice = voice_of(practice, client.language)
    channel, address = (to.channel, to.sender) if to else (client.channel, client.address)
    if clients.sharing(tx, client):
        say = replace(say, initial=client.name[:1].upper())
    draft = _draft(instruments, voice, say, dedupe, channel, address)
    return outbox.put(tx, practice.id, replace(draft, client_id=client.id, check_in_id=check_in_id), now, now)


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
        often=_days_between(practice),
    )


def _days_between(practice: Practice) -> int:
    """About how many days lie between two check-ins by the practice's rule, with weekly appointments."""
    schedule = Schedule.read(dict(practice.schedule))
    return max(schedule.min_gap_days, 7 * schedule.every if schedule.every > 1 else 0)


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
