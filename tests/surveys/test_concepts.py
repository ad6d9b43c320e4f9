"""Rules over concepts: words from two lists mean together what neither means alone."""

import pytest

from surveys.concepts import BadRule, Rule, Rules, Together, enough
from surveys.phrases import Match, Phrases, Words

CONCEPTS = {
    "means": ["rope", "bottle of pills"],
    "at hand": ["bought", "in my hand"],
    "kitchen": ["cooking"],
    "goodbye": ["farewell"],
}


def held(rule: str, text: str, *, not_meant: str = "") -> list[Together]:
    phrases = Phrases()
    for name, patterns in CONCEPTS.items():
        for pattern in patterns:
            phrases.add("concept.en", name, pattern, {})
    words = Words.of(text)
    places = {i for i, word in enumerate(words.folded) if word == not_meant}
    rules = Rules([Rule.of(rule, "danger.says", "plan", "en", CONCEPTS)])
    return rules.find(phrases.find(words), words, {"danger.says": places})


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("means + at hand", "I bought a rope", True),
        ("means + at hand", "the rope I bought", True),
        ("means + at hand", "I bought bread. The rope is old", False),
        ("means + at hand", "bought " + "very " * 20 + "old rope", False),
        ("means + at hand - kitchen", "bought a rope for cooking", False),
        ("means + at hand - kitchen", "bought a rope. I was cooking", True),
        ("goodbye & means", "Farewell. I have the rope", True),
        ("goodbye & means - kitchen", "Farewell. I have the rope. I was cooking", False),
        ("means + at hand", "bought", False),
    ],
)
def test_a_rule_holds_where_its_concepts_stand_together(rule: str, text: str, expected: bool) -> None:
    assert bool(held(rule, text)) is expected


def test_words_meant_otherwise_are_no_part_of_a_rule() -> None:
    assert not held("means + at hand", "I bought a rope", not_meant="rope")


def test_a_rule_that_holds_says_which_words_it_covers() -> None:
    (found,) = held("means + at hand", "today I bought a rope, really")
    assert (found.span.first, found.span.after) == (2, 5)


@pytest.mark.parametrize(
    ("rule", "told"),
    [("means + nothing", "there is no concept 'nothing'"), ("means + at hand & goodbye", "+ and & do not go together")],
)
def test_a_rule_that_cannot_be_read_is_refused_with_the_reason(rule: str, told: str) -> None:
    with pytest.raises(BadRule, match=told.replace("+", r"\+")):
        Rule.of(rule, "danger.says", "plan", "en", CONCEPTS)


def sign(weight: str, place: int) -> Together:
    rule = Rule("danger.sign", weight, "en", (f"{weight} {place}",), (), apart=False)
    return Together(rule, (Match("concept.en", "", place, place + 1),))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (["strong"], True),
        (["clear"], False),
        (["clear", "weak"], True),
        (["clear", "clear"], True),
        (["weak", "weak", "weak", "weak"], False),
        (["strong", "against"], False),
        (["strong", "clear", "against", "against"], True),
    ],
)
def test_signs_add_up(weights: list[str], expected: bool) -> None:
    assert bool(enough([sign(weight, i) for i, weight in enumerate(weights)])) is expected


def test_signs_far_apart_and_on_the_same_word_do_not_add_up() -> None:
    assert not enough([sign("clear", 1), sign("weak", 90)])
    assert not enough([sign("clear", 1), sign("weak", 1)])
