"""An alert reaches a person, or climbs until it has: notes by working days, danger by the quarter of an hour."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest

from bot.flows import alerting, receiving
from bot.flows.links import AlertLink, read_alert_link
from bot.sandbox import Sandbox
from bot.store import alerts, clients, outbox, people, practices
from bot.store.alerts import Alert
from bot.store.inbox import Inbound
from bot.store.outbox import URGENT, Message
from tests.support.cast import PHONES, Riverside
from tests.support.weeks import DECLINE, alerts_of, assess, climb, send, weekly

DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
STRANGER = "+12025550199"
SAM, ALEX = "sam@riverside.example", "alex@riverside.example"


def letters(practice: Riverside) -> list[Message]:
    """Everything queued to the practice's own people, oldest first."""
    rows = practice.rows("select * from outbox where person_id is not null order by rowid")
    with practice.ctx.store.transaction(write=False) as tx:
        return [outbox.message_of(tx, row) for row in rows]


def told(practice: Riverside) -> list[tuple[str, str]]:
    """Who was written to, and what their letter says first."""
    return [(m.address.partition("@")[0], m.body.splitlines()[0]) for m in letters(practice) if m.channel == "mail"]


def whom(practice: Riverside) -> list[str]:
    return [name for name, _ in told(practice)]


def engage(practice: Riverside, name: str, role: str, email: str, phone: str = "") -> str:
    """Somebody new with a role; their id."""
    with practice.ctx.store.transaction() as tx:
        now = datetime.fromisoformat("2026-09-01T00:00+00:00")
        person_id, _ = people.save(tx, practice.practice.id, name=name, email=email, phone=phone, now=now)
        people.give_role(tx, practice.practice.id, person_id, role)
    return person_id


def leave(practice: Riverside, name: str) -> None:
    """Somebody is no longer with the practice."""
    with practice.ctx.store.transaction() as tx:
        tx.run("update person set active = 0 where id = :id", {"id": practice.staff[name]})


def without(practice: Riverside, *roles: str) -> None:
    with practice.ctx.store.transaction() as tx:
        for role in roles:
            people.take_role(tx, practice.practice.id, role)


def link_of(practice: Riverside, letter: Message) -> AlertLink:
    found = re.search(r"http\S+/a/\S+", letter.body)
    assert found, "a letter about an alert has a link"
    link = read_alert_link(practice.ctx.config, urlsplit(found[0]).path.removeprefix("/a/"))
    assert link
    return link


def text(practice: Riverside, words: str, now: datetime, sender: str = PHONES["Ana"]) -> None:
    receiving.receive(practice.ctx, Inbound("sms", f"SM{int(now.timestamp()):032x}", sender, words), now)


@pytest.fixture
def noted(practice: Riverside) -> datetime:
    """Ana has declined, on a Monday at two in the afternoon there; Theo's mail has gone out."""
    engage(practice, "Sam", "supervisor", SAM)
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    assert whom(practice) == ["theo"]
    return now


# ------------------------------------------------------------------------------------------- notes


def test_the_note_reaches_the_therapist_and_nobody_else(practice: Riverside, noted: datetime, sandbox: Sandbox) -> None:
    climb(practice, noted + timedelta(hours=20))
    (mail,) = sandbox.mailbox.all()
    assert mail.recipients == ("theo@riverside.example",)
    assert alerts_of(practice, "Ana")[0].state == "sent"


def test_a_note_that_waits_reminds_then_tells_the_supervisor_only_that_it_waits(
    practice: Riverside, noted: datetime
) -> None:
    climb(practice, noted + DAY)
    assert told(practice)[1:] == [("theo", "A note for you has waited one day. It may take only a minute.")]
    climb(practice, noted + 2 * DAY)
    assert told(practice)[2:] == [("sam", "A note for Theo has waited two days.")]
    assert alerts_of(practice, "Ana")[0].state == "escalated"


def test_the_supervisors_letter_holds_nothing_of_the_note(practice: Riverside, noted: datetime) -> None:
    climb(practice, noted + DAY)
    climb(practice, noted + 2 * DAY)
    mail = letters(practice)[-1]
    shown = re.sub(r"http\S+", "", mail.subject + mail.body + mail.html)
    assert mail.subject == "A note has been waiting"
    assert not re.search(r"Ana|usual|check-in|heard|respected|understood|help", shown, re.I)


def test_waiting_is_told_again_after_five_working_days(practice: Riverside, noted: datetime) -> None:
    for days in range(1, 12):
        climb(practice, noted + days * DAY)
    assert whom(practice) == ["theo", "theo", "sam", "sam"]


def test_looking_many_times_at_one_moment_tells_everyone_once(practice: Riverside, noted: datetime) -> None:
    for _ in range(3):
        climb(practice, noted + DAY)
    assert whom(practice) == ["theo", "theo"]


