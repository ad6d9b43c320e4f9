"""A therapist's week and a manager's month, by mail: at their hour, once, with counts and no more than was chosen."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import digests
from bot.sandbox import Sandbox
from bot.store import alerts, groups, people, practices
from bot.store.outbox import Message
from surveys.groups import Hidden, Shown
from tests.support.cast import PHONES, Riverside
from tests.support.letters import choose, leave, letters, prefer, text, without
from tests.support.weeks import DECLINE, MENDED, WELL, alerts_of, assess, climb, send, weekly

DAY, WEEK = timedelta(days=1), timedelta(days=7)
TUESDAY = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)  # noon in New York, the day after the last of eight weeks
MONDAY_AT_8 = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)


def look(practice: Riverside, now: datetime) -> int:
    return digests.send_due(practice.ctx, now)


def weeks(practice: Riverside) -> list[Message]:
    """The letters about a week that were queued."""
    return [m for m in letters(practice) if m.kind == "week"]


def body(practice: Riverside) -> str:
    (letter,) = weeks(practice)
    return letter.body


def decline(practice: Riverside) -> None:
    """Eight weeks with Ana, in which rapport fell at the end; the calendar is looked at for the first time."""
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    climb(practice, now)
    look(practice, TUESDAY)


@pytest.fixture
def declined(practice: Riverside) -> Riverside:
    decline(practice)
    return practice


# ------------------------------------------------------------------------------------------- when


def test_the_week_comes_on_monday_at_eight_by_the_practices_clock_once(declined: Riverside) -> None:
    assert [look(declined, MONDAY_AT_8 - timedelta(seconds=1)), len(weeks(declined))] == [0, 0]
    assert look(declined, MONDAY_AT_8) == 1
    for minutes in (0, 10, 20, 600):
        assert look(declined, MONDAY_AT_8 + timedelta(minutes=minutes)) == 0
    (letter,) = weeks(declined)
    assert letter.address == "theo@riverside.example"


def test_it_comes_again_the_next_week(declined: Riverside) -> None:
    assert [look(declined, MONDAY_AT_8 + n * WEEK) for n in range(3)] == [1, 1, 1]


def test_a_therapist_chooses_day_and_hour_or_none(declined: Riverside) -> None:
    choose(declined, "Theo", digest="fri 17:30")
    friday = datetime(2026, 11, 6, 22, 30, tzinfo=UTC)
    assert [look(declined, friday - timedelta(seconds=1)), look(declined, friday)] == [0, 1]
    assert look(declined, MONDAY_AT_8) == 0
    choose(declined, "Theo", digest="none")
    assert look(declined, friday + 2 * WEEK) == 0


def test_another_hour_in_the_same_week_brings_no_second_letter(declined: Riverside) -> None:
    look(declined, MONDAY_AT_8)
    choose(declined, "Theo", digest="wed 09:00")
    assert look(declined, MONDAY_AT_8 + 3 * DAY) == 0
    assert look(declined, MONDAY_AT_8 + 10 * DAY) == 1


def test_after_three_weeks_of_downtime_there_is_one_letter(declined: Riverside) -> None:
    assert look(declined, MONDAY_AT_8 + 3 * WEEK + DAY) == 1
    assert len(weeks(declined)) == 1


def test_a_therapist_who_begins_on_a_tuesday_waits_for_monday(practice: Riverside) -> None:
    """The letter is for a week that they have had."""
    look(practice, TUESDAY)
    weekly(practice, "Ana", WELL[:1], start=TUESDAY - DAY)
    assert look(practice, TUESDAY + DAY) == 0
    assert look(practice, MONDAY_AT_8) == 1


def test_two_workers_and_a_kill_in_between_make_no_second_letter(declined: Riverside) -> None:
    """The letter's name says which week it is about."""
    look(declined, MONDAY_AT_8)
    with declined.ctx.store.transaction() as tx:  # as if the look had not been noted
        tx.run("update installation set value = :at where name like 'letters by the calendar%'",
               {"at": str(int(TUESDAY.timestamp()))})  # fmt: skip
    assert look(declined, MONDAY_AT_8 + timedelta(minutes=10)) == 0
    assert len(weeks(declined)) == 1


