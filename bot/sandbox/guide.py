"""Where a newcomer is in the story: text, reply, decline, alert. Told only by what went over the wire."""

import re
from dataclasses import dataclass, replace

from bot.sandbox.book import INBOUND, OUTBOUND, Message
from bot.sandbox.mailbox import Mail

TAKEN = range(200, 300)
LOW = re.compile(r"(?<!\d)[12](?!\d)")  # a 1 or 2 standing alone


@dataclass(frozen=True)
class Step:
    """One step: `state` is done, now or later; `advice` is what to do, or what has happened.

    `link` leads where it can be done or seen; `act` is what the director can do for it.
    """

    title: str
    advice: str
    state: str
    link: str = ""
    link_text: str = ""
    act: str = ""
    act_text: str = ""


def steps(messages: list[Message], mails: list[Mail], *, phone: str, name: str, directed: bool = False) -> list[Step]:
    """The four steps for the phone the story is about; the first that isn't done is the one to take now.

    `directed`: there is a director whose buttons can be pressed.
    """
    asked = [m for m in messages if m.client == phone and m.direction == OUTBOUND]
    replies = [m for m in messages if m.client == phone and m.direction == INBOUND and m.answered in TAKEN]
    low = [m for m in replies if LOW.search(m.body)]
    alerts = [mail for mail in mails if mail.note and replies and mail.at >= replies[0].created_at]
    page = f"/phone/{phone}"
    told = [
        _arrival(name, page, done=bool(asked), directed=directed),
        _answering(name, page if asked else "", done=bool(replies)),
        _declining(name, page if replies else "", done=len(low) > 1 or bool(alerts), directed=directed),
        _alerting("/mailbox" if mails else "", alerts[-1] if alerts else None),
    ]
    return _mark_the_next(told)


def _mark_the_next(told: list[Step]) -> list[Step]:
    """Only the step to take now has a button."""
    first = next((n for n, step in enumerate(told) if step.state != "done"), None)
    return [replace(step, state="now") if n == first else replace(step, act="") for n, step in enumerate(told)]


def _arrival(name: str, page: str, *, done: bool, directed: bool) -> Step:
    title = "A text arrives"
    if done:
        advice = f"After the visit Attune asked {name} a few one-digit questions by text."
        return Step(title, advice, "done", page, "See the text")
    if directed:
        advice = (
            f"The practice’s calendar tells Attune when a visit has ended. Two hours later, in the practice’s hours, "
            f"{name} gets a welcome and a few questions; the clock here jumps ahead to that."
        )
        return Step(title, advice, "later", act="visit", act_text=f"{name}’s visit has just ended")
    advice = (
        "Attune writes two hours after an appointment, in the practice’s hours. Nothing has been sent yet: "
        "move the clock to what comes next."
    )
    return Step(title, advice, "later")


def _answering(name: str, page: str, *, done: bool) -> Step:
    title = "The client replies"
    if done:
        return Step(title, f"Whatever {name} wrote was taken in and thanked for.", "done", page, f"See {name}’s phone")
    advice = f"Take {name}’s phone and answer as people do: “5, 4 n 5 thx!” is three scores, “4 5 5” too."
    return Step(title, advice, "later", page, f"Open {name}’s phone")


def _declining(name: str, page: str, *, done: bool, directed: bool) -> Step:
    title = "Rapport declines"
    if done:
        advice = f"{name}’s answers have fallen below what is usual for {name}."
        return Step(title, advice, "done", page, f"See {name}’s phone")
    if directed:
        advice = (
            f"What counts is what is usual for {name}, so it takes some weeks of answers first. See them go by: "
            f"{name} answers as usual, then lower and lower. (Or let single visits end and answer as you like.)"
        )
        return Step(title, advice, "later", page, f"Open {name}’s phone", "weeks", "Play the next weeks")
    advice = (
        f"Move the clock to the next text and reply with lower numbers, say “2 4 2 2”. Do it twice "
        f"or three times: one bad day is no decline, and what counts is what is usual for {name}."
    )
    return Step(title, advice, "later", page, f"Open {name}’s phone")


def _alerting(page: str, mail: Mail | None) -> Step:
    title = "The therapist is told"
    if mail:
        advice = (
            "A mail tells the therapist what changed and what helps. Open the note it leads to: it shows the trend, "
            "and there the therapist takes it on."
        )
        return Step(title, advice, "done", f"/mailbox/{mail.id}", "Read the mail")
    advice = "When the change is more than chance, the therapist gets a mail. It comes to the mailbox here."
    return Step(title, advice, "later", page, "Look into the mailbox")
