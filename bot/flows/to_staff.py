"""Mails to the practice's own people, at the moment they go: when, from whom, in which thread, with which picture."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.channels import Outgoing
from bot.flows.context import Context
from bot.flows.own_hours import quiet_until
from bot.flows.pictures import of_message
from bot.store import Tx, outbox, people, practices
from bot.store.outbox import ORDINARY, Message
from bot.store.practices import Practice
from surveys import courtesy
from surveys.digest_wording import digest_words

STAY = timedelta(hours=10)


def may_go(tx: Tx, message: Message, now: datetime) -> courtesy.Go | courtesy.Wait:
    """Our own people are told at any hour but their own quiet ones. Neither danger nor what they asked for waits."""
    if message.urgency == ORDINARY and message.person_id:
        person = people.get(tx, message.practice_id, message.person_id)
        until = quiet_until(practices.get(tx, message.practice_id), person, now)
        if until is not None:
            return courtesy.Wait(until, "their quiet hours")
    return courtesy.Go(now + STAY)


def dressed(tx: Tx, message: Message, outgoing: Outgoing) -> Outgoing:
    """With the sender's name that people read, and in one thread with the first mail about the same alert."""
    first = ""
    if message.alert_id and message.person_id:
        first = outbox.first_about(tx, message.practice_id, message.alert_id, message.person_id) or ""
    name = sender_name(practices.get(tx, message.practice_id))
    return replace(outgoing, sender_name=name, follows=first if first != message.id else "")


def with_picture(ctx: Context, message: Message, outgoing: Outgoing) -> Outgoing:
    """With its picture, where it shows one. Reads, and draws, so no transaction may be open."""
    return replace(outgoing, pictures=of_message(ctx, message))


def sender_name(practice: Practice) -> str:
    """Whom a letter to staff is from, as a mail program shows it."""
    return digest_words(practice.language, practice.timezone).say("sender", practice=practice.sms_name)
