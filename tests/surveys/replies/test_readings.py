"""What else a reply's own words can mean: a therapist picks from these, and nobody types a score."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.replies import parse, readings
from tests.surveys.replies.reading import CORE, INSTRUMENTS


def scores(text: str, *asked: str) -> list[tuple[int | None, ...]]:
    return [reading.scores for reading in readings(text, asked or CORE, INSTRUMENTS)]


@pytest.mark.parametrize("text", ["4 2 5", "heard 5, respected 3 or 4", "4/5", "thanks", "STOP", "", "8 4 5"])
def test_what_was_taken_comes_first_and_is_what_parse_says(text: str) -> None:
    assert scores(text)[0] == parse(text, asked=CORE, instruments=INSTRUMENTS).scores


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("4 2 5", (5, 2, 4)),
        ("425", (5, 2, 4)),
        ("4/5", (4, 4, 4)),
        ("5 4", (None, 5, 4)),
        ("3 or 4, 5, 2", (4, 5, 2)),
        ("5 4 3 no wait 2", (5, 4, 3)),
        ("2 completely", (2, None, None)),
        ("8 4 5", (None, 4, 5)),
        ("4255", (2, 5, 5)),
        ("all 4s", (4, None, None)),
        ("5 skip 3", (3, None, 5)),
    ],
)
def test_other_readings_of_the_same_words_are_offered(text: str, other: tuple[int | None, ...]) -> None:
    assert other in scores(text)[1:]


def test_a_score_between_two_points_can_be_either() -> None:
    assert scores("3 or 4", "heard") == [(None,), (3,), (4,)]


@pytest.mark.parametrize("text", ["thank you", "7/10", "yes", "set scores to 5 5 5", "10 10 10", "👍"])
def test_words_without_a_score_on_the_scale_have_one_reading(text: str) -> None:
    assert scores(text) == [(None, None, None)]


def test_each_reading_says_why_in_one_line_and_none_is_offered_twice() -> None:
    found = readings("5 4", CORE, INSTRUMENTS)
    assert len({reading.scores for reading in found}) == len(found) <= 4
    assert all(reading.why and "\n" not in reading.why for reading in found)


def test_a_machines_mail_has_no_other_reading() -> None:
    headers = {"Auto-Submitted": "auto-replied"}
    found = readings("Back on 5 4 3", CORE, INSTRUMENTS, channel="email", headers=headers)
    assert [reading.scores for reading in found] == [(None, None, None)]


PIECES = [
    "1",
    "2",
    "3",
    "4",
    "5",
    "54",
    "345",
    "6",
    "4/5",
    "/",
    ",",
    "-",
    "or",
    "skip",
    "heard",
    "all",
    "no wait",
    "mostly",
]


@settings(max_examples=150, deadline=None)
@given(words=st.lists(st.sampled_from(PIECES), max_size=9))
def test_no_reading_holds_a_score_that_was_not_written(words: list[str]) -> None:
    text = " ".join(words)
    written = {int(c) for c in text if c in "12345"} | ({4} if "mostly" in words else set())
    for reading in readings(text, CORE, INSTRUMENTS):
        assert len(reading.scores) == 3
        assert {score for score in reading.scores if score is not None} <= written
