"""The caseload: whose clients are in it, in which order, and what is known of each."""

from datetime import timedelta

import pytest

from bot.flows import caseload, notes
from bot.flows.access import NotHere
from bot.store import clients
from tests.support.cast import Riverside
from tests.support.therapist import asked, me_of, writes
from tests.support.weeks import DECLINE, FIRST_VISIT, WELL, alerts_of, assess, weekly

AFTER = FIRST_VISIT + timedelta(weeks=7, hours=6)


def names(practice: Riverside, search: str = "", who: str = "Theo") -> list[str]:
    return [line.client.name for line in caseload.lines(practice.ctx, me_of(practice, who), AFTER, search)]


def kinds(practice: Riverside) -> dict[str, str]:
    found = caseload.lines(practice.ctx, me_of(practice), AFTER)
    return {line.client.name: line.reason.kind for line in found}


def test_whoever_needs_attention_comes_first(practice: Riverside) -> None:
    weekly(practice, "Ben", (*WELL, (5, 5, 5), (5, 4, 5)))
    weekly(practice, "Chidi", DECLINE)
    assess(practice, AFTER)
    asked(practice, "Ana", AFTER - timedelta(hours=4))
    writes(practice, "Ana", "I want to kill myself", AFTER - timedelta(hours=1))
    assert names(practice) == ["Ana", "Chidi", "Ben"]
    assert kinds(practice) == {"Ana": "danger", "Chidi": "note", "Ben": "usual"}


def test_a_note_that_was_taken_on_is_followed_until_it_ends(practice: Riverside) -> None:
    weekly(practice, "Chidi", DECLINE)
    assess(practice, AFTER)
    notes.take_on(practice.ctx, me_of(practice), alerts_of(practice, "Chidi")[0].id, "", AFTER)
    line = caseload.lines(practice.ctx, me_of(practice), AFTER)[0]
    assert (line.client.name, line.reason.kind) == ("Chidi", "followed")
    assert set(line.reason.feelings) == {"heard", "understood"}


def test_three_unanswered_in_a_row_are_a_soft_sign(practice: Riverside) -> None:
    weekly(practice, "Ana", ((4, 4, 4), None, (4, 4, 4), None, None, None))
    weekly(practice, "Ben", ((4, 4, 4), (4, 4, 4), None, None))
    assess(practice, AFTER)
    assert {name: kind for name, kind in kinds(practice).items() if name != "Chidi"} == {"Ana": "quiet", "Ben": "usual"}


def test_another_therapists_clients_and_those_who_have_left_are_not_in_it(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ben"], "discharged")
        clients.set_state(tx, practice.practice.id, practice.clients["Chidi"], "died")
    assert names(practice) == ["Ana"]
    assert names(practice, who="Ines") == []


def test_a_client_is_found_by_part_of_a_name_or_reference(practice: Riverside) -> None:
    assert names(practice, "chi") == ["Chidi"]
    assert names(practice, "C-be") == ["Ben"]
    assert names(practice, "nobody") == []


def test_the_small_trend_has_the_latest_eight_with_their_gaps(practice: Riverside) -> None:
    weekly(practice, "Ana", (*WELL, None, (5, 5, 4), (5, 5, 5)))
    assess(practice, AFTER)
    line = next(each for each in caseload.lines(practice.ctx, me_of(practice), AFTER) if each.client.name == "Ana")
    assert len(line.recent) == 8
    assert [bool(each.scores) for each in line.recent] == [True] * 5 + [False, True, True]
    assert len(line.usual) == 3, "the band of each feeling that is always asked"


def test_it_tells_when_they_were_seen_heard_of_and_will_be_asked(practice: Riverside) -> None:
    weekly(practice, "Ana", ((5, 5, 5), None))
    practice.visit("Ana", AFTER + timedelta(days=2), status="booked", now=AFTER)
    practice.visit("Ana", AFTER - timedelta(hours=1), status="cancelled", now=AFTER)
    dates = next(e.dates for e in caseload.lines(practice.ctx, me_of(practice), AFTER) if e.client.name == "Ana")
    assert dates.last_visit == FIRST_VISIT + timedelta(weeks=1) - timedelta(minutes=50)
    assert dates.last_answer == FIRST_VISIT + timedelta(hours=3)
    assert dates.next_visit == AFTER + timedelta(days=2) - timedelta(minutes=50)
    assert (dates.answered, dates.planned_at, dates.open_until) == (1, None, None)


def test_what_was_with_another_therapist_is_not_shown(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE, therapist="Ines")
    assess(practice, AFTER)
    line = next(e for e in caseload.lines(practice.ctx, me_of(practice), AFTER) if e.client.name == "Ana")
    assert (line.reason.kind, line.recent, line.dates.last_answer) == ("unasked", [], None)


def test_only_own_clients_in_care_are_there(practice: Riverside) -> None:
    with practice.ctx.store.transaction(write=False) as tx:
        assert caseload.in_care(tx, me_of(practice), practice.clients["Ana"]).name == "Ana"
        for who, client_id in (("Ines", practice.clients["Ana"]), ("Theo", "0" * 32)):
            with pytest.raises(NotHere):
                caseload.in_care(tx, me_of(practice, who), client_id)
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], "discharged")
        with pytest.raises(NotHere):
            caseload.in_care(tx, me_of(practice), practice.clients["Ana"])
