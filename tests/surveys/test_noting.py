"""Which notes a whole history would have brought."""

from collections.abc import Sequence

from surveys.instrument import FEELINGS
from surveys.noting import noted
from surveys.rapport import Observation, default_model

MODEL = default_model(FEELINGS)


def history(*scores: int | None) -> list[Observation]:
    """The three core feelings rated alike; None: no answer."""
    return [Observation(n, bool(s), dict.fromkeys(FEELINGS[:3], s) if s else {}) for n, s in enumerate(scores)]


def notes(scores: Sequence[int | None], one_in: int = 50) -> list[int]:
    return list(noted(history(*scores), MODEL, one_in))


def test_a_client_who_stays_well_brings_none() -> None:
    assert notes([5, 4, 5, None, 5, 4, 5, 5]) == []


def test_a_lasting_decline_brings_one_however_long_it_lasts() -> None:
    assert notes([5, 5, 5, 5, 2, 2, 2, 2, 2, 2]) == [4]


def test_a_second_decline_after_a_recovery_brings_a_second() -> None:
    assert notes([5, 5, 5, 5, 2, 2, 5, 5, 5, 5, 5, 2, 2]) == [4, 11]


def test_a_low_start_brings_one() -> None:
    assert notes([1, 1, 2, 1, 1]) == [0]


def test_a_slight_fall_is_noted_by_who_wants_many_notes_only() -> None:
    slight = [5, 5, 5, 5, 5, 5, 4]
    assert (notes(slight, 20), notes(slight, 200)) == ([6], [])
