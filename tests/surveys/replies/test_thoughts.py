"""A reply is looked at thought by thought: by sentence, by line, and by what a comma, "and" or "but" joins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.phrases import BREAK, Words
from surveys.replies import parse
from surveys.replies.thoughts import LONGEST, Marks, marks_of, sentences, stretches, thoughts
from tests.surveys.replies.reading import INSTRUMENTS

ORDINARY = [
    *("The bus was late again", "we talked about my sister's wedding", "she remembered the name of my dog"),
    *("parking was a nightmare today", "I liked the breathing thing"),
]
DANGER = [
    *("i want to die", "I have the pills lined up on the table", "he hit me again last night", "goodbye everyone"),
    *("im on the bridge rn. one leg over", "my sister's husband is beating her and the kids"),
]


def parts_of(text: str) -> list[str]:
    words = Words.of(text)
    return [" ".join(part) for part, _ in thoughts(words.folded, marks_of(text, words))]


def test_a_reply_is_seen_whole_by_sentence_and_by_what_is_joined() -> None:
    found = parts_of("It was fine. He hit me hard, and the kids saw all of it")
    assert found[0] == "it was fine . he hit me hard and the kids saw all of it"
    assert {"it was fine", "he hit me hard", "and the kids saw all of it"} <= set(found)
    assert parts_of("just one thought here") == ["just one thought here"]


def test_a_short_line_ends_a_thought_and_a_line_that_a_mail_program_broke_does_not() -> None:
    assert "i want to die" in parts_of("see you monday\ni want to die")
    wrapped = "we went through the whole list of what I wanted from this and I told\nher that I was glad"
    words = Words.of(wrapped)
    assert len(sentences(words.folded, marks_of(wrapped, words))) == 1


def test_each_part_tells_how_many_there_are() -> None:
    text = "one two three. four five six, seven eight nine"
    words = Words.of(text)
    counts = [count for _, count in thoughts(words.folded, marks_of(text, words))]
    assert counts == [1, 3, 3, 3, 3]


def test_a_long_text_is_seen_stretch_by_stretch_and_none_is_left_out() -> None:
    row = [str(n) for n in range(205)]
    parts = list(stretches(row))
    assert {word for part in parts for word in part} == set(row)
    assert max(len(part) for part in parts) == LONGEST
    assert list(stretches(row[:LONGEST])) == [row[:LONGEST]]


@given(st.lists(st.sampled_from(["a", "and", "but", BREAK, "b", "c"]), max_size=60), st.sets(st.integers(0, 60)))
def test_no_word_is_lost_whatever_the_marks(row: list[str], commas: set[int]) -> None:
    places = [at for each in sentences(row, Marks((), commas)) for part in each for at in part]
    assert places == [at for at, word in enumerate(row) if word != BREAK]


@pytest.mark.parametrize("join", ["{a}. {b}", "{b}. {a}", "{a}\n{b}", "{b}\n{a}", "{a}, {b}", "{a} but {b}"])
@pytest.mark.parametrize("danger", DANGER)
@pytest.mark.parametrize("ordinary", ORDINARY)
def test_danger_is_heard_beside_an_ordinary_comment(ordinary: str, danger: str, join: str) -> None:
    assert parse(join.format(a=ordinary, b=danger), asked=["heard"], instruments=INSTRUMENTS).crisis
