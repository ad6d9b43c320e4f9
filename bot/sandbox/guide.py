"""Where a newcomer is in the story: text, reply, decline, alert. Told only by what went over the wire."""

import re
from dataclasses import dataclass

from bot.sandbox.book import INBOUND, OUTBOUND, Message
from bot.sandbox.mailbox import Mail

TAKEN = range(200, 300)
LOW = re.compile(r"(?<!\d)[12](?!\d)")  # a 1 or 2 standing alone


@dataclass(frozen=True)
class Step:
    """One step: `state` is done, now or later; `advice` is what to do, or what has happened."""

    title: str
    advice: str
    state: str
    link: str = ""
    link_text: str = ""


def steps(messages: list[Message], mails: list[Mail], *, phone: str, name: str) -> list[Step]:
    """The four steps for the phone the story is about; the first that isn't done is the one to take now."""
    asked = [m for m in messages if m.client == phone and m.direction == OUTBOUND]
    replies = [m for m in messages if m.client == phone and m.direction == INBOUND and m.answered in TAKEN]
    low = [m for m in replies if LOW.search(m.body)]
    alerts = [mail for mail in mails if low and mail.at >= low[0].created_at]
    page = f"/phone/{phone}"
    told = [
        _step(bool(asked), "A text arrives", *_arrival(name, bool(asked)), page if asked else ""),
        _step(bool(replies), "The client replies", *_answering(name, bool(replies)), page if asked else ""),
        _step(
            len(low) > 1 or bool(alerts),
            "Rapport declines",
            *_declining(name, len(low) > 1 or bool(alerts)),
            page if replies else "",
        ),
        _step(bool(alerts), "The therapist is told", *_alerting(bool(alerts)), "/mailbox" if low else ""),
    ]
    return _mark_the_next(told)


def _step(done: bool, title: str, advice: str, link_text: str, link: str) -> Step:
    return Step(title, advice, "done" if done else "later", link, link_text)


def _mark_the_next(told: list[Step]) -> list[Step]:
    first = next((n for n, step in enumerate(told) if step.state != "done"), None)
    return [
        Step(step.title, step.advice, "now", step.link, step.link_text) if n == first else step
        for n, step in enumerate(told)
    ]


def _arrival(name: str, arrived: bool) -> tuple[str, str]:
    if arrived:
        return f"After an appointment Attune asked {name} a few one-digit questions by text.", "See the text"
    return (
        "Attune writes two hours after an appointment, in the practice’s hours. Nothing has been sent yet: "
        "move the clock to what comes next.",
        "",
    )


def _answering(name: str, replied: bool) -> tuple[str, str]:
    if replied:
        return f"Whatever {name} wrote was taken in and thanked for.", f"See {name}’s phone"
    return (
        f"Take {name}’s phone and answer as people do: “5, 4 n 5 and 4 thx!” is four scores.",
        f"Open {name}’s phone",
    )


def _declining(name: str, low: bool) -> tuple[str, str]:
    if low:
        return f"{name}’s answers have fallen below what is usual for {name}.", f"See {name}’s phone"
    return (
        f"Move the clock to the next text and reply with lower numbers, say “2 4 2 2”. Do it twice "
        f"or three times: one bad day is no decline, and what counts is what is usual for {name}.",
        f"Open {name}’s phone",
    )


def _alerting(told: bool) -> tuple[str, str]:
    if told:
        return (
            "A mail tells the therapist what changed and what helps. Follow its link to the trend.",
            "Read the mail",
        )
    return "When the change is more than chance, the therapist gets a mail. It comes to the mailbox here.", (
        "Look into the mailbox"
    )