def test_a_clock_that_was_set_back_brings_nothing_twice(declined: Riverside) -> None:
    look(declined, MONDAY_AT_8)
    look(declined, MONDAY_AT_8 - 2 * DAY)
    assert look(declined, MONDAY_AT_8) == 0


def test_whoever_is_away_or_has_left_gets_none(declined: Riverside) -> None:
    choose(declined, "Theo", away_from=MONDAY_AT_8 - DAY, away_until=MONDAY_AT_8 + DAY)
    assert look(declined, MONDAY_AT_8) == 0
    leave(declined, "Theo")
    assert look(declined, MONDAY_AT_8 + WEEK) == 0


def test_a_time_that_cannot_be_read_counts_as_the_usual_one(declined: Riverside) -> None:
    choose(declined, "Theo", digest="someday")
    assert look(declined, MONDAY_AT_8) == 1


def test_a_therapist_whose_clients_were_never_asked_gets_none(practice: Riverside) -> None:
    look(practice, TUESDAY)
    assert look(practice, MONDAY_AT_8) == 0


def test_a_fault_with_one_practice_holds_up_no_other(declined: Riverside, capsys: pytest.CaptureFixture[str]) -> None:
    with declined.ctx.store.transaction() as tx:
        other = practices.add(tx, "A broken one", TUESDAY)
        tx.run("update practice set timezone = 'America/Atlantis' where id = :id", {"id": other.id})
        person_id, _ = people.save(tx, other.id, name="Kim", email="kim@broken.example", now=TUESDAY)
        people.give_role(tx, other.id, person_id, "therapist")
    assert look(declined, MONDAY_AT_8) == 1
    assert "fault" in "".join(capsys.readouterr())


def test_a_letter_that_a_fault_kept_back_goes_out_once_that_is_mended(declined: Riverside) -> None:
    def set_zone(zone: str) -> None:
        with declined.ctx.store.transaction() as tx:
            tx.run("update practice set timezone = :zone", {"zone": zone})

    set_zone("America/Atlantis")
    assert look(declined, MONDAY_AT_8) == 0
    set_zone("America/New_York")
    assert [look(declined, MONDAY_AT_8 + timedelta(minutes=after)) for after in (10, 20)] == [1, 0]


# ------------------------------------------------------------------------------------------- what


def test_a_week_holds_counts_and_a_link_and_nobodys_name(declined: Riverside) -> None:
    """By default nothing that tells one client from another."""
    look(declined, MONDAY_AT_8)
    (letter,) = weeks(declined)
    assert letter.subject == "Your week"
    assert letter.body.startswith("One of the three clients in your care is worth a look.")
    assert "One note waits for you." in letter.body
    assert "http://attune.example/caseload" in letter.body.splitlines()
    for canary in ("Ana", "C-Ana", PHONES["Ana"], "usual for two", "3, 2"):
        assert canary not in letter.body + letter.html


@pytest.mark.parametrize(("chosen", "line"), [("initials", "A.: a note waits"), ("code", "C-Ana: a note waits")])
def test_a_practice_may_have_clients_named_briefly(declined: Riverside, chosen: str, line: str) -> None:
    prefer(declined, alert_client=chosen)
    look(declined, MONDAY_AT_8)
    assert line in body(declined)


def test_who_is_back_at_their_usual_stands_there_for_a_week(practice: Riverside) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    (alert,) = alerts_of(practice, "Ana")
    with practice.ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, practice.staff["Theo"], "", now)
    look(practice, now)
    look(practice, MONDAY_AT_8)
    assert "One client whose note you took on isn't back at their usual yet." in body(practice)
    later = weekly(practice, "Ana", MENDED, start=MONDAY_AT_8 + timedelta(hours=2))
    assess(practice, later)
    (alert,) = alerts_of(practice, "Ana")
    assert alert.resolved_at
    look(practice, later + WEEK - timedelta(minutes=1))
    assert "Back at their usual:\n- One client, in the last seven days." in weeks(practice)[-1].body
    look(practice, later + 2 * WEEK)
    assert "Back at their usual" not in weeks(practice)[-1].body


