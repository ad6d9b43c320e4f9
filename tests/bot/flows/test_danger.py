"""Danger climbs by its own rule: therapist, second contact, duty contact, at any hour, until somebody is on it."""

import re
from datetime import datetime, timedelta

import pytest

from bot.flows import alerting, receiving
from bot.flows.settings import set_practice
from bot.store import alerts
from bot.store.inbox import Inbound
from bot.store.outbox import URGENT
from tests.support.cast import Riverside
from tests.support.letters import engage, leave, letters, link_of, text, told, whom, without
from tests.support.weeks import DECLINE, assess, climb, weekly

QUARTER = timedelta(minutes=15)
STRANGER, OTHER = "+12025550199", "+12025550198"
ALEX = "alex@riverside.example"


@pytest.fixture
def danger(practice: Riverside) -> datetime:
    """Ana wrote words of danger, on a Saturday at two in the morning there."""
    engage(practice, "Alex", "second", ALEX, phone="+12025550170")
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now)
    climb(practice, now)
    return now


def test_danger_climbs_from_the_therapist_to_the_second_and_the_duty_contact(
    practice: Riverside, danger: datetime
) -> None:
    assert whom(practice) == ["theo"]
    climb(practice, danger + QUARTER)
    assert whom(practice)[1:] == ["theo", "alex"]
    climb(practice, danger + 2 * QUARTER)
    assert whom(practice)[3:] == ["theo", "alex", "dana"]
    climb(practice, danger + 4 * QUARTER)
    assert whom(practice)[6:] == ["theo", "alex", "dana"]


def test_a_practice_may_have_the_second_contact_told_together_with_the_therapist(practice: Riverside) -> None:
    engage(practice, "Alex", "second", ALEX)
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    set_practice(practice.ctx, practice.practice, {"second_contact_minutes": "0"}, now)
    text(practice, "I want to kill myself", now)
    climb(practice, now)
    assert whom(practice) == ["theo", "alex"]
    climb(practice, now + QUARTER)
    assert whom(practice) == ["theo", "alex"]
    climb(practice, now + 2 * QUARTER)
    assert whom(practice)[2:] == ["theo", "alex", "dana"]


def test_danger_is_told_at_any_hour_and_before_everything_else(practice: Riverside, danger: datetime) -> None:
    """Two in the morning, a Saturday: it is urgent, and due at once."""
    assert all(m.urgency == URGENT and m.due_at == danger for m in letters(practice))


def test_danger_stops_climbing_when_somebody_says_that_they_are_on_it(practice: Riverside, danger: datetime) -> None:
    alerting.acknowledge(practice.ctx, link_of(practice, letters(practice)[0]), "", danger + timedelta(minutes=5))
    for quarters in range(1, 9):
        climb(practice, danger + quarters * QUARTER)
    assert whom(practice) == ["theo"]


def test_the_letters_of_danger_hold_no_name_and_nothing_of_what_was_written(
    practice: Riverside, danger: datetime
) -> None:
    for quarters in range(5):
        climb(practice, danger + quarters * QUARTER)
    for mail in letters(practice):
        shown = re.sub(r"http\S+", "", mail.subject + mail.body + mail.html)
        assert not re.search(r"Ana|Theo|kill|myself|suicid|1202|2025", shown, re.I)
    assert {m.subject for m in letters(practice) if m.channel == "mail"} == {"Please open now"}


def test_whoever_has_a_phone_also_gets_a_text_that_says_only_that_there_is_a_note(
    practice: Riverside, danger: datetime
) -> None:
    climb(practice, danger + QUARTER)
    (message,) = [m for m in letters(practice) if m.channel == "sms"]
    assert message.address == "+12025550170"
    assert re.fullmatch(
        r"Riverside: an urgent note waits for you\. Please open it now: http://attune\.example/a/\S+", message.body
    )
    assert message.segments <= 2


def test_someone_with_a_phone_and_no_address_is_told_of_danger(practice: Riverside) -> None:
    person_id = engage(practice, "Alex", "second", ALEX, phone="+12025550170")
    with practice.ctx.store.transaction() as tx:
        tx.run("update person set email_sealed = null, email_index = null where id = :id", {"id": person_id})
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now)
    climb(practice, now + QUARTER)
    assert "+12025550170" in [m.address for m in letters(practice)]


def test_where_no_second_contact_is_named_the_duty_contact_is_told_a_quarter_of_an_hour_earlier(
    practice: Riverside,
) -> None:
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now)
    climb(practice, now)
    climb(practice, now + QUARTER)
    assert whom(practice) == ["theo", "theo", "dana"]


