"""A second look at replies in which no phrase was found: how much their words together sound like danger or stopping.

The phrases say what is meant and why. Nobody can write down every way to say a thing, so the weights go on from there:
each word, pair and triple of words that stands in the labelled replies has learned how much it speaks for or against
(`make weights`; logistic regression, Cox 1958), and what a reply's words weigh together is held against one bound. The
files have one piece a line, the heaviest first, so that a clinician can read what counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from surveys.phrases import BREAK

FLAGS = ("danger", "optout")
FEW = 10  # words
LONGEST = 40  # words weighed together: the labelled replies are not longer, and a long story would add up to anything
KNOWN = 0.6
_START = "the beginning"
# Of the labelled replies left out of learning in turn, fewer than one in a hundred is wrongly taken for danger, and one
# in two hundred for a wish to stop. Most of them were written to be mistaken; ordinary ones fare better.
BOUNDS = {"danger": 3.0, "optout": 2.5}


@dataclass(frozen=True)
class Weights:
    """What each piece weighs, in log odds of a short reply, and what an empty reply begins with."""

    start: float
    pieces: Mapping[str, float]

    def heaviest(self, folded: Sequence[str]) -> tuple[float, tuple[str, ...]]:
        """The levelled weight of a reply's heaviest stretch, and the three pieces that speak for it most."""
        best, found = self.start, frozenset[str]()
        for stretch in stretches(folded):
            if not self._knows(stretch):
                continue
            known = {piece for piece in pieces(stretch) if piece in self.pieces}
            weight = levelled(self.start + sum(self.pieces[piece] for piece in sorted(known)), len(stretch))
            if weight > best:
                best, found = weight, frozenset(known)
        said = sorted((p for p in found if self.pieces[p] > 0), key=lambda p: (-self.pieces[p], p))
        return best, tuple(said[:3])

    def _knows(self, stretch: Sequence[str]) -> bool:
        """Whether most of the words stood in what was learned from. Other languages have words of the same letters."""
        words = [word for word in stretch if word != BREAK and not word.isdigit()]
        return sum(word in self.pieces for word in words) >= KNOWN * len(words)


def levelled(weight: float, words: int) -> float:
    """A weight as if its words were few: in longer replies ordinary words add up ("and", "me", "then I")."""
    return weight / max(1, words / FEW)


def pieces(folded: Sequence[str]) -> Iterator[str]:
    """The words of a text, the pairs and triples in one sentence, and pairs with one word between ("hurt _ self")."""
    row = ["#" if word.isdigit() else word for word in folded]
    for at, word in enumerate(row):
        if word == BREAK:
            continue
        yield word
        second, third = row[at + 1 : at + 2], row[at + 2 : at + 3]
        if not second or second[0] == BREAK:
            continue
        yield f"{word} {second[0]}"
        if third and third[0] != BREAK:
            yield f"{word} {second[0]} {third[0]}"
            yield f"{word} _ {third[0]}"


def stretches(folded: Sequence[str]) -> Iterator[Sequence[str]]:
    """A text in stretches of at most LONGEST words that overlap by half; one that is short enough in one piece."""
    if len(folded) <= LONGEST:
        yield folded
        return
    for at in range(0, len(folded) - LONGEST // 2, LONGEST // 2):
        yield folded[at : at + LONGEST]


def sounds_like(flag: str, folded: Sequence[str]) -> tuple[str, ...]:
    """The pieces by which a reply sounds most like a flag of FLAGS, the heaviest first; none where it doesn't."""
    weight, said = load(flag).heaviest(folded)
    return said if weight > BOUNDS[flag] else ()


@cache
def load(flag: str) -> Weights:
    """The packaged weights of a flag."""
    return read((files("surveys") / "instruments" / "words" / f"weights_{flag}.tsv").read_text("utf8"))


def read(text: str) -> Weights:
    """Weights from the text of a file. ValueError names the line that can't be read."""
    found: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        weight, tab, piece = line.partition("\t")
        try:
            found[piece] = float(weight)
        except ValueError:
            raise ValueError(f"line {number}: {line!r} is not a weight, a tab and a piece") from None
        if not tab or not piece:
            raise ValueError(f"line {number}: {line!r} is not a weight, a tab and a piece")
    if _START not in found:
        raise ValueError(f"there is no line for {_START!r}")
    return Weights(found.pop(_START), found)


def write(start: float, weights: Iterable[tuple[str, float]]) -> str:
    """The text of a file: the start, then the pieces, those that speak most for the flag first."""
    rows = sorted(((round(weight, 2), piece) for piece, weight in weights), key=lambda row: (-row[0], row[1]))
    return "".join(f"{weight:.2f}\t{piece}\n" for weight, piece in [(start, _START), *rows])
