"""The words of what staff get by the calendar: a therapist's week, a manager's month. Pure.

Nothing here knows a client but by the short name that the practice chose to have in mails, if it chose one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from surveys.instrument import load_all
from surveys.page_wording import PageWords, page_words, read
from surveys.wording import language_of

FILE = "digests.toml"
URGENCY = ("danger", "call", "note", "halted", "silent", "followed")  # what is worth a look, the most pressing first
MOST_STEPS = 3  # more than these are a lecture
_STEP = {"silent": "quiet"}


@dataclass(frozen=True)
class Week:
    """A therapist's clients at the end of a week. Each client stands by the name to be written, empty for none.

    `attention`: by one of URGENCY. `quiet`: answered regularly before, and not lately. `due`: when this is sent.
    """

    clients: int
    due: datetime
    attention: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recovered: Sequence[str] = ()
    quiet: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A heading with its lines."""

    heading: str
    lines: Sequence[str]


@dataclass(frozen=True)
class WeekText:
    """A week in words: a neutral subject, the one thing to know, what there is to it, and the words of the link."""

    subject: str
    lead: str
    sections: Sequence[Section]
    action: str
    why: str


def digest_words(language: str, zone: str) -> PageWords:
    """The words for a practice's language (English where we lack it) and zone."""
    language = language_of(language)
    return PageWords(language, _load()["page"][language], page_words(language, zone).dates, zone)


def week_text(week: Week, words: PageWords) -> WeekText:
    """A therapist's week in words: calm where nothing waits."""
    worth = [name for kind in URGENCY for name in week.attention.get(kind, ())]
    told = [line for kind in URGENCY for line in _lines(kind, week.attention.get(kind, ()), words)]
    parts = {
        "attention": told,
        "quiet": _lines("quiet", week.quiet, words),
        "recovered": _lines("recovered", week.recovered, words),
        "next": _steps(week, words),
    }
    return WeekText(
        subject=words.say("week_subject"),
        lead=_lead(len(worth), week.clients, words),
        sections=[Section(words.say(key), lines) for key, lines in parts.items() if lines],
        action=words.say("week_action"),
        why=words.say("week_why", day=words.weekday(week.due), time=words.clock(week.due)),
    )


def _lead(worth: int, clients: int, words: PageWords) -> str:
    if not worth:
        return f"{words.say('week_calm')} {_counted('caseload', clients, words)}"
    return words.say("week_sole") if clients == 1 else _counted("week", worth, words, clients)


def _lines(kind: str, names: Sequence[str], words: PageWords) -> list[str]:
    """One line for all, or one for each that has a name."""
    unnamed = sum(not name for name in names)
    lines = [words.say(f"{kind}_named", name=name) for name in names if name]
    return lines + ([_counted(kind, unnamed, words)] if unnamed else [])


def _steps(week: Week, words: PageWords) -> list[str]:
    wanted = [*(kind for kind in URGENCY if week.attention.get(kind)), *(("quiet",) if week.quiet else ())]
    wanted += ["recovered"] if week.recovered else []
    steps = dict.fromkeys(_STEP.get(kind, kind) for kind in wanted)
    return [words.say(f"next_{kind}") for kind in list(steps)[:MOST_STEPS]]


def _counted(kind: str, count: int, words: PageWords, of: int = 0) -> str:
    """For one, or for so many, `of` all; a small number in words."""
    counts = load_all().alerts[words.language].counts
    text = words.say(
        f"{kind}_{'one' if count == 1 else 'many'}", count=counts.get(count, count), all=counts.get(of, of)
    )
    return text[:1].upper() + text[1:]


@cache
def _load() -> Mapping[str, Mapping[str, Any]]:
    return read((files("surveys") / "instruments" / FILE).read_text(encoding="utf-8"), FILE)
