"""One cell of a roster or an appointment list: checked and normalised, or a sentence about what is wrong with it."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from surveys.instrument_file import LANGUAGES
from surveys.wording import language_of

CHANNELS = {"sms": "sms", "text": "sms", "mail": "mail", "email": "mail", "e-mail": "mail"}
STATUSES = ("booked", "attended", "cancelled", "no_show")
SPELT = {"canceled": "cancelled", "noshow": "no_show"}
LONGEST = 200  # characters of a name or a reference
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FURTHEST = timedelta(days=731)  # the schedule plans nothing further ahead either
# Good enough to catch a slip of the hand; whether an address exists only a mail can tell (RFC 5321, 4.1.2).
_MAIL = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)
_LONGEST_MAIL = 254  # RFC 5321, 4.5.3.1.3
_DIALLED = re.compile(r"[+\uff0b]?[\d\s().\-/\u00a0\u2010-\u2015\u2060]+")
# Reserved for fiction and tests (NANP 555 and Twilio's own test numbers): possible, though not valid.
_FICTION = re.compile(r"\+1(\d{3}555|555\d{3}|500555)\d{4}")
_CONTROL = ("Cc", "Cs")  # control characters and halves of surrogate pairs: neither belongs into a name
# What people write who mean a place; "EST" is a zone by itself, and wrong by an hour all summer.
_MEANT = {
    **dict.fromkeys(("et", "est", "edt", "eastern"), "America/New_York"),
    **dict.fromkeys(("ct", "cst", "cdt", "central"), "America/Chicago"),
    **dict.fromkeys(("mt", "mst", "mdt", "mountain"), "America/Denver"),
    **dict.fromkeys(("pt", "pst", "pdt", "pacific"), "America/Los_Angeles"),
    "hst": "Pacific/Honolulu",
    "bst": "Europe/London",
}


class BadCell(ValueError):
    """What is wrong with a cell, and what to do about it. The value itself is left out: it may be a phone number."""


def text(value: str, what: str) -> str:
    """A cell that must not be empty; what is blank in it becomes single spaces."""
    found = " ".join(value.split())
    if not found:
        raise BadCell(f"is empty; it holds {what}")
    if any(unicodedata.category(each) in _CONTROL for each in found):
        raise BadCell("holds a character that isn't text; type it anew")
    if len(found) > LONGEST:
        raise BadCell(f"is longer than {LONGEST} characters; it holds {what}")
    return found


def phone(value: str, country: str) -> str:
    """A phone number in E.164; national ones are read as of the practice's country. Empty stays empty."""
    import phonenumbers  # loads slowly, and most commands read no numbers

    if not value.strip():
        return ""
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        raise BadCell("is not a phone number; write it as +1 202 555 0123") from None
    if number.extension:
        raise BadCell("has an extension, which can't get texts; give a mobile number")
    if not _DIALLED.fullmatch(value.strip()):  # the parser would take the first of two numbers, and pass over words
        raise BadCell("must be one phone number and nothing else; write it as +1 202 555 0123")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number) and not _FICTION.fullmatch(written):
        raise BadCell("is not a phone number that exists; check its digits and the country code")
    return written


def mail(value: str) -> str:
    """A mail address in lower case. Empty stays empty."""
    address = value.strip().lower()
    if address and (len(address) > _LONGEST_MAIL or not _MAIL.fullmatch(address)):
        raise BadCell("is not a mail address; write it as name@example.org")
    return address


def zone(value: str, default: str) -> str:
    """An IANA time zone; empty means the practice's."""
    name = value.strip()
    if not name:
        return default
    if name not in _zones():
        raise BadCell(f"is not a time zone Attune knows; {_hint(name)}")
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
    found = SPELT.get(found, found)
    if found not in STATUSES:
        raise BadCell(f"is not a status; one of {', '.join(STATUSES)}")
    return found


def moment(value: str, now: datetime) -> datetime:
    """An ISO 8601 time with its offset, as UTC; not before 2000, and at most two years ahead of `now`."""
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        raise BadCell("is not a time; write it as 2026-11-23T10:00:00-05:00") from None
    if at.tzinfo is None:
        raise BadCell("has no offset from UTC; write it as 2026-11-23T10:00:00-05:00")
    if at < EARLIEST:
        raise BadCell("is before the year 2000; check the year")
    if at > now + FURTHEST:
        raise BadCell("is more than two years ahead; check the year")
    return at.astimezone(UTC)


def consent(value: str, default_zone: str, now: datetime) -> datetime | None:
    """When consent was given: a time, or a bare date (from its start in the practice's zone). Empty: not given."""
    if not value.strip():
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip(), re.ASCII):
        return _moment_of_consent(value, now)
    try:
        day = datetime.fromisoformat(value.strip()).replace(tzinfo=ZoneInfo(default_zone))
    except ValueError:
        raise BadCell("is not a date; write it as 2026-11-23") from None
    return moment(day.isoformat(), now)


def _moment_of_consent(value: str, now: datetime) -> datetime:
    try:
        written = datetime.fromisoformat(value.strip())
    except ValueError:
        raise BadCell("is not a date; a day such as 2026-11-23 is enough") from None
    if written.tzinfo is None:
        raise BadCell("has no offset from UTC; a day such as 2026-11-23 is enough, or 2026-11-23T10:00:00-05:00")
    return moment(value, now)


def _hint(name: str) -> str:
    wanted = name.lower().replace(" ", "_")
    meant = _MEANT.get(wanted.removesuffix("_time"))
    if meant:
        return f"did you mean {meant}?"
    near = sorted(known for known in _zones() if wanted in known.lower())
    return f"did you mean {near[0]}?" if near else "write it as America/New_York"


@cache
def _zones() -> frozenset[str]:
    """Every zone of a place. Not the machine's own, and not those that stand for a fixed offset under a name that
    people take for a place or read the wrong way round (EST, Etc/GMT+5 is west): hours would be wrong by them."""
    fixed = {"EST", "MST", "HST", "GMT+0", "GMT-0", "localtime", "Factory"}
    return frozenset(each for each in available_timezones() - fixed if not each.startswith("Etc/") or each == "Etc/UTC")
