"""A reply in plain words, so that a phrase need not be written in every dress it comes in.

*I honestly do not even want to live any more* is read as *i dont want to live anymore* too: words that change nothing
are left out, and what is said in two ways is put one way. Phrases are looked for in both.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from surveys.phrases import Match, Words, fold_words


class Put(NamedTuple):
    """Words put plainly, the place each comes from, and how far they differ: from `same_from` on nothing new begins."""

    words: Words
    places: tuple[int, ...]
    same_from: int


class Plain:
    """Puts words plainly. `fillers` are words or short phrases that are left out; `same` has what is said instead of
    each of its lists."""

    def __init__(self, fillers: Collection[str], same: Mapping[str, Sequence[str]]) -> None:
        self._ways: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = defaultdict(list)
        pairs = [(filler, "") for filler in fillers]
        pairs += [(other, meant) for meant, others in same.items() for other in others]
        for said, meant in pairs:
            row = _folded(said)
            self._ways[row[0]].append((row, _folded(meant)))
        for ways in self._ways.values():
            ways.sort(key=lambda way: -len(way[0]))  # the longest that fits is meant

    def of(self, words: Words) -> Put | None:
        """The words put plainly; None if they are plain already."""
        if self._ways.keys().isdisjoint(words.folded):
            return None
        row, places = list[str](), list[int]()
        at, changed = 0, None
        while at < len(words.folded):
            if words.folded[at] not in self._ways:
                row.append(words.folded[at])
                places.append(at)
                at += 1
                continue
            said, meant = self._way(words.folded, at)
            row += meant
            places += [min(at + i, at + len(said) - 1) for i in range(len(meant))]
            at += len(said)
            changed = changed if said == meant else len(row) + 1
        if changed is None:
            return None
        plain = Words(tuple(row), tuple(words.starts[i] for i in places), tuple(words.ends[i] for i in places))
        return Put(plain, tuple(places), changed)

    def _way(self, row: Sequence[str], at: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        for said, meant in self._ways.get(row[at], ()):
            if tuple(row[at : at + len(said)]) == said:
                return said, meant
        return (row[at],), (row[at],)


def placed(matches: Sequence[Match], places: Sequence[int]) -> list[Match]:
    """Matches in words put plainly, as matches in the words they come from."""
    return [m._replace(first=places[m.first], after=places[m.after - 1] + 1) for m in matches if m.after > m.first]


def _folded(text: str) -> tuple[str, ...]:
    return tuple(part for word in text.split() for part in fold_words(word))
