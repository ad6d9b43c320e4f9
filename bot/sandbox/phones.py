"""Every client's phone: what happens when a client texts, and what the provider answers by itself.

Opt-out words, and the replies Twilio gives to them unasked, follow Twilio's default handling; `OptOutType` is
what a messaging service with advanced opt-out sends. Those replies cost nothing and are in no listing.
"""

from bot.sandbox.book import AUTOMATIC, INBOUND, Line, Message
from bot.sandbox.parts import Parts

KEYWORDS = {
    "STOP": ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
    "START": ("START", "YES", "UNSTOP"),
    "HELP": ("HELP", "INFO"),
}
TWILIO_SAYS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this "
    "number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def opt_out_type(body: str) -> str | None:
    """STOP, START or HELP when the whole text is one of the words Twilio acts on, else None."""
    word = body.strip().upper()
    return next((kind for kind, words in KEYWORDS.items() if word in words), None)


def text(parts: Parts, client: str, body: str) -> Message:
    """A client texts. The message once the webhook has answered (`answered`: its HTTP status)."""
    line = parts.book.line_to(client)
    kind = opt_out_type(body)
    now = parts.clock.now()
    message = parts.book.add(line, client, _sendable(body), INBOUND, "received", sent_at=now)
    if kind:
        _obey(parts, line, client, kind)
    answered = parts.deliveries.inbound(message, kind)
    return parts.book.change(message.sid, answered=answered)


def _obey(parts: Parts, line: Line, client: str, kind: str) -> None:
    """What Twilio does with its own words: HELP after STOP, or a second STOP, goes unanswered."""
    if kind == "HELP":
        speaks = not parts.book.is_opted_out(line, client)
    else:
        speaks = parts.book.set_opted_out(line, client, kind == "STOP")
    if speaks and parts.account.opt_out_replies:
        now = parts.clock.now()
        parts.book.add(line, client, TWILIO_SAYS[kind], AUTOMATIC, "delivered", sent_at=now)


def _sendable(body: str) -> str:
    """What can travel: half an emoji, which only a test can type, arrives as a replacement mark."""
    return body.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
