"""The demo's judge: every fault it is there to find is found, and named."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.sandbox.book import AUTOMATIC, INBOUND, OUTBOUND, Line, Message, Refusal
from bot.sandbox.judge import Opened, Record, verdicts
from bot.sandbox.mailbox import Mail
from bot.sandbox.sample import ANA, BEN, CHIDI, ZONE, Person

NOON = datetime(2026, 9, 15, 12, 0, tzinfo=ZONE)  # a Tuesday
LINE = Line("+15005550006")
ALERT = "The alert about Ben reached Theo's mailbox"
OTHERS = "Nobody else was alerted, and about nobody else"
TAKEN_ON = "Theo opened it and took it on"
STOPPED = "Nothing went to Chidi after STOP"
TWICE = "No client got a message twice"
HOURS = "No message left outside the practice's hours"
TAKEN_IN = "Every text of a client was taken in"


def text(client: Person, body: str, at: datetime = NOON, way: str = OUTBOUND, **more: int) -> Message:
    epoch = at.timestamp()
    answered = 200 if way == INBOUND else None
    return Message(
        LINE,
        client.phone,
        body,
        way,
        "delivered",
        created_at=epoch,
        updated_at=epoch,
        **({"answered": answered} | more),
    )


def mail(number: int = 1, to: str = "theo@riverside.example") -> Mail:
    return Mail(number, NOON.timestamp(), "notes@riverside.example", (to,), b"Subject: A note for you\n\n")


STOP = text(CHIDI, "STOP", way=INBOUND)
GOOD = Record(
    messages=(
        text(ANA, "How was your visit?"),
        text(ANA, "5 4 5", way=INBOUND),
        text(CHIDI, "How was your visit?"),
        STOP,
        text(CHIDI, "You have successfully been unsubscribed.", way=AUTOMATIC),
        text(ANA, "How was your visit?", NOON + timedelta(weeks=1)),
    ),
    mails=(mail(),),
    opened=(Opened(1, BEN.ref, taken_on=True),),
)


def failed(record: Record) -> dict[str, str]:
    return {verdict.promise: verdict.wrong for verdict in verdicts(record) if verdict.wrong}


def test_a_good_record_keeps_every_promise() -> None:
    assert failed(GOOD) == {}


def test_a_missing_alert_is_found() -> None:
    assert set(failed(replace(GOOD, mails=(), opened=()))) == {ALERT, TAKEN_ON}


def test_a_mail_that_nobody_could_open_is_no_alert() -> None:
    assert set(failed(replace(GOOD, opened=()))) == {ALERT, OTHERS, TAKEN_ON}


@pytest.mark.parametrize(("to", "about"), [("theo@riverside.example", ANA.ref), ("ines@riverside.example", BEN.ref)])
def test_an_alert_to_someone_else_or_about_someone_else_is_found(to: str, about: str) -> None:
    more = replace(GOOD, mails=(*GOOD.mails, mail(2, to)), opened=(*GOOD.opened, Opened(2, about, taken_on=False)))
    assert set(failed(more)) == {OTHERS}


def test_a_letter_by_the_calendar_is_no_alert() -> None:
    week = replace(mail(2, "ines@riverside.example"), raw=b"Subject: Your week\n\n")
    assert failed(replace(GOOD, mails=(*GOOD.mails, week))) == {}


def test_a_note_that_could_not_be_taken_on_is_found() -> None:
    assert set(failed(replace(GOOD, opened=(Opened(1, BEN.ref, taken_on=False),)))) == {TAKEN_ON}


def test_a_text_after_stop_is_found() -> None:
    late = text(CHIDI, "One more thing", NOON + timedelta(days=7))
    assert "One more thing" in failed(replace(GOOD, messages=(*GOOD.messages, late)))[STOPPED]


def test_a_text_after_stop_that_the_provider_refused_is_found() -> None:
    """Twilio refuses it, but we mustn't try."""
    refused = Refusal(CHIDI.phone, 21610, NOON.timestamp())
    assert set(failed(replace(GOOD, refusals=(refused,)))) == {STOPPED}


def test_a_story_without_stop_proves_nothing() -> None:
    without = tuple(message for message in GOOD.messages if message is not STOP)
    assert failed(replace(GOOD, messages=without)) == {STOPPED: "Chidi never said STOP"}


def test_the_same_words_twice_within_days_are_found() -> None:
    again = text(ANA, "How was your visit?", NOON + timedelta(weeks=1, hours=2))
    assert set(failed(replace(GOOD, messages=(*GOOD.messages, again)))) == {TWICE}


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (datetime(2026, 9, 15, 9, 0, tzinfo=ZONE), False),
        (datetime(2026, 9, 15, 8, 59, tzinfo=ZONE), True),
        (datetime(2026, 9, 15, 20, 0, tzinfo=ZONE), True),
        (datetime(2026, 9, 20, 12, 0, tzinfo=ZONE), True),  # a Sunday
        (datetime(2026, 11, 2, 9, 0, tzinfo=ZONE), False),  # after the clocks went back
    ],
)
def test_a_text_outside_the_hours_is_found(at: datetime, wrong: bool) -> None:
    assert (HOURS in failed(replace(GOOD, messages=(*GOOD.messages, text(BEN, "Hello", at))))) is wrong


def test_a_lost_reply_is_found() -> None:
    lost = text(BEN, "4 4 4", way=INBOUND, answered=500)
    assert "500" in failed(replace(GOOD, messages=(*GOOD.messages, lost)))[TAKEN_IN]
