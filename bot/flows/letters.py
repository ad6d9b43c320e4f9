"""Letters to the practice's own people: alerts and notices, by mail and, for danger, by a content-free text."""

from dataclasses import replace
from datetime import datetime
from functools import cache

import css_inline
import jinja2

from bot.flows.context import Context
from bot.flows.links import alert_link
from bot.store import Tx, outbox, people, practices
from bot.store.alerts import Alert
from bot.store.outbox import ORDINARY, URGENT, Draft
from bot.store.people import Person
from bot.store.practices import Practice
from surveys.alert_wording import AlertText, alert_text, urgent_sms
from surveys.page_wording import page_words
from surveys.segments import segments

# Who learns of a message that didn't get there: whoever runs the practice, or the next best.
FOR_NOTICES = ("manager", "supervisor", "duty", "second")


def send_alert(
    ctx: Context, tx: Tx, practice: Practice, alert: Alert, person: Person, text: AlertText, name: str, now: datetime
) -> bool:
    """Queue an alert to one person: a mail, and for danger a text that says only that there is one.

    False when a letter of that name was queued before.
    """
    link = alert_link(ctx.config, practice.id, alert.id, person.id, now)
    urgency = URGENT if alert.kind.startswith("danger") else ORDINARY
    queued = False
    if person.email:
        body, html = render(text, link, practice)
        mail = Draft(f"alert_{alert.kind}", f"{name}:mail", "mail", person.email, body, text.subject, html)
        queued |= _put(tx, practice, replace(mail, urgency=urgency), alert, person, now)
    if person.phone and urgency == URGENT:
        words = urgent_sms(practice.language, sms_name=practice.sms_name, link=link, instruments=ctx.instruments)
        text_message = Draft("alert_text", f"{name}:sms", "sms", person.phone, words, urgency=urgency)
        queued |= _put(tx, practice, replace(text_message, segments=segments(words).count), alert, person, now)
    return queued


def _put(tx: Tx, practice: Practice, draft: Draft, alert: Alert, person: Person, now: datetime) -> bool:
    return outbox.put(tx, practice.id, replace(draft, person_id=person.id, alert_id=alert.id), now, now) is not None


def notify_managers(
    ctx: Context, tx: Tx, practice_id: str, kind: str, name: str, now: datetime, therapist: str = ""
) -> None:
    """Queue a notice to every manager that something needs their hand; nothing of a client is in it.

    Where there is no manager, whoever else looks after the practice gets it.
    """
    practice = practices.get(tx, practice_id)
    text = alert_text(kind, practice.language, therapist=therapist, instruments=ctx.instruments)
    body, html = render(text, "", practice)
    for person in for_notices(tx, practice_id):
        dedupe = f"{name}:{person.id}"
        mail = Draft("notice", dedupe, "mail", person.email, body, text.subject, html, person_id=person.id)
        outbox.put(tx, practice_id, mail, now, now)


def for_notices(tx: Tx, practice_id: str) -> list[Person]:
    """Who looks after the practice and can be reached by mail."""
    for role in FOR_NOTICES:
        if found := [person for person in people.with_role(tx, practice_id, role) if person.email]:
            return found
    return []


def render(text: AlertText, link: str, practice: Practice) -> tuple[str, str]:
    """A letter as plain text and as HTML with its styles inlined; it needs no picture and loads nothing.

    Without a link there is no button: notices have no page yet.
    """
    small = page_words(practice.language, practice.timezone).say("link_life") if link else ""
    page = _template().render(text=text, link=link, small=small, practice=practice.name, language=practice.language)
    return _plain(text, link, small, practice), _inliner().inline(page)


def _plain(text: AlertText, link: str, small: str, practice: Practice) -> str:
    parts = [text.lead]
    if link:
        parts.append(f"{text.action}:\n{link}")
    if text.advice:
        parts.append("\n".join([f"{text.advice_heading}:", *(f"- {line}" for line in text.advice)]))
    if text.sources:
        parts.append(f"{text.sources_heading}: {'; '.join(text.sources)}")
    return "\n\n".join([*parts, *filter(None, [small]), practice.name]) + "\n"


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("bot.flows")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("letter.html")


@cache
def _inliner() -> css_inline.CSSInliner:
    # It would read file:// and http:// stylesheets without asking. What is in @media stays for dark screens.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
