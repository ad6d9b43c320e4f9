"""Silence is noticed: when no worker has been alive for a while, the web process says so by mail itself.

The outbox would wait for the very worker that is gone, so this one mail goes straight to the mail server.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels import DeliveryFailed, InDoubt, Outgoing
from bot.flows.context import Context
from bot.flows.letters import for_notices, render
from bot.flows.operating import LATE
from bot.flows.to_staff import sender_name
from bot.store import practices, system
from bot.store.people import Person
from bot.store.practices import Practice
from bot.store.sql import epoch, moment_of
from surveys.alert_wording import alert_text

AGAIN = timedelta(hours=6)
TRY = timedelta(minutes=1)  # one web process at a time tries, and the next after this where it couldn't
TOLD = "worker's silence told at"


def look(ctx: Context, now: datetime) -> int:
    """Mail whoever looks after each practice that nothing is sent, once a silence and again every six hours.

    How many mails were taken. Without any worker so far there is nothing to miss.
    """
    with ctx.store.transaction(write=False) as tx:
        if not _is_news(system.last_beat(tx), system.value(tx, TOLD), now):
            return 0
    with ctx.store.transaction() as tx:
        if not system.take_turn(tx, "tell of silence", TRY, now):
            return 0
        beat = system.last_beat(tx)
        to = [(practice, person) for practice in practices.every(tx) for person in for_notices(tx, practice.id)]
    log.get().error("no worker is alive", count=len(to))
    taken = sum(_tell(ctx, practice, person, beat or now, now) for practice, person in to)
    if taken:
        with ctx.store.transaction() as tx:
            system.set_value(tx, TOLD, str(epoch(now)))
    return taken


def _is_news(beat: datetime | None, told: str | None, now: datetime) -> bool:
    if beat is None or now - beat <= LATE:
        return False
    return told is None or moment_of(int(told)) < beat or now - moment_of(int(told)) >= AGAIN


def _tell(ctx: Context, practice: Practice, person: Person, beat: datetime, now: datetime) -> bool:
    channel = ctx.channels.get("mail")
    if channel is None:
        return False
    text = alert_text("worker_silent", practice.language, instruments=ctx.instruments)
    body, html = render(text, "", practice)
    name = f"silence-{epoch(beat)}-{person.id}"  # the same for every try, so that a mail program shows one
    mail = Outgoing(
        person.email, body, name, name, int(AGAIN.total_seconds()), now, text.subject, html, sender_name(practice)
    )
    try:
        channel.send(mail)
    except (DeliveryFailed, InDoubt) as error:
        log.get().error("the mail about it was not taken", practice=practice.id, error=error.__class__.__name__)
        return False
    return True
