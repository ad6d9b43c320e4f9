"""Which feelings are worth asking about next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.rapport import Belief, Observation, assess, begin, choose, default_model

SEVEN = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen")
CORE = SEVEN[:3]
MODEL = default_model(SEVEN)


def after(*answers: dict[str, int]) -> Belief:
    """The belief after these check-ins."""
    return assess([Observation(n, bool(a), a, None) for n, a in enumerate(answers)], MODEL)


def test_the_core_feelings_come_first_and_in_their_order() -> None:
    assert choose(begin(MODEL), 4, always=CORE)[:3] == CORE


def test_a_fourth_is_asked_every_second_time_while_all_is_well() -> None:
    fives = dict.fromkeys(CORE, 5)
    lengths = [len(choose(after(*[fives] * n), 4, always=CORE)) for n in range(6)]
    assert lengths == [4, 3, 4, 3, 4, 3]


def test_a_fourth_is_asked_each_time_while_a_decline_is_in_doubt() -> None:
    doubtful = after(*[dict.fromkeys(CORE, 5)] * 5, dict.fromkeys(CORE, 3))
    later = after(*[dict.fromkeys(CORE, 5)] * 6, dict.fromkeys(CORE, 3))
    assert [len(choose(belief, 4, always=CORE)) for belief in (doubtful, later)] == [4, 4]


def test_three_digits_switch_the_fourth_off() -> None:
    assert choose(begin(MODEL), 3, always=CORE) == CORE


def test_the_feeling_that_just_fell_is_asked_about_again() -> None:
    well = {**dict.fromkeys(CORE, 5), "seen": 5}
    ana = after(well, well, well, well, {**well, "seen": 3})
    assert choose(ana, 4, always=CORE) == (*CORE, "seen")


def test_feelings_take_turns() -> None:
    history: list[dict[str, int]] = []
    fourths: set[str] = set()
    for _ in range(12):
        asked = choose(after(*history) if history else begin(MODEL), 4, always=CORE)
        fourths.update(asked[3:])
        history.append(dict.fromkeys(asked, 5))
    assert len(fourths) >= 3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(SEVEN), st.integers(1, 5), max_size=4), max_size=6), st.integers(1, 8))
def test_what_is_chosen_is_different_known_and_no_more_than_asked_for(
    answers: list[dict[str, int]], digits: int
) -> None:
    belief = after(*answers) if answers else begin(MODEL)
    free, fixed = choose(belief, digits), choose(belief, digits, always=CORE)
    assert len(set(free)) == len(free) == digits
    assert set(free) <= {*SEVEN, "change"}
    assert len(set(fixed)) == len(fixed) <= digits
    assert set(fixed) <= set(SEVEN), "compared with usual is never mixed with the core feelings"


@pytest.mark.parametrize("feelings", [("heard",), CORE, SEVEN])
def test_no_more_is_chosen_than_there_is(feelings: tuple[str, ...]) -> None:
    assert len(choose(begin(default_model(feelings)), 9)) == len(feelings) + 1
