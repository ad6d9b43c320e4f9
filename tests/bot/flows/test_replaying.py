"""Stored beliefs: brought up to date answer by answer, or made anew, they are the same in every bit."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.flows import replaying
from bot.flows.replaying import Replayed
from bot.store import beliefs, check_ins, models
from surveys.rapport import Belief, Observation, default_model, folded, update
from surveys.rapport import assess as assessed
from tests.support.cast import Riverside
from tests.support.weeks import DECLINE, FIRST_VISIT, WELL, alerts_of, assess, one, weekly

WEEK = timedelta(weeks=1)
MODEL = default_model(("heard", "respected", "understood", "seen"))
answers = st.dictionaries(st.sampled_from(MODEL.feelings), st.integers(1, 5), max_size=4)
# What can happen to a stored history: a check-in comes in (at the end, or late, in between), its answers are replaced
# by a new set, taken back as misread, or its appointment turns out not to have taken place.
changes = st.lists(
    st.tuples(st.sampled_from(["comes", "replaced", "misread", "cancelled"]), st.integers(0, 11), answers),
    min_size=1,
    max_size=14,
)


def history_of(stored: dict[int, dict[str, int]]) -> list[Observation]:
    """The history in order, appointments counted from 0."""
    return [Observation(number, bool(scores), scores) for number, (_, scores) in enumerate(sorted(stored.items()))]


@settings(max_examples=60, deadline=None)
@given(changes)
def test_however_a_history_came_about_the_belief_is_that_of_a_replay(
    given_: list[tuple[str, int, dict[str, int]]],
) -> None:
    """Late answers, new sets, misread ones taken back, visits that never were: the stored belief never drifts."""
    stored: dict[int, dict[str, int]] = {}
    kept = None
    for what, at, scores in given_:
        if what == "cancelled":
            stored.pop(at, None)
        else:
            stored[at] = {} if what == "misread" else scores
        kept = folded(history_of(stored), MODEL, kept)
        assert kept.belief.to_bytes() == assessed(history_of(stored), MODEL).to_bytes()


def believed(practice: Riverside, name: str, therapist: str = "Theo") -> Belief | None:
    with practice.ctx.store.transaction(write=False) as tx:
        return beliefs.get(tx, practice.practice.id, practice.clients[name], practice.staff[therapist])


def stored(practice: Riverside, name: str = "Ana") -> bytes | None:
    found = believed(practice, name)
    return found.to_bytes() if found else None


def replay(practice: Riverside, check: bool = False) -> Replayed:
    return replaying.replay(practice.ctx, practice.practice.id, FIRST_VISIT, check)


def test_a_belief_is_stored_with_the_client_and_read_by_therapist(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    assess(practice, weekly(practice, "Ben", WELL))
    assert believed(practice, "Ana", "Ines") is None
    ana, ben = believed(practice, "Ana"), believed(practice, "Ben")
    assert ana
    assert ben
    assert ana.probability > 0.5 > ben.probability


def test_nothing_of_a_belief_can_be_read_without_the_key(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", WELL))
    (row,) = practice.rows("select * from belief")
    assert "." in str(row["belief_sealed"])
    assert set(row) == {"id", "practice_id", "client_id", "therapist_id", "belief_sealed", "model_id", "updated_at"}


def test_one_more_check_in_costs_one_update(practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    assess(practice, weekly(practice, "Ana", WELL))
    made: list[int] = []

    def counted(belief: Belief, seen: Observation) -> Belief:
        made.append(seen.number)
        return update(belief, seen)

    monkeypatch.setattr("surveys.rapport.history.update", counted)
    one(practice, "Ana", FIRST_VISIT + 6 * WEEK, (4, 4, 4))
    assess(practice, FIRST_VISIT + 7 * WEEK)
    assert made == [6]


def test_a_replay_gives_the_same_bytes_and_stores_nothing(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", DECLINE))
    before = practice.rows("select * from belief")
    assert replay(practice) == Replayed(pairs=1, differed=0, waiting=0)
    assert practice.rows("select * from belief") == before


def test_a_replay_after_a_late_answer_a_new_set_and_a_misread_one_still_differs_in_nothing(
    practice: Riverside,
) -> None:
    now = weekly(practice, "Ana", (*WELL, None, (4, 4, 4)))
    assess(practice, now)
    late, replaced, misread = (practice.check_ins("Ana")[n].id for n in (6, 2, 4))
    with practice.ctx.store.transaction() as tx:
        for check_in_id, score in ((replaced, 2), (misread, None)):
            tx.run("update answer set replaced_at = 1 where check_in_id = :id", {"id": check_in_id})
            if score:
                _answer(tx, practice, check_in_id, score)
        _answer(tx, practice, late, 1)
        check_ins.mark_to_assess(tx, practice.practice.id, practice.clients["Ana"], practice.staff["Theo"])
    before = stored(practice)
    assess(practice, now)
    assert stored(practice) != before
    assert replay(practice, check=True).differed == 0


def _answer(tx, practice: Riverside, check_in_id: str, score: int) -> None:  # type: ignore[no-untyped-def]
    some_inbox = tx.one("select id from inbox limit 1")["id"]
    check_ins.add_answers(tx, practice.practice.id, check_in_id, some_inbox, {"heard": score}, FIRST_VISIT, False)


def test_a_belief_that_was_lost_or_spoilt_is_made_again(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", DECLINE))
    was = stored(practice)
    with practice.ctx.store.transaction() as tx:
        tx.run("delete from belief")
    assert replay(practice, check=True) == Replayed(1, 1, 0)
    assert stored(practice) is None, "a check changes nothing"
    assert replay(practice) == Replayed(1, 1, 0)
    assert stored(practice) == was


def test_a_replay_opens_no_alert_and_ends_none(practice: Riverside) -> None:
    """The past is not news."""
    assess(practice, weekly(practice, "Ana", DECLINE))
    weekly(practice, "Ben", DECLINE)
    with practice.ctx.store.transaction() as tx:
        tx.run("delete from to_assess")
        tx.run("delete from belief")
    before = alerts_of(practice, "Ana")
    assert replay(practice) == Replayed(2, 2, 0)
    assert alerts_of(practice, "Ana") == before
    assert alerts_of(practice, "Ben") == []


def test_answers_the_worker_has_yet_to_look_at_are_left_to_it(practice: Riverside) -> None:
    weekly(practice, "Ana", WELL)
    assert replay(practice) == Replayed(1, 0, 1)


def test_a_belief_under_another_model_is_not_shown_and_is_made_anew(practice: Riverside) -> None:
    assess(practice, weekly(practice, "Ana", WELL))
    with practice.ctx.store.transaction() as tx:
        tx.run("update belief set model_id = 'an older one'")
    assert stored(practice) is None
    with practice.ctx.store.transaction(write=False) as tx:
        assert models.current(tx, practice.practice.id) == models.shipped()
    replay(practice)
    assert stored(practice)


def test_two_that_store_the_same_pair_at_once_leave_a_belief_that_opens(
    practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay beside a worker: neither saw the other's row, the second to come replaces it."""
    assess(practice, weekly(practice, "Ana", WELL))
    was = stored(practice)
    with monkeypatch.context() as blind:
        blind.setattr(beliefs, "_row", lambda *_: None)
        replay(practice)
    assert stored(practice) == was
    assert len(practice.rows("select id from belief")) == 1