def test_once_taken_on_nobody_is_written_to_any_more(practice: Riverside, noted: datetime) -> None:
    link = link_of(practice, letters(practice)[0])
    assert alerting.acknowledge(practice.ctx, link, "Will ask on Monday.", noted + timedelta(hours=1))
    for days in range(1, 12):
        climb(practice, noted + days * DAY)
    assert whom(practice) == ["theo"]
    (alert,) = alerts_of(practice, "Ana")
    assert (alert.state, alert.note) == ("acknowledged", "Will ask on Monday.")
    assert alert.seen_at == alert.acknowledged_at


def test_an_alert_is_taken_on_by_one_person_and_the_first_note_stays(practice: Riverside, noted: datetime) -> None:
    climb(practice, noted + DAY)
    climb(practice, noted + 2 * DAY)
    theo, sam = link_of(practice, letters(practice)[0]), link_of(practice, letters(practice)[-1])
    assert alerting.acknowledge(practice.ctx, sam, "I'll ask Theo.", noted + 2 * DAY)
    assert not alerting.acknowledge(practice.ctx, theo, "Mine.", noted + 2 * DAY)
    assert alerts_of(practice, "Ana")[0].note == "I'll ask Theo."


def test_a_reminder_still_unsent_is_withdrawn_when_somebody_takes_it_on(practice: Riverside, noted: datetime) -> None:
    """A mail server that comes back after hours must not nag about what is done."""
    climb(practice, noted + DAY)
    alerting.acknowledge(practice.ctx, link_of(practice, letters(practice)[0]), "", noted + DAY)
    assert [m.state for m in letters(practice)] == ["sent", "skipped"]


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


def test_a_note_over_the_weekend_counts_working_days_in_words_too(practice: Riverside, noted: datetime) -> None:
    with practice.ctx.store.transaction() as tx:  # as if it had come on Friday
        tx.run("update alert set opened_at = opened_at + 345600, sent_at = sent_at + 345600, step = 2, "
               "next_step_at = opened_at + 345600")  # fmt: skip
    friday = noted + 4 * DAY
    climb(practice, friday + 3 * DAY)
    assert told(practice)[-1] == ("theo", "A note for you has waited one day. It may take only a minute.")
    climb(practice, friday + 4 * DAY)
    assert told(practice)[-1] == ("sam", "A note for Theo has waited two days.")


def test_managers_learn_of_a_first_mail_that_no_server_took_in_half_an_hour(
    practice: Riverside, sandbox: Sandbox
) -> None:
    """They learn that, not what was in it; once."""
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    climb(practice, now)
    climb(practice, now + 2 * QUARTER)
    assert whom(practice) == ["theo", "dana"]
    notice = letters(practice)[-1]
    assert notice.body.startswith("A message to Theo could not be delivered.")
    assert not re.search(r"Ana|client|usual|http", notice.body)


def test_managers_are_not_bothered_about_a_mail_that_was_taken(practice: Riverside, noted: datetime) -> None:
    climb(practice, noted + 2 * QUARTER)
    assert whom(practice) == ["theo"]


def test_a_supervisor_is_not_told_of_their_own_note_as_anothers(practice: Riverside, noted: datetime) -> None:
    without(practice, "supervisor")
    with practice.ctx.store.transaction() as tx:
        people.give_role(tx, practice.practice.id, practice.staff["Theo"], "supervisor")
    climb(practice, noted + DAY)
    climb(practice, noted + 2 * DAY)
    assert told(practice)[-1] == ("dana", "A note for Theo has waited two days.")


def test_with_nobody_to_escalate_to_the_therapist_is_reminded_again(practice: Riverside, noted: datetime) -> None:
    without(practice, "supervisor", "manager", "duty")
    climb(practice, noted + DAY)
    climb(practice, noted + 2 * DAY)
    assert whom(practice) == ["theo", "theo", "theo"]


@pytest.mark.parametrize(
    ("roles_gone", "stand_in"),
    [
        ((), "sam"),
        (("supervisor",), "dana"),
        (("supervisor", "duty"), "dana"),
        (("supervisor", "duty", "manager"), "ines"),
    ],
)
def test_the_note_of_a_therapist_who_left_goes_to_whoever_stands_in(
    practice: Riverside, roles_gone: tuple[str, ...], stand_in: str
) -> None:
    """An alert never stops for want of a name."""
    engage(practice, "Sam", "supervisor", SAM)
    without(practice, *roles_gone)
    now = weekly(practice, "Ana", DECLINE)
    leave(practice, "Theo")
    assess(practice, now)
    climb(practice, now)
    assert told(practice) == [(stand_in, "A note for Theo, who is away, waits for someone to look at it.")]


def test_a_practice_with_nobody_left_is_logged_and_the_alert_stays(
    practice: Riverside, capsys: pytest.CaptureFixture[str]
) -> None:
    now = weekly(practice, "Ana", DECLINE)
    for name in practice.staff:
        leave(practice, name)
    assess(practice, now)
    climb(practice, now)
    assert "nobody to tell" in capsys.readouterr().out
    assert alerts_of(practice, "Ana")[0].next_step_at


