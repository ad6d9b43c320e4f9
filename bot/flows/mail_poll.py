"""Clients' mails from a mailbox: every minute what is new there is taken in, then marked as read.

In this order, and each by itself: whoever is killed in between finds the mail unread, takes it in again, and it counts
once. A mail that a person has opened first is never seen here: the mailbox must be Attune's own.
"""

from datetime import datetime, timedelta

from bot import log
from bot.channels.base import DeliveryFailed
from bot.channels.imap import Postbox, open_postbox
from bot.flows import receiving
from bot.flows.context import Context
from bot.flows.mail_in import read_mail

EVERY = timedelta(minutes=1)
AT_ONCE = 200


def poll(ctx: Context, now: datetime) -> int:
    """Take in what is new in the mailbox of IMAP_URL, if there is one; how many mails. What can't be fetched now is
    there the next time."""
    if not ctx.config.imap_url:
        return 0
    taken = 0
    try:
        with open_postbox(ctx.config.imap_url) as postbox:
            for uid in postbox.unseen(AT_ONCE):
                taken += _take_in(ctx, postbox, uid, now)
    except DeliveryFailed as error:
        log.get().warning("mailbox", what=error.reason)
    if taken:
        log.get().info("mails fetched", count=taken)
    return taken


def _take_in(ctx: Context, postbox: Postbox, uid: str, now: datetime) -> bool:
    raw = postbox.raw(uid)
    new = bool(raw.strip()) and receiving.receive(ctx, read_mail(raw), now)
    postbox.mark_seen(uid)
    return new
