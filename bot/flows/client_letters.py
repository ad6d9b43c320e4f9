"""Mails to clients: one layout, as plain text and as HTML that needs no picture, no script, nothing from elsewhere."""

from dataclasses import replace

from bot.channels import Outgoing
from bot.flows import mail_html
from bot.flows.context import Context
from bot.flows.links import reply_address, stop_link
from bot.store import Tx, practices
from bot.store.outbox import Draft, Message
from bot.store.sql import new_id
from surveys.client_letter import ClientLetter, client_letter
from surveys.wording import Say, Voice


def draft(ctx: Context, voice: Voice, say: Say, dedupe: str, address: str) -> Draft:
    """One mail, ready to be queued. Every one carries a link of its own to stop."""
    message_id = new_id()
    letter, stop = client_letter(say, voice, ctx.instruments), stop_link(ctx.config, message_id)
    text, html = plain(letter, say.link, stop), in_html(letter, say.link, stop)
    return Draft(say.kind, dedupe, "mail", address, text, letter.subject, html, id=message_id)


def dressed(ctx: Context, tx: Tx, message: Message, outgoing: Outgoing) -> Outgoing:
    """A client's mail about to go: from the practice by the name clients know, with the way back and the way out."""
    return replace(
        outgoing,
        sender_name=practices.get(tx, message.practice_id).sms_name,
        reply_to=reply_address(ctx.config, message.check_in_id) if message.check_in_id else "",
        unsubscribe=stop_link(ctx.config, message.id),
    )


def plain(letter: ClientLetter, link: str, stop: str) -> str:
    """The mail as plain text."""
    scale = ", ".join(f"{score} {word}" for score, word in enumerate(letter.choices, 1))
    parts = [*letter.paragraphs, *([f"{letter.question}\n{scale}"] if letter.question else [])]
    if link:
        parts.append(f"{letter.open}:\n{link}")
    parts += [letter.reply] if letter.reply else []
    return "\n\n".join(filter(None, [*parts, letter.safety, f"{letter.end}\n{stop}", letter.sender])) + "\n"


def in_html(letter: ClientLetter, link: str, stop: str) -> str:
    """The mail as HTML, each style where it is used; only what dark and narrow screens change stands in a sheet."""
    return mail_html.render("client_letter.html", letter=letter, link=link, stop=stop)
