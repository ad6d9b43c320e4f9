"""The words of the notes that therapists, supervisors and managers get, by mail and on the page it links to.

Nothing here knows a client: no name, no number, no words of theirs can get into a note.
"""

from dataclasses import dataclass

from surveys.alerting import ONE_IN
from surveys.decline_wording import counted, recovered, sentence
from surveys.instrument import ALERT_KINDS, OVERALL, AlertWords, Instruments, load_all
from surveys.rapport.explaining import Explanation, Recovery
from surveys.rapport.honesty import sure
from surveys.wording import language_of

MOST_FOUNDATIONS = 2  # advice for more than this is a lecture


@dataclass(frozen=True)
class Change:
    """A model that will take effect: notes so far as they were and as they would have been, and from which day."""

    before: int
    after: int
    date: str


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
    explanation: Explanation | None = None,
    one_in: int = ONE_IN,
    client: str = "",
    days: int = 0,
    therapist: str = "",
    count: int = 0,
    change: Change | None = None,
    instruments: Instruments | None = None,
) -> AlertText:
    """One of ALERT_KINDS in words.

    "rapport" and "low" need an `explanation` of `surveys.rapport`, "reminder" and "escalated" the `days` waited,
    "cover", "escalated" and "undelivered" the `therapist`'s name, "silent" the `count` of unanswered check-ins,
    "model_change" the `change`. Raises ValueError where that is lacking, or for another kind.

    `one_in`: the chosen number of check-ins to a false alarm, which how sure a note may sound follows. With a
    `client`'s name the sentence gives name and numbers: only for behind sign-in.
    """
    _check(kind, explanation, days, therapist, count, change)
    instruments = instruments or load_all()
    language = language_of(language)
    words = instruments.alerts[language]
    places: dict[str, object] = {"days": _days(days, words), "therapist": therapist, "count": counted(count, words)}
    if change is not None:
        places |= {"before": change.before, "after": change.after, "date": change.date}
    if explanation is not None:
        what = sentence(kind, explanation, client, instruments, language)
        places |= {"what": what, "honest": words.words[_honest(kind, explanation, one_in)]}
    texts = words.texts[kind]
    text = AlertText(texts["subject"], texts["lead"].format(**places), texts["action"])
    return text if explanation is None else _advised(text, explanation, instruments, language)


def recovery_text(recovery: Recovery, language: str, client: str, instruments: Instruments | None = None) -> str:
    """That rapport is back, in one sentence with name and numbers, for behind sign-in; empty where nothing shows it."""
    return recovered(recovery, client, instruments or load_all(), language_of(language))


def urgent_sms(language: str, *, sms_name: str, link: str, instruments: Instruments | None = None) -> str:
    """The text that goes with a danger mail: who writes, that it is urgent, where to look; no more."""
    words = (instruments or load_all()).alerts[language_of(language)].words
    return words["urgent_sms"].format(sms_name=sms_name, link=link)


def _check(
    kind: str, explanation: Explanation | None, days: int, therapist: str, count: int, change: Change | None
) -> None:
    if kind not in ALERT_KINDS:
        raise ValueError(f"{kind!r} is not a kind of note")
    needs = {
        "explanation": explanation is None and kind in ("rapport", "low"),
        "days": days < 1 and kind in ("reminder", "escalated"),
        "therapist": not therapist and kind in ("cover", "escalated", "undelivered"),
        "count": count < 1 and kind == "silent",
        "change": change is None and kind == "model_change",
    }
    if lacking := [name for name, lacks in needs.items() if lacks]:
        raise ValueError(f"a note of kind {kind!r} needs {lacking[0]}")


def _honest(kind: str, explanation: Explanation, one_in: int) -> str:
    """Which line says how sure a note may sound."""
    if kind == "low" or explanation.start:
        return "honest_low" if kind == "low" else "honest_start"
    return f"honest_{sure(one_in)}"


def _days(days: int, words: AlertWords) -> str:
    return words.words["days_one"] if days == 1 else words.words["days_many"].format(count=counted(days, words))


def _advised(told: AlertText, explanation: Explanation, instruments: Instruments, language: str) -> AlertText:
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
