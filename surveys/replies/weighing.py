"""A second look at replies in which no phrase was found: how much their words together sound like danger or stopping.

The phrases say what is meant and why. Nobody can write down every way to say a thing, so the weights go on from there:
each word, pair and triple of words that stands in the labelled replies has learned how much it speaks for or against
(`make weights`; logistic regression, Cox 1958), and what a reply's words weigh together is held against one bound.
Runs of letters inside the words have learned as well, so that a form or a spelling nobody has seen still weighs what
its like do; and so have kinds of words (`kinds.toml`), so that what is said of a brother is known of a sister. The
files have one piece a line, the heaviest first, so that a clinician can read what counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from math import log2
from tomllib import loads

from surveys.phrases import BREAK, fold_words
from surveys.replies.thoughts import JOINING, NONE, Marks, thoughts

FLAGS = ("danger", "optout")
FEW = 10  # words
KNOWN = 0.6
# Taken from the weight of a part of a reply for each doubling of its parts: of many, one will sound like danger.
# Chosen with three in ten rows left out of learning: beside four ordinary sentences danger is found in 79 of 100 (69
# at 0.5, 34 where replies are weighed whole), and 8 of 100 such passages without any are flagged (4, 4).
CHANCE = 0.25
NUMBER = "#"  # stands for any
_START = "the beginning"
_RUN = 4  # letters
_LONGEST_WORD = 40  # letters
_MOST_KEPT = 8192  # words whose weight is remembered
# Chosen after first looks. With each of eleven sets (3,600 rows) left out of learning in turn, of 15 in danger whom the
# lists miss the weights find 14, with 11 false alarms; of 9 wishes to stop 5, with 3.
BOUNDS = {"danger": 1.75, "optout": 1.75}


class Parts:
    """The thoughts of a reply and the phrases in each, found when first asked for and the same for every flag."""

    def __init__(self, folded: Sequence[str], marks: Marks = NONE) -> None:
        self.row = _numbered(folded)
        self._marks = marks

    @cached_property
    def told(self) -> list[tuple[Sequence[str], int, Mapping[str, str]]]:
        """Each part, the number of parts it is one of, and its phrases with what tells each."""
        return [(part, chances, dict(phrases(part))) for part, chances in thoughts(self.row, self._marks)]


@dataclass(frozen=True)
class Weights:
    """What each piece weighs, in log odds of a short reply, and what an empty reply begins with."""

    start: float
    pieces: Mapping[str, float]
    alone: dict[str, float] = field(default_factory=dict, compare=False, repr=False)  # of words met before

    def heaviest(self, parts: Parts) -> tuple[float, tuple[str, ...]]:
        """The levelled weight of a reply's heaviest part, and the three words or phrases that speak for it most."""
        best, heaviest = self.start, None
        alone = self._alone_of(parts.row)
        for part in parts.told:
            words, chances, told = part
            if not self._knows(words):
                continue
            weight = sum(alone[word] for word in {*words}) + sum(self.pieces[name] for name in self._known(told))
            weight = levelled(self.start + weight, len(words)) - CHANCE * log2(chances)
            if weight > best:
                best, heaviest = weight, part
        return best, self._said(*heaviest[::2], alone) if heaviest else ()

    def _alone_of(self, row: Sequence[str]) -> Mapping[str, float]:
        """What each word of a row weighs with its letters, and a break nothing."""
        if len(self.alone) > _MOST_KEPT:
            self.alone.clear()
        found = {BREAK: 0.0}
        for word in {*row} - {BREAK}:
            weight = self.alone.get(word)
            if weight is None:
                weight = self.alone[word] = sum(self.pieces.get(name, 0.0) for name in (word, *letters(word)))
            found[word] = weight
        return found

    def _known(self, told: Mapping[str, str]) -> set[str]:
        return self.pieces.keys() & told.keys()

    def _said(self, words: Sequence[str], told: Mapping[str, str], alone: Mapping[str, float]) -> tuple[str, ...]:
        """The words and phrases of a part that add most, a word with its letters and its place in the sentence."""
        shares = {word: alone[word] for word in words if word != BREAK}
        for name in self._known(told):
            shares[told[name]] = shares.get(told[name], 0.0) + self.pieces[name]
        said = sorted((each for each, share in shares.items() if share > 0), key=lambda each: (-shares[each], each))
        return tuple(said[:3])

    def _knows(self, stretch: Sequence[str]) -> bool:
        """Whether most of the words stood in what was learned from. Other languages have words of the same letters."""
        words = [word for word in stretch if word not in (BREAK, NUMBER)]
        return sum(word in self.pieces for word in words) >= KNOWN * len(words)


