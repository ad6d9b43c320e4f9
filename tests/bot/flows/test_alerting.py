"""A note reaches a person, or climbs until it has: therapist, reminder, supervisor, by working days."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.flows import alerting, notes
from bot.flows.links import AlertLink
from bot.sandbox import Sandbox
from bot.store import alerts, clients, people, practices
from bot.store.alerts import Alert
from tests.support.cast import Riverside
from tests.support.letters import engage, leave, letters, link_of, text, told, whom, without
from tests.support.therapist import me_of
from tests.support.weeks import DECLINE, alerts_of, assess, climb, send, weekly

DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
SAM = "sam@riverside.example"


@pytest.fixture
def noted(practice: Riverside) -> datetime:
    """Ana has declined, on a Monday at two in the afternoon there; Theo's mail has gone out."""
    engage(practice, "Sam", "supervisor", SAM)
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    assert whom(practice) == ["theo"]
    return now


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
    assert not re.search(r"Ana|client|usual", notice.body)


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
    assert "nobody to tell" in "".join(capsys.readouterr())
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


def test_a_wish_for_a_call_of_a_client_who_was_discharged_is_heard(practice: Riverside) -> None:
    """The answer said that it was passed on."""
    now = datetime.fromisoformat("2026-09-14T16:00+00:00")
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], "discharged")
    text(practice, "CALL", now)
    climb(practice, now)
    assert told(practice) == [("theo", "A client of yours would like a call. No time was promised.")]
    (alert,) = alerts_of(practice, "Ana", "call")
    assert notes.page(practice.ctx, me_of(practice), alert.id, now).client.name == "Ana"
    assert [each.alert.id for each in notes.entries(practice.ctx, me_of(practice))] == [alert.id]


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
