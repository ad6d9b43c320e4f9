"""One reply in, one result out: flags, scores and comment are found independently of each other, then the kind."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from surveys.phrases import Match, Matches, Phrases, Words
from surveys.replies import flags, machine
from surveys.replies.comment import comment as comment_of
from surveys.replies.items import Row, read_row
from surveys.replies.kind import kind_of
from surveys.replies.mail import Own, own_text, own_words
from surveys.replies.scores import Found, read_scores
from surveys.replies.sense import settle
from surveys.replies.text import LONGEST, normalise, shorten
from surveys.replies.thoughts import marks_of
from surveys.replies.weighing import Parts
from surveys.vocabulary import Vocabulary

_WORDLIKE = re.compile(r"\w")
_MARKUP = re.compile(
    r"\s*(?:<(?!3|[1-5]>)|=(?!\s*[1-5](?:\s*$|\s*[.,!;\n(]|\s+[^\W\d]|\s+[-–]\s)))"
)  # a formula or a tag, but not "<3" and "=4"


class Instruments(Protocol):
    """What the reader needs of `surveys.instrument.Instruments`."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words replies are read with."""


@dataclass(frozen=True)
class Because:
    """Which words gave a question its score, or which rule (S1..S21) left it open; feeling None: about the reply."""

    feeling: str | None
    score: int | None
    words: str
    rule: str


@dataclass(frozen=True)
class Reply:
    """What one reply says. `scores` are aligned with the feelings asked; None is a question left open."""

    kind: str
    scores: tuple[int | None, ...] = ()
    comment: str | None = None
    opt_out: bool = False
    crisis: bool = False
    note: str | None = None
    call: bool = False
    because: tuple[Because, ...] = ()


@dataclass(frozen=True)
class _Said:
    """What is found in a client's own words whatever was asked."""

    own: str
    words: Words
    matches: Matches
    danger: flags.Danger
    out: Sequence[Match]
    row: Row
    left: str = ""  # what was left out and matters


@dataclass(frozen=True)
class Looked:
    """What is found in a message whatever was asked: what was said, or the sign that a machine wrote it."""

    said: _Said | None
    machine: str = ""


def look(
    text: str, *, instruments: Instruments, channel: str = "sms", headers: Mapping[str, str] | None = None
) -> Looked:
    """The longer part of `parse`, which needs no knowledge of what was asked: it can be done before that is looked up.

    Arguments as for `parse`.
    """
    vocabulary = instruments.vocabulary
    own = _own_of(text, vocabulary, channel, headers)
    return Looked(None, "the mail's headers") if own is None else _looked(own, vocabulary)


def parse(
    text: str,
    *,
    asked: Sequence[str],
    instruments: Instruments,
    channel: str = "sms",
    headers: Mapping[str, str] | None = None,
    also_crisis: Sequence[str] = (),
    looked: Looked | None = None,
) -> Reply:
    """Read one reply to a check-in that asked for the feelings `asked`, in that order.

    `channel` is "sms" or "email"; for mail `text` is the body as received (HTML or plain) and `headers` its headers.
    `also_crisis` are a practice's own phrases that mean danger, in the signs of `surveys.phrases`; `looked` is what
    `look` found in this very text, where that has been done. Never raises; what a reply does not settle stays None.
    """
    looked = looked or look(text, instruments=instruments, channel=channel, headers=headers)
    asked = tuple(dict.fromkeys(asked))
    if looked.said is None:
        return Reply("autoreply", tuple(None for _ in asked), because=(Because(None, None, "", looked.machine),))
    return _read(looked.said, asked, instruments.vocabulary, also_crisis)


def own_part(text: str, vocabulary: Vocabulary, channel: str, headers: Mapping[str, str] | None) -> str | None:
    """The client's own words in a message as received; None when its headers say that a machine wrote it."""
    own = _own_of(text, vocabulary, channel, headers)
    return own.text if own else None