def test_a_silence_that_ended_is_no_recovery(practice: Riverside) -> None:
    now = weekly(practice, "Ana", WELL)
    with practice.ctx.store.transaction() as tx:
        alert_id = alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ana"], therapist_id=practice.staff["Theo"],
            kind="silent", explanation='{"count": 8}', check_in_id=None, now=now,
        )  # fmt: skip
        alerts.resolve(tx, alerts.get(tx, practice.practice.id, alert_id), now)
    look(practice, now)
    look(practice, now + WEEK - timedelta(minutes=1))
    look(practice, now + WEEK)
    assert "Back at their usual" not in body(practice)


def test_who_answered_regularly_and_fell_silent_is_told_of_softly(practice: Riverside) -> None:
    now = weekly(practice, "Ana", (*WELL, None, None, None))
    assess(practice, now)
    look(practice, now)
    look(practice, now + WEEK)
    assert "Gone quiet:\n- One client who used to answer hasn't, lately. A soft sign only" in body(practice)


def test_who_never_answered_has_not_gone_quiet(practice: Riverside) -> None:
    now = weekly(practice, "Ana", (None, None, None))
    assess(practice, now)
    look(practice, now)
    look(practice, now + WEEK)
    assert "Gone quiet" not in body(practice)


def test_a_calm_week_is_short(practice: Riverside) -> None:
    now = weekly(practice, "Ana", WELL)
    assess(practice, now)
    look(practice, now)
    look(practice, now + WEEK)
    assert body(practice).startswith("Nothing waits for you.")
    assert "What you could do" not in body(practice)


def test_danger_and_a_wish_for_a_call_come_first(practice: Riverside) -> None:
    decline(practice)
    text(practice, "CALL", TUESDAY, sender=PHONES["Ben"])
    text(practice, "I want to kill myself", TUESDAY + DAY, sender=PHONES["Chidi"])
    look(practice, MONDAY_AT_8)
    shown = body(practice)
    order = [shown.index(line) for line in ("One urgent note", "One client would like a call", "One note waits")]
    assert order == sorted(order)


def test_a_therapist_sees_their_own_clients_only(declined: Riverside) -> None:
    """Ines has none, and gets no letter."""
    look(declined, MONDAY_AT_8)
    assert [letter.person_id for letter in weeks(declined)] == [declined.staff["Theo"]]


def test_the_week_is_sent_like_any_mail(declined: Riverside, sandbox: Sandbox) -> None:
    look(declined, MONDAY_AT_8)
    send(declined, MONDAY_AT_8)
    (mail,) = (mail for mail in sandbox.mailbox.all() if mail.subject == "Your week")
    assert mail.message["From"] == "Attune for Riverside <notes@riverside.example>"
    assert mail.recipients == ("theo@riverside.example",)


# ------------------------------------------------------------------------------------------- the month

SECOND_OF_NOVEMBER = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)  # nine in New York, a Monday


def months(practice: Riverside) -> list[Message]:
    return [m for m in letters(practice) if m.kind == "month"]


def figures(letter: Message) -> dict[str, str]:
    return dict(re.findall(r"^- (.+): (.+)$", letter.body, re.M))


@pytest.fixture
def october(practice: Riverside) -> Riverside:
    """Four weeks in October: Ana answers every time, Ben every second time."""
    start = datetime(2026, 10, 5, 15, 0, tzinfo=UTC)
    weekly(practice, "Ana", WELL[:4], start=start)
    weekly(practice, "Ben", (WELL[0], None, WELL[1], None), start=start)
    look(practice, SECOND_OF_NOVEMBER - DAY)
    return practice


