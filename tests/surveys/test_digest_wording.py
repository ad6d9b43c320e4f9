"""The words of a therapist's week and a manager's month: complete in every language, calm, and nothing too much."""

import re
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from string import Formatter

import pytest

from surveys.digest_wording import URGENCY, Week, digest_words, week_text
from surveys.instrument_file import LANGUAGES, BadInstrument
from surveys.page_wording import read

TEXT = (files("surveys") / "instruments" / "digests.toml").read_text(encoding="utf-8")
SOURCES = ("surveys/digest_wording.py", "bot/flows/monthly.py", "bot/flows/pictures.py", "bot/flows/to_staff.py")
NEW_YORK = "America/New_York"
DUE = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)  # a Monday, eight in New York
WORDS = digest_words("en", NEW_YORK)


def said(week: Week, language: str = "en") -> str:
    text = week_text(week, digest_words(language, NEW_YORK))
    lines = [line for section in text.sections for line in (section.heading, *section.lines)]
    return "\n".join([text.subject, text.lead, *lines, text.action, text.why])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_key_in_words_of_its_own(language: str) -> None:
    pages = tomllib.loads(TEXT)["page"]
    assert pages[language].keys() == pages["en"].keys()
    same = {key for key, text in pages[language].items() if text == pages["en"][key]}
    assert language == "en" or same <= {"money"}


def test_a_missing_key_is_refused_by_its_name() -> None:
    head, part, rest = TEXT.partition("[page.fr]")
    broken = head + part + re.sub(r"\nweek_calm = .*", "", rest, count=1)
    with pytest.raises(BadInstrument, match=r"digests.toml, page\.fr\.week_calm: is missing"):
        read(broken, "digests.toml")


def test_every_text_is_used() -> None:
    """Words that nobody sees rot. Those of a pair, and the steps, are put together from kinds."""
    root = files("surveys").joinpath("..")
    code = "\n".join((root / source).read_text(encoding="utf-8") for source in SOURCES)
    for key in WORDS.texts:
        kind = re.sub(r"^next_|_(one|many|named)$", "", key)
        assert kind in URGENCY or re.search(rf"""["']{kind}["']""", code), key


def test_no_subject_has_anything_filled_in() -> None:
    """It must never hold a name or a rating."""
    subjects = [str(text) for key, text in WORDS.texts.items() if key.endswith("subject")]
    assert len(subjects) == 2
    assert not [name for text in subjects for _, name, _, _ in Formatter().parse(text) if name]


def test_a_week_in_which_nothing_waits_is_two_sentences() -> None:
    text = week_text(Week(14, DUE), WORDS)
    assert (text.lead, list(text.sections)) == ("Nothing waits for you. 14 clients are in your care.", [])


def test_a_week_says_first_how_many_are_worth_a_look() -> None:
    assert week_text(Week(14, DUE, {"note": [""]}), WORDS).lead.startswith("One of the 14 clients")
    assert week_text(Week(14, DUE, {"note": [""], "call": ["", ""]}), WORDS).lead.startswith("Three of the 14 clients")
    assert week_text(Week(1, DUE, {"note": [""]}), WORDS).lead.startswith("The one client in your care")


def test_what_presses_most_stands_first() -> None:
    shown = said(Week(9, DUE, {kind: [""] for kind in reversed(URGENCY)}))
    places = [shown.index(str(WORDS.texts[f"{kind}_one"])) for kind in URGENCY]
    assert places == sorted(places)


def test_without_names_there_are_counts_and_with_names_one_line_each() -> None:
    assert "Two notes wait for you." in said(Week(9, DUE, {"note": ["", ""]}))
    named = said(Week(9, DUE, {"note": ["A. R.", "C-7"]}, ["B. O."], ["D. E."]))
    for line in ("A. R.: a note waits for you.", "C-7: a note waits for you.", "B. O., in the last", "D. E. used to"):
        assert line in named


def test_at_most_three_things_to_do() -> None:
    text = week_text(Week(9, DUE, {kind: [""] for kind in URGENCY}, [""], [""]), WORDS)
    assert len(text.sections[-1].lines) == 3


def test_two_silences_make_one_thing_to_do() -> None:
    text = week_text(Week(9, DUE, {"silent": [""]}, quiet=[""]), WORDS)
    assert list(text.sections[-1].lines) == ["Ask whoever went quiet whether the questions still suit them."]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_week_is_filled_in_in_every_language(language: str) -> None:
    shown = said(Week(30, DUE, {kind: ["", "", "X."] for kind in URGENCY}, ["", "Y."], ["", "", "Z."]), language)
    assert not re.search(r"[{}]", shown)
    assert "8:00" in shown or "08:00" in shown


def test_silence_is_called_a_soft_sign() -> None:
    assert "soft sign only" in said(Week(9, DUE, quiet=["", ""]))
