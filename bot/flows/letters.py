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
from surveys.segments import segments


def send_alert(
    ctx: Context, tx: Tx, practice: Practice, alert: Alert, person: Person, text: AlertText, name: str, now: datetime
) -> None:
    """Queue an alert to one person: a mail, and for danger a text that says only that there is one."""
    link = alert_link(ctx.config, practice.id, alert.id, person.id, now)
    urgency = URGENT if alert.kind.startswith("danger") else ORDINARY
    if person.email:
        body, html = render(text, link, practice)
        mail = Draft(f"alert_{alert.kind}", f"{name}:mail", "mail", person.email, body, text.subject, html)
        _put(tx, practice, replace(mail, urgency=urgency), alert, person, now)
    if person.phone and urgency == URGENT:
        words = urgent_sms(practice.language, sms_name=practice.sms_name, link=link, instruments=ctx.instruments)
        text_message = Draft("alert_text", f"{name}:sms", "sms", person.phone, words, urgency=urgency)
        _put(tx, practice, replace(text_message, segments=segments(words).count), alert, person, now)


def _put(tx: Tx, practice: Practice, draft: Draft, alert: Alert, person: Person, now: datetime) -> None:
    outbox.put(tx, practice.id, replace(draft, person_id=person.id, alert_id=alert.id), now, now)


def notify_managers(
    ctx: Context, tx: Tx, practice_id: str, kind: str, name: str, now: datetime, therapist: str = ""
) -> None:
    """Queue a notice to every manager that something needs their hand; nothing of a client is in it."""
    practice = practices.get(tx, practice_id)
    text = alert_text(kind, practice.language, therapist=therapist, instruments=ctx.instruments)
    body, html = render(text, ctx.config.public_url, practice)
    for manager in people.with_role(tx, practice_id, "manager"):
        dedupe = f"{name}:{manager.id}"
        mail = Draft("notice", dedupe, "mail", manager.email, body, text.subject, html, person_id=manager.id)
        outbox.put(tx, practice_id, mail, now, now)


def render(text: AlertText, link: str, practice: Practice) -> tuple[str, str]:
    """A letter as plain text and as HTML with its styles inlined; it needs no picture and loads nothing."""
    page = _template().render(text=text, link=link, practice=practice.name, language=practice.language)
    return _plain(text, link, practice), _inliner().inline(page)


def _plain(text: AlertText, link: str, practice: Practice) -> str:
    parts = [text.lead, f"{text.action}: {link}"]
    if text.advice:
        parts.append("\n".join([f"{text.advice_heading}:", *(f"- {line}" for line in text.advice)]))
    if text.sources:
        parts.append(f"{text.sources_heading}: {'; '.join(text.sources)}")
    return "\n\n".join([*parts, practice.name]) + "\n"


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("bot.flows")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True).get_template("letter.html")


@cache
def _inliner() -> css_inline.CSSInliner:
    # it would read file:// and http:// stylesheets without asking
    return css_inline.CSSInliner(load_remote_stylesheets=False)
