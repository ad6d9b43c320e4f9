"""What only a person can settle: a message nobody knows the fate of, and somebody who has left the practice."""

from datetime import datetime

from bot.flows import accounts, outcomes, privacy
from bot.flows.context import Context
from bot.flows.settings import BadSetting
from bot.store import Tx, outbox, people, practices, sends
from bot.store.people import Person
from bot.store.practices import Practice


def settle(ctx: Context, practice: Practice, message_id: str, verdict: str, who: str, now: datetime) -> None:
    """A person has looked at the provider's own log: the message went out (`sent`), or didn't (`not_sent`).

    One that didn't is tried again if it is still wanted. Raises BadSetting where nothing waits to be settled.
    """
    if verdict not in ("sent", "not_sent"):
        raise BadSetting(f"Say sent or not_sent; it is {verdict!r}.")
    with ctx.store.transaction() as tx:
        try:
            message = outbox.get(tx, practice.id, message_id)
        except KeyError:
            raise BadSetting(f"There is no message {message_id}; `attune export messages` lists them.") from None
        if message.state != "needs_person" or message.attempt_id is None:
            raise BadSetting(f"Message {message_id} doesn't wait for a person; it is {message.state}.")
        if verdict == "sent":
            outcomes.accepted(tx, message, message.attempt_id, f"by hand: {message_id}", now)
        else:
            sends.free_settled(tx, message.id, message.attempt_id, now)
        practices.note(tx, practice.id, who, f"settled: {verdict}", message_id, now)


def set_active(ctx: Context, practice: Practice, email: str, active: bool, who: str, now: datetime) -> bool:
    """Somebody left the practice, or is back; False if it was so before. Raises BadSetting for an unknown address.

    From the commit on, links they hold open nothing, and their alerts go to whoever stands in.
    """
    with ctx.store.transaction() as tx:
        person = people.by_email(tx, practice.id, email.strip().lower())
        if person is None:
            raise BadSetting("Nobody in the practice has that mail address.")
        return put_active(ctx, tx, practice, person, active, who, now)


def put_active(ctx: Context, tx: Tx, practice: Practice, person: Person, active: bool, who: str, now: datetime) -> bool:
    """As `set_active`, for a person at hand, inside a transaction. A leaver's sessions end;
    the privacy contact is told that they are it no more."""
    if person.active == active:
        return False
    before = people.with_role(tx, practice.id, privacy.ROLE)
    people.set_active(tx, practice.id, person.id, active)
    privacy.tell_replaced(ctx, tx, practice, before, now, people.name_of(tx, practice.id, who))
    if not active:
        accounts.end_sessions(tx, practice.id, person.id, now)
    practices.note(tx, practice.id, who, "is back" if active else "left", person.id, now)
    return True
