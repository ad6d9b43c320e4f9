"""Putting words to the client into the outbox."""

from dataclasses import replace
from datetime import datetime

from bot.flows import client_letters
from bot.flows.context import Context
from bot.flows.links import one_tap_link
from bot.flows.rules import rule_for, rule_of
from bot.store import Tx, answer_links, clients, outbox
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.outbox import ORDINARY, REPLY, URGENT, Draft
from bot.store.practices import Practice
from surveys.client_letter import ONE_TAP, OPENS
from surveys.instrument import Instruments
from surveys.schedule import Schedule
from surveys.segments import segments
from surveys.wording import Say, Voice, write

_URGENCY = {"crisis": URGENT, "crisis_stopped": URGENT, "check_in": ORDINARY, "welcome": ORDINARY}
_URGENCY |= {"reminder": ORDINARY}


def say_to(
    ctx: Context,
    tx: Tx,
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
    one phone are told apart by their initial. What asks by mail, or by a link, gets a link of its own.
    """
    channel, address = (to.channel, to.sender) if to else (client.channel, client.address)
    if clients.sharing(tx, client):
        say = replace(say, initial=client.name[:1].upper())
    rule = rule_for(tx, practice, client.therapist_id, client.id)
    by_link = say.kind in OPENS if channel == "mail" else say.kind in ONE_TAP and (rule.link or client.discreet)
    token = answer_links.new_token() if check_in_id and by_link else ""
    if token:
        say = replace(say, link=one_tap_link(ctx.config, token), bare=client.discreet and say.kind == "check_in")
    voice = voice_of(practice, client.language, rule)
    if channel == "mail":
        draft = client_letters.draft(ctx, voice, say, dedupe, address)
    else:
        draft = _text(ctx.instruments, voice, say, dedupe, address)
    draft = replace(draft, urgency=_urgency(say), client_id=client.id, check_in_id=check_in_id)
    message_id = outbox.put(tx, practice.id, draft, now, now)
    if message_id and token and check_in_id:
        answer_links.add(tx, practice.id, check_in_id, client.id, token, now)
    return message_id


def text_to(
    tx: Tx,
    instruments: Instruments,
    practice: Practice,
    client: Client,
    say: Say,
    dedupe: str,
    now: datetime,
    check_in_id: str,
) -> str | None:
    """Queue one text to a client's phone that needs no link; None when one of that name is there already."""
    draft = _text(instruments, voice_of(practice, client.language), say, dedupe, client.phone)
    draft = replace(draft, urgency=_urgency(say), client_id=client.id, check_in_id=check_in_id)
    return outbox.put(tx, practice.id, draft, now, now)


def answer_stranger(
    ctx: Context,
    tx: Tx,
    practice: Practice,
    address: str,
    channel: str,
    say: Say,
    dedupe: str,
    now: datetime,
) -> str | None:
    """Queue one message to an address that belongs to no client we know, in the practice's language."""
    voice = voice_of(practice, practice.language)
    if channel == "mail":
        draft = client_letters.draft(ctx, voice, say, dedupe, address)
    else:
        draft = _text(ctx.instruments, voice, say, dedupe, address)
    return outbox.put(tx, practice.id, replace(draft, urgency=_urgency(say)), now, now)


def voice_of(practice: Practice, language: str, schedule: Schedule | None = None) -> Voice:
    """How the practice speaks, in one language; `schedule`: the rule of whom it speaks to, else its own."""
    return Voice(
        sms_name=practice.sms_name,
        language=language,
        country=practice.country,
        own_lines=practice.settings.get("local_lines", ""),
        often=_days_between(schedule or rule_of(practice.schedule)),
    )


def _days_between(schedule: Schedule) -> int:
    """About how many days lie between two check-ins by a rule, with weekly appointments."""
    return max(schedule.min_gap_days, 7 * schedule.every if schedule.every > 1 else 0)


def _text(instruments: Instruments, voice: Voice, say: Say, dedupe: str, address: str) -> Draft:
    words = write(say, voice, instruments).text
    return Draft(say.kind, dedupe, "sms", address, words, segments=segments(words).count)


def _urgency(say: Say) -> int:
    return _URGENCY.get(say.kind, REPLY)
