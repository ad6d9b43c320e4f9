"""Reading a form: choices are scores, words are read like any reply's, and nothing else is made of either."""

import pytest

from surveys import tap
from surveys.instrument import load_all
from surveys.instrument_file import LANGUAGES
from surveys.replies import parse
from surveys.tap import Tap, tap_of

ASKED = ("heard", "respected", "understood")
ALL = {"heard": 5, "respected": 4, "understood": 1}
INSTRUMENTS = load_all()


def read(given: Tap, asked: tuple[str, ...] = ASKED, **more: tuple[str, ...]) -> tap.Reply:
    return tap.read(given, asked, INSTRUMENTS, **more)


def test_choices_are_scores_and_each_says_that_it_was_chosen() -> None:
    reply = read(Tap(ASKED, ALL))
    assert (reply.kind, reply.scores, reply.comment) == ("answer", (5, 4, 1), None)
    assert [(why.feeling, why.score, why.rule) for why in reply.because] == [
        ("heard", 5, tap.CHOSEN),
        ("respected", 4, tap.CHOSEN),
        ("understood", 1, tap.CHOSEN),
    ]


def test_what_was_not_chosen_stays_open() -> None:
    reply = read(Tap(ASKED, {"understood": 2}))
    assert (reply.kind, reply.scores) == ("partial", (None, None, 2))


@pytest.mark.parametrize("words", ["5 4 5", "five", "all 5", "4/5", "10 out of 10"])
def test_numbers_in_the_words_are_words(words: str) -> None:
    """Nobody answers a question in the field for words; what was not chosen is not made up."""
    reply = read(Tap(ASKED, {"heard": 3}, words))
    assert (reply.scores, reply.comment) == ((3, None, None), words)


@pytest.mark.parametrize(
    ("given", "kind", "flags"),
    [
        (Tap(ASKED, ALL, "I want to kill myself"), "crisis", (False, True, False)),
        (Tap(ASKED, ALL, "", stop=True), "optout", (True, False, False)),
        (Tap(ASKED, {}, "please stop texting me"), "optout", (True, False, False)),
        (Tap(ASKED, {}, "I want to die", stop=True), "crisis", (True, True, False)),
        (Tap(ASKED, ALL, "", call=True), "answer", (False, False, True)),
        (Tap(ASKED, {}, "", call=True), "reschedule_or_other_request", (False, False, True)),
        (Tap(ASKED, {}, "The room was very cold today"), "comment", (False, False, False)),
        (Tap(ASKED, {}, "cold"), "comment", (False, False, False)),
        (Tap(ASKED), "skip", (False, False, False)),
    ],
)
def test_wishes_and_danger_are_found_wherever_they_stand(given: Tap, kind: str, flags: tuple[bool, bool, bool]) -> None:
    reply = read(given)
    assert (reply.kind, (reply.opt_out, reply.crisis, reply.call)) == (kind, flags)


def test_the_practices_own_danger_words_count() -> None:
    assert read(Tap(ASKED, {}, "I am at the blue bridge"), also_crisis=("the blue bridge",)).crisis


def test_a_full_form_is_a_whole_new_set_where_a_part_was_answered_before() -> None:
    """Read against what is still open it gives nothing, against all that was asked everything."""
    assert read(Tap(ASKED, ALL), ("understood",)).scores == (None,)
    assert read(Tap(ASKED, ALL), ()).scores == ()
    assert read(Tap(ASKED, ALL)).scores == (5, 4, 1)


def test_half_a_form_fills_what_is_open() -> None:
    assert read(Tap(ASKED, {"heard": 1, "understood": 2}), ("understood",)).scores == (2,)


def test_a_form_gives_only_what_it_offered() -> None:
    fields = {
        "heard": "5",
        "respected": "6",
        "understood": "0",
        "seen": "5",
        "words": "  so\r\nit is \x00 ",
        "call": "1",
    }
    given = tap_of(fields, ASKED)
    assert (given.scores, given.words, given.call, given.stop) == ({"heard": 5}, "so\nit is", True, False)
    assert tap_of({}, ASKED).empty
    assert len(tap_of({"words": "x" * 10_000}, ASKED).words) == tap.LONGEST_WORDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_kept_is_how_the_client_would_have_written_it(language: str) -> None:
    """And it is read so, should it ever be read again."""
    kept = tap.in_words(Tap(ASKED, ALL), INSTRUMENTS, language)
    assert parse(kept, asked=ASKED, instruments=INSTRUMENTS).scores == (5, 4, 1)
