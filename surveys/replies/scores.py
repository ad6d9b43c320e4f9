"""Which score each open question got, by these rules:

S1 as many as asked, S2 a run of digits, S3 labelled, S4 the same for all, S5 fewer, S6 more, S7 a lone fraction,
S8 two for one question, S9 digit and word disagree, S10 between points, S11 hedged, S12 off the scale, S13 choice
words, S14 negated, S15 other words, S16 emoji, S17 numbers of other things, S18 scores beside a comment, S19 skipped,
S20 code and instructions, S21 nothing asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from surveys.replies.answers import evaluate
from surveys.replies.items import Item, Row
from surveys.replies.outcome import Outcome, parts_of
from surveys.vocabulary import FEELINGS

_ALWAYS = FEELINGS[:3]  # asked each time: a client may name them whether they are open or not


@dataclass
class Found:
    """The scores of a reply and the parts of its text that gave them."""

    scores: dict[str, int | None]
    rules: dict[str, str]
    words: dict[str, str]
    out: bool = False
    spans: list[tuple[int, int]] = field(default_factory=list)
    mentioned: bool = False  # a score was written, even if it settled nothing


def read_scores(row: Row, asked: Sequence[str]) -> Found:
    """The scores in a settled row for the feelings asked, in that order."""
    found = Found(dict.fromkeys(asked), dict.fromkeys(asked, ""), {})
    row = _without_others(row, asked)
    runs = _runs(row.items)
    found.mentioned = any(item.is_score and item.kind != "skip" for item in row.items)
    if not asked:
        return found
    contents = [item for item in row.items if item.kind == "word"]
    outcomes = [(run, _read_run(row, run, asked, contents)) for run in runs]
    taken = [(run, outcome) for run, outcome in outcomes if outcome is not None]
    if any(outcome.out for _, outcome in taken) and not any(o.settled and o.count == len(asked) for _, o in taken):
        found.out = True
        found.rules = dict.fromkeys(asked, "S12")
        return found
    _merge(row, found, taken)
    return found


def _without_others(row: Row, asked: Sequence[str]) -> Row:
    """The row with the names of further feelings that were not asked for as the ordinary words they are."""
    others = {*FEELINGS} - {*_ALWAYS, *asked}
    return replace(
        row,
        items=[
            replace(item, kind="word") if item.kind == "label" and item.value in others else item for item in row.items
        ],
    )


def _runs(items: Sequence[Item]) -> list[list[Item]]:
    """The stretches without content words that hold a score."""
    runs: list[list[Item]] = [[]]
    for item in items:
        if item.kind == "word":
            runs.append([])
        else:
            runs[-1].append(item)
    return [run for run in runs if any(item.is_score for item in run)]


def _merge(row: Row, found: Found, taken: Sequence[tuple[list[Item], Outcome]]) -> None:
    """Put the outcomes of all runs together; two different scores for one question leave it open (S8)."""
    clash: set[str] = set()
    full = [outcome for _, outcome in taken if outcome.settled and not outcome.labelled]
    for run, outcome in taken:
        if outcome.out:
            continue
        corrected = any(item.kind == "fix" for item in run) and full and outcome is not full[0]
        for feeling, value in outcome.values.items():
            if feeling not in found.scores:
                continue
            earlier = found.scores[feeling]
            if value is None:
                found.rules[feeling] = found.rules[feeling] or outcome.open_rules.get(feeling, outcome.rule)
                found.words.setdefault(feeling, outcome.words.get(feeling, ""))
            elif earlier is not None and earlier != value and not corrected:
                clash.add(feeling)
            else:
                found.scores[feeling], found.rules[feeling] = value, outcome.rule
                found.words[feeling] = outcome.words.get(feeling, "")
        if outcome.settled:
            found.spans.append(_span(row, run, outcome))
        for feeling in found.rules:
            found.rules[feeling] = found.rules[feeling] or outcome.open_rules.get(feeling, outcome.rule)
    for feeling in clash:
        found.scores[feeling], found.rules[feeling] = None, "S8"


def _read_run(row: Row, run: list[Item], asked: Sequence[str], contents: Sequence[Item]) -> Outcome | None:
    """What a run says, or None where a comment's numbers say nothing about the questions."""
    before = contents[0] if contents and contents[0].end <= run[0].start else None
    after = contents[-1] if contents and contents[-1].start >= run[-1].end else None
    run = _without_mentions(run, before, after)
    outcome = evaluate(row, run, asked)
    if not contents:
        return outcome
    parts = parts_of(run)
    if len(parts) > 1 and not (outcome.settled and outcome.count == len(asked)) and not outcome.labelled:
        keep = parts[:-1] if after else parts
        keep = keep[1:] if before and len(keep) > 1 else keep
        shorter = [item for part in keep for item in part]
        if any(item.is_score for item in shorter):
            again = evaluate(row, shorter, asked)
            if again.settled and again.count == len(asked):
                outcome, run, after = again, shorter, after if keep[-1] is parts[-1] else None
    if outcome.out:
        return outcome if outcome.count == len(asked) and _stands(row, run, before, after, len(asked)) else None
    if outcome.labelled and outcome.settled:
        return outcome
    if outcome.settled and outcome.count < len(asked):
        return None
    if not outcome.settled and outcome.count < len(asked):
        return None
    return outcome if _stands(row, run, before, after, len(asked)) else None


