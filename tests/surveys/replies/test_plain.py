"""A reply is read as it stands and put plainly, so one phrase finds it in every dress; and the longer phrase wins."""

import pytest

from surveys.phrases import Match, Words
from surveys.plain import Plain, placed
from tests.surveys.replies.reading import INSTRUMENTS, read

PLAIN = Plain(["really", "kind of"], {"dont": ["do not"], "want to": ["wanna", "would like to"]})


def test_words_that_change_nothing_are_left_out_and_what_is_said_in_two_ways_is_put_one_way() -> None:
    put = PLAIN.of(Words.of("I really do not kind of wanna go"))
    assert put is not None
    assert put.words.folded == ("i", "dont", "want", "to", "go")
    assert put.places == (0, 2, 6, 6, 7)


def test_a_text_that_is_plain_already_is_not_read_twice() -> None:
    assert PLAIN.of(Words.of("I want to go")) is None


def test_what_is_found_in_plain_words_is_shown_in_the_clients_own() -> None:
    words = Words.of("I really do not wanna go")
    put = PLAIN.of(words)
    assert put is not None
    (match,) = placed([Match("danger.says", "", 1, 4)], put.places)
    assert words.folded[match.first : match.after] == ("do", "not", "wanna")


@pytest.mark.parametrize(
    "text",
    [
        "honestly I do not even really want to be alive any more",
        "i just cannot keep on living, tbh",
        "sometimes i would kinda like to just not exist",
        "i am no longer able to go on living",
        "ngl i actually wanna kill myself rn",
    ],
)
def test_danger_is_found_whatever_is_said_around_it(text: str) -> None:
    assert read(text).crisis


@pytest.mark.parametrize(
    "text",
    [
        "honestly I would really prefer not to get these any more",
        "you guys can just stop sending me these, lol",
        "i do not wish to receive any more texts",
    ],
)
def test_a_wish_to_stop_is_found_whatever_is_said_around_it(text: str) -> None:
    assert read(text).opt_out


def test_a_denial_counts_with_a_filler_in_it_too() -> None:
    reply = read("I am not really suicidal, just tired")
    assert not reply.crisis
    assert reply.note == "denial"


def test_an_exception_counts_unless_a_longer_phrase_holds_it() -> None:
    assert not read("I'm not gonna make it to the session on friday").crisis
    assert read("I'm not gonna make it to my birthday").crisis


@pytest.mark.parametrize(
    "text", ["i want to kill mysefl", "he hti me agian", "i cnat go on", "k1ll myself", "i want to d1e"]
)
def test_letters_swapped_or_in_digits_are_understood_in_words_of_danger(text: str) -> None:
    assert read(text).crisis


def test_swapped_letters_never_change_a_word_that_is_known() -> None:
    assert INSTRUMENTS.vocabulary.spelling.meant(("edad", "ned", "gain")) == {}
