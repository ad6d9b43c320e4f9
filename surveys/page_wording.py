"""The words of the pages behind a note's link, in the practice's language: `surveys/instruments/pages.toml`.

English is the measure: another language that lacks one of its keys, has one more, or fills in other places, is refused.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from surveys.instrument import LANGUAGES, BadInstrument
from surveys.wording import language_of

FILE = "pages.toml"


@dataclass(frozen=True)
class PageWords:
    """One language's words for pages. Times are told on the clock of one zone."""

    language: str
    texts: Mapping[str, str | Sequence[str]]
    dates: Mapping[str, Any]
    zone: str

    def say(self, key: str, **places: object) -> str:
        """One text with its places filled in. Raises KeyError for one that isn't there."""
        text = self.texts[key]
        if not isinstance(text, str):
            raise KeyError(f"{key} is a list")
        return text.format(**places)

    def steps(self, key: str) -> Sequence[str]:
        """A text in several steps."""
        return self.texts[key]

    def day(self, at: datetime) -> str:
        """As "7 September 2026"."""
        here = at.astimezone(ZoneInfo(self.zone))
        month: str = self.dates["months"][here.month - 1]
        return str(self.dates["day"]).format(day=here.day, month=month, year=here.year)

    def short_day(self, at: datetime) -> str:
        """As "7 Sep"."""
        here = at.astimezone(ZoneInfo(self.zone))
        mon: str = self.dates["mons"][here.month - 1]
        return str(self.dates["short"]).format(day=here.day, mon=mon)

    def moment(self, at: datetime) -> str:
        """As "7 September 2026, 2:05 pm"."""
        here = at.astimezone(ZoneInfo(self.zone))
        if self.dates["clock"] == 24:
            return f"{self.day(at)}, {here:%H:%M}"
        return f"{self.day(at)}, {here.hour % 12 or 12}:{here:%M} {'am' if here.hour < 12 else 'pm'}"


def page_words(language: str, zone: str) -> PageWords:
    """The words for a practice's language (English where we lack it) and zone."""
    language = language_of(language)
    found = _load()
    return PageWords(language, found["page"][language], found["dates"][language], zone)


@cache
def _load() -> Mapping[str, Mapping[str, Any]]:
    return read((files("surveys") / "instruments" / FILE).read_text(encoding="utf-8"))


def read(text: str) -> Mapping[str, Mapping[str, Any]]:
    """Read and check the file's text. Raises BadInstrument."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInstrument(FILE, "syntax", str(error)) from None
    for part in ("page", "dates"):
        for language in LANGUAGES:
            _check(found, part, language)
    return found


def _check(found: Mapping[str, Mapping[str, Any]], part: str, language: str) -> None:
    english, own = found[part]["en"], found.get(part, {}).get(language, {})
    for key in english.keys() | own.keys():
        where = f"{part}.{language}.{key}"
        if key not in own or key not in english:
            raise BadInstrument(FILE, where, "is missing" if key not in own else "is not known here")
        if _shape(own[key]) != _shape(english[key]) or not own[key]:
            raise BadInstrument(FILE, where, f"must have the shape of the English one: {_shape(english[key])}")


def _shape(value: Any) -> object:
    """What two languages must agree on: places of a text, length of a list."""
    if isinstance(value, str):
        try:
            return sorted({name for _, name, _, _ in Formatter().parse(value) if name})
        except ValueError as error:  # a stray brace
            return str(error)
    return len(value) if isinstance(value, list) else type(value).__name__
