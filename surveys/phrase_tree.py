"""The tree in which all patterns are kept. Places from which the same follows are one place, which takes a third of the
memory, and one with fewer parts is found in the processor's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

BREAK = "."  # stands between two sentences in a row of words
Found = tuple[str, str]  # group and value
End = tuple[Found, int]  # what is found, and the word before which it ends
_Row = tuple[tuple[str, ...], "Place"]


class Sign:
    """A sign of a pattern, as it is understood. One object for all that are written alike."""

    __slots__ = ("end", "entries", "gap", "large", "number", "reach")

    def __init__(
        self,
        entries: tuple[tuple[str, ...], ...] = (),
        gap: int = 0,
        number: bool = False,
        large: bool = False,
        end: bool = False,
    ) -> None:
        self.entries = entries  # rows of words, one of which must follow
        self.gap = gap  # at most so many words
        self.number, self.large = number, large
        self.end = end
        self.reach = gap or max((len(entry) for entry in entries), default=1)  # the most words that it covers


class Place:
    """A place in the tree: what is found once it is reached, and where each sign leads. A `leaf` has no way on."""

    __slots__ = ("end", "found", "gaps", "leaf", "numbers", "only_words", "prefixes", "words")

    def __init__(
        self,
        words: Mapping[str, tuple["Place", ...]],
        prefixes: Mapping[str, tuple[tuple[str, "Place"], ...]],
        gaps: tuple[tuple[int, "Place"], ...],
        numbers: tuple[tuple[bool, "Place"], ...],
        end: "Place | None",
        found: tuple[Found, ...],
    ) -> None:
        self.words, self.prefixes = words, prefixes  # prefixes by their first three letters
        self.gaps, self.numbers, self.end, self.found = gaps, numbers, end, found
        self.only_words = not (prefixes or gaps or numbers or end)
        self.leaf = self.only_words and not words

    def may_begin(self, word: str) -> bool:
        """Whether anything leads on from here with the word, where a row may begin; no gap begins one."""
        return word in self.words or word[:3] in self.prefixes or word.isdecimal()

    def same(self, other: "Place") -> bool:
        """Whether the same is found here, and the very same places follow."""
        return self is other or (
            (self.words, self.prefixes, self.gaps, self.numbers, self.end, self.found)
            == (other.words, other.prefixes, other.gaps, other.numbers, other.end, other.found)
        )

    def digest(self) -> int:
        """A number that is the same for all that are the same."""
        return hash((frozenset(self.words.items()), *self.prefixes.items(), self.gaps, self.numbers, self.found))


class Pattern(NamedTuple):
    """A row of signs, and what is found where it stands."""

    signs: tuple[Sign, ...]
    found: Found


class Tree:
    """Puts patterns together, from their ends to their beginnings, so that each place is made once."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._leaves: dict[tuple[Found, ...], Place] = {}
        self._parts: dict[Any, Any] = {(): ()}
        self._none: Mapping[str, Any] = {}

    def grown(self, patterns: Iterable[Pattern], at: int = 0) -> Place:
        """The place where the patterns begin, or where their signs from the one at `at` on do."""
        ways: dict[Sign, list[Pattern]] = {}
        found: dict[Found, None] = {}
        for pattern in patterns:
            if at == len(pattern.signs):
                found[pattern.found] = None
            else:
                ways.setdefault(pattern.signs[at], []).append(pattern)
        if not ways:
            return self._leaf(tuple(found))
        leads = [(sign, self.grown(through, at + 1)) for sign, through in ways.items()]
        rows = [(entry, place) for sign, place in leads for entry in sign.entries]
        return self._place(
            rows,
            gaps=tuple((sign.gap, place) for sign, place in leads if sign.gap),
            numbers=tuple((sign.large, place) for sign, place in leads if sign.number),
            end=next((place for sign, place in leads if sign.end), None),
            found=tuple(found),
        )

    def _leaf(self, found: tuple[Found, ...]) -> Place:
        if found not in self._leaves:
            self._leaves[found] = self._place((), found=found)
        return self._leaves[found]

    def _place(
        self,
        rows: Sequence[_Row],
        gaps: tuple[tuple[int, Place], ...] = (),
        numbers: tuple[tuple[bool, Place], ...] = (),
        end: Place | None = None,
        found: tuple[Found, ...] = (),
    ) -> Place:
        words, prefixes = self._tables(rows)
        place = Place(words, prefixes, self._one(gaps), self._one(numbers), end, self._one(found))
        known = self._places.setdefault(place.digest(), place)
        return known if known.same(place) else place

    def _tables(self, rows: Sequence[_Row]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Where whole words lead, and where words lead that begin in some way."""
        words: dict[str, Any] = {}
        prefixes: dict[str, Any] = {}
        longer: dict[str, list[_Row]] = {}
        for (word, *rest), place in rows:
            if rest:
                longer.setdefault(word, []).append((tuple(rest), place))
        for word, place in self._firsts(rows, longer):
            if word.endswith("~"):
                prefixes.setdefault(word[:3], {})[word[:-1], place] = None
            else:
                words.setdefault(word, {})[place] = None
        for table in (words, prefixes):
            for key, targets in table.items():
                table[key] = self._one(tuple(targets))
        return words or self._none, prefixes or self._none

    def _firsts(self, rows: Sequence[_Row], longer: Mapping[str, Sequence[_Row]]) -> Iterable[tuple[str, Place]]:
        """Each first word of the rows and where it leads, in their order; longer ones go on from one place."""
        between: dict[str, Place] = {}
        for parts, place in rows:
            if len(parts) == 1:
                yield parts[0], place
            elif parts[0] not in between:
                between[parts[0]] = self._place(longer[parts[0]])
                yield parts[0], between[parts[0]]

    def _one(self, part: Any) -> Any:
        """The first of all tuples that are equal."""
        return self._parts.setdefault(part, part)


def walk(place: Place, row: Sequence[str], at: int, ends: list[End]) -> None:
    """Put what is found from `at` on, and where each ends, into `ends`; the row ends with a break."""
    for what in place.found:
        ends.append((what, at))
    if place.leaf:
        return
    word = row[at]
    if word == BREAK:
        for last in (place, *(child for _, child in place.gaps)):  # a gap may be empty at the end too
            if last.end is not None:
                walk(last.end, row, at, ends)
        return
    for child in place.words.get(word, ()):
        if child.only_words and row[at + 1] not in child.words:  # most ways end at once
            for what in child.found:
                ends.append((what, at + 1))
        else:
            walk(child, row, at + 1, ends)
    if place.prefixes:
        for prefix, child in place.prefixes.get(word[:3], ()):
            if word.startswith(prefix):
                walk(child, row, at + 1, ends)
    if place.numbers and word.isdecimal():
        for large, child in place.numbers:
            if not large or len(word.lstrip("0")) > 1:
                walk(child, row, at + 1, ends)
    for size, child in place.gaps:
        if not child.only_words or not child.words.keys().isdisjoint(row[at : at + size + 1]):
            _walk_gap(child, row, at, size, ends)


def _walk_gap(place: Place, row: Sequence[str], at: int, size: int, ends: list[End]) -> None:
    words, only_words = place.words, place.only_words
    for start in range(at, at + size + 1):
        word = row[start]
        if not only_words or word in words:
            walk(place, row, start, ends)
        if word == BREAK:
            return
