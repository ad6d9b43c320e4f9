"""Word to the practice's privacy contact, or else to its managers, of what a law on breaches may ask about: answers
that left Attune, and ways into an account that isn't one's own."""

from datetime import datetime

from bot.flows.context import Context
from bot.flows.letters import for_notices
from bot.flows.paper import Letter, written
from bot.store import Tx, outbox, people
from bot.store.outbox import ORDINARY, Draft
from bot.store.people import Person
from bot.store.practices import Practice
from bot.store.sql import new_id
from surveys.page_wording import staff_words

ROLE = "privacy"  # set as privacy_email and so on, like the other contacts
EVENTS = ("answers", "alerts", "everything", "link", "forgotten", "address", "replaced")


def tell(ctx: Context, tx: Tx, practice: Practice, event: str, now: datetime, *, by: str = "", about: str = "") -> int:
    """Queue a letter about one of EVENTS; how many. `by`: who did it, by name; empty for whoever runs the server.
    `about`: the colleague whose account it is. No client is named. Nothing where no mail can be sent."""
    return _tell(ctx, tx, practice, whom(tx, practice), event, now, by, about)


def tell_replaced(ctx: Context, tx: Tx, practice: Practice, before: list[Person], now: datetime, by: str = "") -> int:
    """Queue word to each privacy contact of `before` who is none any more; how many. In the transaction that takes it
    from them, so that nobody does so unseen."""
    still = {person.id for person in people.with_role(tx, practice.id, ROLE)}
    gone = [person for person in before if person.id not in still and person.email]
    return _tell(ctx, tx, practice, gone, "replaced", now, by, "")


def _tell(
    ctx: Context, tx: Tx, practice: Practice, to: list[Person], event: str, now: datetime, by: str, about: str
) -> int:
    if "mail" not in ctx.channels:
        return 0
    words = staff_words(practice.language, practice.timezone)
    places = {"by": by or words.say("server"), "about": about, "practice": practice.name}
    letter = Letter(
        practice.name,
        words.language,
        words.say("privacy_subject"),
        words.say(f"privacy_{event}", **places),
        small=[words.say("privacy_small", practice=practice.name)],
    )
    name = new_id()
    return sum(_put(tx, practice, person, letter, f"privacy:{name}:{person.id}", now) for person in to)


def whom(tx: Tx, practice: Practice) -> list[Person]:
    """The privacy contact; where none is named, whoever gets the practice's notices."""
    named = [person for person in people.with_role(tx, practice.id, ROLE) if person.email]
    return named or for_notices(tx, practice.id)


def _put(tx: Tx, practice: Practice, person: Person, letter: Letter, name: str, now: datetime) -> bool:
    body, html = written(letter)
    draft = Draft("privacy", name, "mail", person.email, body, letter.subject, html, urgency=ORDINARY,
                  person_id=person.id)  # fmt: skip
    return outbox.put(tx, practice.id, draft, now, now) is not None
