"""No text breaks the reader, none takes it long, and both labelled sets are read as well as they were."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.replies import parse
from surveys.vocabulary import FEELINGS
from tests.score_replies import load, read_all, tally
from tests.support.timing import cost, takes_at_most
from tests.surveys.replies.reading import CORE, INSTRUMENTS

SLICES = [
    "we talked\n",
    "H5 R4 U3 ",
    "5",
    " ",
    "stop",
    "\n",
    "> ",
    "<div>",
    "<a ",
    "don't ",
    "heard",
    "\x00",
    "\ud800",
    "\u202e",
    "½",
    "“",
    "or ",
    "/",
    "no wait ",
]
REPEATED = [
    "a",
    "5 ",
    "i want to ",
    "\n",
    "> \n",
    ".",
    "5/",
    "<a ",
    "<!--",
    "<div>",
    "😀",
    "stop ",
    "On 5 ",
    "\ufdfa",
    "a@",
    "- A",
    "--\n",
    "Ana Bol\n\n",
    "not 4 ",
    "5 4 3 not ",
    "I want out\n",
    "\t",
]


@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(st.text(st.characters(), max_size=80), st.lists(st.sampled_from(SLICES), max_size=40).map("".join)),
    asked=st.lists(st.sampled_from(FEELINGS), max_size=7, unique=True),
    channel=st.sampled_from(["sms", "email"]),
    kind=st.sampled_from(["text/plain", "text/html", ""]),
)
def test_no_reply_raises_and_every_question_gets_a_place(text: str, asked: list[str], channel: str, kind: str) -> None:
    reply = parse(text, asked=asked, instruments=INSTRUMENTS, channel=channel, headers={"Content-Type": kind})
    assert len(reply.scores) == len(asked)
    assert all(score in (None, 1, 2, 3, 4, 5) for score in reply.scores)


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("kind", [None, "text/plain", "text/html"])
def test_a_hundred_thousand_characters_take_no_longer_than_their_first_part(piece: str, kind: str | None) -> None:
    text = (piece * 100_000)[:100_000]
    channel, headers = ("sms", None) if kind is None else ("email", {"Content-Type": kind})
    assert takes_at_most(
        0.25, lambda: parse(text, asked=CORE, instruments=INSTRUMENTS, channel=channel, headers=headers)
    ), "the bound is 50 ms on a quiet machine; five times that is not noise"


GROWING = [
    "i want to ",
    "don't kill my gun tonight ",
    "5 or 4, ",
    "\n",
    "--\n",
    "Ana Bol\n\n",
    "k*ll ",
    "___\nDate: 5\n",
    "not 4 ",
    "5 4 3 not ",
]


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("piece", GROWING)
def test_a_longer_text_takes_longer_in_proportion_at_most(piece: str, channel: str) -> None:
    """Both lengths are read in full, so a quadratic step would take sixteen times as long for four times the text."""
    short, long = (min(_seconds(piece, length, channel) for _ in range(3)) for length in (2_900, 11_600))
    assert long < 8 * short + 0.005


def _seconds(piece: str, length: int, channel: str) -> float:
    text = (piece * length)[:length]
    return cost(lambda: parse(text, asked=CORE, instruments=INSTRUMENTS, channel=channel))


@pytest.mark.parametrize("kind", [None, "text/plain"])
def test_stop_and_danger_are_found_at_either_end_of_a_long_text(kind: str | None) -> None:
    channel, headers = ("sms", None) if kind is None else ("email", {"Content-Type": kind})
    for text in (
        "I want to die. " + "We talked a lot. " * 9000,
        "We talked a lot. " * 9000 + "I want to die. Stop texting me.",
    ):
        assert parse(text, asked=CORE, instruments=INSTRUMENTS, channel=channel, headers=headers).crisis


def test_an_empty_mails_subject_takes_no_longer_than_a_body() -> None:
    headers = {"Content-Type": "text/plain", "Subject": "i want to die " * 80_000}
    assert takes_at_most(
        0.25, lambda: parse("", asked=CORE, instruments=INSTRUMENTS, channel="email", headers=headers)
    ), "as a body of that length does"


LINE = {
    "answers": 0.99,
    "answers without leniency": 0.99,
    "no wrong score": 0.995,
    "no false score": 0.998,
    "no false score in machine text": 1.0,
    "optout keywords": 1.0,
    "optout recall": 0.99,
    "optout precision": 0.99,
    "crisis recall": 0.985,
    "crisis precision": 0.985,
    "comment kept": 0.99,
    "no mail leak": 0.99,
}


@pytest.mark.parametrize("name", ["public.jsonl", "own.jsonl"])
def test_the_line_reached_on_the_labelled_replies_is_held(name: str) -> None:
    figures = tally(read_all(load(name)))
    below = {figure: figures.misses[figure] for figure, least in LINE.items() if figures.rate(figure) < least}
    assert not below, f"{name}: each figure with the rows that are read otherwise than labelled: {below}"
