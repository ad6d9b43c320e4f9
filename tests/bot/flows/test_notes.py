"""Notes behind sign-in: whose they are, taking them on, what was done, and whether rapport recovers."""

from datetime import timedelta

import pytest

from bot.flows import notes
from bot.flows.access import NotHere
from bot.store import alerts, clients
from bot.store.alerts import Alert
from tests.support.cast import Riverside
from tests.support.therapist import asked, audit, me_of, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, MENDED, alerts_of, assess, climb, one, weekly

NOW = FIRST_VISIT + timedelta(weeks=7, hours=6)


@pytest.fixture
def note(practice: Riverside) -> Alert:
    """Ana's answers have fallen, and Theo has a note."""
    weekly(practice, "Ana", DECLINE)
    assess(practice, NOW)
    return alerts_of(practice, "Ana")[0]


def stored(practice: Riverside, alert: Alert) -> Alert:
    with practice.ctx.store.transaction(write=False) as tx:
        return alerts.get(tx, practice.practice.id, alert.id)


def test_opening_a_note_is_audited_and_changes_nothing(practice: Riverside, note: Alert) -> None:
    found = notes.page(practice.ctx, me_of(practice), note.id, NOW)
    assert (found.state, found.client.name) == ("waiting", "Ana")
    assert found.view.text.advice, "what helps"
    assert audit(practice, note.id) == ["a note was opened"]
    assert stored(practice, note).seen_at is None
    notes.page(practice.ctx, me_of(practice), note.id, NOW, record=False)
    assert audit(practice, note.id) == ["a note was opened"]


def test_a_note_is_taken_on_once(practice: Riverside, note: Alert) -> None:
    assert notes.take_on(practice.ctx, me_of(practice), note.id, "Ask about the room", NOW)
    assert not notes.take_on(practice.ctx, me_of(practice), note.id, "again", NOW)
    assert (stored(practice, note).state, stored(practice, note).note) == ("acknowledged", "Ask about the room")


def test_nobody_else_finds_it(practice: Riverside, note: Alert) -> None:
    for who, alert_id in (("Ines", note.id), ("Theo", "0" * 32), ("Dana", note.id)):
        me = me_of(practice, who, "therapist")
        for deed in (
            lambda me=me, i=alert_id: notes.page(practice.ctx, me, i, NOW),
            lambda me=me, i=alert_id: notes.take_on(practice.ctx, me, i, "", NOW),
            lambda me=me, i=alert_id: notes.say_done(practice.ctx, me, i, "x", True, NOW),
            lambda me=me, i=alert_id: notes.say_verdict(practice.ctx, me, i, "false", NOW),
            lambda me=me, i=alert_id: notes.resume(practice.ctx, me, i, NOW),
        ):
            with pytest.raises(NotHere):
                deed()
    assert notes.entries(practice.ctx, me_of(practice, "Ines")) == []


def test_a_new_therapist_does_not_find_the_notes_of_the_former_one(practice: Riverside, note: Alert) -> None:
    with practice.ctx.store.transaction() as tx:
        where = {"t": practice.staff["Ines"], "c": practice.clients["Ana"]}
        tx.run("update client set therapist_id = :t where id = :c", where)
    for who in ("Ines", "Theo"):
        assert notes.entries(practice.ctx, me_of(practice, who)) == []
        with pytest.raises(NotHere):
            notes.page(practice.ctx, me_of(practice, who), note.id, NOW)


@pytest.mark.parametrize("state", ["discharged", "died"])
def test_a_note_about_a_client_who_has_left_is_gone(practice: Riverside, note: Alert, state: str) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], state)
    assert notes.entries(practice.ctx, me_of(practice)) == []
    with pytest.raises(NotHere):
        notes.page(practice.ctx, me_of(practice), note.id, NOW)


def test_what_was_done_is_kept_and_may_say_that_it_was_talked_about(practice: Riverside, note: Alert) -> None:
    me = me_of(practice)
    with pytest.raises(NotHere):
        notes.say_done(practice.ctx, me, note.id, "too early", False, NOW)
    notes.take_on(practice.ctx, me, note.id, "", NOW)
    notes.say_done(practice.ctx, me, note.id, "Asked. The room is too loud.", False, NOW)
    assert practice.client("Ana").talked_at is None
    notes.say_done(practice.ctx, me, note.id, "Asked. The room is too loud; we move.", True, NOW)
    assert stored(practice, note).done == "Asked. The room is too loud; we move."
    assert practice.client("Ana").talked_at == NOW
    assert audit(practice, practice.clients["Ana"])[-1] == "talked about rapport"


