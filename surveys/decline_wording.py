"""What changed, in one plain sentence: of a decline, a low start, a single low answer, a recovery.

In words for mails ("Heard has been below this client's usual for two check-ins."); with the client's name in numbers
too, which a clinician can check against the answers, for pages behind sign-in.
"""

from collections.abc import Mapping, Sequence

from surveys.instrument import AlertWords, Instruments
from surveys.rapport.explaining import Explanation, Fall, Range, Recovery


def sentence(kind: str, explanation: Explanation, client: str, instruments: Instruments, language: str) -> str:
    """What changed, for a note of kind "rapport" or "low"; in numbers where the client's name is given."""
    words = instruments.alerts[language]
    labels = [instruments.questions[feeling].labels[language] for feeling in explanation.feelings]
    stem = "low" if kind == "low" else "start" if explanation.start else "below"
    if not client or not labels or (stem != "low" and not explanation.falls):
        return _in_words(stem, explanation, labels, words)
    if stem == "below":
        how_many = _how_many(explanation.falls, explanation.overall)
        return _in_numbers(f"told_{how_many}", explanation.falls, explanation.check_ins, client, labels, words)
    now = _points([each.now for each in explanation.falls], words.words) if explanation.falls else ""
    return words.words[f"told_{stem}"].format(name=client, feelings=_quoted(labels, words.words), now=now)


def recovered(recovery: Recovery, client: str, instruments: Instruments, language: str) -> str:
    """That rapport is back, with name and numbers; empty where the answers don't show it."""
    if not recovery.falls or not recovery.check_ins:
        return ""
    labels = [instruments.questions[each.feeling].labels[language] for each in recovery.falls]
    key = f"back_{_how_many(recovery.falls, False)}"
    return _in_numbers(key, recovery.falls, recovery.check_ins, client, labels, instruments.alerts[language])


def counted(number: int, words: AlertWords) -> str:
    """A number in words where we have one, else in digits."""
    return words.counts.get(number, str(number))


def _in_words(stem: str, explanation: Explanation, labels: Sequence[str], words: AlertWords) -> str:
    since = _since(explanation.check_ins, words)
    if not labels or (explanation.overall and stem == "below"):
        return words.words["below_all"].format(since=since)
    feelings = _joined(labels, words.words["and"])
    template = words.words[f"{stem}_{'one' if len(labels) == 1 else 'many'}"]
    return template.format(feelings=feelings[:1].upper() + feelings[1:], since=since)


def _in_numbers(
    key: str, falls: Sequence[Fall], check_ins: int, client: str, labels: Sequence[str], words: AlertWords
) -> str:
    return words.words[key].format(
        name=client,
        feelings=_quoted(labels, words.words),
        now=_points([each.now for each in falls], words.words),
        since=_since(check_ins, words),
        before=_before(falls, words.words),
    )


def _how_many(falls: Sequence[Fall], overall: bool) -> str:
    return "all" if overall else "one" if len(falls) == 1 else "many"


def _before(falls: Sequence[Fall], words: Mapping[str, str]) -> str:
    """What it was: "usually" where every feeling has answers enough to say so; nothing where there are none."""
    ranges = [each.before for each in falls if each.before]
    if not ranges:
        return ""
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    points = str(low) if low == high else words["between"].format(low=low, high=high)
    return words["usually" if all(each.usual for each in falls) else "before"].format(points=points)


def _points(ranges: Sequence[Range], words: Mapping[str, str]) -> str:
    """The range that holds all of them."""
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    return words["about"].format(low=low) if low == high else words["between"].format(low=low, high=high)


def _since(check_ins: int, words: AlertWords) -> str:
    if check_ins < 1:
        return words.words["since_unknown"]
    if check_ins == 1:
        return words.words["since_one"]
    return words.words["since_many"].format(count=counted(check_ins, words))


def _quoted(labels: Sequence[str], words: Mapping[str, str]) -> str:
    return _joined([words["quoted"].format(label=label) for label in labels], words["and"])


def _joined(labels: Sequence[str], last: str) -> str:
    return last.join(part for part in (", ".join(labels[:-1]), labels[-1]) if part)
