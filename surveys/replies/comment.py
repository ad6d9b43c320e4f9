"""The client's own words that are neither scores nor keywords."""

import re
from collections.abc import Sequence

from surveys.replies.items import Row

_EDGES = " \t\n,;:.-–—/|&+*_~=>)"
_WORDLIKE = re.compile(r"[^\W_]")
_UNDER = re.compile("[\ue000-\ue009]")


def comment(row: Row, spans: Sequence[tuple[int, int]]) -> str | None:
    """The text without the answered parts, greetings before and thanks after; None if nothing of substance is left."""
    pieces, at = [], 0
    for start, end in sorted([*spans, *(_courtesies(row) if spans else ())]):
        pieces.append(row.text[at:start])
        at = max(at, end)
    pieces.append(row.text[at:])
    kept = [piece.strip(_EDGES) if spans else piece.strip() for piece in pieces]
    text = _UNDER.sub("", " ".join(_closed(piece) for piece in kept if _WORDLIKE.search(piece) or not spans)).strip()
    return text if _WORDLIKE.search(text) and _says_something(row, spans) else None


def _closed(piece: str) -> str:
    """An opening bracket that was cut from its end is dropped."""
    return piece.lstrip("(") if piece.count("(") > piece.count(")") else piece


def _courtesies(row: Row) -> list[tuple[int, int]]:
    """Greetings at the start and thanks at the end, where nothing else is in their clause."""
    spans = []
    for i, item in enumerate(row.items):
        if item.kind == "greeting" and all(
            other.kind in ("greeting", "sep", "stop", "line") for other in row.items[:i]
        ):
            spans.append((item.start, item.end))
        if item.kind == "thanks" and all(
            other.kind in ("thanks", "sep", "stop", "line", "filler") for other in row.items[i + 1 :]
        ):
            spans.append((item.start, item.end))
    return spans


def _says_something(row: Row, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a word is left that is more than a filler beside scores, or more than a greeting without."""
    idle = (
        ("filler", "greeting", "thanks", "sep", "stop", "line", "and", "hedge")
        if spans
        else ("greeting", "thanks", "sep", "stop", "line")
    )
    for item in row.items:
        if any(start <= item.start < end for start, end in spans):
            continue
        if item.kind not in idle and _WORDLIKE.search(row.text[item.start : item.end]):
            return True
    return False
