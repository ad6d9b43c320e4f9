"""From stored answers to an alert and its end: once for each client and therapist, with the same result each time."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.flows import signal
from bot.flows.signal import kept_of, observations
from bot.store import alerts, appointments, check_ins, clients, people
from surveys.rapport import Observation, Range
from tests.support.cast import Riverside
from tests.support.letters import letters, text, told
from tests.support.weeks import CORE, DECLINE, FIRST_VISIT, MENDED, WELL, alerts_of, assess, climb, one, send, weekly

WEEK = timedelta(weeks=1)


def history(practice: Riverside, name: str, therapist: str = "Theo") -> list[Observation]:
    """What the signal would read of a client now."""
    client_id, practice_id = practice.clients[name], practice.practice.id
    with practice.ctx.store.transaction(write=False) as tx:
        visits = appointments.of_clients(tx, practice_id, [client_id])[client_id]
        asked = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
        answers = check_ins.answers_of(tx, practice_id, client_id, practice.staff[therapist])
    return observations(visits, asked, answers, practice.staff[therapist])


def marks(practice: Riverside) -> int:
    return len(practice.rows("select * from to_assess"))


def test_a_client_who_stays_well_raises_nothing(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", WELL))
    assert alerts_of(practice, "Ana") == []
    assert marks(practice) == 0


def test_a_decline_raises_one_alert_with_its_therapist(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", DECLINE))
    (alert,) = alerts_of(practice, "Ana")
    assert alert.therapist_id == practice.staff["Theo"]
    explanation = signal.explanation_of(alert)
    assert explanation
    assert explanation.check_ins == 2


def test_looking_again_changes_nothing(practice: Riverside) -> None:
    """Any number of times with the same result."""
    now = weekly(practice, "Ana", DECLINE)
    for _ in range(3):
        with practice.ctx.store.transaction() as tx:
            check_ins.mark_to_assess(tx, practice.practice.id, practice.clients["Ana"], practice.staff["Theo"])
        assess(practice, now)
    assert len(alerts_of(practice, "Ana")) == 1


def test_a_deeper_decline_deepens_the_alert_that_is_open(practice: Riverside) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    one(practice, "Ana", FIRST_VISIT + 8 * WEEK, (1, 3, 1))
    assess(practice, now + WEEK)
    (alert,) = alerts_of(practice, "Ana")
    explanation = signal.explanation_of(alert)
    assert explanation
    assert explanation.check_ins == 3


def test_an_alert_that_was_taken_on_does_not_change_under_the_reader(practice: Riverside) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    (alert,) = alerts_of(practice, "Ana")
    with practice.ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, practice.staff["Theo"], "", now)
    one(practice, "Ana", FIRST_VISIT + 8 * WEEK, (1, 3, 1))
    assess(practice, now + WEEK)
    (later,) = alerts_of(practice, "Ana")
    assert (later.explanation, later.next_step_at) == (alert.explanation, None)


def test_rapport_that_mends_ends_the_alert_and_a_new_decline_opens_another(practice: Riverside) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    now = weekly(practice, "Ana", (*MENDED, *MENDED), start=FIRST_VISIT + 8 * WEEK)
    assess(practice, now)
    (alert,) = alerts_of(practice, "Ana")
    assert (alert.state, alert.next_step_at) == ("resolved", None)
    now = weekly(practice, "Ana", ((2, 3, 2), (1, 2, 1), (1, 2, 1)), start=FIRST_VISIT + 16 * WEEK)
    assess(practice, now)
    assert [each.state for each in alerts_of(practice, "Ana")] == ["resolved", "opened"]


def test_each_therapist_starts_fresh(practice: Riverside) -> None:
    """A decline with Theo is no decline with Ines, and the other way round."""
    weekly(practice, "Ana", WELL)
    now = weekly(practice, "Ana", ((3, 3, 3), (3, 3, 3)), start=FIRST_VISIT + 6 * WEEK, therapist="Ines")
    assess(practice, now)
    assert alerts_of(practice, "Ana") == []
    assert [seen.number for seen in history(practice, "Ana", "Ines")] == [0, 1]


def test_clients_are_looked_at_one_by_one(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    now = weekly(practice, "Ben", WELL)
    assess(practice, now)
    assert len(alerts_of(practice, "Ana")) == 1
    assert alerts_of(practice, "Ben") == []


def test_an_unanswered_check_in_is_seen_as_one(practice: Riverside) -> None:
    weekly(practice, "Ana", ((5, 5, 5), None, (5, 4)))
    assert [(seen.answered, len(seen.answers)) for seen in history(practice, "Ana")] == [
        (True, 3),
        (False, 0),
        (True, 2),
    ]


def test_visits_that_never_took_place_are_not_counted(practice: Riverside) -> None:
    """The signal's clock is the appointment; a cancelled one is none."""
    one(practice, "Ana", FIRST_VISIT, (5, 5, 5))
    for status in ("cancelled", "no_show"):
        practice.visit("Ana", FIRST_VISIT + WEEK, status=status)
    one(practice, "Ana", FIRST_VISIT + 2 * WEEK, (5, 5, 5))
    assert [seen.number for seen in history(practice, "Ana")] == [0, 1]


