"""Scores with the questions they are for (S3): by feeling, by number, by place in the list."""

from collections.abc import Container, Sequence
from itertools import accumulate, pairwise

from surveys.replies.items import Item, Row
from surveys.replies.outcome import Outcome, is_all, parts_of

_NOT = "scores.not"
_Pairs = list[tuple[list[Item], Item]]


def feelings_of(label: Item, asked: Sequence[str], known: set[str]) -> list[str]:
    """The feelings a label stands for. One that is not asked stands for itself: its score is not another's."""
    if label.kind == "label":
        return [str(label.value)]
    value = str(label.value)
    if value.isdigit():
        return [asked[int(value) - 1]] if 1 <= int(value) <= len(asked) else [f"#{value}"]
    if value == "last":
        return [asked[-1]]
    if value == "rest":
        return [f for f in asked if f not in known]
    size = 3 if value.endswith("three") else 2
    return list(asked[:size] if value.startswith("first") else asked[-size:])


def labelled_answers(row: Row, items: list[Item], asked: Sequence[str]) -> Outcome | None:
    """Scores with their questions (S3); None when the labels do not pair with scores."""
    marks = [item for item in items if item.is_score or item.kind in ("label", "place")]
    scores = [item for item in marks if item.is_score]
    labels = [item for item in marks if not item.is_score]
    if not scores or not labels or any(item.kind == "bad" for item in scores):
        return None
    if len(scores) == len(asked) and len(labels) < len(scores) and _leads(marks, len(labels)):
        return None
    if (
        is_all(items)
        and not any(item.value == "rest" for item in labels)
        and len({s.value for s in scores}) == 1
        and len(labels) <= 1
    ):
        return None
    if len(scores) == 1 and _parted(items, scores[0]):
        return None
    in_row = _by_row(marks, asked)
    if in_row is None and (alone := _said_alone(row, items)):
        return _without_alone(row, items, asked, alone)
    said = [item for item in marks if item.kind != "skip" and item.value != "rest"]  # "and the rest I can't say"
    pairs = in_row or _by_clause(items) or _by_clause(items, commas=False) or _by_turns(marks) or _by_turns(said)
    pairs = pairs or _by_turns_in_each(_clauses(items))
    pairs = pairs or _by_turns_in_each(_clauses(items, ends=("except",)))
    pairs = pairs or _by_turns_in_each(_clauses(items, ends=("and", "except"))) or _by_turns_in_each(_halves(marks))
    if pairs is None:
        return None
    outcome = Outcome(rule="S3", labelled=True, settled=True, count=len(scores))
    by_rest = sorted(pairs, key=lambda pair: any(label.value == "rest" for label in pair[0]))  # "the rest" comes last
    for names, score in by_rest:
        for label in names:
            for feeling in feelings_of(label, asked, set(outcome.values)):
                _give(row, outcome, feeling, score, label)
    outcome.settled = any(f in asked for f in outcome.values)
    return outcome


def _said_alone(row: Row, items: Sequence[Item]) -> set[int]:
    """The places of labels that stand beside another one and share no score with it: "heard no, respected 5", "not
    heard, respected 5", "heard:" on a line of its own. "Heard and respected 5" is shared."""
    at = [i for i, item in enumerate(items) if item.is_score or item.kind in ("label", "place")]
    parts = list(accumulate(item.kind in ("stop", "line") for item in items))
    scored = {parts[i] for i in at if items[i].is_score}
    scores_lead = items[at[0]].is_score
    return {
        j if scores_lead else i
        for i, j in pairwise(at)
        if not (items[i].is_score or items[j].is_score)
        and not (parts[i] != parts[j] and {parts[i], parts[j]} <= scored)
        and (_is_denied(row, items, j if scores_lead else i) or not _is_shared(items[i + 1 : j]))
    }


def _is_denied(row: Row, items: Sequence[Item], at: int) -> bool:
    """Whether a "not" or "but not" stands right before a label."""
    while at > 0 and items[at - 1].kind == "filler":
        at -= 1
    before = items[at - 1] if at > 0 else None
    return before is not None and (before.kind == "not" or (before.kind == "except" and row.ends(before.after, _NOT)))


def _is_shared(between: Sequence[Item]) -> bool:
    """Whether what stands between two labels joins them: "and", a comma, and before the second label fillers."""
    joined = [i for i, item in enumerate(between) if item.kind in ("and", "sep")]
    plain = all(item.kind in ("and", "filler") or item.value in (",", "/", "&", "+") for item in between)
    return plain and (not joined or joined[0] == 0)


