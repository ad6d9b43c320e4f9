"""What kind of message a reply is: the first that applies, in the order of the rules."""

from collections.abc import Sequence

from surveys.phrases import Matches, Words
from surveys.replies.flags import covered
from surveys.replies.items import Row
from surveys.replies.scores import Found
from surveys.replies.sense import clauses

_COURTESIES = ("around.thanks", "around.greeting", "talk.done", "around.filler")


def kind_of(
    scores: Sequence[int | None], found: Found, crisis: bool, out: bool,
    row: Row, matches: Matches, said: str | None, asked: Sequence[str],
) -> str:  # fmt: skip
    """The first kind that applies, in the order of the rules."""
    if crisis:
        return "crisis"
    if out:
        return "optout"
    answered = any(s is not None for s in scores)
    if matches.has("talk.wrong_person") and not answered:
        return "wrong_person"
    if found.out:
        return "out_of_range"
    if answered:
        return "answer" if all(s is not None for s in scores) else "partial"
    for kind in ("help", "optin"):
        if matches.has(f"talk.{kind}"):
            return kind
    if not asked and _is_done(row.words, matches):
        return "thanks_after_done"
    if _passes(row, matches):
        return "skip"
    if matches.has("talk.request", "talk.call"):
        return "reschedule_or_other_request"
    return "comment" if said and _is_comment(row.words) else "unclear"


def _passes(row: Row, matches: Matches) -> bool:
    """Whether a skip takes the place of a score (S19): its clause says nothing else."""
    passed = covered(matches.of("talk.skip"))
    if not passed and not any(item.kind == "skip" for item in row.items):
        return False
    for clause in clauses(row.items):
        skips = any(item.kind == "skip" or item.first in passed for item in clause)
        if skips and not any(item.kind in ("word", "near") and item.first not in passed for item in clause):
            return True
    return False


def _is_done(words: Words, matches: Matches) -> bool:
    courtesy = covered(match for group in _COURTESIES for match in matches.of(group))
    return all(i in courtesy or not word.isalnum() for i, word in enumerate(words.folded))


def _is_comment(words: Words) -> bool:
    """A few words at least: shorter replies are words off the scale."""
    return sum(word.isalnum() for word in words.folded) >= 4
