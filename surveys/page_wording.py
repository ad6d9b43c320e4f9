"""The words of the pages behind a note's link, in the practice's language: `surveys/instruments/pages.toml`; and of a
client's own pages and mails, in theirs: `clients.toml`; and of mails to staff about signing in: `staff.toml`.

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

from surveys.instrument_file import LANGUAGES, BadInstrument
from surveys.wording import language_of

FILE, CLIENTS, STAFF = "pages.toml", "clients.toml", "staff.toml"


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

    def month(self, at: datetime) -> str:
        """As "September 2026"."""
        here = at.astimezone(ZoneInfo(self.zone))
        return f"{self.dates['months'][here.month - 1]} {here.year}"

    def short_day(self, at: datetime) -> str:
        """As "7 Sep"."""
        here = at.astimezone(ZoneInfo(self.zone))
        mon: str = self.dates["mons"][here.month - 1]
        return str(self.dates["short"]).format(day=here.day, mon=mon)

    def lately(self, at: datetime, now: datetime) -> str:
        """As "today", "yesterday", "Tuesday" for the six days before, else "7 Sep", with another year in full."""
        here, today = (each.astimezone(ZoneInfo(self.zone)) for each in (at, now))
        ago = (today.date() - here.date()).days
        if 0 <= ago <= 1:
            return str(self.dates["yesterday" if ago else "today"])
        if 1 < ago < 7:
            return str(self.dates["days"][here.weekday()])
        return self.short_day(at) if here.year == today.year else self.day(at)

    def weekday(self, at: datetime) -> str:
        """As "Tuesday"."""
        return str(self.dates["days"][at.astimezone(ZoneInfo(self.zone)).weekday()])

    def clock(self, at: datetime) -> str:
        """As "2:05 pm"."""
        here = at.astimezone(ZoneInfo(self.zone))
        if self.dates["clock"] == 24:
            return f"{here:%H:%M}"
        return f"{here.hour % 12 or 12}:{here:%M} {'am' if here.hour < 12 else 'pm'}"

    def moment(self, at: datetime) -> str:
        """As "7 September 2026, 2:05 pm"."""
        return f"{self.day(at)}, {self.clock(at)}"


def page_words(language: str, zone: str) -> PageWords:
    """The words for a practice's language (English where we lack it) and zone."""
    language = language_of(language)
    found = _load()
    return PageWords(language, found["page"][language], found["dates"][language], zone)


def client_words(language: str, zone: str) -> PageWords:
    """The words of a client's page and mails, in the client's language and zone."""
    language = language_of(language)
    return PageWords(language, _load(CLIENTS)["page"][language], _load()["dates"][language], zone)


def staff_words(language: str, zone: str) -> PageWords:
    """The words of mails about signing in, in a practice's language and zone."""
    language = language_of(language)
    return PageWords(language, _load(STAFF)["page"][language], _load()["dates"][language], zone)


@cache
def _load(file: str = FILE) -> Mapping[str, Mapping[str, Any]]:
    return read((files("surveys") / "instruments" / file).read_text(encoding="utf-8"), file)


def read(text: str, file: str = FILE) -> Mapping[str, Mapping[str, Any]]:
    """Read and check a file's text. Raises BadInstrument."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInstrument(file, "syntax", str(error)) from None
    for part in ("page", "dates") if file == FILE else ("page",):
        for language in LANGUAGES:
            _check(found, part, language, file)
    return found


def _check(found: Mapping[str, Mapping[str, Any]], part: str, language: str, file: str) -> None:
    english, own = found[part]["en"], found.get(part, {}).get(language, {})
    for key in english.keys() | own.keys():
        where = f"{part}.{language}.{key}"
        if key not in own or key not in english:
            raise BadInstrument(file, where, "is missing" if key not in own else "is not known here")
        if _shape(own[key]) != _shape(english[key]) or not own[key]:
            raise BadInstrument(file, where, f"must have the shape of the English one: {_shape(english[key])}")


def _shape(value: Any) -> object:
    """What two languages must agree on: places of a text, length of a list."""
    if isinstance(value, str):
        try:
            return sorted({name for _, name, _, _ in Formatter().parse(value) if name})
        except ValueError as error:  # a stray brace
            return str(error)
    return len(value) if isinstance(value, list) else type(value).__name__
