"""Concepts: things that can be said in many words, and rules that say which of them together mean something.

A rule names concepts of one language file, as a clinician would say it:

    means + at hand                 both in one sentence, in any order, with at most a few words between them
    means + at hand - kitchen       ... unless the third is in that sentence too
    goodbye & affairs settled       each anywhere in the reply

So a new wording needs its words in one list, not a phrase for every combination.

Rules can also be signs, which add up: a strong sign counts three, a clear one two, a weak one one, and one that speaks
against it takes two away; three and more is enough, with a strong or clear one among them.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from surveys.phrases import BREAK, Match, Words

SIGNS = {"strong": 3, "clear": 2, "weak": 1, "against": -2}
ENOUGH = 3
_REACH = 40  # words around a clear sign in which others add to it
WINDOW = 14  # words from the first to the last of what stands together; more is another thought, in a long ramble
_MOST = 60  # places of one concept that are looked at in one reply
_CONCEPT = "concept."  # begins the group of a concept's matches, which ends with the language
_Key = tuple[str, str]
_SIGN = re.compile(r"\s([+&-])\s")


class BadRule(ValueError):
    """A rule that cannot be read; the message says which and why."""


@dataclass(frozen=True)
class Rule:
    """Concepts that mean something together: `near` within a sentence, or (`apart`) anywhere in the reply."""

    group: str  # what it means, as for phrases: "optout.says", "danger.says"
    value: str
    language: str
    needs: tuple[str, ...]
    unless: tuple[str, ...]
    apart: bool

    @classmethod
    def of(cls, text: str, group: str, value: str, language: str, concepts: Collection[str]) -> "Rule":
        """Read a rule; BadRule when it mixes + and &, or names a concept that the file does not have."""
        first, *rest = _SIGN.split(f" {text} ")
        signs, names = rest[::2], [name.strip() for name in rest[1::2]]
        if unknown := [name for name in (first.strip(), *names) if name not in concepts]:
            raise BadRule(f"{text!r}: there is no concept {unknown[0]!r}")
        if "+" in signs and "&" in signs:
            raise BadRule(f"{text!r}: + and & do not go together in one rule")
        needs = (first.strip(), *(name for sign, name in zip(signs, names, strict=True) if sign != "-"))
        unless = tuple(name for sign, name in zip(signs, names, strict=True) if sign == "-")
        return cls(group, value, language, needs, unless, "&" in signs)


@dataclass(frozen=True)
class Together:
    """A rule that holds in a reply, and the matches of its concepts."""

    rule: Rule
    parts: tuple[Match, ...]

    @property
    def span(self) -> Match:
        """From the first word to the last."""
        first, after = min(m.first for m in self.parts), max(m.after for m in self.parts)
        return Match(self.rule.group, self.rule.value, first, after)

    def overlaps(self, other: "Together") -> bool:
        """Whether the two share a word."""
        return any(mine.overlaps(theirs) for mine in self.parts for theirs in other.parts)


def enough(signs: Sequence[Together]) -> list[Together]:
    """The signs that together say enough; empty when they do not.

    No word counts for two signs, and signs of two languages do not add up: *gas* and *funeral* are words of both.
    """
    against = min((SIGNS[sign.rule.value] for sign in signs if sign.rule.value == "against"), default=0)
    for clear in (sign for sign in signs if sign.rule.value in ("strong", "clear")):
        said, points = [clear], SIGNS[clear.rule.value] + against
        for sign in sorted(signs, key=lambda s: -SIGNS[s.rule.value]):
            near = abs(sign.span.first - clear.span.first) <= _REACH and sign.rule.language == clear.rule.language
            if near and sign.rule.value != "against" and not any(sign.overlaps(other) for other in said):
                said.append(sign)
                points += SIGNS[sign.rule.value]
        if points >= ENOUGH:
            return said
    return []


class _Ready(NamedTuple):
    """A rule with the matches it looks for, by group and value."""

    rule: Rule
    all: frozenset[_Key]
    needs: Sequence[_Key]
    unless: Sequence[_Key]


def _keys(rule: Rule, names: Sequence[str]) -> list[_Key]:
    return [(_CONCEPT + rule.language, name) for name in names]


class Rules:
    """The rules of all languages."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._by_need: dict[_Key, list[_Ready]] = defaultdict(list)
        counted: dict[_Key, int] = defaultdict(int)
        for rule in rules:
            for key in _keys(rule, rule.needs):
                counted[key] += 1
        for rule in rules:  # looked at only where its rarest concept occurs
            needs = _keys(rule, rule.needs)
            ready = _Ready(rule, frozenset(needs), needs, _keys(rule, rule.unless))
            self._by_need[min(needs, key=lambda key: counted[key])].append(ready)

    def find(self, matches: Sequence[Match], words: Words, excepted: Mapping[str, Collection[int]]) -> list[Together]:
        """The rules that hold. `excepted`: for each group of rules the places whose words are meant otherwise."""
        found: dict[_Key, list[Match]] = defaultdict(list)
        for match in matches:
            if match.group.startswith(_CONCEPT):
                found[match.group, match.value].append(match)
        there = frozenset(found)
        candidates = [ready for key in found for ready in self._by_need.get(key, ()) if ready.all <= there]
        if not candidates:
            return []
        breaks = [i for i, word in enumerate(words.folded) if word == BREAK]
        held = []
        for rule, _, needs, unless in candidates:
            without = excepted.get(rule.group, ())
            rows = [_free(found[key][:_MOST], without) for key in needs]
            stops = [m for key in unless if key in found for m in found[key][:_MOST]]
            if parts := _parts(rule, rows, stops, breaks):
                held.append(Together(rule, parts))
        return held


def _free(matches: Sequence[Match], without: Collection[int]) -> Sequence[Match]:
    if not without:
        return matches
    return [m for m in matches if not any(place in without for place in range(m.first, m.after))]


def _parts(
    rule: Rule, rows: Sequence[Sequence[Match]], stops: Sequence[Match], breaks: Sequence[int]
) -> tuple[Match, ...]:
    """One match of each concept that stand together, none of them sharing a word; empty if there are none."""
    if rule.apart:
        return () if stops else _chosen(rows, 0, 1 << 30)
    barred = {bisect_left(breaks, stop.first) for stop in stops}
    for match in rows[0]:
        sentence = bisect_left(breaks, match.first)
        if sentence in barred:
            continue
        low = max(breaks[sentence - 1] if sentence else 0, match.after - WINDOW)
        high = min(breaks[sentence] if sentence < len(breaks) else 1 << 30, match.first + WINDOW)
        if parts := _chosen([[match], *rows[1:]], low, high):
            return parts
    return ()


def _chosen(rows: Sequence[Sequence[Match]], low: int, high: int) -> tuple[Match, ...]:
    chosen: list[Match] = []
    for row in rows:
        fits = (m for m in row if low <= m.first and m.after <= high and not any(m.overlaps(c) for c in chosen))
        match = next(fits, None)
        if match is None:
            return ()
        chosen.append(match)
    return tuple(chosen)
