"""Words that are not written as we look for them: misspelt, masked (s*icide), in digits (k1ll), spelled out (d.i.e)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from surveys.phrases import BREAK

_SHORTEST = 4
_LONGEST = 20
_SPELLED = 3
_DIGITS = str.maketrans("013457", "oieast")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")


class Spelling:
    """Finds the word meant. Words in `ordinary` are themselves, however near they are (*fine* is not *five*).

    `wanted` says what each word means: a slip near two words that mean the same is no riddle (*completley*).
    `respelt` are common spellings with the word each stands for, `grave` the words that people mask or spell out; two
    letters swapped in one of either kind are understood.
    """

    def __init__(
        self, wanted: Mapping[str, str], ordinary: frozenset[str], respelt: Mapping[str, str], grave: frozenset[str]
    ) -> None:
        self._wanted, self._ordinary, self._respelt, self._grave = wanted, ordinary, respelt, grave
        self._masks = tuple(sorted(grave))
        self._by_gap: dict[str, set[str]] = defaultdict(set)
        for word in wanted:
            for shorter in _gaps(word):
                self._by_gap[shorter].add(word)
        meant = sorted({*grave, *respelt.values()})
        self._swapped = {swap: word for word in meant for swap in _swaps(word) if swap not in ordinary}

    def is_ordinary(self, word: str) -> bool:
        """Whether the word is one that is never taken for another."""
        return word in self._ordinary

    def meant(self, words: Sequence[str]) -> dict[int, str]:
        """The places of words that stand for another one, and that one; the letters of a word spelled out become its
        first letter's place and empty ones."""
        other = [i for i, word in enumerate(words) if word in self._respelt or word not in self._ordinary]
        found = {i: meant for i in other if (meant := self._meant(words[i]))}
        letters = [word for word in words if len(word) == 1 and word.isalpha()]
        return found | self._spelled_out(words) if len(letters) >= _SPELLED else found

    def _meant(self, word: str) -> str | None:
        if word in self._respelt:
            return self._respelt[word]
        if word in self._ordinary:
            return None
        if word in self._swapped:
            return self._swapped[word]
        if word.isalpha():
            for once in (r"\1\1", r"\1"):  # "killll", "dieee"
                drawn = _DRAWN_OUT.sub(once, word)
                if drawn != word and drawn in self._ordinary:
                    return drawn
            if word.endswith("in") and f"{word}g" in self._ordinary:
                return f"{word}g"
            return self.right(word)
        if "*" in word:
            return self._masked(word)
        plain = word.translate(_DIGITS)
        return plain if len(word) > 2 and plain.isalpha() and plain in self._grave else None

    def _masked(self, word: str) -> str | None:
        """The grave word under a mask: each star hides a letter or two."""
        shown = re.compile(".{1,2}".join(re.escape(part) for part in word[:_LONGEST].split("*")))
        return next((grave for grave in self._masks if shown.fullmatch(grave)), self.right(word.replace("*", "")))

    def _spelled_out(self, words: Sequence[str]) -> dict[int, str]:
        """_SPELLED letters and more, each a word of its own, that make a grave word."""
        found: dict[int, str] = {}
        letters: list[int] = []
        for place, word in enumerate([*words, "", ""]):
            if len(word) == 1 and word.isalpha():
                letters.append(place)
                continue
            if word == BREAK and letters and letters[-1] == place - 1:
                continue
            found |= self._joined(words, letters)
            letters = []
        return found

    def _joined(self, words: Sequence[str], letters: Sequence[int]) -> dict[int, str]:
        """The grave word that letters make; others may stand before it, as *i* does."""
        for first in range(max(0, min(len(letters) + 1 - _SPELLED, _LONGEST))):
            joined = "".join(words[i] for i in letters[first : first + _LONGEST])
            if joined in self._grave:
                return dict.fromkeys(range(letters[first], letters[-1] + 1), "") | {letters[first]: joined}
        return {}

    def right(self, word: str) -> str | None:
        """What a misspelt word stands for; None when it is right, ordinary, or could be two words of other meanings."""
        if word in self._ordinary or not _SHORTEST - 1 <= len(word) <= _LONGEST or not word.isalpha():
            return None
        near = {w for gap in _gaps(word) for w in self._by_gap.get(gap, ()) if one_edit(word, w)}
        if len({self._wanted[w] for w in near}) > 1:
            near = {w for w in near if w[0] == word[0] and w[-1] == word[-1]}
        return min(near) if len({self._wanted[w] for w in near}) == 1 else None


def _gaps(word: str) -> Iterator[str]:
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def _swaps(word: str) -> Iterator[str]:
    """The word with two neighbouring letters swapped; its first letter stays, or *edad* would be *dead*."""
    for i in range(1, len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


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
