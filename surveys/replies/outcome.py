"""The answer that a run of items gives, and the small questions all readers of runs ask."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from surveys.replies.items import Item


@dataclass
class Outcome:
    """What one run of items says about the open questions."""

    values: dict[str, int | None] = field(default_factory=dict)  # feeling -> score; None: mentioned, left open
    rule: str = ""  # the rule that settled it, or left it open
    open_rules: dict[str, str] = field(default_factory=dict)  # feeling -> the rule that left just this one open
    settled: bool = False  # whether the run answers (all or some) questions
    out: bool = False  # off the scale
    labelled: bool = False
    words: dict[str, str] = field(default_factory=dict)  # feeling -> the words that gave the score
    count: int = 0


def parts_of(run: Sequence[Item]) -> list[list[Item]]:
    """A run cut at sentence ends and line breaks."""
    parts: list[list[Item]] = [[]]
    for item in run:
        parts[-1].append(item)
        if item.kind in ("stop", "line"):
            parts.append([])
    return [part for part in parts if part]


def is_all(items: Sequence[Item]) -> bool:
    """Whether the items say that one score is for every question: "all", or a plural."""
    return any(item.kind == "all" or item.plural for item in items)
