"""The instruments: what is asked and said, in every language, read from TOML and checked.

A file that lacks something, or has something nobody would use, is refused with file, key and reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from surveys import vocabulary
from surveys.instrument_file import LANGUAGES, InstrumentFile, places
from surveys.segments import outside_gsm
from surveys.vocabulary import Vocabulary

FEELINGS = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen")
FOUNDATIONS = ("listening", "empathy", "reliability", "non-judgement", "engagement", "cultural sensitivity")
OVERALL = "overall"  # guidance for a decline in all feelings at once
KINDS = (
    *("welcome", "check_in", "reminder", "ask_rest", "explain", "confirm_low", "thanks", "comment_thanks"),
    *("replaced", "call", "stopped", "started", "help", "closed", "unexpected", "crisis", "crisis_stopped"),
    "wrong_person",
)
SHARED = {"check_in_shared": "check_in", "reminder_shared": "reminder"}  # shorter ones, for a shared phone
# the same by a link to the form; the bare one for clients who want nothing named
LINKED = {"check_in_link": "check_in", "reminder_link": "reminder", "check_in_bare": "check_in"}
ALERT_KINDS = (
    *("rapport", "reminder", "cover", "escalated", "danger", "danger_other", "call", "silent"),
    *("wrong_number", "undelivered", "unreachable", "worker_silent", "low", "model_change"),
)

# What each text may have filled in, besides the practice's name and the emergency lines.
_ASKING = "feelings numbers example"
_EXTRA = {
    "welcome": "often",
    "ask_rest": "got question",
    **dict.fromkeys(("check_in", "reminder", "explain"), _ASKING),
    **dict.fromkeys(SHARED, f"initial {_ASKING}"),
    **dict.fromkeys(LINKED, "link"),
}
_MUST_HAVE_LINES = ("welcome", "thanks", "comment_thanks", "crisis", "crisis_stopped")
_OFTEN = ("often_visit", "often_week", "often_fortnight", "often_month", "often_rarely")
_PARTS = {
    "for_initial": "initial",
    "got": "scores",
    "ask_one": "name",
    "ask_many": _ASKING,
    **dict.fromkeys(_OFTEN, ""),
}
_ALERT_WORDS = {
    **dict.fromkeys(("below_one", "below_many"), "feelings since"),
    "below_all": "since",
    **dict.fromkeys(("told_one", "told_many"), "name feelings now since before"),
    **dict.fromkeys(("back_one", "back_many"), "name feelings now since"),
    "told_all": "name now since before",
    "back_all": "name now since",
    **dict.fromkeys(("start_one", "start_many", "low_one", "low_many"), "feelings"),
    "told_start": "name feelings now",
    "told_low": "name feelings",
    "quoted": "label",
    "about": "low",
    "between": "low high",
    **dict.fromkeys(("usually", "before"), "points"),
    **dict.fromkeys(("since_many", "days_many"), "count"),
    **dict.fromkeys(("since_one", "since_unknown", "days_one", "and", "advice", "sources"), ""),
    **dict.fromkeys(("honest_third", "honest_half", "honest_most", "honest_start", "honest_low"), ""),
    "urgent_sms": "sms_name link",
}
_ALERT_EXTRA = {
    "rapport": "what honest",
    "reminder": "days",
    "cover": "therapist",
    "escalated": "therapist days",
    "silent": "count",
    "undelivered": "therapist",
    "low": "what honest",
    "model_change": "before after date",
}


@dataclass(frozen=True)
class Question:
    """One wording that measures one feeling, and the foundation of trust it belongs to.

    Each mapping is language to words: `asks` stands in a check-in, `names` asks for it on its own ("How heard
    did you feel"), `labels` names it on pages and in notes to therapists.
    """

    feeling: str
    foundation: str
    asks: Mapping[str, str]
    names: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Guidance:
    """What often helps with one foundation: a few lines a language, and the references in full."""

    foundation: str
    lines: Mapping[str, tuple[str, ...]]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class EmergencyLines:
    """Whom to call in one country. `text`, by language, completes "in an emergency ..."."""

    country: str
    emergency: str
    crisis: str
    text: Mapping[str, str]
    sources: tuple[str, ...]
    checked: date


@dataclass(frozen=True)
class AlertWords:
    """One language's words for therapists and managers: phrases, numbers, and kind -> part -> text."""

    words: Mapping[str, str]
    counts: Mapping[int, str]
    texts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Instruments:
    """Everything that is asked and said. `texts`, `subjects`: language -> kind -> template."""

    questions: Mapping[str, Question]
    core: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, Mapping[str, str]]
    subjects: Mapping[str, Mapping[str, str]]
    guidance: Mapping[str, Guidance]
    lines: Mapping[str, EmergencyLines]
    vocabulary: Vocabulary
    parts: Mapping[str, Mapping[str, str]]  # language -> the pieces that texts are put together from
    numbers: Mapping[str, tuple[str, ...]]  # language -> "one number", "two numbers", ...
    alerts: Mapping[str, AlertWords]

    def lines_of(self, country: str) -> EmergencyLines:
        """The lines of a country (ISO code, any case), or those that name no number where it isn't known."""
        return self.lines.get(country.upper(), self.lines["default"])


