"""What clients are told: brief, neutral, the same for everyone, and within its segments."""

import re
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.instrument import KINDS, load_all
from surveys.instrument_file import LANGUAGES
from surveys.wording import NAME_UNITS, Say, Voice, Written, language_of, segments, why_not_name, write

CORE = ("heard", "respected", "understood")
FOURTHS = ("dependable", "accepted", "involved", "seen")
ASKED = (CORE, *((*CORE, fourth) for fourth in FOURTHS))
LONGEST = "Riverside Clinic"
INITIALS = ("", "A")
COUNTRIES = ("ZZ", "US", "CA", "GB", "IE", "ES", "FR", "MX", "AU", "NZ")
INVITING = ("welcome", "thanks", "comment_thanks", "started", "help", "closed", "unexpected")
NOT_WATCHED = {
    "en": "Not watched in real time",
    "es": "No se lee en tiempo real",
    "fr": "Pas lu en temps réel",
}


def said(kind: str, language: str = "en", feelings: tuple[str, ...] = CORE, initial: str = "", **voice: Any) -> str:
    """What a client reads; `voice` changes who speaks."""
    return written(kind, language, feelings, initial, **voice).text


def written(
    kind: str, language: str = "en", feelings: tuple[str, ...] = CORE, initial: str = "", **voice: Any
) -> Written:
    spoken = replace(Voice("Riverside", language), **voice)
    return write(Say(kind, feelings, initial=initial), spoken, load_all())


def every_text(language: str) -> list[tuple[str, str]]:
    """All kinds with the longest name, every fourth feeling, every country, with and without an initial."""
    return [
        (kind, said(kind, language, feelings, initial, sms_name=LONGEST, country=country))
        for kind in KINDS
        for feelings in ASKED
        for initial in INITIALS
        for country in COUNTRIES
    ]


def test_the_longest_name_is_as_long_as_a_name_may_be() -> None:
    assert segments(LONGEST).units == NAME_UNITS
    assert why_not_name(LONGEST) is None


def test_a_check_in_asks_the_core_feelings_first() -> None:
    assert said("check_in", feelings=(*CORE, "accepted")) == (
        "Riverside visit: did you feel heard, respected, understood, accepted? "
        "1=not at all 5=completely. Reply with four numbers, like 4 2 5 3, or STOP"
    )


def test_the_example_matches_the_count_and_does_not_invite_fives() -> None:
    assert "Reply with three numbers, like 4 2 5, or" in said("check_in")
    assert "Reply with one number, like 4, or" in said("reminder", feelings=("heard",))
    for feelings in ASKED:
        example = re.search(r"like ([\d ]+)", said("check_in", feelings=feelings))
        assert example
        digits = example[1].split()
        assert len(digits) == len(feelings)
        assert digits.count("5") == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["check_in", "reminder"])
def test_a_check_in_shows_both_ends_of_the_scale(kind: str, language: str) -> None:
    choices = load_all().choices[language]
    for initial in INITIALS:
        text = said(kind, language, initial=initial)
        assert f"1={choices[0]} 5={choices[4]}" in text


@pytest.mark.parametrize("initial", INITIALS)
@pytest.mark.parametrize("feelings", ASKED, ids=lambda asked: asked[-1])
@pytest.mark.parametrize("kind", ["check_in", "reminder"])
def test_an_english_check_in_fits_one_gsm_7_segment(kind: str, feelings: tuple[str, ...], initial: str) -> None:
    found = segments(said(kind, "en", feelings, initial, sms_name=LONGEST))
    assert (found.encoding, found.count) == ("GSM-7", 1)