def test_answers_about_a_visit_that_later_went_to_a_colleague_stay_with_whom_they_were_about(
    practice: Riverside,
) -> None:
    """A corrected calendar must not turn an answer into a silence."""
    one(practice, "Ana", FIRST_VISIT, (5, 4, 5))
    with practice.ctx.store.transaction() as tx:
        tx.run("update appointment set therapist_id = :ines", {"ines": practice.staff["Ines"]})
    assert [seen.answers for seen in history(practice, "Ana")] == [dict(zip(CORE, (5, 4, 5), strict=True))]
    assert history(practice, "Ana", "Ines") == []


def test_answers_count_also_when_the_check_in_was_withdrawn_after_them(practice: Riverside) -> None:
    """STOP after half the answers closes the check-in, not the ears."""
    check_in_id = one(practice, "Ana", FIRST_VISIT, (2,))
    with practice.ctx.store.transaction() as tx:
        check_ins.set_state(tx, practice.practice.id, check_in_id, "cancelled", FIRST_VISIT)
    assert [seen.answers for seen in history(practice, "Ana")] == [{"heard": 2}]


@pytest.mark.parametrize("state", ["discharged", "died"])
def test_nobody_is_told_to_ask_a_client_who_is_gone(practice: Riverside, state: str) -> None:
    now = weekly(practice, "Ana", DECLINE)
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], state)
    assess(practice, now)
    assert alerts_of(practice, "Ana") == []


