"""Quiet hours hold back what can wait and nothing else; while a therapist is away a colleague looks."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import alerting
from bot.flows.links import AlertLink
from bot.flows.own_hours import quiet_until
from bot.sandbox import Sandbox
from bot.store import people
from tests.support.cast import Riverside
from tests.support.letters import choose, engage, leave, letters, prefer, text, told, whom, without
from tests.support.weeks import DECLINE, alerts_of, assess, climb, send, weekly

DAY, HALF_AN_HOUR = timedelta(days=1), timedelta(minutes=30)
WAITS = "A note for Theo, who is away, waits for someone to look at it."
MONDAY = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)  # noon in New York
INES, THEO = "ines@riverside.example", "theo@riverside.example"


def received(sandbox: Sandbox) -> list[str]:
    return [address for mail in sandbox.mailbox.all() for address in mail.recipients]


@pytest.fixture
def declined(practice: Riverside) -> datetime:
    """Ana has declined, on a Monday at one in the afternoon there; Theo has his quiet hours until four."""
    engage(practice, "Sam", "supervisor", "sam@riverside.example")
    choose(practice, "Theo", quiet_hours="12:00-16:00")
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    return now


@pytest.fixture
def four(declined: datetime) -> datetime:
    """When Theo's quiet hours end."""
    return declined.replace(hour=21)


# ------------------------------------------------------------------------------------------- quiet hours


def test_a_note_waits_for_the_end_of_quiet_hours(
    practice: Riverside, declined: datetime, four: datetime, sandbox: Sandbox
) -> None:
    send(practice, four - timedelta(seconds=1))
    assert received(sandbox) == []
    send(practice, four)
    assert received(sandbox) == [THEO]


def test_a_mail_that_waits_for_quiet_hours_is_not_called_undelivered(
    practice: Riverside, declined: datetime, four: datetime
) -> None:
    """It wasn't to be sent yet; half an hour after it was to be, managers learn if nobody has taken it."""
    for minutes in range(0, 180, 10):
        climb(practice, declined + timedelta(minutes=minutes))
    assert whom(practice) == ["theo"]
    climb(practice, four + HALF_AN_HOUR)
    assert whom(practice) == ["theo", "dana"]


def test_quiet_hours_entered_later_hold_back_what_is_still_unsent(practice: Riverside) -> None:
    """Also where the ladder had counted without them."""
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    climb(practice, now)
    choose(practice, "Theo", quiet_hours="12:00-16:00")
    climb(practice, now + HALF_AN_HOUR)
    assert whom(practice) == ["theo"]


def test_days_count_from_when_it_was_told(practice: Riverside, declined: datetime, four: datetime) -> None:
    """Three hours of quiet are nobody's waiting."""
    send(practice, four)
    climb(practice, four + HALF_AN_HOUR)
    climb(practice, declined + DAY)
    assert whom(practice) == ["theo"]
    climb(practice, four + DAY)
    assert told(practice)[1:] == [("theo", "A note for you has waited one day. It may take only a minute.")]


def test_danger_knows_no_quiet_hours(practice: Riverside, sandbox: Sandbox) -> None:
    choose(practice, "Theo", quiet_hours="00:00-23:59")
    text(practice, "I want to kill myself", MONDAY)
    send(practice, MONDAY)
    assert THEO in received(sandbox)


def test_a_fresh_link_that_somebody_asks_for_comes_at_once(
    practice: Riverside, declined: datetime, sandbox: Sandbox
) -> None:
    """They are awake: they have just pressed the button."""
    (alert,) = alerts_of(practice, "Ana")
    alerting.send_again(practice.ctx, AlertLink(practice.practice.id, alert.id, practice.staff["Theo"], 0), declined)
    send(practice, declined)
    assert received(sandbox) == [THEO]


def test_quiet_hours_that_cannot_be_read_hold_back_nothing(practice: Riverside) -> None:
    choose(practice, "Theo", quiet_hours="at night")
    with practice.ctx.store.transaction(write=False) as tx:
        theo = people.get(tx, practice.practice.id, practice.staff["Theo"])
    assert quiet_until(practice.practice, theo, MONDAY) is None


def test_quiet_hours_are_by_the_practices_clock_over_midnight(practice: Riverside) -> None:
    choose(practice, "Theo", quiet_hours="20:00-07:00")
    with practice.ctx.store.transaction(write=False) as tx:
        theo = people.get(tx, practice.practice.id, practice.staff["Theo"])
    late = MONDAY.replace(hour=2) + DAY  # ten in the evening there
    assert quiet_until(practice.practice, theo, late) == MONDAY.replace(hour=11) + DAY
    assert quiet_until(practice.practice, theo, MONDAY) is None