@pytest.mark.parametrize("initial", INITIALS)
@pytest.mark.parametrize("feelings", ASKED, ids=lambda asked: asked[-1])
@pytest.mark.parametrize("language", ["es", "fr"])
@pytest.mark.parametrize("kind", ["check_in", "reminder", "explain"])
def test_other_languages_take_two_segments_at_most(
    kind: str, language: str, feelings: tuple[str, ...], initial: str
) -> None:
    assert segments(said(kind, language, feelings, initial, sms_name=LONGEST)).count <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_asking_for_the_rest_takes_two_segments_at_most(language: str) -> None:
    for asked in ASKED:
        for open_ones in range(1, len(asked)):
            known, rest = asked[:-open_ones], asked[-open_ones:]
            say = Say("ask_rest", rest, tuple((feeling, 5) for feeling in known), "A")
            assert segments(write(say, Voice(LONGEST, language), load_all()).text).count <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_takes_more_than_its_share(language: str) -> None:
    """Two segments; the one welcome, which has much to tell, three."""
    for kind, text in every_text(language):
        assert segments(text).count <= (3 if kind == "welcome" else 2), text


def test_english_is_gsm_7_throughout() -> None:
    assert {segments(text).encoding for _, text in every_text("en")} == {"GSM-7"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_names_the_practice_and_how_to_stop(language: str) -> None:
    for _, text in every_text(language):
        assert LONGEST in text
        assert "STOP" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", INVITING)
def test_where_words_are_invited_it_says_that_nobody_watches(kind: str, language: str) -> None:
    text = said(kind, language)
    assert NOT_WATCHED[language] in text
    assert load_all().lines_of("US").text[language] in text


def test_no_message_tells_a_lock_screen_what_the_practice_does() -> None:
    telling = re.compile(r"therap|terap|thérap|session|sesión|séance|psych|psic|suicid|mental|counsel", re.I)
    for language in LANGUAGES:
        subjects = load_all().subjects[language].values()
        for text in chain(subjects, (text for _, text in every_text(language))):
            assert not telling.search(text), text


def test_subjects_carry_no_feeling_and_no_number() -> None:
    for language in LANGUAGES:
        labels = [question.labels[language] for question in load_all().questions.values()]
        for kind in KINDS:
            subject = written(kind, language, (*CORE, "seen")).subject
            assert subject
            assert not any(char.isdigit() for char in subject)
            assert not any(label in subject.lower() for label in labels)


def test_everyone_gets_the_same_thanks() -> None:
    """Whatever was answered: a warmer reply to low scores would teach people to score high."""
    low = Say("thanks", CORE, (("heard", 1), ("respected", 1)))
    high = Say("thanks", CORE, (("heard", 5), ("respected", 5)))
    voice = Voice("Riverside", "en")
    assert write(low, voice, load_all()) == write(high, voice, load_all())


@pytest.mark.parametrize(("language", "word"), [("en", "CALL"), ("es", "LLAMAR"), ("fr", "APPEL")])
def test_the_thanks_say_how_to_ask_for_a_call(language: str, word: str) -> None:
    assert f" {word} " in said("thanks", language)


def test_what_was_understood_is_shown_when_the_rest_is_asked_for() -> None:
    say = Say("ask_rest", ("understood",), (("heard", 5), ("respected", 4)))
    assert write(say, Voice("Riverside", "en"), load_all()).text == (
        "Riverside: Got heard 5, respected 4. How understood did you feel, 1-5? STOP to end"
    )


def test_two_open_questions_are_asked_for_together() -> None:
    say = Say("ask_rest", ("respected", "understood"), (("heard", 5),))
    text = write(say, Voice("Riverside", "en"), load_all()).text
    assert "Still open, 1-5: respected, understood. Reply with two numbers, like 4 2." in text


def test_the_rest_can_be_asked_for_when_nothing_was_understood() -> None:
    text = said("ask_rest", feelings=("heard",))
    assert text == "Riverside: How heard did you feel, 1-5? STOP to end"


@pytest.mark.parametrize("feeling", [*CORE, *FOURTHS])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feeling_can_be_asked_for_on_its_own(feeling: str, language: str) -> None:
    text = said("ask_rest", language, (feeling,))
    assert load_all().questions[feeling].names[language] in text
    assert "?" in text


def test_a_crisis_reply_is_the_agreed_text() -> None:
    agreed = (
        "Riverside: Automatic reply. Nobody may be reading now. If anyone may be in danger call 911, "
        "or call/text 988 any time. We are messaging your care team."
    )
    assert said("crisis").startswith(agreed)
    assert said("crisis_stopped").startswith(agreed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_stop_beside_a_crisis_gets_one_text_with_both(language: str) -> None:
    text = said("crisis_stopped", language)
    assert load_all().lines_of("US").text[language] in text
    assert "STOP" in text
    assert "START" in text


@pytest.mark.parametrize("kind", ["crisis", "crisis_stopped"])
def test_a_crisis_reply_quotes_nothing(kind: str) -> None:
    say = Say(kind, CORE, (("heard", 1),))
    assert write(say, Voice("Riverside", "en"), load_all()).text == said(kind, feelings=())


@pytest.mark.parametrize("kind", ["stopped", "crisis_stopped"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_who_stopped_is_told_how_to_come_back(kind: str, language: str) -> None:
    assert "START" in said(kind, language)


def test_the_welcome_says_who_why_how_often_and_what_happens_with_the_answers() -> None:
    text = said("welcome", often=14)
    for promise in (
        "Riverside: Hello. To learn how your visits feel to you",
        "about every two weeks",
        "skip any",
        "Your own clinician reads your answers.",
        "Nobody uses them for billing or decisions about your care.",
        "Not watched in real time: in an emergency call 911, or call/text 988 any time.",
        "Reply STOP to end, HELP for help.",
    ):
        assert promise in text


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "after most visits"),
        (6, "about once a week"),
        (14, "every two weeks"),
        (30, "once a month"),
        (90, "now and then"),
    ],
)
def test_how_often_follows_the_practices_rule(days: int, words: str) -> None:
    assert words in said("welcome", often=days)


def test_a_practices_own_lines_replace_the_countrys() -> None:
    text = said("thanks", own_lines="call 911, or our line 555-0100 any time. ")
    assert "in an emergency call 911, or our line 555-0100 any time. STOP" in text
    assert "988" not in text


def test_a_country_without_lines_points_to_the_local_emergency_number() -> None:
    assert "in an emergency call your local emergency number." in said("thanks", country="ZZ")


def test_on_a_shared_phone_every_text_begins_with_the_initial() -> None:
    start = {"en": "For B.: ", "es": "Para B.: ", "fr": "Pour B. : "}
    for language in LANGUAGES:
        for kind in KINDS:
            assert said(kind, language, initial="b").startswith(start[language])
            assert not said(kind, language).startswith(start[language])


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("FR_ca", "fr"),
        (" en ", "en"),
        ("de", "en"),
        ("", "en"),
        ("esperanto", "en"),
    ],
)
def test_a_language_we_lack_is_written_to_in_english(tag: str, language: str) -> None:
    assert language_of(tag) == language
    assert said("thanks", tag) == said("thanks", language)


