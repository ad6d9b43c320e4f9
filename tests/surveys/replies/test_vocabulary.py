"""The words are data that can be extended, and a file that lacks something is refused by name."""

from importlib.resources import files

import pytest

from surveys.phrases import BadPattern, Phrases, Words
from surveys.spelling import one_edit
from surveys.vocabulary import FILES, BadVocabulary, build

TEXTS = {name: (files("surveys") / "instruments" / "words" / f"{name}.toml").read_text("utf8") for name in FILES}


@pytest.mark.parametrize(
    ("file", "was", "becomes", "told"),
    [
        ("es", "[numbers]", "[nummers]", "numbers: is missing"),
        ("es", "[numbers]\n1 =", "[numbers]\n6 =", "numbers.6: is none of 1, 2, 3, 4, 5"),
        ("es", "ordinary = [", "ordinary = [[", "the file: is not TOML"),
        ("flags_es", "keywords = [", "keyword = [", "keywords: is missing"),
        ("flags_es", "past = [\n", "past = [3,\n", "danger.past: must be a list of phrases in quotes"),
        ("flags_es", "past = [\n", 'past = ["<nobody> x",\n', "danger.past: there is no list <nobody>"),
        ("flags_de", "[together]", "[to gether]", "the file: is not TOML"),
        ("flags_de", "[together]", "[apart]", "together: is missing"),
        ("flags_de", 'thoughts = ["wunsch + tod', 'thoughts = ["wish + tod', "together.thoughts: 'wish + tod"),
        ("flags_de", "[signs]", "[signs]\nloud = []", "signs.loud: is none of strong, clear, weak, against"),
    ],
)
def test_a_words_file_that_lacks_a_part_is_refused_by_file_key_and_reason(
    file: str, was: str, becomes: str, told: str
) -> None:
    assert was in TEXTS[file]
    with pytest.raises(BadVocabulary) as refused:
        build(TEXTS | {file: TEXTS[file].replace(was, becomes, 1)})
    assert str(refused.value).startswith(f"{file}.toml: {told}")


def found(pattern: str, text: str) -> bool:
    phrases = Phrases()
    phrases.add("group", "", pattern, {"me": ["me", "my phone"]})
    return bool(phrases.find(Words.of(text)))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("stop texting", "Please STOP texting", True),
        ("stop/quit texting", "quit texting", True),
        ("suicid~", "suicidal", True),
        ("really? tired", "tired", True),
        ("stop texting <me>", "stop texting my phone", True),
        ("stop * texting", "stop with all that texting", True),
        ("stop * texting", "stop with all of that texting", False),
        ("stop * texting", "stop. No texting", False),
        ("^ stop $", "I cried. Stop.", True),
        ("^ stop $", "please stop", False),
        ("j'ai peur", "J’AI PEUR", True),
        ("took ## pills", "took 20 pills", True),
        ("took ## pills", "took 2 pills", False),
        ("más", "mas", True),
    ],
)
def test_the_signs_in_a_pattern_mean_what_they_say(pattern: str, text: str, expected: bool) -> None:
    assert found(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["* *", "a*", "*9 x", "ab~"])
def test_a_pattern_that_makes_no_sense_is_refused(pattern: str) -> None:
    if pattern == "a*":
        assert not found(pattern, "a")
        return
    with pytest.raises(BadPattern):
        found(pattern, "x")


@pytest.mark.parametrize(
    ("a", "b", "expected"), [("fuve", "five", True), ("fvie", "five", True), ("tow", "five", False)]
)
def test_one_edit_is_one_slip(a: str, b: str, expected: bool) -> None:
    assert one_edit(a, b) is expected
