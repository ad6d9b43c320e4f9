"""Mails to the practice's own people about signing in. They go out at once, before anything that can wait."""

from dataclasses import replace
from datetime import datetime

from bot.flows.context import Context
from bot.flows.paper import Button, Letter, written
from bot.store import Tx, outbox
from bot.store.outbox import URGENT, Draft
from bot.store.people import Person
from bot.store.practices import Practice
from bot.store.sql import new_id
from surveys.page_wording import PageWords, staff_words


def send_link(ctx: Context, tx: Tx, practice: Practice, person: Person, token: str, now: datetime) -> None:
    """Queue a link to sign in, which somebody asked for on the sign-in page."""
    words = _words(practice)
    lead, subject = words.say("sign_in_lead", practice=practice.name), words.say("sign_in_subject")
    button, small = Button(words.say("sign_in_action"), link_of(ctx, token)), words.say("sign_in_small")
    letter = Letter(practice.name, words.language, subject, lead, buttons=[button], small=[small])
    _put(tx, practice, person, "sign_in_link", letter, now)


def send_invitation(
    ctx: Context, tx: Tx, practice: Practice, person: Person, role: str, by: str, token: str, now: datetime
) -> None:
    """Queue an invitation into a role; `by` is who invites, or empty."""
    words = _words(practice)
    places = {"by": by or words.say("somebody"), "practice": practice.name, "role": words.say(role)}
    lead, subject = words.say("invitation_lead", **places), words.say("invitation_subject", practice=practice.name)
    button, small = Button(words.say("invitation_action"), link_of(ctx, token)), words.say("invitation_small")
    letter = Letter(practice.name, words.language, subject, lead, buttons=[button], small=[small])
    _put(tx, practice, person, "invitation", letter, now)


def tell_of_change(ctx: Context, tx: Tx, practice: Practice, person: Person, what: str, now: datetime) -> None:
    """Queue word to a person that how they sign in was changed: password, second, passkey, codes, recovery, forgotten,
    or a link made. Nothing where no mail can be sent."""
    if "mail" not in ctx.channels or not person.email:
        return
    _told(tx, practice, person, _words(practice).say(f"changed_{what}"), now)


def ask_to_confirm(
    ctx: Context, tx: Tx, practice: Practice, person: Person, address: str, by: str, token: str, now: datetime
) -> None:
    """Queue a link to a new address by which its person says that it is theirs, and word of it to the old one."""
    words = _words(practice)
    lead = words.say("address_lead", by=by, practice=practice.name)
    button = Button(words.say("address_action"), f"{ctx.config.public_url}/new-address/{token}")
    letter = Letter(practice.name, words.language, words.say("address_subject"), lead, buttons=[button],
                    small=[words.say("address_small")])  # fmt: skip
    _put(tx, practice, replace(person, email=address), "new_address", letter, now)
    _told(tx, practice, person, words.say("changed_asked", by=by, new=address), now)


def tell_old_address(tx: Tx, practice: Practice, person: Person, new: str, now: datetime) -> None:
    """Queue word to the address that `person` still has here that another one holds from now on."""
    _told(tx, practice, person, _words(practice).say("changed_address", new=new), now)


def link_of(ctx: Context, token: str) -> str:
    """The address of the page with the button that signs in."""
    return f"{ctx.config.public_url}/sign-in/{token}"


def _told(tx: Tx, practice: Practice, person: Person, what: str, now: datetime) -> None:
    words = _words(practice)
    lead, subject = words.say("changed_lead", what=what), words.say("changed_subject")
    _put(tx, practice, person, "account_notice", Letter(practice.name, words.language, subject, lead), now)


def _put(tx: Tx, practice: Practice, person: Person, kind: str, letter: Letter, now: datetime) -> None:
    body, html = written(letter)
    name = f"{kind}:{new_id()}"
    draft = Draft(kind, name, "mail", person.email, body, letter.subject, html, urgency=URGENT, person_id=person.id)
    outbox.put(tx, practice.id, draft, now, now)


def _words(practice: Practice) -> PageWords:
    return staff_words(practice.language, practice.timezone)
