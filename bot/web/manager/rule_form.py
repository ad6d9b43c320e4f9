"""A rule as a form: what stands in its fields, and the keys that what was typed amounts to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from surveys.keys import FORMS, FURTHER
from surveys.window import WEEKDAYS as DAYS

__all__ = ["DAYS", "Fields", "Typed", "fields_of", "told", "typed"]

Fields = dict[str, str | list[str]]
PLAIN = ("which", "every", "first", "min_gap_days", "reminder_hours", "expiry_hours", "digits", "channels", "link")
OWN_ONLY = ("holidays", "paused_until")


@dataclass(frozen=True)
class Typed:
    """What was typed: as fields, to show it again, and as texts of the rule's keys."""

    fields: Fields
    texts: Mapping[str, str]
    problems: dict[str, str] = field(default_factory=dict)


def fields_of(texts: Mapping[str, str]) -> Fields:
    """What stands in the form's fields for a rule with these texts."""
    hours, minutes = divmod(int(texts["delay_minutes"]), 60)
    opens, _, closes = texts["hours"].partition("-")
    chosen = list(FURTHER) if texts["fourth"] == "any" else texts["fourth"].split(",")
    return {
        **{key: texts[key] for key in (*PLAIN, *OWN_ONLY)},
        "when": "next_day" if texts["next_day_at"] else "delay",
        "next_day_at": texts["next_day_at"],
        "delay_hours": str(hours),
        "delay_minutes": str(minutes),
        "opens": opens,
        "closes": "00:00" if closes == "24:00" else closes,
        "days": texts["days"].split(","),
        "fourth": chosen,
    }


def typed(form: "MultiDict[str, str]", scope: str) -> Typed:
    """What a sent form amounts to. A client's own rule has no pause: that is on the client's page."""
    fields: Fields = {key: form.get(key, "").strip() for key in _SINGLE}
    fields |= {"days": form.getlist("days"), "fourth": form.getlist("fourth")}
    texts = {key: str(fields[key]) for key in (*PLAIN, *OWN_ONLY)}
    texts |= {"days": ",".join(fields["days"]), "fourth": ",".join(fields["fourth"]), "hours": _hours(form)}
    texts |= _when(form)
    if scope == "client":
        del texts["paused_until"]
    return Typed(fields, texts)


def told(problems: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each key, for its field."""
    return {key: f"Give {FORMS[key].expected}." if key in FORMS else text for key, text in problems.items()}


def _hours(form: "MultiDict[str, str]") -> str:
    """The end of the day is typed as midnight."""
    closes = form.get("closes", "").strip()
    return f"{form.get('opens', '').strip()}-{'24:00' if closes == '00:00' else closes}"


def _when(form: "MultiDict[str, str]") -> dict[str, str]:
    """A delay, or a time on the next day: the other is kept, or at its default, since it isn't used."""
    hours, minutes = form.get("delay_hours", "").strip() or "0", form.get("delay_minutes", "").strip() or "0"
    digits = (hours + minutes).isascii() and (hours + minutes).isdigit()
    delay = str(int(hours) * 60 + int(minutes)) if digits and len(hours + minutes) < 9 else f"{hours} h {minutes}"
    next_day = form.get("next_day_at", "").strip() if form.get("when") == "next_day" else ""
    if form.get("when") == "next_day" and not next_day:
        next_day = "no time"
    return {"delay_minutes": delay, "next_day_at": next_day}


_SINGLE = (*PLAIN, *OWN_ONLY, "when", "next_day_at", "delay_hours", "delay_minutes", "opens", "closes")