def _own_of(text: str, vocabulary: Vocabulary, channel: str, headers: Mapping[str, str] | None) -> Own | None:
    """The same, with what was left out beside quotations."""
    if channel != "email":
        body = normalise(shorten(text))
        reacted = machine.reaction(body, vocabulary)
        body = machine.without_check_in(body, vocabulary) if reacted is None else reacted
        return own_text(body, vocabulary)
    head = dict(headers or {})
    if machine.is_automatic(head, vocabulary):
        return None
    own = own_words(text, vocabulary, head)
    if not own.text and not _WORDLIKE.search(text[:LONGEST]):
        own = Own(shorten(_subject(head)))
    return own


def row_of(own: str, vocabulary: Vocabulary) -> Row:
    """A client's own words as a row of items, not settled yet."""
    words = words_of(own, vocabulary)
    return read_row(own, words, vocabulary.phrases.find(words), vocabulary)


def _subject(headers: Mapping[str, str]) -> str:
    """An empty mail's subject, unless it only repeats ours."""
    subject = next((v for k, v in headers.items() if k.lower() == "subject"), "")
    return "" if re.match(r"\s*(?:re|fwd?|aw|rv|tr|sv|vs|res|r)\s*:", subject, re.IGNORECASE) else normalise(subject)


def _looked(own: Own, vocabulary: Vocabulary) -> Looked:
    words = words_of(own.text, vocabulary)
    matches = Matches(vocabulary.phrases.find(words))
    if flags.is_machine(own.text, matches, words, vocabulary):
        return Looked(None, "machine text")
    matches = flags.with_plain(words, matches, vocabulary)
    together = flags.together(words, matches, vocabulary)
    marks = marks_of(own.text, words)
    parts = Parts(words.folded, marks)
    danger = flags.weighed_danger(flags.danger(words, matches, together, marks), parts)
    out = flags.wants_out(words, matches, vocabulary, own.text, together, marks)
    out = out or flags.weighed_wish(words, matches, parts)
    row = read_row(own.text, words, matches.all, vocabulary)
    _keep_scores(row, flags.covered([*matches.of("optout.says"), *matches.of("danger.says")]))
    said = _Said(own.text, words, matches, danger, out, settle(row))
    return Looked(_with_what_was_left(said, own, vocabulary) if own.left else said)


def _with_what_was_left(said: _Said, own: Own, vocabulary: Vocabulary) -> _Said:
    """Flags are heard in what looked like a signature or a notice too, for the client may have written it: "Caution: he
    has a gun", "Thanks / Ana / I want to die". Scores are not. Stopping is heard only beside a name, since notices
    speak of it; and no danger where help is offered ("If you are in crisis call 988")."""
    lines = [line for line in own.left.splitlines() if not vocabulary.offers_help(line)]
    words = words_of("\n".join(lines), vocabulary)
    matches = flags.with_plain(words, Matches(vocabulary.phrases.find(words)), vocabulary)
    danger = flags.danger(words, matches, flags.together(words, matches, vocabulary))
    if danger.present and not said.danger.present:
        said = replace(said, danger=danger, left=own.left)
    card = words_of(own.card, vocabulary)
    if not said.out and flags.wants_out(card, Matches(vocabulary.phrases.find(card)), vocabulary, own.card):
        said = replace(said, out=[Match("optout.says", "keyword", 0, 0)], left=own.left)
    return said


def _keep_scores(row: Row, flagged: Collection[int]) -> None:
    """In *5 5 5, send nothing more* the "nothing" is no fourth score passed over: a flag takes no score away."""
    for item in row.items:
        if item.kind == "skip" and item.first in flagged:
            item.kind = "word"


def _read(text: _Said, asked: tuple[str, ...], vocabulary: Vocabulary, also_crisis: Sequence[str]) -> Reply:
    own, words, matches, row = text.own, text.words, text.matches, text.row
    danger, out, extra = text.danger, text.out, _also(words, also_crisis)
    found = _scores(row, asked, matches, vocabulary)
    rest = _rest(own, found, vocabulary) if found.spans else None  # a keyword may stand beside the scores
    if not out and rest and flags.is_keyword(*rest, vocabulary):
        out = [Match("optout.says", "keyword", 0, 0)]
    crisis = danger.present or bool(extra)
    call = matches.has("talk.call") or bool(rest and rest[1].has("talk.call"))
    scores = tuple(found.scores[f] for f in asked)
    said = "\n\n".join(filter(None, (_comment(row, found, words, out, crisis), text.left))) or None
    kind = kind_of(scores, found, crisis, bool(out), row, matches, said, asked)
    if (kind in ("help", "optin") and len(own.split()) == 1) or (kind == "optout" and _is_only(out, words)):
        said = None
    because = (*_reasons(found, asked), *_flag_reasons(danger, extra, out, words))
    return Reply(kind, scores, said, bool(out), crisis, None if crisis else danger.note, call, because)


