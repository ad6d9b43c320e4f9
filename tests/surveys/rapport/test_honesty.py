"""How often notes are wrong: the figures that pages and notes quote."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.rapport.honesty import figures, share, simulated, sure


def test_the_table_covers_every_choice_there_is() -> None:
    assert min(simulated()) == 20
    assert max(simulated()) == 200


@pytest.mark.parametrize("n", sorted(simulated()))
def test_each_figure_lies_between_its_lowest_and_highest(n: int) -> None:
    found = simulated()[n]
    for spread in (found.false_per_100, found.real_share, found.missed, *found.within.values()):
        assert 0 <= spread.low <= spread.typical <= spread.high
    assert list(found.within) == [1, 2, 3, 5]


@pytest.mark.parametrize("n", sorted(simulated()))
def test_the_promised_number_of_false_notes_holds_within_two_fifths_in_practices_of_other_kinds(n: int) -> None:
    found = simulated()[n].false_per_100
    assert 0.6 * 100 / n < found.low
    assert found.high < 1.4 * 100 / n


def test_fewer_false_notes_mean_surer_notes_and_more_declines_missed() -> None:
    rows = [simulated()[n] for n in sorted(simulated())]
    for one, next_ in pairwise(rows):
        assert one.false_per_100.typical > next_.false_per_100.typical
        assert one.real_share.typical < next_.real_share.typical
        assert one.missed.typical < next_.missed.typical


@pytest.mark.parametrize(
    ("n", "words"),
    [(20, "third"), (30, "third"), (50, "half"), (75, "half"), (100, "most"), (200, "most"), (64, "half")],
)
def test_the_words_say_no_more_than_the_share_that_is_real(n: int, words: str) -> None:
    """Every practice simulated agrees with the words to within a quarter, so no percentage is ever told."""
    assert sure(n) == words
    said = {"third": 1 / 3, "half": 1 / 2, "most": 2 / 3}[words]
    found = figures(n).real_share
    assert said - 0.13 < found.low
    assert found.high < said + 0.13


def test_a_choice_between_those_simulated_takes_the_nearest() -> None:
    assert figures(52).one_in == 50
    assert figures(1).one_in == 20
    assert figures(9999).one_in == 200


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1.0), (81, 263, 0.255, 0.366)],
)
def test_wilsons_interval_is_that_of_the_textbooks(count: int, of: int, low: float, high: float) -> None:
    found = share(count, of)
    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


def test_of_nothing_nothing_is_known() -> None:
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_within_bounds(drawn: tuple[int, int]) -> None:
    count, of = drawn
    found = share(count, of)
    assert 0 <= found.low <= (count / of if of else 0.0) + 1e-12
    assert (count / of if of else 1.0) - 1e-12 <= found.high <= 1
