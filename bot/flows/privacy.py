"""Word to the practice's privacy contact, or else to its managers, of what a law on breaches may ask about: answers
that left Attune, and ways into an account that isn't one's own."""

from datetime import datetime

from bot.flows.letters import for_notices
from bot.flows.paper import Letter, written
from bot.store import Tx, outbox, people
from bot.store.outbox import ORDINARY, Draft
from bot.store.people import Person
from bot.store.practices import Practice
from bot.store.sql import new_id
from surveys.page_wording import staff_words

ROLE = "privacy"  # set as privacy_email and so on, like the other contacts
EVENTS = ("answers", "alerts", "everything", "link", "forgotten", "address")


def tell(tx: Tx, practice: Practice, event: str, now: datetime, *, by: str = "", about: str = "") -> int:
    """Queue a letter about one of EVENTS; how many. `by`: who did it, by name; empty for whoever runs the server.
    `about`: the colleague whose account it is. No client is named."""
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
    return sum(_put(tx, practice, person, letter, f"privacy:{name}:{person.id}", now) for person in whom(tx, practice))


def whom(tx: Tx, practice: Practice) -> list[Person]:
    """The privacy contact; where none is named, whoever gets the practice's notices."""
    named = [person for person in people.with_role(tx, practice.id, ROLE) if person.email]
    return named or for_notices(tx, practice.id)


def _put(tx: Tx, practice: Practice, person: Person, letter: Letter, name: str, now: datetime) -> bool:
    body, html = written(letter)
    draft = Draft("privacy", name, "mail", person.email, body, letter.subject, html, urgency=ORDINARY,
                  person_id=person.id)  # fmt: skip
    return outbox.put(tx, practice.id, draft, now, now) is not None
