"""Misspelt words: one edit (insert, delete, replace, swap of neighbours) away from exactly one word we look for."""

from collections import defaultdict
from collections.abc import Iterator

_SHORTEST = 4
_LONGEST = 20


class Spelling:
    """Finds the word meant. Words in `ordinary` are themselves, however near they are (*fine* is not *five*)."""

    def __init__(self, wanted: frozenset[str], ordinary: frozenset[str]) -> None:
        self._wanted, self._ordinary = wanted, ordinary
        self._by_gap: dict[str, set[str]] = defaultdict(set)
        for word in wanted:
            for shorter in _gaps(word):
                self._by_gap[shorter].add(word)

    def is_ordinary(self, word: str) -> bool:
        """Whether the word is one that is never taken for another."""
        return word in self._ordinary

    def right(self, word: str) -> str | None:
        """What a misspelt word stands for; None when it is right, ordinary, or could be two words."""
        if word in self._ordinary or not _SHORTEST - 1 <= len(word) <= _LONGEST or not word.isalpha():
            return None
        near = {w for gap in _gaps(word) for w in self._by_gap.get(gap, ()) if one_edit(word, w)}
        if len(near) > 1:
            near = {w for w in near if w[0] == word[0] and w[-1] == word[-1]}
        return near.pop() if len(near) == 1 else None


def _gaps(word: str) -> Iterator[str]:
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours makes `b` of `a`."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    if len(a) == len(b):
        swapped = len(rest_a) > 1 and rest_a[1] + rest_a[0] + rest_a[2:] == rest_b
        return swapped or rest_a[1:] == rest_b[1:]
    longer, shorter = (rest_a, rest_b) if len(a) > len(b) else (rest_b, rest_a)
    return longer[1:] == shorter
