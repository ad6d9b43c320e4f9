"""`make weights`: learn from the labelled replies how much each piece of one speaks for danger or for a wish to stop.

Prints, for several bounds, what they would find and flag wrongly in sets of replies left out of learning in turn: the
rows of one set are by one hand, so replies left out one by one would look better read than those of somebody new.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut

from surveys import vocabulary
from surveys.replies import weighing
from surveys.replies.decide import own_part, words_of
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
    texts, wanted, sets = zip(*_labelled(rows, label), strict=True)
    counted = CountVectorizer(analyzer=lambda words: list(weighing.pieces(words)), min_df=RARE)
    seen, wanted, sets = counted.fit_transform(texts).astype(float), np.array(wanted), np.array(sets)
    model = LogisticRegression(C=1.0, class_weight="balanced", solver="liblinear", tol=0.001)
    counts = np.where(sets == PROSE, OFTEN, 1)
    left_out = np.zeros(len(texts))
    for others, left in LeaveOneGroupOut().split(seen, groups=sets):
        model.fit(seen[others], wanted[others], sample_weight=counts[others])
        left_out[left] = model.decision_function(seen[left])
    left_out = np.array([weighing.levelled(*each) for each in zip(left_out, map(len, texts), strict=True)])
    print(f"{flag}: {len(texts)} replies, {wanted.sum()} flagged")
    for bound in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
        _tell(bound, left_out > bound, wanted, sets)
    model.fit(seen, wanted, sample_weight=counts)
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


def _labelled(rows: Sequence[Row], label: str) -> Iterator[tuple[tuple[str, ...], bool, str]]:
    known = vocabulary.load()
    for row in rows:
        if row["lang"] not in LANGUAGES:
            continue
        own = own_part(row["text"], known, row["channel"], row.get("headers"))
        words = words_of(own, known).folded if own is not None else ()
        if 0 < len(words) <= weighing.LONGEST:
            yield words, row["label"][label], _set(row)


if __name__ == "__main__":
    main()