def _without_mentions(run: list[Item], before: Item | None, after: Item | None) -> list[Item]:
    """A run without the feelings that only the comment names: "I felt heard. 4 5 5 - and I understood my mother"."""
    if after:
        run = run[: _where_told(run)]
    parts = parts_of(run)
    if after and len(parts) > 1 and _only_names(parts[-1]):
        parts = parts[:-1]
    if before and len(parts) > 1 and _only_names(parts[0]):
        parts = [parts[0][-1:], *parts[1:]]  # what ended it still parts it
    return [item for part in parts for item in part]


def _where_told(run: Sequence[Item]) -> int:
    """Where after the last score a mark and other words lead to the name of a feeling; the end if nowhere."""
    last = max((i for i, item in enumerate(run) if item.is_score), default=-1)
    for i in range(last + 1, len(run) - 1):
        if run[i].kind == "except" or _is_mark(run, i):
            named = run[i + 1].kind not in ("label", "place") and _only_names(run[i + 1 :])
            return i if last >= 0 and named else len(run)
    return len(run)


def _only_names(part: Sequence[Item]) -> bool:
    return any(item.kind in ("label", "place") for item in part) and not any(item.is_score for item in part)


def _stands(row: Row, run: Sequence[Item], before: Item | None, after: Item | None, size: int) -> bool:
    """Whether a group is at the start, at the end, or in a sentence or line of its own (S18).

    A group of several scores, or of one for all, may also begin or end a sentence, or stand between two marks.
    """
    if before is None:
        return not (size == 1 and after is not None and _is_questioned(row, run))
    scores = [i for i, item in enumerate(run) if item.is_score and item.kind != "skip"]
    scores = scores or [i for i, item in enumerate(run) if item.is_score]
    head, tail = run[: scores[0]], run[scores[-1] + 1 :]
    begins = any(item.kind in ("stop", "line") for item in head)
    ends = any(item.kind in ("stop", "line") for item in tail)
    several = size > 1 or any(item.kind == "all" or item.plural for item in run)
    if (begins and ends) or (several and (begins or ends)):
        return True
    if after is not None:
        led = head and head[-1].value == ":" and not begins  # "final answer: 4, ..."
        return bool((several or led) and _is_mark(head, -1) and _is_mark(tail, 0)) or bool(led and ends)
    marked = any(item.kind in ("stop", "line", "sep", "all", "fix") for item in head)
    framed = any(item.kind == "filler" and (item.after - item.first > 1 or _is_frame(row, item)) for item in head)
    return marked or framed or several


def _is_mark(items: Sequence[Item], at: int) -> bool:
    """Whether a comma, a bracket or a dash between spaces stands at one end of some items."""
    if not items or items[at].kind != "sep":
        return False
    mark = str(items[at].value)
    return mark in ",:()" or (mark in "-–—" and items[at].spaced)


def _is_questioned(row: Row, run: Sequence[Item]) -> bool:
    """ "is 5 good or bad?": a number inside a question gives no score."""
    last = max(i for i, item in enumerate(run) if item.is_score)
    if any(item.kind in ("sep", "stop", "line") for item in run[last + 1 :]):
        return False
    end = next((item for item in row.items if item.start >= run[-1].end and item.kind in ("stop", "line")), None)
    return end is not None and end.value == "?"


def _is_frame(row: Row, item: Item) -> bool:
    return item.first >= 0 and row.begins(item.first, "around.frame")


def _span(row: Row, run: Sequence[Item], outcome: Outcome) -> tuple[int, int]:
    """The part of the text that is answer and no comment: the scores, their labels, and the fillers around them."""
    kinds = ("label", "place") if outcome.labelled else ("all",) if outcome.rule == "S4" else ()
    marks = [i for i, item in enumerate(run) if item.is_score or item.kind in kinds]
    if outcome.rule == "S1":
        marks = marks[: max(outcome.count, 1)]  # a score that is named again is said of, and comment
    first, last = marks[0], marks[-1]
    given = max((i for i in marks if run[i].is_score and run[i].kind != "skip"), default=last)
    beyond = run[given + 1 : last + 1]
    skips = any(item.kind == "skip" for item in beyond)
    full = outcome.count == sum(item.is_score and item.kind != "skip" for item in run)  # no skip took a place
    if skips and (full or any(item.kind in ("filler", "near", "hedge") for item in beyond)):
        last = given  # "5, dunno about the others": the words after the last score are a comment
    content = any(item.kind == "word" and item.end <= run[0].start for item in row.items)
    follows = any(item.kind == "word" and item.start >= run[-1].end for item in row.items)
    first = _back(run, first, content)
    last = _ahead(run, last, follows)
    return run[first].start, run[last].end


def _back(run: Sequence[Item], first: int, content: bool) -> int:
    i = first
    while i > 0 and run[i - 1].kind in ("filler", "hedge", "and", "not", "near", "join"):
        i -= 1
    if i == 0 and content:
        return (
            first - 1
            if first and run[first - 1].kind == "filler" and run[first - 1].after - run[first - 1].first > 1
            else first
        )
    return i


def _ahead(run: Sequence[Item], last: int, follows: bool) -> int:
    i = last
    while i + 1 < len(run) and run[i + 1].kind in ("filler", "hedge", "thanks", "half", "stars", "and"):
        i += 1
    attached = i + 1 == len(run) or run[i + 1].kind not in ("sep", "stop", "line")
    return last if attached and follows else i