@cache
def load_all() -> Instruments:
    """The instruments that come with Attune. Raises BadInstrument."""
    return load(files("surveys") / "instruments")


def load(folder: Traversable | Path) -> Instruments:
    """Read and check the four files of a folder, as `instruments/` has them. Raises BadInstrument."""
    rapport, guidance, lines, alerts = (
        InstrumentFile.read(folder, name) for name in ("rapport.toml", "guidance.toml", "lines.toml", "alerts.toml")
    )
    size = rapport.value(int, "scale")
    if size != 5:
        raise rapport.fault("scale", f"must be 5, as answers are stored from 1 to 5, not {size}")
    subjects = dict.fromkeys(KINDS, "sms_name")
    return Instruments(
        questions=_questions(rapport),
        core=_core(rapport),
        choices={language: rapport.list("choices", language, length=size) for language in LANGUAGES},
        texts={language: _texts(rapport, language) for language in LANGUAGES},
        subjects={language: rapport.templates(subjects, "subjects", language) for language in LANGUAGES},
        guidance=_guidance(guidance),
        lines=_lines(lines),
        vocabulary=vocabulary.load(),
        parts={language: rapport.templates(_PARTS, "parts", language) for language in LANGUAGES},
        numbers={language: rapport.list("numbers", language, length=len(FEELINGS)) for language in LANGUAGES},
        alerts={language: _alerts(alerts, language) for language in LANGUAGES},
    )


def _questions(file: InstrumentFile) -> dict[str, Question]:
    file.only(FEELINGS, "questions")
    return {feeling: _question(file, feeling) for feeling in FEELINGS}


def _question(file: InstrumentFile, feeling: str) -> Question:
    path = ("questions", feeling)
    foundation = file.text(*path, "foundation")
    if foundation not in FOUNDATIONS:
        raise file.fault((*path, "foundation"), f"{foundation!r} is not one of {', '.join(FOUNDATIONS)}")
    asks, names, labels = (file.by_language(*path, key) for key in ("asks", "names", "labels"))
    return Question(feeling, foundation, asks, names, labels)


def _core(file: InstrumentFile) -> tuple[str, ...]:
    core = file.list("core")
    if unknown := [feeling for feeling in core if feeling not in FEELINGS]:
        raise file.fault("core", f"{unknown[0]!r} is not one of {', '.join(FEELINGS)}")
    return core


def _texts(file: InstrumentFile, language: str) -> dict[str, str]:
    extra = {kind: _EXTRA.get(kind, "") for kind in (*KINDS, *SHARED, *LINKED)}
    path = ("texts", language)
    texts = file.templates({kind: f"sms_name lines {places}" for kind, places in extra.items()}, *path)
    for kind, text in texts.items():
        needed = {"sms_name", *extra[kind].split(), *(("lines",) if kind in _MUST_HAVE_LINES else ())}
        if missing := sorted(needed - places(text)):
            raise file.fault((*path, kind), f"must contain {{{missing[0]}}}")
        if "STOP" not in text:
            raise file.fault((*path, kind), "must say how to stop (STOP)")
        if language == "en" and (foreign := outside_gsm(text)):
            raise file.fault((*path, kind), f"{foreign[0]!r} is not GSM-7 and would double the cost")
    return texts


def _guidance(file: InstrumentFile) -> dict[str, Guidance]:
    file.only(("sources", *FOUNDATIONS, OVERALL))
    return {foundation: _advice(file, foundation) for foundation in (*FOUNDATIONS, OVERALL)}


def _advice(file: InstrumentFile, foundation: str) -> Guidance:
    sources = tuple(file.text("sources", key) for key in file.list(foundation, "sources"))
    return Guidance(foundation, {language: file.list(foundation, language) for language in LANGUAGES}, sources)


def _lines(file: InstrumentFile) -> dict[str, EmergencyLines]:
    return {country: _country(file, country) for country in ("default", *(c for c in file.data if c != "default"))}


def _country(file: InstrumentFile, country: str) -> EmergencyLines:
    named = country != "default"
    checked = file.value(date, country, "checked")
    crisis = file.text(country, "crisis") if named else ""
    sources = file.list(country, "sources") if named else ()
    text = file.by_language(country, "text")
    return EmergencyLines(country, file.text(country, "emergency"), crisis, text, sources, checked)


def _alerts(file: InstrumentFile, language: str) -> AlertWords:
    phrases = file.templates(_ALERT_WORDS, "words", language)
    numbers = file.value(dict, "counts", language)
    if wrong := [number for number in numbers if not number.isdecimal()]:
        raise file.fault(("counts", language, wrong[0]), "must be a whole number")
    counts = {int(number): file.text("counts", language, number) for number in numbers}
    file.only(ALERT_KINDS, "texts", language)
    return AlertWords(phrases, counts, {kind: _alert(file, language, kind) for kind in ALERT_KINDS})


def _alert(file: InstrumentFile, language: str, kind: str) -> dict[str, str]:
    # No place in a subject: it must never hold a name or a rating.
    allowed = {"subject": "", "lead": _ALERT_EXTRA.get(kind, ""), "action": ""}
    return file.templates(allowed, "texts", language, kind)