# ------------------------------------------------------------------------------------------- leave


@pytest.fixture
def away(practice: Riverside) -> datetime:
    """Ana has declined while Theo is away, and Ines covers."""
    engage(practice, "Sam", "supervisor", "sam@riverside.example")
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    choose(practice, "Theo", away_from=now - DAY, away_until=now + 14 * DAY, cover_id=practice.staff["Ines"])
    send(practice, now)
    return now


def test_a_note_goes_to_the_cover_after_one_working_day(practice: Riverside, away: datetime) -> None:
    """Theo is told once and not reminded on leave; Ines learns that a note waits, and nothing of what it says."""
    assert whom(practice) == ["theo"]
    climb(practice, away + HALF_AN_HOUR)
    climb(practice, away + DAY)
    assert told(practice)[1:] == [("ines", WAITS)]
    climb(practice, away + 2 * DAY)
    assert told(practice)[2:] == [("sam", "A note for Theo has waited two days.")]


def test_the_covers_letter_says_nothing_of_the_client(practice: Riverside, away: datetime) -> None:
    prefer(practice, alert_client="code", alert_picture="yes")
    climb(practice, away + DAY)
    climb(practice, away + DAY)
    mail = letters(practice)[-1]
    assert mail.address == INES
    for word in ("C-Ana", "Ana", "usual", "heard", "cid:"):
        assert word not in mail.subject + mail.body + mail.html


def test_a_wish_for_a_call_reaches_the_cover_at_once(practice: Riverside) -> None:
    choose(practice, "Theo", away_from=MONDAY - DAY, away_until=MONDAY + DAY, cover_id=practice.staff["Ines"])
    text(practice, "CALL", MONDAY)
    climb(practice, MONDAY)
    assert told(practice) == [("theo", "A client of yours would like a call. No time was promised."), ("ines", WAITS)]


def test_danger_reaches_the_cover_at_once_and_at_every_step(practice: Riverside) -> None:
    choose(practice, "Theo", away_from=MONDAY - DAY, away_until=MONDAY + DAY, cover_id=practice.staff["Ines"])
    text(practice, "I want to kill myself", MONDAY)
    climb(practice, MONDAY)
    assert whom(practice) == ["theo", "ines"]
    climb(practice, MONDAY + HALF_AN_HOUR)
    assert "ines" in whom(practice)[2:]


def _left(practice: Riverside, now: datetime) -> None:
    leave(practice, "Ines")


def _away_too(practice: Riverside, now: datetime) -> None:
    choose(practice, "Ines", away_from=now - DAY, away_until=now + 9 * DAY)


def _back(practice: Riverside, now: datetime) -> None:
    choose(practice, "Theo", away_from=now - 9 * DAY, away_until=now, cover_id=practice.staff["Ines"])


def _no_address(practice: Riverside, now: datetime) -> None:
    with practice.ctx.store.transaction() as tx:
        empty = tx.seal("person", "email", practice.staff["Ines"], "")
        tx.run("update person set email_sealed = :e where id = :id", {"e": empty, "id": practice.staff["Ines"]})


@pytest.mark.parametrize("change", [_left, _away_too, _back, _no_address])
def test_where_nobody_covers_the_therapist_is_reminded(practice: Riverside, away: datetime, change: object) -> None:
    """A note never falls between two chairs."""
    change(practice, away)  # type: ignore[operator]
    climb(practice, away + HALF_AN_HOUR)
    climb(practice, away + DAY)
    assert whom(practice) == ["theo", "theo"]


def test_a_fresh_link_says_to_the_cover_that_a_note_waits(practice: Riverside, away: datetime) -> None:
    (alert,) = alerts_of(practice, "Ana")
    assert alerting.send_again(practice.ctx, AlertLink(practice.practice.id, alert.id, practice.staff["Ines"], 0), away)
    assert told(practice)[-1] == ("ines", WAITS)


def test_the_practice_chooses_when_a_supervisor_learns_that_a_note_waits(practice: Riverside) -> None:
    prefer(practice, supervisor_after_days="4")
    without(practice, "supervisor")
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    for days in range(1, 4):
        climb(practice, now + days * DAY)
    assert whom(practice) == ["theo", "theo"]
    climb(practice, now + 4 * DAY)
    assert told(practice)[-1] == ("dana", "A note for Theo has waited four days.")