def test_the_month_comes_to_managers_on_the_first_working_day_once(october: Riverside) -> None:
    look(october, SECOND_OF_NOVEMBER - timedelta(seconds=1))
    assert months(october) == []
    for minutes in (0, 10, 600):
        look(october, SECOND_OF_NOVEMBER + timedelta(minutes=minutes))
    (letter,) = months(october)
    assert letter.address == "dana@riverside.example"


def test_a_month_tells_what_went_out_and_came_back(october: Riverside) -> None:
    look(october, SECOND_OF_NOVEMBER)
    (letter,) = months(october)
    found = figures(letter)
    assert letter.body.startswith("In October 2026, 75% of check-ins were answered.")
    assert (found["Check-ins that went out"], found["Answered, wholly or in part"]) == ("8", "6")
    assert (found["Run out unanswered"], found["Response rate"]) == ("2", "75%")
    assert found["On the roster and agreed"] == "3"


def test_a_month_holds_no_name_no_answer_and_no_therapist(october: Riverside) -> None:
    prefer(october, alert_client="code")
    look(october, SECOND_OF_NOVEMBER)
    (letter,) = months(october)
    for canary in ("Ana", "Ben", "Theo", "C-", "heard", "understood"):
        assert canary.lower() not in letter.body.lower().replace("check-in", "").replace("understand", "")


def test_money_is_told_where_the_practice_named_a_price(october: Riverside) -> None:
    with october.ctx.store.transaction() as tx:
        tx.run("update outbox set state = 'sent', segments = 150, created_at = :at where channel = 'sms'",
               {"at": int((SECOND_OF_NOVEMBER - 5 * DAY).timestamp())})  # fmt: skip
    text(october, "CALL", SECOND_OF_NOVEMBER - 5 * DAY)
    with october.ctx.store.transaction() as tx:
        tx.run("update outbox set state = 'sent', segments = 150 where channel = 'sms'")
    prefer(october, segment_price="0.0083", segment_currency="USD")
    look(october, SECOND_OF_NOVEMBER)
    (letter,) = months(october)
    assert figures(letter)["Segments of texts"] == "150"
    assert "At 0.0083 USD a segment: 1.25\u00a0USD" in letter.body  # 1.245, rounded as money is


def test_opt_outs_are_counted_by_client(october: Riverside) -> None:
    """Those of the month; who may be asked is counted as of now."""
    text(october, "STOP", SECOND_OF_NOVEMBER - 5 * DAY)
    text(october, "STOP", SECOND_OF_NOVEMBER - timedelta(hours=1), sender=PHONES["Ben"])
    look(october, SECOND_OF_NOVEMBER)
    found = figures(months(october)[0])
    assert (found["Opted out"], found["On the roster and agreed"]) == ("1", "1")


def test_after_three_months_of_downtime_there_is_one_letter_about_the_last(october: Riverside) -> None:
    look(october, SECOND_OF_NOVEMBER + timedelta(days=92))
    (letter,) = months(october)
    assert "In January 2027, no check-in went out." in letter.body


def test_without_a_manager_there_is_no_month(october: Riverside) -> None:
    """Cost and response are a manager's business; nobody stands in."""
    without(october, "manager")
    look(october, SECOND_OF_NOVEMBER)
    assert months(october) == []


@pytest.mark.parametrize(
    ("cell", "line"), [(Shown(12, 30, 130), "- Heard: 4.3 of 5"), (Hidden("fewer than five clients answered"), None)]
)
def test_averages_stand_in_a_month_only_where_the_page_of_groups_shows_them(
    october: Riverside, cell: Shown | Hidden, line: str | None
) -> None:
    """And for a month that has closed, counted once: a letter must not give away what the page doesn't."""
    with october.ctx.store.transaction() as tx:
        groups.begin(tx, october.practice.id, "2026-09", "nobody answered")
        groups.keep(tx, october.practice.id, "2026-09", "heard", {"all": cell, "language=en": Shown(9, 20, 99)})
    look(october, SECOND_OF_NOVEMBER)
    (letter,) = months(october)
    assert ("How clients rated, all together, in September 2026:" in letter.body) == (line is not None)
    assert line is None or line in letter.body.splitlines()
    assert "4.95" not in letter.body
