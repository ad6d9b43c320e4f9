"""The words of the pages behind a note's link: complete and alike in every language, and all of them used."""

import re
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from surveys.instrument_file import LANGUAGES, BadInstrument
from surveys.page_wording import page_words, read

TEXT = (files("surveys") / "instruments" / "pages.toml").read_text(encoding="utf-8")
NEW_YORK = "America/New_York"
NOON = datetime(2026, 9, 7, 16, 5, tzinfo=UTC)
PLACES = ("bot/web/alerts.py", "bot/web/trend.py", "bot/flows/letters.py")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_key_in_words_of_its_own(language: str) -> None:
    pages = tomllib.loads(TEXT)["page"]
    assert pages[language].keys() == pages["en"].keys()
    same = [key for key, text in pages[language].items() if text == pages["en"][key]]
    assert language == "en" or not same


@pytest.mark.parametrize("language", ["es", "fr"])
def test_a_missing_key_is_refused_by_its_name(language: str) -> None:
    """A translator is told what is lacking, instead of a therapist seeing a broken page."""
    head, part, rest = TEXT.partition(f"[page.{language}]")
    broken = head + part + re.sub(r"\ntrend = .*", "", rest, count=1)
    with pytest.raises(BadInstrument, match=rf"pages.toml, page\.{language}\.trend: is missing"):
        read(broken)


def test_a_key_that_only_a_translation_has_is_refused() -> None:
    with pytest.raises(BadInstrument, match=r"page\.fr\.extra: is not known here"):
        read(TEXT.replace("[page.fr]", '[page.fr]\nextra = "de trop"'))


def test_a_translation_that_fills_in_something_else_is_refused() -> None:
    with pytest.raises(BadInstrument, match=r"page\.es\.about"):
        read(TEXT.replace('about = "Sobre {client}"', 'about = "Sobre {cliente}"'))


def test_a_file_that_cannot_be_read_and_a_stray_brace_are_refused_in_words() -> None:
    with pytest.raises(BadInstrument, match=r"pages.toml, syntax"):
        read(TEXT.replace("[page.es]", "[page.es"))
    with pytest.raises(BadInstrument, match=r"page\.es\.about"):
        read(TEXT.replace('about = "Sobre {client}"', 'about = "Sobre {client"'))


def test_every_text_is_used_and_every_text_used_is_there() -> None:
    """Words that nobody sees rot; words that aren't there break a page."""
    root = files("bot").joinpath("..")
    sources = [(root / place).read_text(encoding="utf-8") for place in PLACES]
    templates = Path(str(files("bot"))) / "web/templates"
    sources += [page.read_text(encoding="utf-8") for page in templates.glob("*.html")]
    text = "\n".join(sources)
    keys = tomllib.loads(TEXT)["page"]["en"].keys()
    quoted = set(re.findall(r'"(\w+)"', text))
    quoted |= {"expired_what", "sent_what"}  # put together in expired.html from the two before them
    assert not keys - quoted
    assert set(re.findall(r'\bsay\("(\w+)"', text)) <= keys


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "7 September 2026, 12:05 pm"),
        ("es", "7 de septiembre de 2026, 12:05"),
        ("fr", "7 septembre 2026, 12:05"),
        ("de", "7 September 2026, 12:05 pm"),
    ],
)
def test_times_are_told_on_the_practices_clock_and_in_its_language(language: str, told: str) -> None:
    assert page_words(language, NEW_YORK).moment(NOON) == told


def test_a_day_is_the_day_it_was_there() -> None:
    late = datetime(2026, 9, 8, 2, 0, tzinfo=UTC)  # ten in the evening of the seventh
    assert page_words("en", NEW_YORK).day(late) == "7 September 2026"
    assert page_words("en", NEW_YORK).short_day(late) == "7 Sep"
    assert page_words("en", NEW_YORK).moment(late).endswith("10:00 pm")


def test_midnight_and_noon_are_twelve() -> None:
    words = page_words("en", "UTC")
    assert words.moment(datetime(2026, 9, 7, 0, 5, tzinfo=UTC)).endswith("12:05 am")
    assert words.moment(datetime(2026, 9, 7, 12, 5, tzinfo=UTC)).endswith("12:05 pm")
