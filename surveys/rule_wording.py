"""A manager's rule in plain words: what each key is called, and what a value of it says."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from surveys.keys import FORMS
from surveys.schedule import Schedule

LABELS: Mapping[str, str] = {
    "which": "Which visits",
    "every": "Every nth visit",
    "first": "First visits",
    "delay_minutes": "How long after",
    "next_day_at": "On the next day",
    "hours": "Hours",
    "days": "Days",
    "min_gap_days": "Spacing",
    "reminder_hours": "Reminder",
    "expiry_hours": "Closes",
    "digits": "Questions",
    "paused_until": "Pause",
    "holidays": "Closed days",
    "fourth": "Fourth question",
    "channels": "Ways to ask",
    "link": "Link or numbers",
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WAYS = {"sms": "text", "mail": "mail"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)


def say(key: str, text: str) -> str:
    """What a value says, as part of a sentence: "waits 2 h", "Mon to Sat". The text must be one the key takes."""
    return _SAYINGS[key](text)


def differences(before: Mapping[str, str], after: Mapping[str, str], absent: str = "") -> list[tuple[str, str, str]]:
    """Label, value before and value after of each key that differs, in words. `absent`: what a missing key is said to
    be, in place of its default."""
    defaults = Schedule().show()

    def words(texts: Mapping[str, str], key: str) -> str:
        return absent if absent and key not in texts else say(key, texts.get(key, defaults[key]))

    told = [(LABELS[key], words(before, key), words(after, key)) for key in FORMS]
    return [(label, was, now) for label, was, now in told if was != now]


def span(minutes: int) -> str:
    """A length of time, as in "2 h 30 min" or "3 days"."""
    days, rest = divmod(minutes, 24 * 60)
    hours, mins = divmod(rest, 60)
    parts = [f"{days} day{'s' if days > 1 else ''}" if days else "", f"{hours} h" if hours else ""]
    return " ".join([*filter(None, parts), *([f"{mins} min"] if mins or not minutes else [])])


def _nth(text: str) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(int(text) % 10, "th") if int(text) % 100 not in (11, 12, 13) else "th"
    return f"every {text}{ending} visit"


def _days(text: str) -> str:
    """Weekdays, neighbours of three and more as a range."""
    days = sorted(FORMS["days"].read(text))  # type: ignore[call-overload]
    if len(days) == len(WEEKDAYS):
        return "every day"
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_run([WEEKDAYS[day] for day in run]) for run in runs)


def _run(names: list[str]) -> str:
    return f"{names[0]} to {names[-1]}" if len(names) > 2 else ", ".join(names)


def _until(text: str) -> str:
    if not text:
        return "no pause"
    until = FORMS["paused_until"].read(text)
    assert isinstance(until, date)
    clock = f", {until:%H:%M} (UTC{until:%z})" if isinstance(until, datetime) else ""
    return f"paused until {until.day} {_MONTHS[until.month - 1]} {until.year}{clock}"


def _ways(text: str) -> str:
    first, *then = [_WAYS[each] for each in text.split(",") if each] or [""]
    if not first:
        return "each client's own"
    return f"{first} first, then {then[0]}" if then else f"by {first} only"


_SAYINGS: Mapping[str, Callable[[str], str]] = {
    "which": lambda text: "attended visits" if text == "attended" else "attended and booked visits",
    "every": lambda text: "every visit" if text == "1" else _nth(text),
    "first": lambda text: f"the first {text} all" if text != "0" else "like the others",
    "delay_minutes": lambda text: f"waits {span(int(text))}" if text != "0" else "at once",
    "next_day_at": lambda text: f"at {text}" if text else "no, the same day",
    "hours": lambda text: "at any hour" if text == "00:00-24:00" else text.replace("-", " to "),
    "days": _days,
    "min_gap_days": lambda text: f"at least {span(int(text) * 1440)} apart" if text != "0" else "none",
    "reminder_hours": lambda text: f"one after {text} h" if text != "0" else "none",
    "expiry_hours": lambda text: f"after {text} h",
    "digits": lambda text: "three" if text == "3" else "three, now and then four",
    "paused_until": _until,
    "holidays": lambda text: text.replace(",", ", ") or "none",
    "fourth": lambda text: text.replace(",", ", ") if text != "any" else "any further feeling",
    "channels": _ways,
    "link": lambda text: "texts carry a link" if text == "yes" else "answers are texted as numbers",
}
