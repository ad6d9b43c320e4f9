"""`make weights`: learn from the labelled replies how much each piece of one speaks for danger or for a wish to stop.

Prints, for several bounds, what they would find and flag wrongly in sets of replies left out of learning in turn: the
rows of one set are by one hand, so replies left out one by one would look better read than those of somebody new.
"""

import re
from collections.abc import Iterator, Sequence
from math import log2
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut

from surveys import vocabulary
from surveys.replies import weighing
from surveys.replies.decide import own_part, words_of
from surveys.replies.thoughts import LONGEST, Marks, marks_of, thoughts
from tests.score_replies import Row, load

WORDS = Path(weighing.__file__).parents[1] / "instruments" / "words"
LABELS = {"danger": "crisis", "optout": "optout"}
LANGUAGES = ("en", "es", "fr")  # of others there are too few ordinary replies to tell a language from danger
RARE = 2  # replies a piece must stand in
PROSE, OFTEN = "prose", 3  # the set of ordinary comments; in life they are more of the replies than of the rows
LIGHT = 0.05  # a phrase or a run of letters that weighs less is left out; words stay, since they tell a language


def main() -> None:
    """Learn both flags and write their files."""
    rows = [*load("public.jsonl"), *load("own.jsonl")]
    for flag, label in LABELS.items():
        learn(flag, [row for row in rows if _agreed(row, label)], label)


def learn(flag: str, rows: Sequence[Row], label: str) -> None:
    """Learn one flag from rows whose accepted labels agree on it."""
    texts, marks, flagged, of_sets = zip(*_labelled(rows, label), strict=True)
    parts = [(part, i, n) for i, text in enumerate(texts) for part, n in thoughts(text, marks[i])]
    said, of_row, chances = zip(*parts, strict=True)
    flagged, of_sets, of_row, chances = (np.array(each) for each in (flagged, of_sets, of_row, chances))
    wanted, sets = flagged[of_row], of_sets[of_row]
    learned = (chances == 1) | ~wanted  # of a reply in danger nobody said which part tells it
    counted = CountVectorizer(analyzer=lambda words: list(weighing.pieces(words)), min_df=RARE)
    counted.fit(texts)
    seen = counted.transform(said).astype(float)
    model = LogisticRegression(C=1.0, class_weight="balanced", solver="liblinear", tol=0.001)
    counts = np.where(sets == PROSE, OFTEN, 1)
    left_out = np.full(len(texts), -np.inf)
    for others, left in LeaveOneGroupOut().split(seen, groups=sets):
        taken = others[learned[others]]
        model.fit(seen[taken], wanted[taken], sample_weight=counts[taken])
        for each, weight in zip(left, model.decision_function(seen[left]), strict=True):
            level = weighing.levelled(weight, len(said[each])) - weighing.CHANCE * log2(chances[each])
            left_out[of_row[each]] = max(left_out[of_row[each]], level)
    print(f"{flag}: {len(texts)} replies, {flagged.sum()} flagged")
    for bound in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
        _tell(bound, left_out > bound, flagged, of_sets)
    model.fit(seen[learned], wanted[learned], sample_weight=counts[learned])
    weights = zip(counted.get_feature_names_out(), model.coef_[0], strict=True)
    kept = [(piece, weight) for piece, weight in weights if abs(weight) >= LIGHT or piece.isalnum()]
    (WORDS / f"weights_{flag}.tsv").write_text(weighing.write(model.intercept_[0], kept), "utf8")
    print(f"  {len(kept)} pieces written")


def _tell(bound: float, told: np.ndarray, wanted: np.ndarray, sets: np.ndarray) -> None:
    """One line for a bound: the average over the sets, each as much as the other."""
    found = [told[here].mean() for each in set(sets) if (here := (sets == each) & wanted).any()]
    wrong = [told[here].mean() for each in set(sets) if (here := (sets == each) & ~wanted).any()]
    print(f"  above {bound}: finds {np.mean(found):.1%}, flags {np.mean(wrong):.2%} of the others")


def _set(row: Row) -> str:
    """The set a row belongs to, by what its id begins with."""
    return re.split(r"-|\d+$", row["id"])[0]


def _agreed(row: Row, label: str) -> bool:
    accepted = [row["label"], *row["label"].get("also", [])]
    return len({each[label] for each in accepted}) == 1


def _labelled(rows: Sequence[Row], label: str) -> Iterator[tuple[tuple[str, ...], Marks, bool, str]]:
    """The words of each reply that is short enough, where marks part them, its flag and its set."""
    known = vocabulary.load()
    for row in rows:
        if row["lang"] not in LANGUAGES:
            continue
        own = own_part(row["text"], known, row["channel"], row.get("headers"))
        words = words_of(own, known) if own is not None else None
        if words and 0 < len(words.folded) <= LONGEST:
            yield words.folded, marks_of(own, words), row["label"][label], _set(row)


if __name__ == "__main__":
    main()