def _without_alone(row: Row, items: Sequence[Item], asked: Sequence[str], alone: set[int]) -> Outcome | None:
    """The scores of the other labels; those that stand alone are left open."""
    idle = set(alone)
    for i, item in enumerate(items):
        if i - 1 in idle and item.kind in ("filler", "all"):
            idle.add(i)  # "not heard at all"
    outcome = labelled_answers(row, [item for i, item in enumerate(items) if i not in idle], asked)
    for feeling in (f for i in alone for f in feelings_of(items[i], asked, set())):
        if outcome and outcome.values.setdefault(feeling, None) is None:
            outcome.open_rules.setdefault(feeling, "S14")
    return outcome


def _parted(items: Sequence[Item], score: Item) -> bool:
    """Whether a sentence ends between the only score and every label: "He listened. 4." """
    parts = parts_of([*items])
    part = next(part for part in parts if score in part)
    return not any(item.kind in ("label", "place") for item in part) and any(
        i.kind == "stop" for p in parts for i in p if p is not part
    )


def _leads(marks: Sequence[Item], count: int) -> bool:
    """Whether all labels come before all scores, as in "heard and respected, 4 4 3"."""
    return all(not item.is_score for item in marks[:count])


def _give(row: Row, outcome: Outcome, feeling: str, score: Item, label: Item) -> None:
    value = int(score.value) if score.kind == "n" and score.value is not None else None
    if feeling in outcome.values and outcome.values[feeling] != value:
        value, outcome.open_rules[feeling] = None, "S8"
    elif value is None:
        outcome.open_rules[feeling] = score.rule or "S19"
    outcome.values[feeling] = value
    outcome.words[feeling] = row.text[min(score.start, label.start) : max(score.end, label.end)]


def _by_clause(items: Sequence[Item], *, commas: bool = True) -> _Pairs | None:
    """Each clause (or each sentence, where commas are no ends) holds one score and its labels."""
    pairs: _Pairs = []
    for clause in _clauses(items, commas=commas):
        scores = [item for item in clause if item.is_score]
        labels = [item for item in clause if not item.is_score]
        if len(scores) != 1 or not labels:
            return None
        if labels[0].start < scores[0].start < labels[-1].start:
            return None  # "first one 5 second one ...": what is said of the second is no score
        pairs.append((labels, scores[0]))
    return pairs


def _clauses(items: Sequence[Item], *, commas: bool = True, ends: Container[str] = ()) -> list[list[Item]]:
    """The scores and labels of each clause that has any, or of each sentence where commas are no ends."""
    clauses: list[list[Item]] = [[]]
    for item in items:
        ended = item.kind in ("stop", "line") or item.kind in ends
        if ended or (commas and item.kind == "sep" and item.value in (",", "/", "|")):
            clauses.append([])
        elif item.is_score or item.kind in ("label", "place"):
            clauses[-1].append(item)
    return [clause for clause in clauses if clause]


def _by_turns(marks: Sequence[Item]) -> _Pairs | None:
    """Labels and scores take turns: "heard 5 respected 4", or "5 heard 4 respected"."""
    if not marks:
        return None
    ordered = list(marks)
    label_first = not ordered[0].is_score
    if not label_first:
        ordered.reverse()
    while label_first and not ordered[-1].is_score:
        ordered.pop()  # "heard 5 and understood 4, no idea on respect": the last one has none
        if not ordered:
            return None
    if not ordered[-1].is_score or ordered[0].is_score:
        return None
    pairs: _Pairs = []
    names: list[Item] = []
    for item in ordered:
        if not item.is_score:
            names.append(item)
        elif names:
            pairs.append((names, item))
            names = []
        else:
            return None
    return pairs if label_first else pairs[::-1]


def _by_turns_in_each(clauses: Sequence[Sequence[Item]]) -> _Pairs | None:
    """Labels and scores take turns in each clause, in one this way and in another that: "a 5 for respected and a 4 for
    heard, understood a 3", or "respected 5 but a 2 for understood", where that word ends a clause."""
    found = [_by_turns(clause) for clause in clauses]
    return [pair for pairs in found for pair in pairs or ()] if all(found) else None


def _halves(marks: Sequence[Item]) -> list[Sequence[Item]]:
    """Parted between scores that stand side by side: "heard 5 2 for understood"."""
    ends = [i for i in range(1, len(marks)) if marks[i - 1].is_score and marks[i].is_score]
    return [marks[i:j] for i, j in zip([0, *ends], [*ends, len(marks)], strict=True)]


def _by_row(marks: Sequence[Item], asked: Sequence[str]) -> _Pairs | None:
    """All labels, then as many scores."""
    half = len(marks) // 2
    labels, scores = marks[:half], marks[half:]
    if len(marks) % 2 or any(i.is_score for i in labels) or not all(i.is_score for i in scores) or half != len(asked):
        return None
    return [([label], score) for label, score in zip(labels, scores, strict=True)]
