"""The files of what is asked and said: complete as shipped, and refused by name when something is wrong."""

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from surveys.instrument import ALERT_KINDS, FOUNDATIONS, KINDS, OVERALL, Instruments, load, load_all
from surveys.instrument_file import LANGUAGES, BadInstrument

SEVEN = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen")
Edit = Callable[..., Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Copies the files into a folder of their own, one of them changed."""

    def edit(name: str, old: str, new: str) -> Path:
        for file in (files("surveys") / "instruments").iterdir():
            if file.name.endswith(".toml"):
                (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        before = (tmp_path / name).read_text(encoding="utf-8")
        assert old in before, f"{name} must hold {old!r} for this test to mean anything"
        (tmp_path / name).write_text(before.replace(old, new, 1), encoding="utf-8")
        return tmp_path

    return edit


def refused(folder: Path, file: str, key: str, reason: str) -> None:
    with pytest.raises(BadInstrument) as caught:
        load(folder)
    assert (caught.value.file, caught.value.key) == (file, key)
    assert reason in caught.value.reason
    assert str(caught.value) == f"{file}, {key}: {caught.value.reason}", "the sentence names all three"


def without(name: str, start: str, edit: Edit) -> Path:
    """The files less the first line that begins so."""
    text = (files("surveys") / "instruments" / name).read_text(encoding="utf-8")
    line = next(line for line in text.splitlines(keepends=True) if line.startswith(start))
    return edit(name, line, "")


def test_the_shipped_files_are_complete() -> None:
    instruments = load_all()
    assert tuple(instruments.questions) == SEVEN
    assert instruments.core == SEVEN[:3]
    for language in LANGUAGES:
        assert set(instruments.subjects[language]) == set(KINDS)
        assert set(KINDS) < set(instruments.texts[language])
        assert set(instruments.alerts[language].texts) == set(ALERT_KINDS)
    assert load_all() is instruments, "read once"


def test_the_choice_words_are_those_that_replies_are_read_by() -> None:
    choices = load_all().choices
    assert choices["en"] == ("not at all", "a little", "somewhat", "mostly", "completely")
    assert choices["es"] == ("nada", "poco", "algo", "bastante", "totalmente")
    assert len(set(choices["fr"])) == 5


@pytest.mark.parametrize(
    ("feeling", "foundation"),
    [
        ("heard", "listening"),
        ("understood", "empathy"),
        ("dependable", "reliability"),
        ("accepted", "non-judgement"),
        ("involved", "engagement"),
        ("seen", "cultural sensitivity"),
    ],
)
def test_each_feeling_belongs_to_its_foundation(feeling: str, foundation: str) -> None:
    assert load_all().questions[feeling].foundation == foundation


def test_every_foundation_has_sourced_advice_in_every_language() -> None:
    for foundation in (*FOUNDATIONS, OVERALL):
        advice = load_all().guidance[foundation]
        assert {language: len(lines) for language, lines in advice.lines.items()} == dict.fromkeys(LANGUAGES, 3)
        assert any("Eubanks" in source and "28(1)" in source for source in advice.sources)
        assert any("Safran & Muran (2000)" in source for source in advice.sources)


@pytest.mark.parametrize(
    ("country", "emergency", "crisis"),
    [
        ("US", "911", "988"),
        ("CA", "911", "988"),
        ("GB", "999", "116 123"),
        ("IE", "112", "116 123"),
        ("ES", "112", "024"),
        ("FR", "15 or 112", "3114"),
        ("MX", "911", "800 911 2000"),
        ("AU", "000", "13 11 14"),
        ("NZ", "111", "1737"),
    ],
)
def test_a_country_names_its_numbers_in_every_language(country: str, emergency: str, crisis: str) -> None:
    lines = load_all().lines_of(country.lower())
    assert (lines.country, lines.emergency, lines.crisis) == (country, emergency, crisis)
    for text in lines.text.values():
        assert all(number in text for number in (*re.findall(r"\d+", emergency), crisis))
    assert lines.sources
    assert all(source.startswith("https://") for source in lines.sources)


def test_a_country_we_have_no_lines_for_names_no_number() -> None:
    lines = load_all().lines_of("ZZ")
    assert lines.text["en"] == "call your local emergency number"
    assert not any(char.isdigit() for text in lines.text.values() for char in text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*KINDS, "check_in_shared", "reminder_shared"])
def test_a_text_missing_in_one_language_is_refused(edited: Edit, language: str, kind: str) -> None:
    head, name = f"[texts.{language}]", "rapport.toml"
    text = (files("surveys") / "instruments" / name).read_text(encoding="utf-8")
    section = text[text.index(head) : text.index(f"[subjects.{language}]")]
    lines = section.splitlines(keepends=True)
    less = "".join(line for line in lines if not line.startswith(f"{kind} ="))
    refused(edited(name, section, less), name, f"texts.{language}.{kind}", "is missing")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_missing_in_one_language_is_refused(edited: Edit, language: str) -> None:
    folder = edited(
        "rapport.toml", 'asks = { en = "heard", es = "escucharon", fr = "écoute" }', heard_without(language)
    )
    refused(folder, "rapport.toml", f"questions.heard.asks.{language}", "is missing")


def heard_without(language: str) -> str:
    words = {"en": "heard", "es": "escucharon", "fr": "écoute"}
    return "asks = {" + ", ".join(f'{tag} = "{word}"' for tag, word in words.items() if tag != language) + "}"


def test_a_feeling_left_out_is_refused(edited: Edit) -> None:
    folder = edited("rapport.toml", "[questions.seen]", "[questions.watched]")
    refused(folder, "rapport.toml", "questions.watched", "is not known here")


def test_a_wrong_line_of_toml_is_named(edited: Edit) -> None:
    folder = edited("rapport.toml", "scale = 5", "scale = five")
    with pytest.raises(BadInstrument) as caught:
        load(folder)
    assert caught.value.file == "rapport.toml"
    lines = (folder / "rapport.toml").read_text(encoding="utf-8").splitlines()
    assert caught.value.key == f"line {lines.index('scale = five') + 1}, column 9"


def test_a_missing_file_is_named(edited: Edit) -> None:
    folder = edited("lines.toml", "", "")
    (folder / "lines.toml").unlink()
    refused(folder, "lines.toml", "file", "is missing")


def test_a_file_that_is_not_utf_8_is_named(edited: Edit) -> None:
    folder = edited("lines.toml", "", "")
    (folder / "lines.toml").write_bytes(b'[default]\ntext = "\xe9"')
    refused(folder, "lines.toml", "byte 18", "is not UTF-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "reason"),
    [
        ("rapport.toml", "scale = 5", "scale = 7", "scale", "must be 5"),
        ("rapport.toml", "scale = 5", "scale = true", "scale", "must be a whole number"),
        (
            "rapport.toml",
            'core = ["heard"',
            'core = ["held"',
            "core",
            "'held' is not one of heard, respected",
        ),
        ("rapport.toml", '"mostly", ', "", "choices.en", "must have 5 entries, not 4"),
        ("rapport.toml", '"mostly", ', '"", ', "choices.en", "none of them empty"),
        ("rapport.toml", '"two numbers", ', "", "numbers.en", "must have 7 entries, not 6"),
        (
            "rapport.toml",
            '"listening"',
            '"hearing"',
            "questions.heard.foundation",
            "'hearing' is not one of listening",
        ),
        ("rapport.toml", 'es = "escucharon"', 'es = " "', "questions.heard.asks.es", "is empty"),
        ("rapport.toml", 'en = "heard"', "en = 5", "questions.heard.asks.en", "must be text"),
        (
            "rapport.toml",
            'fr = "écoute"',
            'fr = "écoute", de = "gehört"',
            "questions.heard.asks.de",
            "is not known",
        ),
        ("rapport.toml", "Got {scores}. ", "Got {score}. ", "parts.en.got", "unknown placeholder {score}"),
        (
            "rapport.toml",
            "Your own clinician",
            "{clinician}",
            "texts.en.welcome",
            "unknown placeholder {clinician}",
        ),
        (
            "rapport.toml",
            "Thank you. You may",
            "{feelings} You may",
            "texts.en.thanks",
            "unknown placeholder",
        ),
        ("rapport.toml", "{got}{question}", "{question}", "texts.en.ask_rest", "must contain {got}"),
        (
            "rapport.toml",
            "like {example}, or",
            "like 5 5 5, or",
            "texts.en.check_in",
            "must contain {example}",
        ),
        (
            "rapport.toml",
            "in an emergency {lines}. Reply",
            "Reply",
            "texts.en.welcome",
            "must contain {lines}",
        ),
        ("rapport.toml", "{sms_name}: {got}", "{got}", "texts.en.ask_rest", "must contain {sms_name}"),
        ("rapport.toml", "{question} STOP to end", "{question}", "texts.en.ask_rest", "how to stop"),
        ("rapport.toml", "{got}", "{got", "texts.en.ask_rest", "has a wrong brace"),
        ("rapport.toml", "{got}", "{got!r}", "texts.en.ask_rest", "must be a plain name"),
        (
            "rapport.toml",
            "{got}",
            "{got.__class__}",
            "texts.en.ask_rest",
            "unknown placeholder {got.__class__}",
        ),
        ("rapport.toml", "we couldn't", "we couldn’t", "texts.en.explain", "'’' is not GSM-7"),
        (
            "rapport.toml",
            '"About these check-ins"',
            '"{feelings}"',
            "subjects.en.help",
            "unknown placeholder",
        ),
        (
            "rapport.toml",
            'replaced = "{sms_name}: Thank',
            'replace = "x"\nreplaced = "{sms_name}: Thank',
            "texts.en.replace",
            "not known",
        ),
        ("guidance.toml", "[reliability]", "[reliable]", "reliable", "is not known here"),
        ("guidance.toml", '"eubanks", "safran"', '"eubank"', "sources.eubank", "is missing"),
        ("guidance.toml", "fr = [", "de = [", "listening.fr", "is missing"),
        ("lines.toml", "[default]", "[other]", "default.checked", "is missing"),
        ("lines.toml", "checked = 2026-11-23", 'checked = "lately"', "default.checked", "must be a date"),
        ("lines.toml", 'crisis = "988"', 'crisis = ""', "US.crisis", "is empty"),
        (
            "alerts.toml",
            "{feelings} has been",
            "{name} has been",
            "words.en.below_one",
            "unknown placeholder {name}",
        ),
        (
            "alerts.toml",
            'subject = "A note for you"',
            'subject = "{what}"',
            "texts.en.rapport.subject",
            "known here: none",
        ),
        ("alerts.toml", "[texts.fr.cover]", "[texts.fr.covers]", "texts.fr.covers", "is not known here"),
        ("alerts.toml", '2 = "two"', 'two = "two"', "counts.en.two", "must be a whole number"),
    ],
)
def test_a_broken_file_is_refused_with_file_key_and_reason(
    edited: Edit, file: str, old: str, new: str, key: str, reason: str
) -> None:
    refused(edited(file, old, new), file, key, reason)


def test_an_unchanged_copy_reads_like_the_shipped_files(edited: Edit) -> None:
    """The guard of the tests above: a copy alone is not refused."""
    copy, shipped = load(edited("lines.toml", "", "")), load_all()
    assert isinstance(copy, Instruments)
    assert copy.texts == shipped.texts
    assert copy.guidance == shipped.guidance