def test_the_danger_of_a_client_whose_therapist_left_is_told_to_a_stand_in_at_once(practice: Riverside) -> None:
    leave(practice, "Theo")
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now)
    climb(practice, now)
    ((name, words),) = told(practice)
    assert (name, words.split(",")[0]) == ("dana", "Someone who writes to this practice may need help now")


def test_danger_with_nobody_named_at_all_reaches_every_colleague(practice: Riverside) -> None:
    without(practice, "manager", "duty")
    leave(practice, "Theo")
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now)
    climb(practice, now)
    assert whom(practice) == ["ines"]


def test_danger_from_an_unknown_number_reaches_the_duty_contact_at_once_and_again(practice: Riverside) -> None:
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now, sender=STRANGER)
    for quarters in range(3):
        climb(practice, now + quarters * QUARTER)
    assert whom(practice) == ["dana", "dana", "dana"]


def test_after_two_hours_down_each_is_told_of_danger_once(practice: Riverside) -> None:
    engage(practice, "Alex", "second", ALEX)
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    text(practice, "I want to kill myself", now)
    climb(practice, now + timedelta(hours=2))
    assert sorted(whom(practice)) == ["alex", "dana", "theo"]


def test_a_first_letter_still_unsent_goes_out_whoever_took_it_on(practice: Riverside) -> None:
    """Theo should learn of his client's danger, also when Dana was quicker."""
    now = datetime.fromisoformat("2026-09-14T16:00+00:00")
    text(practice, "I want to kill myself", now)
    for minutes in (0, 15, 30):
        climb(practice, now + timedelta(minutes=minutes))
    dana = next(m for m in letters(practice) if m.address.startswith("dana"))
    alerting.acknowledge(practice.ctx, link_of(practice, dana), "", now + 2 * QUARTER)
    states = {(m.address, m.state) for m in letters(practice)}
    assert ("theo@riverside.example", "due") in states
    assert ("dana@riverside.example", "skipped") in states


def test_an_alert_that_cannot_be_told_holds_up_no_other_and_is_tried_again(
    practice: Riverside, danger: datetime
) -> None:
    """A fault in a note's words must not keep danger waiting."""
    with practice.ctx.store.transaction() as tx:
        broken = alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ben"], therapist_id=practice.staff["Theo"],
            kind="silent", explanation="no JSON", check_in_id=None, now=danger,
        )  # fmt: skip
    climb(practice, danger + QUARTER)
    assert "alex" in whom(practice)
    with practice.ctx.store.transaction(write=False) as tx:
        alert = alerts.get(tx, practice.practice.id, broken)
    assert (alert.step, alert.next_step_at) == (0, danger + QUARTER + timedelta(minutes=1))


def test_danger_is_looked_at_before_any_note(practice: Riverside) -> None:
    noted = weekly(practice, "Ana", DECLINE)
    assess(practice, noted)
    text(practice, "I want to kill myself", noted + timedelta(days=2))
    with practice.ctx.store.transaction(write=False) as tx:
        due = alerts.due(tx, noted + timedelta(days=2), 50)
    assert [alert.kind for alert in due] == ["danger", "rapport"]


def test_a_stranger_who_goes_on_writing_is_one_alarm_until_somebody_takes_it_up(practice: Riverside) -> None:
    """And the page shows the number of that message, not of another that came in the same second."""
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    for number, sender in enumerate((STRANGER, STRANGER, OTHER)):
        words = Inbound("sms", f"SM{number:032x}", sender, "i want to kill myself")
        receiving.receive(practice.ctx, words, now)
    ids = [str(row["id"]) for row in practice.rows("select id from alert order by id")]
    with practice.ctx.store.transaction(write=False) as tx:
        found = [alerts.get(tx, practice.practice.id, each) for each in ids]
        assert [alerts.written_from(tx, alert) for alert in found] == [[STRANGER], [OTHER]]


@pytest.mark.parametrize("minutes", [1, 5, 15])
def test_the_second_contact_is_told_at_the_minute_chosen_and_not_a_second_before(
    practice: Riverside, minutes: int
) -> None:
    engage(practice, "Alex", "second", ALEX)
    now = datetime.fromisoformat("2026-09-19T06:00+00:00")
    set_practice(practice.ctx, practice.practice, {"second_contact_minutes": str(minutes)}, now)
    text(practice, "I want to kill myself", now)
    climb(practice, now)
    climb(practice, now + timedelta(minutes=minutes, seconds=-1))
    assert whom(practice) == ["theo"]
    climb(practice, now + timedelta(minutes=minutes))
    assert whom(practice) == ["theo", "theo", "alex"]
