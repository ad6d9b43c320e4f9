"""What no phrase says, a reply's words may still say together; and they say nothing in a language they don't know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.phrases import BREAK, Words, fold_words
from surveys.replies import parse, weighing
from surveys.replies.thoughts import LONGEST, Marks, marks_of
from surveys.replies.weighing import (
    BOUNDS,
    CHANCE,
    FLAGS,
    Parts,
    Weights,
    kinds,
    letters,
    levelled,
    load,
    pieces,
    read,
    read_kinds,
    sounds_like,
    write,
)
from tests.surveys.replies.reading import CORE, INSTRUMENTS


def test_pieces_are_words_pairs_triples_and_pairs_with_a_gap_inside_one_sentence() -> None:
    row = ["grey", "damp", "walls", BREAK, "at", "10"]
    words = ["grey", "damp", "walls", "at", "#"]
    phrases = ["grey damp", "damp walls", "at #", "grey damp walls", "grey _ walls", "^ grey", "walls $", "^ at", "# $"]
    runs = [run for word in words for run in letters(word)]
    assert sorted(pieces(row)) == sorted([*words, *phrases, *runs])
    assert list(pieces([])) == []


def test_letters_are_pieces_once_for_each_word_they_are_part_of() -> None:
    assert letters("hurts") == ("hur-", "-rts", "-hurt-", "-urts-")
    assert (letters("me"), letters("4th"), letters("a" * 41)) == ((), (), ())
    assert list(pieces(["hurts", "hurt", "hurts"])).count("-hurt-") == 2


def test_a_form_nobody_has_seen_weighs_what_its_letters_do_and_is_told_as_written() -> None:
    weights = Weights(-1.0, {"cut": 0.0, "my": 0.0, "arm": 0.0, "cut-": 1.0, "-utti-": 2.0, "cut my": 0.5})
    assert weights.heaviest(Parts(["cut", "my", "cuttinn", "arm"])) == (3.5, ("cuttinn", "cut", "cut my"))


def test_what_is_known_of_a_kind_of_words_is_known_of_each() -> None:
    """Nobody has to have written of a sister what was written of a brother."""
    phrases = {piece for piece in pieces(["grey", "hurt", "sister", BREAK, "hurt", "damp"]) if "<" in piece}
    pairs = {"<hurt> <kin>", "hurt <kin>", "<hurt> sister", "grey <hurt>", "<hurt> damp"}
    assert phrases == {"<hurt>", "<kin>", "<kin> $", "^ <hurt>", *pairs, "grey <hurt> <kin>", "grey _ <kin>"}
    weights = Weights(-1.0, {"hurt": 0.5, "sister": 0.0, "<hurt> <kin>": 2.0, "<kin>": 1.0})
    assert weights.heaviest(Parts(["hurt", "sister"])) == (2.5, ("hurt sister", "sister", "hurt"))


def test_each_word_of_a_kind_is_one_that_texts_hold() -> None:
    assert len(kinds()) > 2_000
    assert [word for word in kinds() if fold_words(word) != (word,)] == []


def test_a_word_of_two_kinds_is_refused() -> None:
    assert read_kinds('[kin]\nen = "sister"\nes = "madre"') == {"sister": "<kin>", "madre": "<kin>"}
    with pytest.raises(ValueError, match="'Sister' cannot be of the kind 'helper': it is <kin>"):
        read_kinds('[kin]\nen = "sister"\n[helper]\nen = "Sister"')


def test_the_heaviest_stretch_counts_and_its_words_are_told() -> None:
    weights = Weights(-1.0, {"gone": 2.0, "for": 0.5, "good": 1.5, "for good": 2.5, "fine": -1.0})
    assert weights.heaviest(Parts(["gone", "for", "good"])) == (5.5, ("for good", "gone", "good"))
    calm = ["fine"] * LONGEST
    long, said = weights.heaviest(Parts([*calm, "gone", "for", "good"]))
    assert (0 < long < 5.5, said) == (True, ("for good", "gone", "good"))
    assert weights.heaviest(Parts([])) == (-1.0, ())


def test_a_sentence_beside_others_weighs_what_it_does_alone_less_a_little_for_each_doubling() -> None:
    weights = Weights(-1.0, {"gone": 4.0, "fine": -2.0, "so": 0.0, "far": 0.0, "for": 0.0, "good": 1.0})
    alone, said = weights.heaviest(Parts(["gone", "for", "good"]))
    beside, same = weights.heaviest(Parts(["fine", "so", "far", BREAK, "gone", "for", "good"]))
    assert (alone, said) == (4.0, ("gone", "good"))
    assert (beside, same) == (4.0 - CHANCE, said)


def test_what_is_spread_over_many_words_weighs_less() -> None:
    """Ordinary words each speak a little for or against, and a long story has many of them."""
    weights = Weights(-1.0, {f"word{n}": 0.3 for n in range(30)})
    short, long = ([f"word{n}" for n in range(count)] for count in (10, 30))
    assert weights.heaviest(Parts(short))[0] == pytest.approx(2.0)
    assert weights.heaviest(Parts(long))[0] == pytest.approx(8 / 3)
    assert levelled(8.0, 30) == pytest.approx(8 / 3)
    assert levelled(2.0, 3) == 2.0


def test_where_most_words_are_unknown_nothing_is_said() -> None:
    weights = Weights(-1.0, {"die": 9.0})
    assert weights.heaviest(Parts(["die", "stunde", "war", "gut"])) == (-1.0, ())


@pytest.mark.parametrize("flag", FLAGS)
def test_the_packaged_weights_are_read_and_an_empty_reply_weighs_too_little(flag: str) -> None:
    weights = load(flag)
    assert len(weights.pieces) > 5_000
    assert weights.start < 0 < BOUNDS[flag]
    assert sounds_like(flag, Parts([])) == ()


def test_a_file_is_written_as_it_is_read() -> None:
    text = write(-1.25, [("well", -0.5), ("numb", 1.0), ("a b", 1.0)])
    assert text.splitlines() == ["-1.25\tthe beginning", "1.00\ta b", "1.00\tnumb", "-0.50\twell"]
    assert read(text) == Weights(-1.25, {"a b": 1.0, "numb": 1.0, "well": -0.5})


@pytest.mark.parametrize("text", ["1.0 numb\n", "much\tnumb\n", "1.0\t\n", "1.0\tnumb\n"])
def test_a_file_that_cannot_be_used_is_refused_by_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1|the beginning"):
        read(text)


def test_weighed_danger_says_by_which_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"grey": 3.0, "whole": 2.0, "everything": 0.0, "has": 0.0, "gone": 1.0}
    weighed = {"danger": Weights(-1.0, words), "optout": Weights(-9.0, {})}
    monkeypatch.setattr(weighing, "load", weighed.__getitem__)
    reply = parse("everything has gone whole grey", asked=CORE, instruments=INSTRUMENTS)
    assert reply.crisis
    assert [(each.words, each.rule) for each in reply.because if each.feeling is None] == [
        ("grey + whole + gone", "danger: weighed")
    ]
    assert not parse("everything has gone", asked=CORE, instruments=INSTRUMENTS).crisis


@pytest.mark.parametrize(
    "around",
    [
        "{} and i got the job and we celebrated with cake on saturday",
        "{} but we worked on how to talk to my son about homework and it helped",
        "our dog had puppies, six of them, and {} too",
        "5 5 5 she was kind and funny and the room was warm but {}",
    ],
)
@pytest.mark.parametrize(
    "said", ["i feel suicidal", "i overdosed", "i cut myself", "i want to die", "i have been self harming"]
)
def test_danger_is_not_talked_away_by_ordinary_words_around_it(said: str, around: str) -> None:
    """Weights may find danger where no phrase does; they never take back what a phrase has found."""
    assert parse(around.format(said), asked=CORE, instruments=INSTRUMENTS).crisis


@pytest.mark.parametrize(
    "text",
    [
        "Die Stunde war gut, danke, wir haben viel über die Arbeit gesprochen",
        "La seduta mi ha fatto bene, ne parliamo la prossima volta",
        "De afspraak was fijn en ik voelde me gehoord",
        "A sessão foi boa, falamos bastante sobre o trabalho",
        "5 4 5, we talked a lot about my job and the new flat and it helped",
        "I don't want to die, it's just been a long week",
    ],
)
def test_ordinary_replies_weigh_too_little(text: str) -> None:
    reply = parse(text, asked=CORE, instruments=INSTRUMENTS)
    assert (reply.crisis, reply.opt_out) == (False, False)


def test_two_lines_without_a_full_stop_are_weighed_as_neighbours() -> None:
    """Parts that only a line break parts are joined by a break that the reply itself doesn't have."""
    weights = Weights(-1.0, {"gone": 2.0, "for": 0.0, "good": 0.0, "so": 0.0, "fine": 0.0})
    row = ["so", "fine", "gone", "for", "good", "fine", "so"]
    assert weights.heaviest(Parts(row, Marks(lines=frozenset({2, 5}))))[1] == ("gone",)


@given(
    st.lists(st.sampled_from(["i want", "to die", ", ", "\n", ". ", " and ", "the bus was late", "5 "]), max_size=14)
)
def test_no_reply_of_lines_and_marks_breaks_the_weighing(pieces_of: list[str]) -> None:
    text = "".join(pieces_of)
    words = Words.of(text)
    for flag in FLAGS:
        assert isinstance(sounds_like(flag, Parts(words.folded, marks_of(text, words))), tuple)
