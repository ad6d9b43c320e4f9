"""The text of every message a client gets, put together from the instruments' templates."""

from collections.abc import Sequence
from dataclasses import dataclass

from surveys.instrument import KINDS, SHARED, Instruments
from surveys.instrument_file import LANGUAGES
from surveys.segments import Segments, outside_gsm, segments

__all__ = [
    "KINDS",
    "NAME_UNITS",
    "Say",
    "Segments",
    "Voice",
    "Written",
    "language_of",
    "places_of",
    "segments",
    "why_not_name",
    "write",
]

NAME_UNITS = 16  # what a practice's name may take of a text, so that a check-in fits one
_EXAMPLE = "4253425"  # shown as "4 2 5 3": mixed on purpose, since an example of fives would invite fives
_OFTEN = (
    (3, "often_visit"),
    (10, "often_week"),
    (20, "often_fortnight"),
    (45, "often_month"),
)  # up to so many days


@dataclass(frozen=True)
class Say:
    """What the conversation wants said; pure data.

    `feelings` are those asked, or still open; `understood` is what was understood so far; `initial` is the
    client's where two clients share one phone; `link` opens the form, for a text that asks by a link alone; `bare`: by
    nothing but the link.
    """

    kind: str
    feelings: tuple[str, ...] = ()
    understood: tuple[tuple[str, int], ...] = ()
    initial: str = ""
    link: str = ""
    bare: bool = False


@dataclass(frozen=True)
class Voice:
    """Who speaks, in which language, and whom to call in an emergency.

    `language` is a tag such as "es" or "es-MX"; `country` an ISO code. `own_lines` are a practice's local
    lines ("call 911, or 555-0100 any time") and replace the country's. `often`: about how many days lie
    between two check-ins.
    """

    sms_name: str
    language: str
    country: str = "US"
    own_lines: str = ""
    often: int = 7


@dataclass(frozen=True)
class Written:
    """A message as it goes out; a text has no use for the subject."""

    subject: str
    text: str


def write(say: Say, voice: Voice, instruments: Instruments) -> Written:
    """The message in the client's language, English where we don't have it.

    Raises ValueError for a kind that isn't one of KINDS, an unknown feeling, or a question about nothing.
    """
    if say.kind not in KINDS:
        raise ValueError(f"{say.kind!r} is not a kind of message")
    language = language_of(voice.language)
    places = places_of(say, voice, instruments)
    text = _template(say, instruments, language).format(**places)
    return Written(instruments.subjects[language][say.kind].format(**places), text)


def language_of(tag: str) -> str:
    """The language we write in for a tag such as "es-MX"; "en" for those we don't have."""
    language = tag.strip().lower().replace("_", "-").partition("-")[0]
    return language if language in LANGUAGES else "en"


def why_not_name(sms_name: str) -> str | None:
    """Why a practice can't sign its texts with this name, in a sentence; None if it can."""
    if not sms_name.strip():
        return "A practice needs a name to sign its texts with."
    if foreign := outside_gsm(sms_name):
        return f"The name in texts can't have {foreign[0]!r}: it would make every text cost twice."
    if (units := segments(sms_name).units) > NAME_UNITS:
        return f"The name in texts takes {units} characters; at most {NAME_UNITS} leave room for a check-in."
    return None


def _template(say: Say, instruments: Instruments, language: str) -> str:
    """The text of a kind; for one of two clients on a phone, its own short form or the initial in front."""
    texts = instruments.texts[language]
    if say.link:
        by_link = texts[f"{say.kind}_{'bare' if say.bare else 'link'}"]
        return instruments.parts[language]["for_initial"] + by_link if say.initial else by_link
    if not say.initial:
        return texts[say.kind]
    shared = next((short for short, kind in SHARED.items() if kind == say.kind), None)
    return texts[shared] if shared else instruments.parts[language]["for_initial"] + texts[say.kind]


def places_of(say: Say, voice: Voice, instruments: Instruments) -> dict[str, str]:
    """What the templates may have filled in, in the client's language. Raises ValueError as `write` does."""
    language = language_of(voice.language)
    asking = _asking(say.feelings, instruments, language) if say.feelings else {}
    if not asking and say.kind in ("check_in", "reminder", "ask_rest", "explain"):
        raise ValueError(f"{say.kind} must ask about something")
    return {
        "sms_name": voice.sms_name,
        "initial": say.initial.strip()[:1].upper(),
        "link": say.link,
        "lines": voice.own_lines.strip().rstrip(".") or instruments.lines_of(voice.country).text[language],
        "often": instruments.parts[language][_how_often(voice.often)],
        "got": _got(say, instruments, language),
        **asking,
    }


def _asking(feelings: Sequence[str], instruments: Instruments, language: str) -> dict[str, str]:
    """What a question needs: the feelings as asked, as many numbers, an example of as many."""
    places = {
        "feelings": ", ".join(_asked(feeling, instruments, language) for feeling in feelings),
        "numbers": instruments.numbers[language][len(feelings) - 1],
        "example": " ".join(_EXAMPLE[: len(feelings)]),
    }
    parts = instruments.parts[language]
    if len(feelings) > 1:
        return {**places, "question": parts["ask_many"].format(**places)}
    name = instruments.questions[feelings[0]].names[language]
    return {**places, "question": parts["ask_one"].format(name=name)}


def _got(say: Say, instruments: Instruments, language: str) -> str:
    """What was understood, as in "Got heard 5, respected 4. "; nothing where nothing was."""
    if not say.understood:
        return ""
    scores = ", ".join(f"{_asked(feeling, instruments, language)} {score}" for feeling, score in say.understood)
    return instruments.parts[language]["got"].format(scores=scores)


def _asked(feeling: str, instruments: Instruments, language: str) -> str:
    """A feeling in the words of the check-in, so that the client meets the same ones again."""
    if feeling not in instruments.questions:
        raise ValueError(f"{feeling!r} is not a feeling we ask about")
    return instruments.questions[feeling].asks[language]


def _how_often(days: int) -> str:
    return next((part for most, part in _OFTEN if days <= most), "often_rarely")