@pytest.mark.parametrize("state", ["discharged", "died"])
def test_a_note_about_a_client_who_is_gone_goes_no_further(practice: Riverside, noted: datetime, state: str) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], state)
    climb(practice, noted + DAY)
    climb(practice, noted + 2 * DAY)
    assert whom(practice) == ["theo"]


def test_a_wish_for_a_call_reaches_the_therapist(practice: Riverside) -> None:
    now = datetime.fromisoformat("2026-09-14T16:00+00:00")
    text(practice, "CALL", now)
    climb(practice, now)
    assert told(practice) == [("theo", "A client of yours would like a call. No time was promised.")]


def test_a_wish_for_a_call_of_a_client_without_therapist_reaches_someone(practice: Riverside) -> None:
    now = datetime.fromisoformat("2026-09-14T16:00+00:00")
    with practice.ctx.store.transaction() as tx:
        alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ana"], therapist_id=None, kind="call",
            explanation="", check_in_id=None, now=now,
        )  # fmt: skip
    climb(practice, now)
    assert told(practice) == [("dana", "A client of yours would like a call. No time was promised.")]


def test_a_long_silence_is_told_with_its_count(practice: Riverside) -> None:
    now = datetime.fromisoformat("2026-09-14T16:00+00:00")
    with practice.ctx.store.transaction() as tx:
        alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ana"], therapist_id=practice.staff["Theo"],
            kind="silent", explanation='{"count": 8}', check_in_id=None, now=now,
        )  # fmt: skip
    climb(practice, now)
    assert "has left eight check-ins in a row unanswered" in told(practice)[0][1]


# ------------------------------------------------------------------------------------------- danger


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


# ------------------------------------------------------------------------------------------- when something breaks


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


def test_danger_is_looked_at_before_any_note(practice: Riverside, noted: datetime) -> None:
    text(practice, "I want to kill myself", noted + 2 * DAY)
    with practice.ctx.store.transaction(write=False) as tx:
        due = alerts.due(tx, noted + 2 * DAY, 50)
    assert [alert.kind for alert in due] == ["danger", "rapport"]


def test_two_workers_take_a_step_once(practice: Riverside, noted: datetime) -> None:
    """Whoever moves the row first writes the letter."""
    (alert,) = alerts_of(practice, "Ana")
    with practice.ctx.store.transaction() as tx:
        assert alerts.climb(tx, alert, alert.step + 1, noted + DAY)
        assert not alerts.climb(tx, alert, alert.step + 1, noted + DAY)


# ------------------------------------------------------------------------------------------- a fresh link


def again(practice: Riverside, alert: Alert, name: str, now: datetime) -> bool:
    link = AlertLink(practice.practice.id, alert.id, practice.staff.get(name, name), 0)
    return alerting.send_again(practice.ctx, link, now)


def test_a_fresh_link_is_mailed_once_a_quarter_of_an_hour(practice: Riverside, noted: datetime) -> None:
    (alert,) = alerts_of(practice, "Ana")
    for minutes in (0, 1, 14, 15, 16):
        assert again(practice, alert, "Theo", noted + 4 * DAY + timedelta(minutes=minutes))
    assert whom(practice) == ["theo", "theo", "theo"]
    assert told(practice)[1] == told(practice)[0], "it is the same note once more, not a reminder"


def test_a_fresh_link_says_to_others_only_that_a_note_waits(practice: Riverside, noted: datetime) -> None:
    (alert,) = alerts_of(practice, "Ana")
    again(practice, alert, "Dana", noted + 4 * DAY)
    assert told(practice)[-1] == ("dana", "A note for Theo has waited four days.")


def test_whoever_left_gets_no_fresh_link_and_takes_nothing_on(practice: Riverside, noted: datetime) -> None:
    (alert,) = alerts_of(practice, "Ana")
    link = link_of(practice, letters(practice)[0])
    leave(practice, "Theo")
    assert not again(practice, alert, "Theo", noted + DAY)
    assert not alerting.acknowledge(practice.ctx, link, "", noted + DAY)
    assert alerts_of(practice, "Ana")[0].acknowledged_at is None


def test_a_link_to_an_alert_that_is_gone_does_nothing(practice: Riverside, noted: datetime) -> None:
    (alert,) = alerts_of(practice, "Ana")
    assert not again(practice, replace(alert, id="0" * 32), "Theo", noted)
    assert not again(practice, alert, "0" * 32, noted)


def test_another_practices_person_cannot_use_a_link_here(practice: Riverside, noted: datetime) -> None:
    (alert,) = alerts_of(practice, "Ana")
    with practice.ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", noted)
    link = AlertLink(other.id, alert.id, practice.staff["Theo"], 0)
    assert not alerting.send_again(practice.ctx, link, noted)
    assert not alerting.acknowledge(practice.ctx, link, "", noted)
