"""What became of notes: of one, in words that follow the answers; of all, in numbers that speak of nobody."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from surveys.notes import figures, follow, why_not
from surveys.rapport import Band
from surveys.usual import how_known, is_usual, reach

USUAL = {"heard": Band(4.6, 4.3, 4.9), "respected": Band(4.6, 4.3, 4.9)}


@dataclass(frozen=True)
class Counts:
    clients: int = 4
    opened: int = 5
    taken: int = 4
    mended: int = 2
    helpful: int = 2
    not_helpful: int = 1
    wrong: int = 1


def test_a_note_without_an_answer_since_is_waited_on() -> None:
    assert follow(None, [], ("heard",), USUAL).kind == "waiting"


def test_answers_still_below_usual_are_counted() -> None:
    found = follow(None, [{"heard": 4}, {"heard": 2, "respected": 5}], ("heard",), USUAL)
    assert (found.kind, found.count) == ("below", 2)


def test_latest_answers_within_usual_are_better_but_not_yet_back() -> None:
    assert follow(None, [{"heard": 2}, {"heard": 4, "respected": 1}], ("heard",), USUAL).kind == "better"


def test_an_answer_to_other_questions_says_nothing_of_those_that_fell() -> None:
    assert follow(None, [{"respected": 5}], ("heard",), USUAL).kind == "below"


def test_a_note_that_ended_is_back_since_then() -> None:
    ended = datetime(2027, 3, 12, tzinfo=UTC)
    assert follow(ended, [{"heard": 5}], ("heard",), USUAL).since == ended


def test_figures_add_up_over_therapists() -> None:
    found = figures([Counts(), Counts(), Counts()])
    assert found
    assert (found.opened, found.judged, found.taken.count, found.mended.count) == (15, 12, 12, 6)
    assert (found.helpful.count, found.not_helpful.count, found.wrong.count) == (6, 3, 3)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([], "notes"),
        ([Counts(opened=3)] * 3, "notes"),
        ([Counts(opened=9)] * 2, "therapists"),
        ([Counts(clients=1)] * 3, "clients"),
        ([Counts(opened=11), Counts(), Counts()], "one"),
        ([Counts(opened=10), Counts(), Counts()], ""),
    ],
)
def test_figures_that_would_speak_of_one_person_are_not_shown(counts: list[Counts], reason: str) -> None:
    assert why_not(counts) == reason
    assert (figures(counts) is None) == bool(reason)


def test_usual_is_told_in_whole_points_on_the_scale() -> None:
    assert reach(Band(4.6, 4.3, 4.9)) == (4, 5)
    assert reach(Band(1.1, 1.0, 1.1)) == (1, 1)
    assert is_usual(4, USUAL["heard"])
    assert not is_usual(3, USUAL["heard"])


def test_how_surely_usual_is_known_grows_with_answers() -> None:
    assert [how_known(n) for n in (0, 2, 3, 5, 6, 40)] == ["hardly", "hardly", "roughly", "roughly", "well", "well"]