@pytest.mark.parametrize("kind", ["check_in", "reminder", "ask_rest", "explain"])
def test_a_question_about_nothing_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="must ask about something"):
        said(kind, feelings=())


def test_an_unknown_kind_or_feeling_is_refused() -> None:
    with pytest.raises(ValueError, match="'hello' is not a kind"):
        said("hello")
    with pytest.raises(ValueError, match="'check_in_shared' is not a kind"):
        said("check_in_shared")
    with pytest.raises(ValueError, match="'loved' is not a feeling"):
        said("check_in", feelings=("loved",))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "needs a name"),
        ("   ", "needs a name"),
        ("Riverside Clinics", "takes 17 characters"),
        ("Clínica", "can't have 'í'"),
        ("[Riverside West]", "takes 18 characters"),
    ],
)
def test_a_name_that_spoils_every_text_is_refused_in_a_sentence(name: str, fault: str) -> None:
    assert fault in (why_not_name(name) or "")


@given(st.text(max_size=30), st.sampled_from(KINDS), st.sampled_from(LANGUAGES))
def test_what_is_filled_in_is_never_read_as_a_template(name: str, kind: str, language: str) -> None:
    """Braces in a practice's own words stay as they are."""
    assert "{x}" + name in said(kind, language, sms_name="{x}" + name)
