"""A reply in the thoughts it is made of, so that each can be looked at by itself: danger beside an ordinary comment
is as much danger as it is alone."""

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from tomllib import loads

from surveys.phrases import BREAK, Words

LONGEST = 40  # words looked at together: the labelled replies are not longer, and a long story would add up to anything
JOINING = "joining"  # the part of kinds.toml with the words that join two thoughts
_FEWEST = 3  # words: fewer are no thought of their own
_COMMAS = re.compile(r"[,:()\N{EN DASH}\N{EM DASH}]|(?<=\s)-+(?=\s)")
_LINES = re.compile(r"(?<![^\n]{50})\n")  # after a longer line a mail program may have broken a sentence


@dataclass(frozen=True)
class Marks:
    """The places of the words that begin a line, and of those that a comma, a bracket or a dash stands before."""

    lines: Container[int] = ()
    commas: Container[int] = ()


NONE = Marks()


def marks_of(text: str, words: Words) -> Marks:
    """Where a text that was split into `words` is parted by other marks than the end of a sentence."""
    return Marks(_after(_LINES, text, words), _after(_COMMAS, text, words))


def _after(marks: re.Pattern[str], text: str, words: Words) -> frozenset[int]:
    return frozenset(bisect_left(words.starts, found.end()) for found in marks.finditer(text))


def thoughts(row: Sequence[str], marks: Marks = NONE) -> Iterator[tuple[Sequence[str], int]]:
    """A text whole (in stretches, if it is long) and in parts, each with the number of parts it is one of.

    The parts are its sentences and lines, what "and" or "but" or a comma joins, and two neighbours of either.
    """
    for stretch in stretches(row):
        yield stretch, 1
    parts = sentences(row, marks)
    count = sum(map(len, parts))
    if len(parts) > 1:
        whole = [[row[at] for part in each for at in part] for each in parts]
        yield from ((part, count) for each in whole if len(each) > 1 for part in stretches(each))
        if len(whole) > 2 and len(row) <= LONGEST:
            yield from (([*one, BREAK, *other], count) for one, other in pairwise(whole))
    joined = [part for each in parts if len(each) > 1 for part in each if len(part) >= _FEWEST]
    if len(row) <= LONGEST:
        joined += [one + other for each in parts if len(each) > 2 for one, other in pairwise(each)]
    yield from ((part, count) for each in joined for part in stretches([row[at] for at in each]))


def sentences(row: Sequence[str], marks: Marks = NONE) -> list[list[list[int]]]:
    """The sentences and lines of a text, each as its parts, a part as the places of its words."""
    joining, found = joining_words(), [[list[int]()]]
    for at, word in enumerate(row):
        if word == BREAK:
            found.append([[]])
            continue
        if at in marks.lines:
            found.append([[]])
        elif (at in marks.commas or word in joining) and len(found[-1][-1]) >= _FEWEST:
            found[-1].append([])
        found[-1][-1].append(at)
    return [parts for parts in found if parts[0]]


def stretches(folded: Sequence[str]) -> Iterator[Sequence[str]]:
    """A text in stretches of at most LONGEST words that overlap by a quarter; one that is short enough in one piece."""
    if len(folded) <= LONGEST:
        yield folded
        return
    for at in range(0, len(folded) - LONGEST // 4, LONGEST - LONGEST // 4):
        yield folded[at : at + LONGEST]


@cache
def joining_words() -> frozenset[str]:
    """The words that join two thoughts in one sentence."""
    kinds = loads((files("surveys") / "instruments" / "words" / "kinds.toml").read_text("utf8"))
    return frozenset(" ".join(kinds[JOINING].values()).split())