def words_of(own: str, vocabulary: Vocabulary) -> Words:
    """A client's own words, folded, and slips in words of weight put right."""
    words = Words.of(own, vocabulary.accented)
    meant = vocabulary.spelling.meant(words.folded)
    return words.respelt(meant) if meant else words


def _rest(own: str, found: Found, vocabulary: Vocabulary) -> tuple[Words, Matches] | None:
    """What is left of the text beside its scores, ready to be looked at for a keyword; None if that is a story."""
    rest = own
    for start, end in sorted(found.spans, reverse=True):
        rest = rest[:start] + " " + rest[end:]
    words = words_of(rest, vocabulary)
    if len(words.folded) > 2 * flags.MOST_WORDS + 1:  # with a full stop after each
        return None
    return words, Matches(vocabulary.phrases.find(words))


def _also(words: Words, patterns: Sequence[str]) -> list[Match]:
    """A practice's own danger words; one that cannot be read is left to the settings page to refuse."""
    if not patterns:
        return []
    own = Phrases()
    for pattern in patterns:
        try:
            own.add("danger.says", "own", pattern, {})
        except ValueError:
            continue
    return own.find(words)


def _scores(row: Row, asked: tuple[str, ...], matches: Matches, vocabulary: Vocabulary) -> Found:
    low = row.text.lower()
    coded = matches.has("code.says") or _code(vocabulary.mail["code_signs"]).search(low)
    if coded or _MARKUP.match(low):
        return Found(dict.fromkeys(asked), dict.fromkeys(asked, "S20"), {})
    return read_scores(row, asked)


@lru_cache(maxsize=4)
def _code(signs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(sign) for sign in signs))


def _comment(row: Row, found: Found, words: Words, out: Sequence[Match], crisis: bool) -> str | None:
    said = comment_of(row, _disjoint(found.spans))
    if crisis and said is None and not found.spans:
        return row.text.strip() or None  # "goodbye, thank you for everything" is more than a courtesy then
    if out and not crisis and said is not None and not _says_more(row, found, words, out):
        return None
    return said


def _says_more(row: Row, found: Found, words: Words, out: Sequence[Match]) -> bool:
    """Whether a comment holds more than the wish to get no more messages."""
    wish = [(words.starts[m.first], words.ends[m.after - 1]) for m in out if m.after > m.first]
    rest = [i for i in row.items if i.kind == "word" and not any(a <= i.start < b for a, b in [*wish, *found.spans])]
    return bool(rest)


def _longest(found: Sequence[Match]) -> list[Match]:
    """The matches by length, the longest first."""
    return sorted(found, key=lambda m: m.first - m.after)


def _disjoint(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that touch joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(set(spans)):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _is_only(out: Sequence[Match], words: Words) -> bool:
    return len(flags.covered(out)) >= len(words.folded)


def _reasons(found: Found, asked: Sequence[str]) -> tuple[Because, ...]:
    return tuple(
        Because(f, found.scores[f], found.words.get(f, ""), found.rules[f] or ("S15" if not found.mentioned else "S17"))
        for f in asked
    )


def _flag_reasons(
    danger: flags.Danger, extra: Sequence[Match], out: Sequence[Match], words: Words
) -> tuple[Because, ...]:
    reasons = []
    if danger.words:
        reasons.append(Because(None, None, danger.words, f"danger: {danger.note or danger.kind}"))
    reasons += [
        Because(None, None, " ".join(words.folded[m.first : m.after]), "danger: the practice's own words")
        for m in extra[:1]
    ]
    reasons += [Because(None, None, " ".join(words.folded[m.first : m.after]), "opt-out") for m in _longest(out)[:1]]
    return tuple(reasons)
