"""The words of the notes that therapists, supervisors and managers get, by mail and on the page it links to.

Nothing here knows a client: no name, no number, no words of theirs can get into a note.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from surveys.instrument import ALERT_KINDS, OVERALL, AlertWords, Instruments, load_all
from surveys.wording import language_of

MOST_FOUNDATIONS = 2  # advice for more than this is a lecture


class Decline(Protocol):
    """What is read of `surveys.rapport.Explanation`."""

    @property
    def check_ins(self) -> int: ...
    @property
    def feelings(self) -> tuple[str, ...]: ...
    @property
    def overall(self) -> bool: ...


@dataclass(frozen=True)
class AlertText:
    """A note in words: a neutral subject, what happened, the words of the link, and what often helps.

    `advice_heading`, `advice`, `sources_heading` and `sources` are empty where there is nothing to advise.
    """

    subject: str
    lead: str
    action: str
    advice_heading: str = ""
    advice: tuple[str, ...] = ()
    sources_heading: str = ""
    sources: tuple[str, ...] = ()


def alert_text(
    kind: str,
    language: str,
    *,
    explanation: Decline | None = None,
    days: int = 0,
    therapist: str = "",
    count: int = 0,
    instruments: Instruments | None = None,
) -> AlertText:
    """One of ALERT_KINDS in words.

    "rapport" needs an `explanation` of `surveys.rapport`, "reminder" and "escalated" the `days` waited,
    "cover", "escalated" and "undelivered" the `therapist`'s name, "silent" the `count` of unanswered
    check-ins. Raises ValueError where that is lacking, or for another kind.
    """
    _check(kind, explanation, days, therapist, count)
    instruments = instruments or load_all()
    language = language_of(language)
    words = instruments.alerts[language]
    places = {"days": _days(days, words), "therapist": therapist, "count": _count(count, words)}
    if explanation is not None:
        places |= {"what": _what(explanation, instruments, language), "honest": words.words["honest"]}
    texts = words.texts[kind]
    told = AlertText(texts["subject"], texts["lead"].format(**places), texts["action"])
    return told if explanation is None else _advised(told, explanation, instruments, language)


def urgent_sms(language: str, *, sms_name: str, link: str, instruments: Instruments | None = None) -> str:
    """The text that goes with a danger mail: who writes, that it is urgent, where to look; no more."""
    words = (instruments or load_all()).alerts[language_of(language)].words
    return words["urgent_sms"].format(sms_name=sms_name, link=link)


def _check(kind: str, explanation: Decline | None, days: int, therapist: str, count: int) -> None:
    if kind not in ALERT_KINDS:
        raise ValueError(f"{kind!r} is not a kind of note")
    needs = {
        "explanation": explanation is None and kind == "rapport",
        "days": days < 1 and kind in ("reminder", "escalated"),
        "therapist": not therapist and kind in ("cover", "escalated", "undelivered"),
        "count": count < 1 and kind == "silent",
    }
    if lacking := [name for name, lacks in needs.items() if lacks]:
        raise ValueError(f"a note of kind {kind!r} needs {lacking[0]}")


def _what(explanation: Decline, instruments: Instruments, language: str) -> str:
    """One plain sentence of what changed: "Heard and understood have been below ... for two check-ins."."""
    words = instruments.alerts[language]
    since = _since(explanation.check_ins, words)
    labels = [instruments.questions[feeling].labels[language] for feeling in explanation.feelings]
    if explanation.overall or not labels:
        return words.words["below_all"].format(since=since)
    key = "below_one" if len(labels) == 1 else "below_many"
    feelings = _joined(labels, words.words["and"])
    return words.words[key].format(feelings=feelings[:1].upper() + feelings[1:], since=since)


def _since(check_ins: int, words: AlertWords) -> str:
    if check_ins < 1:
        return words.words["since_unknown"]
    if check_ins == 1:
        return words.words["since_one"]
    return words.words["since_many"].format(count=_count(check_ins, words))


def _days(days: int, words: AlertWords) -> str:
    return words.words["days_one"] if days == 1 else words.words["days_many"].format(count=_count(days, words))


def _count(number: int, words: AlertWords) -> str:
    """A number in words where we have one, else in digits."""
    return words.counts.get(number, str(number))


def _joined(labels: Sequence[str], last: str) -> str:
    return last.join(part for part in (", ".join(labels[:-1]), labels[-1]) if part)


def _advised(told: AlertText, explanation: Decline, instruments: Instruments, language: str) -> AlertText:
    """The note with what often helps: for the foundations fallen most, or for all where all are down."""
    fallen = [instruments.questions[feeling].foundation for feeling in explanation.feelings]
    foundations = [OVERALL] if explanation.overall or not fallen else list(dict.fromkeys(fallen))
    guidance = [instruments.guidance[foundation] for foundation in foundations[:MOST_FOUNDATIONS]]
    words = instruments.alerts[language].words
    return AlertText(
        told.subject,
        told.lead,
        told.action,
        words["advice"],
        tuple(line for part in guidance for line in part.lines[language]),
        words["sources"],
        tuple(dict.fromkeys(source for part in guidance for source in part.sources)),
    )
