"""How well replies are read: the figures of the labelling rules on both labelled sets, by family and language.

python -m tests.score_replies            a summary for each set
python -m tests.score_replies --misses   and every row that is read otherwise than labelled
"""

import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from surveys import vocabulary
from surveys.replies import Reply, parse
from surveys.replies.decide import Instruments

DATA = Path(__file__).parent / "data" / "replies"
Row = Mapping[str, Any]


@dataclass
class Tally:
    """Figures of one set: each a count of rows that fit and of rows looked at."""

    counts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    misses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, figure: str, row: Row, good: bool) -> None:
        """Count a row for a figure, and remember it when it does not fit."""
        self.counts[figure][0] += good
        self.counts[figure][1] += 1
        if not good:
            self.misses[figure].append(row["id"])

    def rate(self, figure: str) -> float:
        """The share of rows that fit; 1 where there is nothing to count."""
        good, all_ = self.counts.get(figure, [0, 0])
        return good / all_ if all_ else 1.0


def load(name: str) -> list[Row]:
    """The rows of a labelled set by file name."""
    return [json.loads(line) for line in (DATA / name).read_text("utf8").splitlines()]


def read_all(rows: Iterable[Row]) -> list[tuple[Row, Reply]]:
    """Every row with what the reader makes of it."""
    instruments = cast("Instruments", SimpleNamespace(vocabulary=vocabulary.load()))
    return [
        (r, parse(r["text"], asked=r["asked"], instruments=instruments, channel=r["channel"], headers=r.get("headers")))
        for r in rows
    ]


def tally(pairs: Iterable[tuple[Row, Reply]]) -> Tally:
    """All figures of the rules, section 9."""
    result = Tally()
    for row, reply in pairs:
        accepted = [row["label"], *row["label"].get("also", [])]
        _scores(result, row, reply, accepted)
        for name, got in (("optout", reply.opt_out), ("crisis", reply.crisis)):
            _flag(result, row, name, got, accepted)
        _words(result, row, reply, accepted)
        result.add("kind", row, reply.kind in {a["kind"] for a in accepted})
    return result


def _scores(result: Tally, row: Row, reply: Reply, accepted: Sequence[Row]) -> None:
    got = list(reply.scores)
    good = got in [a["scores"] for a in accepted]
    wrong = any(s is not None and all(a["scores"][i] != s for a in accepted) for i, s in enumerate(got))
    scored = [any(s is not None for s in a["scores"]) for a in accepted]
    if scored[0]:
        for figure in ("answers", f"answers {row['lang']}", f"answers family {row['family']}"):
            result.add(figure, row, good)
        result.add("no wrong score", row, not wrong)
        if all(scored):
            result.add("answers without leniency", row, good)
    if not any(scored):
        result.add("no false score", row, not wrong)
        if row["family"] in ("email_autoreply", "autoreply_sms", "reaction") or row["label"].get("own") == "":
            result.add("no false score in machine text", row, not wrong)


def _flag(result: Tally, row: Row, name: str, got: bool, accepted: Sequence[Row]) -> None:
    wanted = {bool(a[name]) for a in accepted}
    if len(wanted) > 1:
        return
    if True in wanted:
        result.add(f"{name} recall", row, got)
        result.add(f"{name} recall {row['lang']}", row, got)
        if row["family"] == "optout_keyword":
            result.add("optout keywords", row, got)
    if got:
        result.add(f"{name} precision", row, True in wanted)


def _words(result: Tally, row: Row, reply: Reply, accepted: Sequence[Row]) -> None:
    wanted = row["label"]["comment"]
    if wanted is not None and all(a["comment"] is not None for a in accepted):
        have, need = Counter(_tokens(reply.comment or "")), Counter(_tokens(wanted))
        kept = sum(min(n, have[word]) for word, n in need.items())
        result.add("comment kept", row, reply.comment is not None and kept >= 0.9 * sum(need.values()))
    if "own" in row["label"]:
        extra = Counter(_tokens(reply.comment or "")) - Counter(_tokens(row["label"]["own"]))
        result.add("no mail leak", row, sum(extra.values()) <= 3)


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"\w+", plain) or re.findall(r"[^\w\s]", plain)


def main(arguments: Sequence[str]) -> int:
    """Print both sets' figures."""
    for name in ("public.jsonl", "own.jsonl"):
        rows = load(name)
        result = tally(read_all(rows))
        print(f"\n{name}: {len(rows)} rows")
        for figure in sorted(result.counts):
            good, all_ = result.counts[figure]
            if "family" not in figure or good < all_:
                print(f"  {figure:44} {100 * good / all_:6.1f} %  of {all_}")
        if "--misses" in arguments:
            texts = {row["id"]: (row["label"].get("own") or row["text"])[:100] for row in rows}
            for figure, ids in result.misses.items():
                print(f"\n  {figure}:", *(f"\n    {i} {texts[i]!r}" for i in ids))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
