"""A reply as a row of items: scores, labels, joining words, marks, and words that are none of these."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from surveys.phrases import Match, Words, fold
from surveys.vocabulary import FEELINGS, LISTS, TABLES, Vocabulary

_TOKEN = re.compile(
    r"""
 (?P<link>https?://\S+|www\.\S+|[\w.+-]{1,64}+@[\w-]{1,64}+(?:\.[\w-]{1,30})+)
|(?P<face><+3+(?!\d)|(?<![\w])[:;=][-'^o]?[)(DP/|*\]\[]+(?!\w)|(?<!\S)[xX]+D+(?!\w)|\^_*\^|:[a-z_]{3,20}:)
|(?P<clock>\d{1,2}:\d{2}(?!\d)(?:\s?[ap]\.?m\b)?|\d{1,2}\s?[ap]\.?m\b\.?|\d{1,2}\s?h\d{0,2}\b)
|(?P<decimal>(?<!\d\.)\d+\.\d+(?!\.?\d))
|(?P<mixed>\d\s[x×]\s\d\b|\d+['’]s\b|(?:\d+[^\W\d_]+|[^\W\d_]++\d+)[^\W_]*)
|(?P<number>\d+)
|(?P<stars>[⭐★🌟☆✩✰✭]+)
|(?P<under>[\uE001-\uE009])
|(?P<word>[^\W\d_]+(?:['’`´ʼ][^\W\d_]+)*)
|(?P<line>[^\S\n]*\n\s*)
|(?P<space>\s+)
|(?P<mark>.)
""",
    re.VERBOSE | re.DOTALL,
)
_HEAD, _TAIL = 2_000, 600  # characters at either end in which scores are looked for
_FILLED = "⭐★🌟✭"
_STOPS = ".!?;…。！？"

# what each group of phrases makes of the words it covers; a group not named here only lends context
KINDS: Mapping[str, str] = {
    "numbers": "n", "choices": "n", "plurals": "n", "scores.beyond": "out", "feelings": "label", "places": "place",
    "scores.all": "all", "scores.except": "except", "scores.correction": "fix", "scores.not": "not",
    "scores.skip": "skip",
    "scores.near": "near", "scores.between": "near", "scores.half": "half", "scores.percent": "percent",
    "scores.stars": "stars", "scores.minus": "minus", "scores.or": "join", "scores.to": "join", "scores.and": "and",
    "scores.out_of": "join", "scores.hedge": "hedge", "around.filler": "filler", "around.greeting": "greeting",
    "around.thanks": "thanks", "counts.idiom": "word", "scores.tens": "word",
}  # fmt: skip
_READ = frozenset((*TABLES, *(f"{part}.{name}" for part in ("scores", "around", "counts") for name in LISTS[part])))
_PRIORITY = {
    kind: i
    for i, kind in enumerate(
        [
            "counts.idiom",
            "choices",
            "numbers",
            "plurals",
            "scores.beyond",
            "places",
            "feelings",
            "scores.all",
            "scores.skip",
            "scores.correction",
            "scores.half",
            "scores.near",
            "scores.between",
            "scores.stars",
            "scores.percent",
            "scores.not",
            "scores.except",
            "scores.minus",
            "around.thanks",
            "around.greeting",
            "around.filler",
            "scores.and",
            "scores.or",
            "scores.hedge",
            "scores.to",
            "scores.out_of",
            "scores.tens",
        ]
    )
}


@dataclass(slots=True)
class Item:
    """One item. `first`..`after` are its words (none for marks); `form` says how a score was written."""

    kind: str
    start: int
    end: int
    value: int | str | None = None
    form: str = ""
    first: int = -1
    after: int = -1
    spaced: bool = True  # white space stands before it
    hedged: bool = False
    plural: bool = False
    rule: str = ""  # why it is open, for kind x

    @property
    def is_score(self) -> bool:
        """Whether it takes the place of a score: a score, a place left open, or a number off the scale."""
        return self.kind in ("n", "x", "out", "bad", "skip")


@dataclass
class Row:
    """The items of a text, and where it holds a score the phrases found in it."""

    text: str
    words: Words
    items: list[Item] = field(default_factory=list)
    spans: Mapping[tuple[int, int], Mapping[str, str]] = field(default_factory=dict)
    starting: Mapping[int, Sequence[Match]] = field(default_factory=dict)
    ending: Mapping[int, Sequence[Match]] = field(default_factory=dict)

    def role(self, item: Item, group: str) -> bool:
        """Whether the item's very words are a phrase of the group."""
        return group in self.spans.get((item.first, item.after), ())

    def begins(self, at: int, group: str) -> bool:
        """Whether a phrase of the group begins at a word."""
        return any(m.group == group for m in self.starting.get(at, ()))

    def ends(self, at: int, group: str) -> bool:
        """Whether a phrase of the group ends just before a word."""
        return any(m.group == group for m in self.ending.get(at, ()))


def read_row(text: str, words: Words, matches: Iterable[Match], vocabulary: Vocabulary) -> Row:
    """Cut `text` into items with the help of the phrases already found in its words."""
    read = [match for match in matches if match[0] in _READ]
    row = Row(text, words)
    _cut(row, _phrases(read), vocabulary)
    if any(item.is_score for item in row.items):
        row.spans, row.starting, row.ending = _tables(read)
    return row


def _tables(
    matches: Iterable[Match],
) -> tuple[dict[tuple[int, int], dict[str, str]], dict[int, list[Match]], dict[int, list[Match]]]:
    """The phrases by the words they cover, by where they begin, and by where they end."""
    spans: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    starting: dict[int, list[Match]] = defaultdict(list)
    ending: dict[int, list[Match]] = defaultdict(list)
    for match in matches:
        spans[(match.first, match.after)].setdefault(match.group, match.value)
        starting[match.first].append(match)
        ending[match.after].append(match)
    return spans, starting, ending


def _cut(row: Row, phrases: Mapping[int, Match], vocabulary: Vocabulary) -> None:
    """Fill the row's items; of a long text the head and the tail, with one word for all between."""
    text, words = row.text, row.words
    head, tail = (len(text), len(text)) if len(text) <= _HEAD + _TAIL else (_HEAD, len(text) - _TAIL)
    at_word = dict(zip(reversed(words.starts), range(len(words.starts) - 1, -1, -1), strict=True))
    skip_to = 0
    spaced = True
    initials, until = _initials(text, vocabulary)
    tokens = chain(_TOKEN.finditer(text, 0, head), _TOKEN.finditer(text, tail))
    for token in tokens:
        if head <= skip_to < tail <= token.start():
            row.items.append(Item("word", skip_to, tail))
        start = token.start()
        if start < skip_to:
            continue
        kind = token.lastgroup or "mark"
        if kind == "space":
            spaced = True
            continue
        if start < until and kind in ("word", "mixed") and (named := initials.get(fold(token[0][0]))):
            row.items += _with_initial(token[0], start, named, spaced=spaced or start == 0)
            skip_to, spaced = token.end(), False
            continue
        first = at_word.get(start, -1)
        phrase = phrases.get(first) if kind == "word" or (kind in _WORDS and start >= until) else None
        if phrase and _holds_together(row, phrase, kind, first):
            made = [_phrase_item(phrase, row, start)]
        else:
            made = _items(kind, token, first, vocabulary)
        made[0].spaced = spaced or start == 0
        row.items += made
        skip_to = made[-1].end
        spaced = kind == "line"


def _holds_together(row: Row, phrase: Match, kind: str, first: int) -> bool:
    """Whether a phrase that begins at a word is one item: "4, me duele" is a number that stands alone, and in a row of
    scores no idiom begins with one ("4 3 2 me voy", "respected 2 the rest idk")."""
    in_row = bool(row.items) and row.items[-1].kind in ("n", "label")
    if kind == "number" and phrase.group == "counts.idiom" and in_row:
        return False
    with_number = phrase.group in _EVEN_A_NUMBER
    if with_number and _PARTED.search(row.text, row.words.starts[first], row.words.ends[phrase.after - 1]):
        return False
    return kind == "word" or phrase.after > first + 1 or with_number


def _initials(text: str, vocabulary: Vocabulary) -> tuple[Mapping[str, str], int]:
    """The feelings by their initials where a reply begins with all three ("H5 R4 U3"), and where that ends."""
    found = _INITIALS.match(text)
    letters = "".join(fold(found[i]) for i in (1, 2, 3)) if found else ""
    if not found or letters not in vocabulary.initials:
        return {}, 0
    return dict(zip(letters, FEELINGS, strict=False)), found.end()


def _with_initial(word: str, start: int, feeling: str, *, spaced: bool) -> list[Item]:
    made = [Item("label", start, start + 1, value=feeling, spaced=spaced)]
    if len(word) > 1:
        made.append(Item("n", start + 1, start + 2, int(word[1]), "digit", spaced=False))
    return made


_INITIALS = re.compile(r"\W*([^\W\d_])\W{0,3}[1-5]\W{1,3}([^\W\d_])\W{0,3}[1-5]\W{1,3}([^\W\d_])\W{0,3}[1-5](?!\w)")
_PARTED = re.compile(r"[,;(\n]|\s[-–—]+\s")
_WORDS = frozenset(("word", "mixed", "number"))  # the tokens that a phrase can begin with
_EVEN_A_NUMBER = frozenset(("places", "counts.idiom"))


def _items(kind: str, token: re.Match[str], first: int, vocabulary: Vocabulary) -> list[Item]:
    start, end, word = token.start(), token.end(), token[0]
    place = Item("word", start, end, first=first, after=first + 1)
    if kind == "number":
        return [_number(word, place)]
    if kind == "mixed":
        return _mixed(word, place, vocabulary)
    if kind == "decimal":
        return [_decimal(word, place)]
    if kind == "stars":
        place.kind, place.value, place.form = "n", sum(c in _FILLED for c in word), "glyphs"
        if place.value not in range(1, 6) or len(word) > 5:
            place.kind, place.rule = "x", "S7"
        return [place]
    if kind == "under":
        return [Item("place", start, end, value=str(ord(word) - 0xE000), form="under")]
    if kind == "line":
        return [Item("line", start, end)]
    if kind == "mark":
        if word in _STOPS:
            return [Item("stop", start, end, value=word)]
        return [Item("sep", start, end, value=word)]
    place.form = kind
    if kind == "face":
        place.kind = "sep"
    return [place]


def _phrases(matches: Iterable[Match]) -> Mapping[int, Match]:
    """The longest phrase that begins at each word; among equals the one that says most."""
    best: dict[int, Match] = {}
    for match in matches:
        if match.group not in KINDS:
            continue
        other = best.get(match.first)
        longer = other is None or match.after > other.after
        if longer or (other and match.after == other.after and _PRIORITY[match.group] < _PRIORITY[other.group]):
            best[match.first] = match
    return best


def _phrase_item(match: Match, row: Row, start: int) -> Item:
    item = Item(KINDS[match.group], start, row.words.ends[match.after - 1], first=match.first, after=match.after)
    item.value, item.form = match.value or None, match.group.split(".")[-1]
    if match.group in ("numbers", "choices", "plurals"):
        item.value = int(match.value)
        item.form = {"numbers": "word", "choices": "choice", "plurals": "word"}[match.group]
        item.plural = match.group == "plurals"
    if match.group == "places" and match.value == "#":
        item.value = "".join(c for c in row.words.folded[match.after - 1] if c.isdigit())[:2]
    if match.group == "scores.beyond":
        item.form = "word"
    return item


def _number(word: str, item: Item) -> Item:
    """A bare number: a score, a digit run, or off the scale."""
    if len(word) == 1 and word in "12345":
        item.kind, item.value, item.form = "n", int(word), "digit"
    elif set(word) <= set("12345"):
        item.kind, item.value, item.form, item.rule = "bad", word, "run", "S2"
    elif len(word) > 1 and word[0] == "0":
        item.kind, item.value, item.form, item.rule = "bad", word, "code", "S2"
    else:
        item.kind, item.value, item.form, item.rule = "out", word, "digit", "S12"
    return item


def _decimal(word: str, item: Item) -> Item:
    whole, _, part = word.partition(".")
    if set(part) == {"0"} and whole in ("1", "2", "3", "4", "5"):
        item.kind, item.value, item.form = "n", int(whole), "digit"
    elif (len(whole) < 3 and whole.isdigit() and 0 < int(whole) < 5) or (whole == "5" and set(part) != {"0"}):
        item.kind, item.value, item.form, item.rule = "x", word, "decimal", "S10"
    else:
        item.kind, item.value, item.form, item.rule = "out", word, "digit", "S12"
    return item


_SUFFIXED = re.compile(r"^(\d+)([^\W\d_]+)$")
_PREFIXED = re.compile(r"^([^\W\d_]+)(\d+)$")
_CROSSED = re.compile(r"^(\d)x(\d)(s?)$", re.IGNORECASE)
_POINTS = frozenset("分点點점")


def _mixed(word: str, item: Item, vocabulary: Vocabulary) -> list[Item]:
    """Digits and letters in one word: 4s, 5ish, 4x3, heard5, q1; anything else (5th, 5G, B12) is a word."""
    low = re.sub(r"['’\s]", "", word.lower()).replace("×", "x")
    if found := _CROSSED.match(low):
        item.kind, item.value, item.form, item.rule = "n", int(found[1]), f"x{found[2]}", "S4"
        return [item] if found[1] in "12345" else [Item("word", item.start, item.end)]
    if found := _SUFFIXED.match(low):
        digits, letters = found.groups()
        label = vocabulary.compact.get(letters)
        if len(digits) == 1 and (letters in ("s", "ish", "ishish") or label or set(letters) <= _POINTS):
            number = _number(digits, Item("n", item.start, item.start + 1, first=item.first, after=item.after))
            number.plural, number.hedged = letters == "s", letters.startswith("ish")
            if label:
                return [number, Item("label", item.start + 1, item.end, value=label)]
            number.end = item.end
            return [number]
        if letters == "s":
            item.kind, item.value, item.form, item.rule, item.plural = "out", digits, "digit", "S12", True
            return [item]
    if found := _PREFIXED.match(low):
        letters, digits = found.groups()
        if letters in ("q", "p", "question", "pregunta", "no", "n") and len(digits) == 1:
            return [Item("place", item.start, item.end, value=digits, form="q")]
        if (label := vocabulary.compact.get(letters)) and len(digits) == 1 and digits in "12345":
            cut = item.start + len(letters)
            return [Item("label", item.start, cut, value=label), Item("n", cut, item.end, int(digits), "digit")]
    return [item]
