"""`make weights`: learn from the labelled replies how much each piece of one speaks for danger or for a wish to stop.

Prints, for several bounds, what they would find and flag wrongly among replies left out of learning in turn.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from surveys import vocabulary
from surveys.replies import weighing
from surveys.replies.decide import own_part, words_of
from tests.score_replies import Row, load

WORDS = Path(weighing.__file__).parents[1] / "instruments" / "words"
LABELS = {"danger": "crisis", "optout": "optout"}
LANGUAGES = ("en", "es", "fr")  # of others there are too few ordinary replies to tell a language from danger
RARE = 2  # replies a piece must stand in
LIGHT = 0.03  # a piece that weighs less is left out


def main() -> None:
    """Learn both flags and write their files."""
    rows = [*load("public.jsonl"), *load("own.jsonl")]
    for flag, label in LABELS.items():
        learn(flag, [row for row in rows if _agreed(row, label)], label)


def learn(flag: str, rows: Sequence[Row], label: str) -> None:
    """Learn one flag from rows whose accepted labels agree on it."""
    texts, wanted = zip(*_labelled(rows, label), strict=True)
    counted = CountVectorizer(analyzer=lambda words: sorted(set(weighing.pieces(words))), binary=True, min_df=RARE)
    seen, wanted = counted.fit_transform(texts), np.array(wanted)
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=3000)
    lengths = [len(words) for words in texts]
    left_out = cross_val_predict(model, seen, wanted, cv=10, method="decision_function")
    left_out = np.array([weighing.levelled(*each) for each in zip(left_out, lengths, strict=True)])
    print(f"{flag}: {len(texts)} replies, {wanted.sum()} flagged")
    for bound in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
        told = left_out > bound
        print(f"  above {bound}: finds {(told & wanted).sum() / wanted.sum():.1%}, "
              f"flags {(told & ~wanted).sum() / (~wanted).sum():.2%} of the others")  # fmt: skip
    model.fit(seen, wanted)
    weights = zip(counted.get_feature_names_out(), model.coef_[0], strict=True)
    kept = [(piece, weight) for piece, weight in weights if abs(weight) >= LIGHT]
    (WORDS / f"weights_{flag}.tsv").write_text(weighing.write(model.intercept_[0], kept), "utf8")
    print(f"  {len(kept)} pieces written")


def _agreed(row: Row, label: str) -> bool:
    accepted = [row["label"], *row["label"].get("also", [])]
    return len({each[label] for each in accepted}) == 1


def _labelled(rows: Sequence[Row], label: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    known = vocabulary.load()
    for row in rows:
        if row["lang"] not in LANGUAGES:
            continue
        own = own_part(row["text"], known, row["channel"], row.get("headers"))
        words = words_of(own, known).folded if own is not None else ()
        if 0 < len(words) <= weighing.LONGEST:
            yield words, row["label"][label]


if __name__ == "__main__":
    main()
