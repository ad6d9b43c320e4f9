"""Wishes to get no more messages, signs of danger, and the other things a reply can ask for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from surveys.concepts import Together, enough
from surveys.phrases import BREAK, Match, Matches, Words, fold
from surveys.plain import placed
from surveys.replies import weighing
from surveys.replies.thoughts import NONE, Marks, sentences
from surveys.vocabulary import Vocabulary

_REPEATED = re.compile(r"(.)\1+")
_CAPITALS = re.compile(
    r"(?<!\w)(?<!\bto )(?<!\bnot )(?<!n't )(?<!nt )(?<!\btext )(?<!\bsay )(?<!\bsaid )(?<!\bthe )"
    r"(?:STOP|STOPALL|UNSUBSCRIBE|ARRET|ARRÊT|ALTO)[\s.!]*$"
)  # "thanks STOP", but not "how to STOP", "my mum won't STOP"
_SENTENCES = re.compile(r"[\n.!?;]+")
_DASHES = re.compile(r"\s[-–—]+\s")
_LETTERS = str.maketrans("01345", "oieas")
_FEW = re.compile(r"(?:\W|_)*+([^\W\d_]++)(?:(?:\W|_)++([^\W\d_]++))?(?:\W|_)*+")  # a word or two, no digit
_NOT_CAPITALS = re.compile(r"[a-z\d]")
MOST_WORDS = 24  # in a message that is only a keyword, which may be spelled out


@dataclass(frozen=True)
class Danger:
    """Whether words of danger stand, and if not why not; `words` are the ones found."""

    present: bool
    note: str | None = None  # "denial" or "past"
    words: str = ""
    kind: str = ""


def with_plain(words: Words, matches: Matches, vocabulary: Vocabulary) -> Matches:
    """The matches, and those of flags that are found when the words are put plainly, in text order."""
    put = vocabulary.plain.of(words)
    if put is None:
        return matches
    found = [m for m in vocabulary.phrases.find(put.words, put.same_from) if m.group.startswith(_FLAGS)]
    return Matches(sorted(dict.fromkeys([*matches.all, *placed(found, put.places)]), key=itemgetter(2)))


_FLAGS = ("optout.", "danger.", "concept.")


def standing(matches: Matches, says: str, unless: str, marks: Marks = NONE) -> list[Match]:
    """The matches of a group that no exception takes back: one that shares a word does, unless the match is longer and
    holds it whole (*won't make it to my birthday* says more than *won't make it to*). Where `marks` are given, words
    that no comma or new line parts are not taken back by some that are: "wrong guy, quit texting me" doesn't tell of a
    guy who quit texting."""
    exceptions = [(m, _is_parted(m, marks)) for m in matches.of(unless)]
    return [
        m
        for m in matches.of(says)
        if not any(_takes_back(e, m) and (not parted or _is_parted(m, marks)) for e, parted in exceptions)
    ]


def _is_parted(match: Match, marks: Marks) -> bool:
    return any(at in marks.commas or at in marks.lines for at in range(match.first + 1, match.after))


def _takes_back(exception: Match, said: Match) -> bool:
    inside = said.first <= exception.first and exception.after <= said.after
    longer = said.after - said.first > exception.after - exception.first
    return exception.overlaps(said) and not (inside and longer)


def covered(matches: Iterable[Match]) -> set[int]:
    """The places of all words in the matches."""
    return {place for match in matches for place in range(match.first, match.after)}


def wants_out(
    words: Words,
    matches: Matches,
    vocabulary: Vocabulary,
    text: str,
    together: Sequence[Together] = (),
    marks: Marks = NONE,
) -> list[Match]:
    """The words that ask for no more messages; empty when there is no such wish."""
    if is_keyword(words, matches, vocabulary):
        return [Match("optout.says", "keyword", 0, len(words.folded))]
    if matches.has("optout.stay"):
        return []
    found = standing(matches, "optout.says", "optout.not", marks)
    found += [held.span for held in together if held.rule.group == "optout.says"]
    return found or _own_sentence(text)


def is_keyword(words: Words, matches: Matches, vocabulary: Vocabulary) -> bool:
    """Whether nothing but an opt-out keyword was written, in whatever dress."""
    letters = [w for w in words.folded if w != BREAK]
    if not letters or len(letters) > MOST_WORDS or any(w.isdigit() for w in letters):
        return False
    polite = covered(matches.of("optout.polite"))
    rest = [w for i, w in enumerate(words.folded) if w != BREAK and i not in polite] if polite else []
    return any(_is_said(row, vocabulary) for row in (letters, rest) if row)


def _is_said(row: Sequence[str], vocabulary: Vocabulary) -> bool:
    keys = vocabulary.keywords
    if "".join(row) in keys or keys.issuperset(row):
        return True
    if (len(row) == 2 or all(len(word) == 1 for word in row)) and _one("".join(row), vocabulary):
        return True
    pairs = len(row) % 2 == 0 and all(a + b in keys for a, b in zip(row[::2], row[1::2], strict=True))
    return pairs or (len(set(row)) == 1 and _one(row[0], vocabulary))


def _one(word: str, vocabulary: Vocabulary) -> bool:
    """A keyword, also with letters repeated or one slip."""
    if word in vocabulary.keywords:
        return True
    if not word.isalpha():
        word = word.translate(_LETTERS) if not word.isdigit() else word  # "ST0P"
    if not word.isalpha() or len(word) > 40:
        return False
    if word in vocabulary.keywords:
        return True
    single = _REPEATED.sub(r"\1", word)
    if single != word and (single in vocabulary.keywords or single in _singles(vocabulary.keywords)):
        return True
    half = len(word) // 2
    if len(word) > 5 and word[:half] * 2 == word and word[:half] in vocabulary.keywords:
        return True
    return vocabulary.spelling.right(word) in vocabulary.keywords


@lru_cache(maxsize=4)
def _singles(keywords: frozenset[str]) -> frozenset[str]:
    """The keywords as they read with no letter doubled."""
    return frozenset(_REPEATED.sub(r"\1", keyword) for keyword in keywords)


def _own_sentence(text: str) -> list[Match]:
    """A strong keyword as a sentence or line of its own, or in capitals at the end of another."""
    sentences = _SENTENCES.split(text)
    last = next((s for s in reversed(sentences) if s.strip()), "")
    first = _DASHES.split(text.strip(), maxsplit=1)[0]
    for line in dict.fromkeys([*sentences, last.rpartition(",")[2], first]):
        parts = _FEW.fullmatch(line)
        if parts and fold(parts[1]) + fold(parts[2] or "") in _STRONG:
            return [Match("optout.says", "keyword", 0, 0)]
    if _CAPITALS.search(text[-40:]) and _NOT_CAPITALS.search(text):
        return [Match("optout.says", "keyword", 0, 0)]
    return []


_STRONG = frozenset(
    {
        "stop",
        "stopall",
        "unsubscribe",
        "unsub",
        "optout",
        "arret",
        "alto",
        "pleasestop",
        "stopplease",
        "pare",
        "stoptexts",
    }
)


def danger(words: Words, matches: Matches, together: Sequence[Together] = (), marks: Marks = NONE) -> Danger:
    """Present danger, unless the words are an idiom, a denial, or told as past."""
    if not matches.has("danger.says") and not together:
        return Danger(False)
    denied = covered(m for m in matches.of("danger.denied") if not _is_unsaid(m, matches, words))
    past = _past(words, matches, marks)
    found = [_Sign(m.value, (m,)) for m in standing(matches, "danger.says", "danger.not")]
    found += [_Sign(t.rule.value, t.parts) for t in together if t.rule.group == "danger.says"]
    signs = [t for t in together if t.rule.group == "danger.sign" and not _Sign("", t.parts).why_not(denied, past)]
    if said := enough(signs):
        found.append(_Sign("signs", tuple(part for sign in said for part in sign.parts)))
    return _judged(found, words, denied, past)


def weighed_danger(found: Danger, parts: weighing.Parts) -> Danger:
    """Danger by what the words weigh together, where no phrase told of any: neither present, nor denied or past."""
    if found.present or found.note or not (said := weighing.sounds_like("danger", parts)):
        return found
    return Danger(True, None, " + ".join(said), "weighed")


def weighed_wish(words: Words, matches: Matches, parts: weighing.Parts) -> list[Match]:
    """A wish to get no more messages by what the words weigh together, where no phrase speaks of stopping at all."""
    if matches.has("optout.stay", "optout.not") or not (said := weighing.sounds_like("optout", parts)):
        return []
    passed = covered([*matches.of("talk.skip"), *matches.of("scores.skip")])
    if all(place in passed for place, word in enumerate(words.folded) if word != BREAK):
        return []  # "I'd rather not answer" says all that it says
    first = next((words.folded.index(part) for part in said[0].split() if part in words.folded), 0)
    return [Match("optout.says", "weighed", first, first + 1)]


_AT_HAND = frozenset(("plan", "overdose", "medical", "farewell"))  # no clause about the past says when these are


@dataclass(frozen=True)
class _Past:
    """The places of what is told as past, and of words that speak of the present or what is to come.

    `own` are those in the very part of a sentence that says when; `places` has more.
    """

    own: set[int]
    places: set[int]
    present: set[int]

    def tells(self, kind: str, parts: Sequence[Match]) -> bool:
        """Whether words of danger are told as past; "I'm going to", in them or right before them, is not."""
        if (self.own if kind in _AT_HAND else self.places).isdisjoint(part.first for part in parts):
            return False
        return not any(place in self.present for part in parts for place in range(part.first - 1, part.after))


@dataclass(frozen=True)
class _Sign:
    """Words of danger of one kind, in one stretch or several."""

    kind: str
    parts: tuple[Match, ...]

    def why_not(self, denied: set[int], past: _Past) -> str | None:
        """What takes the words back: a denial that begins before or with them, or a marker of the past."""
        if not denied.isdisjoint(part.first for part in self.parts):
            return "denial"
        return "past" if past.tells(self.kind, self.parts) else None


def _judged(found: Sequence[_Sign], words: Words, denied: set[int], past: _Past) -> Danger:
    """The first words of danger that stand; else why the first ones do not."""
    notes = [sign.why_not(denied, past) for sign in found]
    for sign, note in zip(found, notes, strict=True):
        if note is None:
            return Danger(True, None, _said(words, sign.parts), sign.kind)
    return Danger(False, notes[0], _said(words, found[0].parts), found[0].kind) if found else Danger(False)


def together(words: Words, matches: Matches, vocabulary: Vocabulary) -> list[Together]:
    """Concepts that stand together and mean a wish to stop or danger, words in another sense left out."""
    excepted = {f"{flag}.says": covered(matches.of(f"{flag}.not")) for flag in ("optout", "danger")}
    excepted["danger.sign"] = excepted["danger.says"]
    return vocabulary.rules.find(matches.all, words, excepted)


def _is_unsaid(denial: Match, matches: Matches, words: Words) -> bool:
    """Whether a denial is taken back after it, in its sentence or the next one: "not suicidal. I lied"."""
    nearest = next((m for m in matches.of("danger.unsaid") if m.after > denial.first), None)
    return nearest is not None and words.folded[denial.first : nearest.first].count(BREAK) < 2


def _past(words: Words, matches: Matches, marks: Marks) -> _Past:
    """What is told as past: the sentences with a marker of the past and none of the present; of a sentence in parts
    ("i wish i was dead but we spoke of when I was nine") those that have the marker, or are in the past tense."""
    told = matches.of("danger.past")
    own, past = set[int](), set[int]()
    present = covered(matches.of("danger.present"))
    if not told:
        return _Past(own, past, present)
    places, tense = covered(told), covered(matches.of("danger.tense"))
    apart = [(m, places.isdisjoint(range(m.first, m.after))) for m in matches.of("danger.now")]
    now = {m.first for m, is_apart in apart if is_apart or all(_holds(m, t) for t in told if m.overlaps(t))}
    for parts in sentences(words.folded, marks):
        whole = [place for part in parts for place in part]
        if places.isdisjoint(whole) or not now.isdisjoint(whole):
            continue
        for part in parts:
            if not places.isdisjoint(part):
                own.update(part)
            elif not tense.isdisjoint(part) and present.isdisjoint(part):
                past.update(part)
    return _Past(own, own | past, present)


def _holds(match: Match, other: Match) -> bool:
    """Whether a match covers all words of another and more: "hace dos años que me" says more than "hace dos años"."""
    return (
        match.first <= other.first
        and other.after <= match.after
        and match.after - match.first > other.after - other.first
    )


def _said(words: Words, parts: Sequence[Match]) -> str:
    """The words of a sign as they were understood, its parts in the order of the text."""
    ordered = sorted(set(parts), key=lambda part: part.first)
    return " + ".join(" ".join(words.folded[part.first : part.after]) for part in ordered)


def is_machine(text: str, matches: Matches, words: Words, vocabulary: Vocabulary) -> bool:
    """Whether a text was written by a phone or a server: two signs of one, or one that makes up most of it."""
    if text.lower().lstrip().startswith(vocabulary.mail["bounce_starts"]):
        return True
    found = matches.of("machine.says")
    if not found:
        return False
    told = covered(found)
    count = sum(word != BREAK for word in words.folded)
    signs = {(m.first, m.after) for m in found if m.after - m.first > 1}
    return len(told) >= 0.5 * count or (len(signs) >= 2 and len(told) >= 6)