def test_a_fault_with_one_client_holds_up_no_other(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    now = weekly(practice, "Ben", DECLINE)
    with practice.ctx.store.transaction() as tx:  # a score of a feeling that no model knows
        tx.run("update answer set feeling = 'gossip' where feeling = 'heard' and check_in_id in "
               "(select id from check_in where client_id = :a)", {"a": practice.clients["Ana"]})  # fmt: skip
    assess(practice, now)
    assert len(alerts_of(practice, "Ben")) == 1
    assert marks(practice) == 1, "the other stays marked, to be looked at again"


def test_a_belief_that_is_older_than_the_newest_answer_is_not_acted_on(
    practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second worker that read before the client corrected themselves must not raise an alert after it."""
    now = weekly(practice, "Ana", DECLINE)
    real = kept_of

    def slow(tx, *who):  # type: ignore[no-untyped-def]
        found = real(tx, *who)
        if not corrected:
            corrected.append(True)
            _correct(practice)
        return found

    corrected: list[bool] = []
    monkeypatch.setattr(signal, "kept_of", slow)
    assess(practice, now)
    assert alerts_of(practice, "Ana") == []
    assert marks(practice) == 1
    assess(practice, now)
    assert alerts_of(practice, "Ana") == []
    assert marks(practice) == 0


def _correct(practice: Riverside) -> None:
    """All the low ones were typing errors; another process takes the new set in (a thread has its own connection)."""

    def write() -> None:
        with practice.ctx.store.transaction() as tx:
            tx.run("update answer set score = 5")
            check_ins.mark_to_assess(tx, practice.practice.id, practice.clients["Ana"], practice.staff["Theo"])
        practice.ctx.store.close()

    other = threading.Thread(target=write)
    other.start()
    other.join()


def test_a_silent_client_who_answers_again_is_no_longer_reported_silent(practice: Riverside) -> None:
    now = weekly(practice, "Ana", (None, None))
    with practice.ctx.store.transaction() as tx:
        alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ana"], therapist_id=practice.staff["Theo"],
            kind="silent", explanation='{"count": 8}', check_in_id=None, now=now,
        )  # fmt: skip
    assess(practice, now)
    assert alerts_of(practice, "Ana", "silent")[0].state == "opened"
    one(practice, "Ana", FIRST_VISIT + 3 * WEEK, (5, 5, 5))
    assess(practice, now + WEEK)
    assert alerts_of(practice, "Ana", "silent")[0].state == "resolved"


# ------------------------------------------------------------------------------------------- how sensitive


def test_a_therapists_own_choice_of_false_alarms_decides_over_the_practices(practice: Riverside) -> None:
    """A fall that is told at one false alarm in 20 check-ins is none at one in 200."""
    slight = (*WELL, (4, 4, 4))
    with practice.ctx.store.transaction() as tx:
        theo = people.get(tx, practice.practice.id, practice.staff["Theo"])
        people.save_settings(tx, replace(theo, one_false_alarm_in=200))
    assess(practice, weekly(practice, "Ana", slight))
    assert alerts_of(practice, "Ana") == []
    with practice.ctx.store.transaction() as tx:
        people.save_settings(tx, replace(theo, one_false_alarm_in=20))
        check_ins.mark_to_assess(tx, practice.practice.id, practice.clients["Ana"], practice.staff["Theo"])
    assess(practice, FIRST_VISIT + 8 * WEEK)
    assert len(alerts_of(practice, "Ana")) == 1


# ------------------------------------------------------------------------------------------- the first check-ins


def test_a_start_lower_than_almost_anyones_here_is_told(practice: Riverside) -> None:
    """An early misfit: there is no usual yet to fall from, so it is held against the practice's other clients."""
    assess(practice, weekly(practice, "Ana", ((1, 2, 1),)))
    (alert,) = alerts_of(practice, "Ana")
    why = signal.explanation_of(alert)
    assert why
    assert (why.start, why.check_ins, why.feelings[0]) == (True, 1, "heard")


def test_a_low_start_that_was_one_bad_day_ends_by_itself(practice: Riverside) -> None:
    now = weekly(practice, "Ana", ((1, 2, 1),))
    assess(practice, now)
    one(practice, "Ana", FIRST_VISIT + WEEK, (4, 5, 5))
    assess(practice, now + WEEK)
    assert [each.state for each in alerts_of(practice, "Ana")] == ["resolved"]


def test_somebody_who_simply_rates_low_is_told_once_and_then_known(practice: Riverside) -> None:
    for week, scores in enumerate(((1, 2, 1), (2, 1, 2), (2, 2, 1), (1, 2, 2), (2, 2, 2))):
        one(practice, "Ana", FIRST_VISIT + week * WEEK, scores)
        assess(practice, FIRST_VISIT + week * WEEK + timedelta(hours=4))
    (alert,) = alerts_of(practice, "Ana")
    assert alert.state == "resolved"
    assert signal.recovery_of(alert) is None, "it is no recovery: by now this is their usual"


def test_an_ordinary_start_is_not_told(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", ((3, 4, 3), (4, 3, 4))))
    assert alerts_of(practice, "Ana") == []


# ------------------------------------------------------------------------------------------- one very low answer

ODD = (*WELL, (5, 1, 5))


def low_notes(practice: Riverside) -> list[str]:
    return [each.state for each in alerts_of(practice, "Ana", "low")]


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal proper stays silent, so that a single answer stands alone."""
    monkeypatch.setattr("surveys.rapport.Model.threshold", lambda model, rate: 99.0)


def test_a_single_very_low_answer_is_told_at_once_as_a_softer_note(practice: Riverside, deaf: None) -> None:
    now = weekly(practice, "Ana", ODD)
    assess(practice, now)
    (alert,) = alerts_of(practice, "Ana", "low")
    why = signal.explanation_of(alert)
    assert why
    assert why.feelings == ("respected",)
    assert climb(practice, now) == 1
    assert climb(practice, now + timedelta(days=5)) == 1, "whether the mail was taken, and then no more"
    assert climb(practice, now + timedelta(days=50)) == 0
    assert [body for who, body in told(practice) if who == "theo"] == [
        "Respected was answered very low in the latest check-in, which is unusual for this client. "
        "A single answer says little; a gentle question may be worth it."
    ]


def test_a_low_answer_is_told_once_however_often_it_is_looked_at(practice: Riverside, deaf: None) -> None:
    now = weekly(practice, "Ana", ODD)
    for _ in range(3):
        mark(practice)
        assess(practice, now)
    assert low_notes(practice) == ["opened"]


def mark(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        check_ins.mark_to_assess(tx, practice.practice.id, practice.clients["Ana"], practice.staff["Theo"])


def test_it_ends_by_itself_with_the_next_answer(practice: Riverside, deaf: None) -> None:
    now = weekly(practice, "Ana", ODD)
    assess(practice, now)
    one(practice, "Ana", FIRST_VISIT + 7 * WEEK, (5, 4, 5))
    assess(practice, now + WEEK)
    assert low_notes(practice) == ["resolved"]


def test_it_ends_when_the_client_takes_the_answer_back(practice: Riverside, deaf: None) -> None:
    now = weekly(practice, "Ana", ODD)
    assess(practice, now)
    with practice.ctx.store.transaction() as tx:
        tx.run("update answer set score = 5")
    mark(practice)
    assess(practice, now)
    assert low_notes(practice) == ["resolved"]


def test_beside_a_decline_there_is_no_second_note(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", (*WELL, (1, 2, 1))))
    assert len(alerts_of(practice, "Ana")) == 1
    assert low_notes(practice) == []


def test_a_decline_that_is_found_later_takes_its_place(practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    now = weekly(practice, "Ana", ODD)
    with monkeypatch.context() as deaf_for_now:
        deaf_for_now.setattr("surveys.rapport.Model.threshold", lambda model, rate: 99.0)
        assess(practice, now)
    assert low_notes(practice) == ["opened"]
    one(practice, "Ana", FIRST_VISIT + 7 * WEEK, (1, 1, 1))
    assess(practice, now + WEEK)
    assert low_notes(practice) == ["resolved"]
    assert len(alerts_of(practice, "Ana")) == 1


def test_a_client_who_was_asked_whether_they_meant_it_has_a_day_to_say_so(practice: Riverside, deaf: None) -> None:
    """All ones may be a scale read upside down; only after that day it is told."""
    now = weekly(practice, "Ana", (*WELL, (1, 1, 1)))
    with practice.ctx.store.transaction() as tx:
        check_ins.set_prompted(tx, practice.practice.id, practice.check_ins("Ana")[-1].id, ("confirm",))
    assess(practice, now)
    assert low_notes(practice) == []
    assert signal.look_again(practice.ctx, now + timedelta(hours=23)) == 0
    assert signal.look_again(practice.ctx, now + timedelta(hours=24)) == 1
    assess(practice, now + timedelta(hours=24))
    assert low_notes(practice) == ["opened"]


def test_after_days_of_downtime_what_was_held_back_is_looked_at_again(practice: Riverside, deaf: None) -> None:
    """As long as it is news at all."""
    now = weekly(practice, "Ana", (*WELL, (1, 1, 1)))
    with practice.ctx.store.transaction() as tx:
        check_ins.set_prompted(tx, practice.practice.id, practice.check_ins("Ana")[-1].id, ("confirm",))
    assess(practice, now)
    later = now + timedelta(days=5)
    assert signal.look_again(practice.ctx, later) == 1
    assess(practice, later)
    assert low_notes(practice) == ["opened"]
    assert signal.look_again(practice.ctx, now + timedelta(days=9)) == 0


def test_an_old_answer_is_no_news(practice: Riverside, deaf: None) -> None:
    """Whatever makes the worker look again, months later."""
    assess(practice, weekly(practice, "Ana", ODD) + 2 * WEEK)
    assert low_notes(practice) == []


# ------------------------------------------------------------------------------------------- recovery and relapse


def test_the_evidence_of_recovery_is_kept_with_the_alert(practice: Riverside) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    for week in range(4):
        one(practice, "Ana", FIRST_VISIT + (8 + week) * WEEK, (5, 5, 5))
        assess(practice, now + (1 + week) * WEEK)
    (alert,) = alerts_of(practice, "Ana")
    found = signal.recovery_of(alert)
    assert alert.state == "resolved"
    assert found
    assert [(each.feeling, each.now, each.before) for each in found.falls] == [
        ("heard", Range(5, 5), Range(5, 5)),
        ("understood", Range(5, 5), Range(4, 5)),
    ]
    assert found.check_ins >= 1
    assert signal.explanation_of(alert), "what it was is kept too"


def test_a_relapse_straight_after_a_note_somebody_took_on_is_not_told_again_at_once(practice: Riverside) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    (alert,) = alerts_of(practice, "Ana")
    with practice.ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, practice.staff["Theo"], "", now)
        alerts.resolve(tx, alert, now)
    told_at = []
    for week in range(3):
        one(practice, "Ana", FIRST_VISIT + (8 + week) * WEEK, (1, 2, 1))
        assess(practice, now + (1 + week) * WEEK)
        told_at.append(len(alerts_of(practice, "Ana")))
    assert told_at == [1, 2, 2]


# ------------------------------------------------------------------------------------------- danger


def test_danger_never_waits_for_the_signal(practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of it fails, and the therapist is told at once all the same."""

    def broken(*_: object) -> None:
        raise RuntimeError

    for name in ("folded", "begin", "update", "choose"):
        monkeypatch.setattr(f"surveys.rapport.{name}", broken)
    now = weekly(practice, "Ana", WELL)
    text(practice, "1 1 1 I want to kill myself", now)
    send(practice, now)
    assert [each.kind for each in letters(practice) if each.person_id] == ["alert_danger"]
    assert marks(practice) == 1
