"""One cell of a roster or an appointment list: checked and normalised, or a sentence about what is wrong with it."""

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers

from surveys.instrument import LANGUAGES
from surveys.wording import language_of

CHANNELS = {"sms": "sms", "text": "sms", "mail": "mail", "email": "mail", "e-mail": "mail"}
STATUSES = ("booked", "attended", "cancelled", "no_show")
# Good enough to catch a slip of the hand; whether an address exists only a mail can tell (RFC 5321, 4.1.2).
_MAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]+")
# Reserved for fiction and tests (NANP 555 and Twilio's own test numbers): possible, though not valid.
_FICTION = re.compile(r"\+1(\d{3}555|555\d{3}|500555)\d{4}")


class BadCell(ValueError):
    """What is wrong with a cell, and what to do about it. The value itself is left out: it may be a phone number."""


def text(value: str, what: str) -> str:
    """A cell that must not be empty."""
    if not value.strip():
        raise BadCell(f"is empty; it holds {what}")
    if "\x00" in value:
        raise BadCell("holds a NUL character; save the file again as CSV")
    return " ".join(value.split())


def phone(value: str, country: str) -> str:
    """A phone number in E.164; national ones are read as of the practice's country. Empty stays empty."""
    if not value.strip():
        return ""
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        raise BadCell("is not a phone number; write it as +1 202 555 0123") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension:
        raise BadCell("has an extension, which can't get texts; give a mobile number")
    if not phonenumbers.is_valid_number(number) and not _FICTION.fullmatch(written):
        raise BadCell("is not a phone number that exists; check its digits and the country code")
    return written


def mail(value: str) -> str:
    """A mail address in lower case. Empty stays empty."""
    address = value.strip().lower()
    if address and not _MAIL.fullmatch(address):
        raise BadCell("is not a mail address; write it as name@example.org")
    return address


def zone(value: str, default: str) -> str:
    """An IANA time zone; empty means the practice's."""
    name = value.strip()
    if not name:
        return default
    if name not in _zones():
        near = [known for known in _zones() if name.lower().replace(" ", "_") in known.lower()]
        hint = f"; did you mean {sorted(near)[0]}?" if near else "; write it as America/New_York"
        raise BadCell(f"is not a time zone Attune knows{hint}")
    return name


def language(value: str, default: str) -> str:
    """en, es or fr (also as en-US); empty means the practice's."""
    if not value.strip():
        return default
    found = re.split(r"[-_]", value.strip().lower())[0]
    if found not in LANGUAGES:
        raise BadCell(f"is not a language of the texts; one of {', '.join(LANGUAGES)}")
    return language_of(found)


def channel(value: str) -> str:
    """sms or mail; empty means sms."""
    found = CHANNELS.get(value.strip().lower() or "sms")
    if found is None:
        raise BadCell("is neither sms nor email")
    return found


def status(value: str) -> str:
    """booked, attended, cancelled or no_show."""
    found = value.strip().lower().replace("-", "_").replace(" ", "_")
    if found not in STATUSES:
        raise BadCell(f"is not a status; one of {', '.join(STATUSES)}")
    return found


def moment(value: str) -> datetime:
    """An ISO 8601 time with its offset, as UTC."""
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        raise BadCell("is not a time; write it as 2026-11-23T10:00:00-05:00") from None
    if at.tzinfo is None:
        raise BadCell("has no offset from UTC; write it as 2026-11-23T10:00:00-05:00")
    return at.astimezone(UTC)


def consent(value: str, default_zone: str) -> datetime | None:
    """When consent was given: a time, or a bare date (from its start in the practice's zone). Empty: not given."""
    if not value.strip():
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        try:
            day = datetime.fromisoformat(value.strip())
        except ValueError:
            raise BadCell("is not a date; write it as 2026-11-23") from None
        return day.replace(tzinfo=ZoneInfo(default_zone)).astimezone(UTC)
    return moment(value)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