def levelled(weight: float, words: int) -> float:
    """A weight as if its words were few: in longer replies ordinary words add up ("and", "me", "then I")."""
    return weight / max(1, words / FEW)


def pieces(folded: Sequence[str]) -> Iterator[str]:
    """All that weighs in a text, each as often as it is weighed: letters once for each word they are part of."""
    row = _numbered(folded)
    for word in dict.fromkeys(row):
        if word != BREAK:
            yield word
            yield from letters(word)
    yield from dict(phrases(row))


def phrases(row: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The pairs and triples in one sentence, pairs with one word between ("hurt _ self"), and the words that begin or
    end one ("^ stop", "here $"); each with what tells it, the phrase or the word. Then the same with kinds of words."""
    yield from _as_written(row)
    known = kinds()
    if any(map(known.__contains__, row)):
        yield from _by_kind(row, [known.get(word, word) for word in row])


def _by_kind(row: Sequence[str], kind_of: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The words' kinds, and the phrases with kinds in place of the words that have one; in a pair of two such words
    also in place of either ("hurt <kin>", "<hurt> brother")."""
    before = BREAK
    ahead, kinds_ahead = ([*each[1:], BREAK, BREAK] for each in (row, kind_of))
    for at, (word, kind) in enumerate(zip(row, kind_of, strict=True)):
        named = kind != word
        if named:
            yield kind, word
            if before == BREAK:
                yield f"^ {kind}", word
        second, other = ahead[at], kinds_ahead[at]
        if second == BREAK:
            if named:
                yield f"{kind} $", word
        elif word != BREAK:
            third, last = ahead[at + 1], kinds_ahead[at + 1]
            told, pair = f"{word} {second}", f"{kind} {other}"
            if named or other != second:
                yield pair, told
                if named and other != second:
                    yield f"{word} {other}", told
                    yield f"{kind} {second}", told
            if third != BREAK:
                if named or other != second or last != third:
                    yield f"{pair} {last}", f"{told} {third}"
                if named or last != third:
                    yield f"{kind} _ {last}", f"{word} _ {third}"
        before = word


def _as_written(row: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The phrases of a row, and what tells each."""
    before = BREAK
    for word, second, third in zip(row, [*row[1:], BREAK], [*row[2:], BREAK, BREAK], strict=False):
        if word != BREAK:
            if before == BREAK:
                yield f"^ {word}", word
            if second == BREAK:
                yield f"{word} $", word
            else:
                pair = f"{word} {second}"
                yield pair, pair
                if third != BREAK:
                    triple, apart = f"{pair} {third}", f"{word} _ {third}"
                    yield triple, triple
                    yield apart, apart
        before = word


@lru_cache(maxsize=8192)
def letters(word: str) -> tuple[str, ...]:
    """The runs of letters in a word, open to the sides where it goes on: *hurts* has hur-, -hurt-, -urts- and -rts."""
    if not word.isalpha() or not _RUN - 1 <= len(word) <= _LONGEST_WORD:
        return ()
    inside = [f"-{word[at : at + _RUN]}-" for at in range(len(word) - _RUN + 1)]
    return tuple(dict.fromkeys([f"{word[: _RUN - 1]}-", f"-{word[1 - _RUN :]}", *inside]))


@cache
def kinds() -> Mapping[str, str]:
    """The kind of each word that has one, in angle brackets. ValueError names a word that is given two."""
    return read_kinds((files("surveys") / "instruments" / "words" / "kinds.toml").read_text("utf8"))


def read_kinds(text: str) -> Mapping[str, str]:
    """The kinds from the text of a file."""
    found: dict[str, str] = {}
    for kind, languages in loads(text).items():
        if kind == JOINING:
            continue
        for word in " ".join(languages.values()).split():
            folded = "".join(fold_words(word))
            if found.setdefault(folded, f"<{kind}>") != f"<{kind}>":
                raise ValueError(f"{word!r} cannot be of the kind {kind!r}: it is {found[folded]}")
    return found


def _numbered(folded: Sequence[str]) -> list[str]:
    """A row of words in which every number is the same."""
    return [NUMBER if word.isdigit() else word for word in folded]


def sounds_like(flag: str, parts: Parts) -> tuple[str, ...]:
    """The words by which a reply sounds most like a flag of FLAGS, the heaviest first; none where it doesn't."""
    weight, said = load(flag).heaviest(parts)
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
