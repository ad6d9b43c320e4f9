"""The keys of a manager's rule: how each value is read from text, shown, and described where it can't be used."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import holidays as public_holidays

from surveys.instrument import FEELINGS
from surveys.window import WEEKDAYS, Holidays

YEARS = range(2000, 2100)  # what a date in a rule may say: wide enough, and far from the ends of the calendar
CHANNELS = ("sms", "mail")
FURTHER = FEELINGS[3:]  # what a fourth question may ask about; the first three are always asked


class BadSchedule(ValueError):
    """A rule that can't be read. ``problems``: key -> a sentence with key, value and what is expected."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Form:
    """How the value of a key is read from text (ValueError if it can't be), shown, and described."""

    expected: str
    read: Callable[[str], object]
    show: Callable[[Any], str] = str


def read_all(texts: Mapping[str, str]) -> dict[str, Any]:
    """The value of each key given. Raises BadSchedule naming every key that is unknown or has a bad value."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for key, text in texts.items():
        try:
            values[key] = FORMS[key].read(text.strip())
        except KeyError:
            problems[key] = _unknown(key)
        except ValueError:
            problems[key] = f"{key}={text} can't be used: expected {FORMS[key].expected}."
    if problems:
        raise BadSchedule(problems)
    return values


def show_all(rule: object) -> dict[str, str]:
    """The text of every key, from the attributes of the same names."""
    return {key: form.show(getattr(rule, key)) for key, form in FORMS.items()}


def _one_of(*choices: str) -> Form:
    """One of these words."""
    return Form(" or ".join(choices), lambda text: choices[choices.index(text)])


def _number(least: int, most: int, meaning: str) -> Form:
    """A whole number, both ends included."""
    known = {str(each): each for each in range(least, most + 1)}

    def read(text: str) -> int:
        if text not in known:
            raise ValueError(text)
        return known[text]

    return Form(f"a whole number from {least} to {most}, {meaning}", read)


def _or_empty(form: Form) -> Form:
    """The same, or nothing (None)."""
    return Form(
        f"{form.expected}, or nothing",
        lambda text: form.read(text) if text else None,
        lambda value: "" if value is None else form.show(value),
    )


def _unknown(key: str) -> str:
    near = [each for each in FORMS if key and each.startswith(key)] or get_close_matches(key, FORMS, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no key {key}.{meant} The keys are: {', '.join(FORMS)}."


def _read_minute(text: str) -> int:
    """18:30 as a minute of the day."""
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * 60 + int(found[2])


def _show_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _read_hours(text: str) -> tuple[int, int]:
    """Two minutes of the day; 24:00 is the day's end."""
    first, _, last = text.partition("-")
    start = _read_minute(first.strip())
    end = 24 * 60 if last.strip() == "24:00" else _read_minute(last.strip())
    if start >= end:
        raise ValueError(text)
    return start, end


def _show_hours(hours: tuple[int, int]) -> str:
    return "-".join(map(_show_minute, hours))


def _read_days(text: str) -> frozenset[int]:
    """Single days and ranges; a range may run over Sunday."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, *last = [WEEKDAYS.index(name.strip()) for name in re.split(r"\.\.|-", part, maxsplit=1)]
        length = (last[0] - first) % 7 + 1 if last else 1
        found.update((first + step) % 7 for step in range(length))
    return frozenset(found)


def _show_days(days: frozenset[int]) -> str:
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _read_date(text: str) -> date:
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise ValueError(text)
    return day


def _read_until(text: str) -> date | datetime:
    if len(text) <= len("2026-12-01"):
        return _read_date(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.year not in YEARS:
        raise ValueError(text)
    return moment


def _show_until(until: date | datetime) -> str:
    return until.isoformat()  # a datetime's own, with its time


def _read_holidays(text: str) -> Holidays:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    dates = frozenset(_read_date(part) for part in parts if part[0].isdigit())
    regions = {_read_region(part) for part in parts if not part[0].isdigit()}
    return Holidays(dates, tuple(sorted(regions)))


def _show_holidays(closed: Holidays) -> str:
    return ",".join((*closed.regions, *(day.isoformat() for day in sorted(closed.dates))))


def _read_region(text: str) -> str:
    country, dash, part = text.partition("-")
    names = {name.upper(): name for name in _regions().get(country.upper(), ())}
    if country.upper() not in _regions() or (dash and part.upper() not in names):
        raise ValueError(text)
    return f"{country.upper()}-{names[part.upper()]}" if dash else country.upper()


def _read_channels(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.lower().split(",") if part.strip())
    if not set(found) <= set(CHANNELS) or len(found) != len(set(found)):
        raise ValueError(text)
    return found


def _read_fourth(text: str) -> tuple[str, ...]:
    """In the order of the instrument, so that one choice has one text; any (all of them) is empty."""
    given = {part.strip() for part in text.lower().split(",")}
    if given == {"any"}:
        return ()
    if not given <= set(FURTHER):
        raise ValueError(text)
    return tuple(feeling for feeling in FURTHER if feeling in given) if given != set(FURTHER) else ()


def _show_fourth(feelings: tuple[str, ...]) -> str:
    return ",".join(feelings) or "any"


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, list[str]]:
    return public_holidays.list_supported_countries()


FORMS: Mapping[str, Form] = {
    "which": _one_of("attended", "attended_or_booked"),
    "every": _number(1, 100, "to ask about every nth appointment"),
    "first": _number(0, 1000, "to ask about that many first ones without leaving any out"),
    "delay_minutes": _number(0, 10080, "the minutes from the end of the appointment to the check-in"),
    "next_day_at": _or_empty(Form("a time of day such as 10:00", _read_minute, _show_minute)),
    "hours": Form("two times of day such as 09:00-20:00, or 00:00-24:00", _read_hours, _show_hours),
    "days": Form("days such as mon,tue,fri or mon..sat", _read_days, _show_days),
    "min_gap_days": _number(0, 365, "the least days from one check-in to the next"),
    "reminder_hours": _number(0, 720, "the hours to the reminder, 0 for none"),
    "expiry_hours": _number(1, 720, "the hours in which a check-in can be answered"),
    "digits": _number(3, 4, "the most questions in one check-in"),
    "paused_until": _or_empty(Form("a date, or a time such as 2026-12-01T09:00-05:00", _read_until, _show_until)),
    "holidays": Form("dates and countries such as 2026-12-25,US,US-NY or nothing", _read_holidays, _show_holidays),
    "fourth": Form(f"any, or some of {', '.join(FURTHER)}", _read_fourth, _show_fourth),
    "channels": Form(
        "sms or mail, or both in their order as in sms,mail, or nothing for each client's own", _read_channels, ",".join
    ),
    "link": Form("yes or no", lambda text: ("no", "yes").index(text) == 1, lambda link: "yes" if link else "no"),
}
