"""Readable phrase patterns, matched against a text in time that grows with its length only.

A pattern is a row of words as a clinician or translator would write them, with five signs:

    kill myself        these words, whatever their case and accents
    kill/end/take      one of these words
    suicid~            a word that begins like this (three letters or more)
    really?            a word that may be missing
    <name>             one entry of the list of that name in the same file (entries may hold several words)
    *  or  *5          a gap of up to three, or up to five, other words, inside one sentence
    #  or  ##          any number, or one of ten or more
    ^  and  $          start and end of a sentence

All patterns of all languages are kept in one tree, so a text is read once, however many patterns there are.
"""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from surveys.phrase_tree import BREAK as BREAK
from surveys.phrase_tree import End, Found, Pattern, Place, Sign, Tree, walk

_LONGEST_GAP = 6
_LONG = 300  # words; few replies are longer
_MOST_STARTS = 250  # times one word may begin a pattern in one text; "i" comes 112 times in 9,000 characters
_WORD = re.compile(r"[^\W_]+(?:(?:['’`´ʼ]|(?<![\d_])\*+(?=[^\W\d_]))[^\W_]+)*|[.!?;…。！？\n]+|\N{IDEOGRAPHIC COMMA}")
_ELIDED = frozenset({"j", "d", "l", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu"})
_APOSTROPHES = re.compile(r"['’`´ʼ]")


class BadPattern(ValueError):
    """A pattern that cannot be read; the message says which and why."""


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """A word without case, accents and inner apostrophes, as patterns and texts are compared."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFD", word.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


@lru_cache(maxsize=8192)
def fold_words(word: str) -> tuple[str, ...]:
    """The comparable words in one written word: French elision makes two (*j'ai*), an English one (*don't*)."""
    parts = _APOSTROPHES.split(word)
    if len(parts) == 1:
        return (fold(word),)
    if fold(parts[0]) in _ELIDED:
        return (fold(parts[0]), *fold_words("'".join(parts[1:])))
    return (fold("".join(parts)),)


@dataclass(frozen=True)
class Words:
    """The words of a text, folded, with sentence breaks, and where each stands in the text."""

    folded: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str, kept: Container[str] = ()) -> "Words":
        """Split `text`; words in `kept` stay as they are written (*très* is not the Spanish *tres*)."""
        folded, starts, ends = list[str](), list[int](), list[int]()
        for found in _WORD.finditer(text):
            word = found[0]
            if not word[0].isalnum():
                if word == "\n":
                    continue
                parts: tuple[str, ...] = (BREAK,)
            else:
                low = word.lower()
                parts = (low,) if low in kept or (low.isascii() and low.isalnum()) else fold_words(word)
            start, end = found.span()
            for part in parts:
                folded.append(part)
                starts.append(start)
                ends.append(end)
        return cls(tuple(folded), tuple(starts), tuple(ends))

    def respelt(self, right: Mapping[int, str]) -> "Words":
        """The same words with those at the given places replaced."""
        return replace(self, folded=tuple(right.get(i, word) for i, word in enumerate(self.folded)))


class Match(NamedTuple):
    """A pattern found: its group, its value, and the words it covers (`first` to before `after`)."""

    group: str
    value: str
    first: int
    after: int

    def overlaps(self, other: "Match") -> bool:
        """Whether the two share a word."""
        return self.first < other.after and other.first < self.after


class Matches:
    """What is found in a text: `all` in its order, and by group."""

    __slots__ = ("_by_group", "all")

    def __init__(self, found: Sequence[Match]) -> None:
        self.all = found
        self._by_group: dict[str, list[Match]] = {}
        for match in found:
            self._by_group.setdefault(match[0], []).append(match)

    def of(self, group: str) -> Sequence[Match]:
        """Those of one group."""
        return self._by_group.get(group, ())

    def has(self, *groups: str) -> bool:
        """Whether there is one of these groups."""
        return not self._by_group.keys().isdisjoint(groups)


class Phrases:
    """A set of patterns in named groups; `find` tells where they occur in a text."""

    def __init__(self) -> None:
        self.vocabulary: set[str] = set()
        self._patterns: tuple[list[Pattern], list[Pattern]] = ([], [])  # those found anywhere, and at a start
        self._signs: dict[tuple[str, int], Sign] = {}
        self._found: dict[Found, Found] = {}
        self._lists: list[Mapping[str, Sequence[str]]] = []
        self._begins: tuple[Place, Place] | None = None
        self._reach = 1  # words that the longest pattern can cover

    def add(self, group: str, value: str, pattern: str, lists: Mapping[str, Sequence[str]]) -> None:
        """Add one pattern; BadPattern when a sign in it is not understood or a list is missing."""
        signs = pattern.split()
        while signs and signs[-1].startswith("*"):  # a gap before nothing says nothing
            signs.pop()
        if not [s for s in signs if s not in "^$" and not s.startswith("*")]:
            raise BadPattern(f"{pattern!r} has no word to look for")
        at_start = signs[0] == "^"
        rows: list[tuple[Sign, ...]] = [()]
        for sign in reversed(signs[1:] if at_start else signs):
            may_miss = sign.endswith("?") and len(sign) > 1
            known = self._sign(sign[:-1] if may_miss else sign, lists)
            rows = [(known, *row) for row in rows] + (rows if may_miss else [])
        self._reach = max(self._reach, sum(sign.reach for sign in rows[0]))
        found = self._found.setdefault((group, value), (group, value))
        self._patterns[at_start].extend(Pattern(row, found) for row in rows)
        self._begins = None

    def _sign(self, sign: str, lists: Mapping[str, Sequence[str]]) -> Sign:
        key = (sign, self._number(lists) if sign.startswith("<") else 0)
        if key not in self._signs:
            self._signs[key] = self._understood(sign, lists)
        return self._signs[key]

    def _number(self, lists: Mapping[str, Sequence[str]]) -> int:
        """Lists of the same name differ from language to language: each language's have a number."""
        for number, known in enumerate(self._lists):
            if known is lists:
                return number
        self._lists.append(lists)
        return len(self._lists) - 1

    def _understood(self, sign: str, lists: Mapping[str, Sequence[str]]) -> Sign:
        if sign.startswith("*"):
            return Sign(gap=_gap(sign))
        if sign in ("#", "##"):
            return Sign(number=True, large=sign == "##")
        if sign == "$":
            return Sign(end=True)
        listed = sign.startswith("<") and sign.endswith(">")
        if listed and sign[1:-1] not in lists:
            raise BadPattern(f"there is no list {sign}")
        written = lists[sign[1:-1]] if listed else sign.split("/")
        entries = tuple(parts for entry in written if (parts := _parts(entry)))
        for word in (word for entry in entries for word in entry):
            if word.endswith("~") and len(word) < 4:
                raise BadPattern(f"{word!r} is too short to stand for all words that begin so")
        self.vocabulary.update(word for entry in entries for word in entry if not word.endswith("~"))
        return Sign(entries)

    def forget(self) -> None:
        """Drop what only adding needs, once all patterns are in."""
        self._begin()
        self._patterns, self._signs, self._found, self._lists = ([], []), {}, {}, []

    def _begin(self) -> tuple[Place, Place]:
        """Where patterns begin that are found anywhere, and those found at the start of a sentence."""
        if self._begins is None:
            tree = Tree()
            self._begins = tree.grown(self._patterns[False]), tree.grown(self._patterns[True])
        return self._begins

    def find(self, words: Words, until: int | None = None) -> list[Match]:
        """Every pattern found, at every place up to `until` (all of them by default), in text order.

        A word that comes more often than in any language begins no more patterns, and what comes again word by word in
        a long text is not looked at again: that bounds the time a text takes.
        """
        row, (anywhere, at_start) = (*words.folded, BREAK), self._begin()
        found: list[Match] = []
        seen: dict[str, int] = {}
        known: dict[Sequence[str], Sequence[End]] = {}
        before = BREAK
        for first, word in enumerate(words.folded[:until]):
            opens, before = before == BREAK, word
            begins = [place for place in ((anywhere, at_start) if opens else (anywhere,)) if place.may_begin(word)]
            if not begins:
                continue
            seen[word] = seen.get(word, 0) + 1
            if seen[word] > _MOST_STARTS:
                continue
            if first < _LONG:
                ends = _ends(begins, row, first)
            else:
                ahead = row[first - 1 : first + self._reach + 1]
                if ahead not in known:
                    known[ahead] = [(what, after - first) for what, after in _ends(begins, row, first)]
                ends = [(what, first + after) for what, after in known[ahead]]
            found += [Match(what[0], what[1], first, after) for what, after in ends]
        return found


def _ends(begins: Sequence[Place], row: Sequence[str], first: int) -> Sequence[End]:
    """What begins at a word, and where each ends; each once from each of the places."""
    found: list[End] = []
    for place in begins:
        ends: list[End] = []
        walk(place, row, first, ends)
        found += dict.fromkeys(ends) if len(ends) > 1 else ends
    return found


def _parts(entry: str) -> tuple[str, ...]:
    """The words of a pattern's entry, split as texts are; an elided one (*j'ai*) counts for two."""
    if entry.isalpha():
        return fold_words(entry)
    return tuple(part for word in entry.replace("-", " ").split() for part in fold_words(word))


def _gap(sign: str) -> int:
    size = sign[1:] or "3"
    if not size.isdigit() or not 1 <= int(size) <= _LONGEST_GAP:
        raise BadPattern(f"{sign!r} is not a gap of 1 to {_LONGEST_GAP} words")
    return int(size)
