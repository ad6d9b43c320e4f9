"""What must be true at the end of the demo, said from the outside: the provider's book, the mailbox, the pages.

Nothing here asks Attune: what a phone or a mailbox got is what counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from bot.sandbox.book import INBOUND, OUTBOUND, Message, Refusal
from bot.sandbox.mailbox import Mail
from bot.sandbox.sample import BEN, CHIDI, CLIENTS, THERAPISTS, ZONE

OPENS, CLOSES, SUNDAY = time(9), time(20), 6
AGAIN = 5 * 86400  # seconds: a check-in comes once a week, so the same words sooner are the same message
STOP_REPLY = "STOP"
BY_THE_CALENDAR = ("Your week", "Your month")  # subjects of letters that are no alerts


@dataclass(frozen=True)
class Opened:
    """What a person found behind the link of a mail: which client it is about; whether they could take it on."""

    mail_id: int
    about: str
    taken_on: bool


@dataclass(frozen=True)
class Record:
    """All that went over the wire, in order."""

    messages: Sequence[Message]
    refusals: Sequence[Refusal] = ()
    mails: Sequence[Mail] = ()
    opened: Sequence[Opened] = field(default_factory=tuple)


@dataclass(frozen=True)
class Verdict:
    """One promise of the demo; `wrong` says what broke it, empty when it was kept."""

    promise: str
    wrong: str = ""


def verdicts(record: Record) -> list[Verdict]:
    """Every promise, kept or not."""
    return [
        Verdict("The alert about Ben reached Theo's mailbox", _alert_missing(record)),
        Verdict("Nobody else was alerted, and about nobody else", _others_alerted(record)),
        Verdict("Theo opened it and took it on", _not_taken_on(record)),
        Verdict("Nothing went to Chidi after STOP", _after_stop(record)),
        Verdict("No client got a message twice", _twice(record)),
        Verdict("No message left outside the practice's hours", _outside_hours(record)),
        Verdict("Every text of a client was taken in", _not_taken_in(record)),
    ]


def _alert_missing(record: Record) -> str:
    found = [mail for mail in record.mails if _is_right(mail, record)]
    return "" if found else "no mail to Theo leads to a note about Ben"


def _others_alerted(record: Record) -> str:
    alerts = [mail for mail in record.mails if mail.subject not in BY_THE_CALENDAR]
    wrong = [mail for mail in alerts if not _is_right(mail, record)]
    texts = [m for m in _sent(record) if m.client not in {client.phone for client in CLIENTS}]
    told = [f"a mail to {', '.join(mail.recipients)} about {_about(mail, record) or 'nobody known'}" for mail in wrong]
    return "; ".join(told + ["a text to someone who is no client" for _ in texts])


def _not_taken_on(record: Record) -> str:
    return "" if any(each.taken_on for each in record.opened) else "no note was taken on"


def _after_stop(record: Record) -> str:
    stop = next((n for n, m in enumerate(record.messages) if m.client == CHIDI.phone and m.body == STOP_REPLY), None)
    if stop is None:
        return "Chidi never said STOP"
    late = [m for m in record.messages[stop:] if m.client == CHIDI.phone and m.direction == OUTBOUND]
    tried = [r for r in record.refusals if r.client == CHIDI.phone]
    told = [f"“{m.body}” at {_local(m.created_at):%d %b %H:%M}" for m in late]
    return "; ".join(told + [f"a try at {_local(r.at):%d %b %H:%M} that the provider refused" for r in tried])


def _twice(record: Record) -> str:
    last: dict[tuple[str, str], float] = {}
    told = []
    for message in _sent(record):
        key = (message.client, message.body)
        if key in last and message.created_at - last[key] < AGAIN:
            told.append(
                f"{_name(message.client)} got “{message.body}” again at {_local(message.created_at):%d %b %H:%M}"
            )
        last[key] = message.created_at
    return "; ".join(told)


def _outside_hours(record: Record) -> str:
    late = [m for m in _sent(record) if not _is_open(_local(m.created_at))]
    return "; ".join(f"to {_name(m.client)} at {_local(m.created_at):%a %d %b %H:%M}" for m in late)


def _not_taken_in(record: Record) -> str:
    lost = [m for m in record.messages if m.direction == INBOUND and m.answered != 200]
    return "; ".join(f"{_name(m.client)}'s “{m.body}” was answered {m.answered}" for m in lost)


def _is_right(mail: Mail, record: Record) -> bool:
    return mail.recipients == (THERAPISTS["Theo"],) and _about(mail, record) == BEN.ref


def _about(mail: Mail, record: Record) -> str:
    return next((each.about for each in record.opened if each.mail_id == mail.id), "")


def _sent(record: Record) -> list[Message]:
    """What Attune sent; Twilio's own words to a STOP are Twilio's."""
    return [message for message in record.messages if message.direction == OUTBOUND]


def _is_open(at: datetime) -> bool:
    return at.weekday() != SUNDAY and OPENS <= at.time() < CLOSES


def _local(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, ZONE)


def _name(phone: str) -> str:
    return next((client.name for client in CLIENTS if client.phone == phone), "someone unknown")