def test_a_verdict_can_be_changed_and_taken_back(practice: Riverside, note: Alert) -> None:
    me = me_of(practice)
    with pytest.raises(NotHere):
        notes.say_verdict(practice.ctx, me, note.id, "helpful", NOW)
    notes.take_on(practice.ctx, me, note.id, "", NOW)
    for verdict in ("helpful", "false", "not_helpful", ""):
        notes.say_verdict(practice.ctx, me, note.id, verdict, NOW)
        assert stored(practice, note).verdict == verdict
    with pytest.raises(NotHere):
        notes.say_verdict(practice.ctx, me, note.id, "brilliant", NOW)


def test_the_page_follows_whether_rapport_recovers(practice: Riverside, note: Alert) -> None:
    me = me_of(practice)
    notes.take_on(practice.ctx, me, note.id, "", NOW)

    def how() -> tuple[str, int]:
        follow = notes.page(practice.ctx, me, note.id, NOW).follow
        assert follow
        return follow.kind, follow.count

    assert how() == ("waiting", 0)
    for week, scores in enumerate([(2, 4, 3), None, (3, 4, 2)], start=8):
        one(practice, "Ana", FIRST_VISIT + timedelta(weeks=week), scores)
    assess(practice, NOW)
    assert how() == ("below", 2)
    one(practice, "Ana", FIRST_VISIT + timedelta(weeks=11), (5, 5, 5))
    assert how() == ("better", 3)
    for week, scores in enumerate(MENDED, start=12):
        one(practice, "Ana", FIRST_VISIT + timedelta(weeks=week), scores)
        assess(practice, FIRST_VISIT + timedelta(weeks=week, hours=4))
    assert how()[0] == "back"
    assert [each.state for each in notes.entries(practice.ctx, me)] == ["ended"]


def test_the_list_has_what_waits_before_what_is_followed(practice: Riverside, note: Alert) -> None:
    me = me_of(practice)
    notes.take_on(practice.ctx, me, note.id, "", NOW)
    weekly(practice, "Ben", DECLINE)
    assess(practice, NOW)
    asked(practice, "Chidi", NOW)
    writes(practice, "Chidi", "I want to kill myself", NOW + timedelta(hours=3))
    found = [(each.client.name, each.state, each.alert.kind) for each in notes.entries(practice.ctx, me)]
    assert found == [("Chidi", "waiting", "danger"), ("Ben", "waiting", "rapport"), ("Ana", "followed", "rapport")]


def test_danger_shows_the_number_once_taken_on_and_check_ins_may_go_on_then(practice: Riverside) -> None:
    asked(practice, "Chidi", NOW)
    writes(practice, "Chidi", "I want to kill myself", NOW + timedelta(hours=3))
    me, alert = me_of(practice), alerts_of(practice, "Chidi", "danger")[0]
    before = notes.page(practice.ctx, me, alert.id, NOW)
    assert (before.view.numbers, before.view.paused) == ([], False)
    assert not notes.resume(practice.ctx, me, alert.id, NOW)
    notes.take_on(practice.ctx, me, alert.id, "Calling now", NOW)
    after = notes.page(practice.ctx, me, alert.id, NOW)
    assert after.view.numbers == ["+12025550103"]
    assert after.view.paused
    assert notes.resume(practice.ctx, me, alert.id, NOW)
    assert not practice.client("Chidi").halted


def test_danger_from_a_client_who_was_discharged_is_still_their_therapists(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Chidi"], "discharged")
    writes(practice, "Chidi", "I want to kill myself", NOW)
    alert = alerts_of(practice, "Chidi", "danger")[0]
    page = notes.page(practice.ctx, me_of(practice), alert.id, NOW)
    assert not page.in_care
    assert alert.id in [each.alert.id for each in notes.entries(practice.ctx, me_of(practice))]


def test_a_supervisor_learns_only_for_whom_a_note_has_waited(practice: Riverside, note: Alert) -> None:
    supervisor = me_of(practice, "Dana", "supervisor")
    climb(practice, NOW)
    assert notes.waiting_long(practice.ctx, supervisor, NOW) == []
    later = NOW
    for _ in range(4):
        later += timedelta(days=1)
        climb(practice, later)
    found = notes.waiting_long(practice.ctx, supervisor, later)
    assert [(each.therapist, each.days) for each in found] == [("Theo", 4)]
    notes.take_on(practice.ctx, me_of(practice), note.id, "", later)
    assert notes.waiting_long(practice.ctx, supervisor, later) == []


def test_nobody_is_told_of_their_own_note_as_a_supervisor(practice: Riverside, note: Alert) -> None:
    for day in range(5):
        climb(practice, NOW + timedelta(days=day))
    assert stored(practice, note).state == "escalated"
    assert notes.waiting_long(practice.ctx, me_of(practice, "Theo", "therapist", "supervisor"), NOW) == []
