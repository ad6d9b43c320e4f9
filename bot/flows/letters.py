"""Letters to the practice's own people: alerts and notices, by mail and, for danger, by a content-free text."""

from dataclasses import replace
from datetime import datetime

from bot.flows import pictures
from bot.flows.context import Context
from bot.flows.links import alert_link
from bot.flows.paper import Button, Letter, Part, written
from bot.store import Tx, clients, outbox, people, practices
from bot.store.alerts import Alert
from bot.store.clients import Client
from bot.store.outbox import ORDINARY, REPLY, URGENT, Draft
from bot.store.people import Person
from bot.store.practices import Practice
from surveys.alert_wording import AlertText, alert_text, urgent_sms
from surveys.digest_wording import digest_words
from surveys.page_wording import page_words
from surveys.segments import segments

# Who learns of a message that didn't get there: whoever runs the practice, or the next best.
FOR_NOTICES = ("manager", "supervisor", "duty", "second")
ON_DELIVERY = ("undelivered", "unreachable", "wrong_number")  # notices that a manager sees to on that page
NO_CLIENT, INITIALS, CODE = NAMING = ("none", "initials", "code")


def send_alert(
    ctx: Context,
    tx: Tx,
    practice: Practice,
    alert: Alert,
    person: Person,
    text: AlertText,
    name: str,
    now: datetime,
    asked: bool = False,
) -> bool:
    """Queue an alert to one person: a mail, and for danger a text that says only that there is one.

    False when a letter of that name was queued before. `asked`: they asked for it just now, whatever their quiet hours.
    """
    link = alert_link(ctx.config, practice.id, alert.id, person.id, now)
    urgency = URGENT if alert.kind.startswith("danger") else REPLY if asked else ORDINARY
    queued = False
    if person.email:
        about, trend = _about(tx, practice, alert, person), _trend(ctx, tx, practice, alert, text, now)
        take = _take(alert, person)
        body, html = render(text, link, practice, take=take, about=about, trend=trend, urgent=urgency == URGENT)
        mail = Draft(f"alert_{alert.kind}", f"{name}:mail", "mail", person.email, body, text.subject, html)
        queued |= _put(tx, practice, replace(mail, urgency=urgency), alert, person, now)
    if person.phone and urgency == URGENT:
        words = urgent_sms(practice.language, sms_name=practice.sms_name, link=link, instruments=ctx.instruments)
        text_message = Draft("alert_text", f"{name}:sms", "sms", person.phone, words, urgency=urgency)
        queued |= _put(tx, practice, replace(text_message, segments=segments(words).count), alert, person, now)
    return queued


def short_name(practice: Practice, client: Client) -> str:
    """How mails name a client: as the practice chose, by default not at all."""
    chosen = practice.settings.get("alert_client", NO_CLIENT)
    if chosen == CODE:
        return client.client_ref
    words = client.name.split()
    ends = [words[0], *words[1:][-1:]] if words and chosen == INITIALS else []
    return " ".join(f"{word[0].upper()}." for word in ends)


def notify_managers(
    ctx: Context, tx: Tx, practice_id: str, kind: str, name: str, now: datetime, therapist: str = ""
) -> None:
    """Queue a notice to every manager that something needs their hand; nothing of a client is in it.

    Where there is no manager, whoever else looks after the practice gets it.
    """
    practice = practices.get(tx, practice_id)
    text = alert_text(kind, practice.language, therapist=therapist, instruments=ctx.instruments)
    for person in for_notices(tx, practice_id):
        may = kind in ON_DELIVERY and "manager" in people.roles_of(tx, practice_id, person.id)
        body, html = render(text, f"{ctx.config.public_url}/delivery" if may else "", practice)
        dedupe = f"{name}:{person.id}"
        mail = Draft("notice", dedupe, "mail", person.email, body, text.subject, html, person_id=person.id)
        outbox.put(tx, practice_id, mail, now, now)


def post(ctx: Context, practice: Practice, person: Person, kind: str, name: str, letter: Letter, now: datetime) -> bool:
    """Queue a letter to one person; False when one of that name was queued before."""
    body, html = written(letter)
    draft = Draft(kind, name, "mail", person.email, body, letter.subject, html, person_id=person.id)
    with ctx.store.transaction() as tx:
        return outbox.put(tx, practice.id, draft, now, now) is not None


def for_notices(tx: Tx, practice_id: str) -> list[Person]:
    """Who looks after the practice and can be reached by mail."""
    for role in FOR_NOTICES:
        if found := [person for person in people.with_role(tx, practice_id, role) if person.email]:
            return found
    return []


def render(
    text: AlertText,
    link: str,
    practice: Practice,
    *,
    take: str = "",
    about: str = "",
    trend: str = "",
    urgent: bool = False,
) -> tuple[str, str]:
    """A note as plain text and as HTML with its styles inlined; it loads nothing.

    Without a link there is no button. `take`: for an alert, the key of the words for taking it on, which is done on its
    page, since mail scanners follow links. `about`: the client's short name. `trend`: a picture in words.
    """
    words = page_words(practice.language, practice.timezone)
    buttons = [Button(text.action, link)] if link else []
    if link and take:
        buttons.append(Button(words.say(take), f"{link}#take"))
    letter = Letter(
        sender=practice.name,
        language=practice.language,
        subject=text.subject,
        lead=text.lead,
        about=words.say("about", client=about) if about else "",
        buttons=buttons,
        trend=trend,
        parts=[Part(text.advice_heading, text.advice)] if text.advice else [],
        small=[*_sources(text), *([words.say("link_life")] if take else [])],
        urgent=urgent,
    )
    return written(letter)


def _sources(text: AlertText) -> list[str]:
    return [f"{text.sources_heading}: {'; '.join(text.sources)}"] if text.sources else []


def _take(alert: Alert, person: Person) -> str:
    """The words of the button by which this person takes an alert on."""
    if alert.kind.startswith("danger"):
        return "danger_button"
    return "take_button" if person.id == alert.therapist_id else "see_to_button"


def _about(tx: Tx, practice: Practice, alert: Alert, person: Person) -> str:
    """The client's short name for their own therapist, where the practice chose to have one in mails; never with
    danger."""
    if alert.kind.startswith("danger") or alert.client_id is None or person.id != alert.therapist_id:
        return ""
    return short_name(practice, clients.get(tx, practice.id, alert.client_id))


def _trend(ctx: Context, tx: Tx, practice: Practice, alert: Alert, text: AlertText, now: datetime) -> str:
    """What the picture shows, where the practice wants one and the letter says what changed."""
    if not text.advice or not pictures.wanted(practice.settings, alert):
        return ""
    words = digest_words(practice.language, practice.timezone)
    return pictures.in_words(pictures.sketches(ctx, tx, alert, now, words), words)


def _put(tx: Tx, practice: Practice, draft: Draft, alert: Alert, person: Person, now: datetime) -> bool:
    return outbox.put(tx, practice.id, replace(draft, person_id=person.id, alert_id=alert.id), now, now) is not None
