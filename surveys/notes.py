"""What became of notes about rapport: of one, whether answers have come back; of all in a practice, in numbers that
can't be turned into a ranking of therapists. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from surveys.rapport import Band
from surveys.rapport.honesty import Share, share
from surveys.usual import is_usual

FEWEST_NOTES, FEWEST_CLIENTS, FEWEST_THERAPISTS = 10, 5, 3
LARGEST_SHARE = 0.5  # of all notes, that may be one therapist's
_ADDED = ("opened", "taken", "mended", "helpful", "not_helpful", "wrong")


@dataclass(frozen=True)
class Follow:
    """How it has gone since somebody took a note on, or since it was raised where nobody has.

    `kind`: "back" (`since` when), "better" (the latest answers are within usual, too few to be sure), "below", or
    "waiting" for a first answer. `count`: check-ins answered since.
    """

    kind: str
    count: int = 0
    since: datetime | None = None


def follow(
    ended_at: datetime | None, since: Sequence[Mapping[str, int]], fallen: Sequence[str], usual: Mapping[str, Band]
) -> Follow:
    """How it has gone with the feelings that fell, from the answers of each check-in answered since, in order."""
    if ended_at is not None:
        return Follow("back", len(since), ended_at)
    if not since:
        return Follow("waiting")
    latest = {f: score for f, score in since[-1].items() if f in fallen or not fallen}
    better = bool(latest) and all(is_usual(score, usual[feeling]) for feeling, score in latest.items())
    return Follow("better" if better else "below", len(since))


class Counted(Protocol):
    """What is read of `bot.store.notes.Count`: one therapist's notes."""

    @property
    def clients(self) -> int: ...
    @property
    def opened(self) -> int: ...
    @property
    def taken(self) -> int: ...
    @property
    def mended(self) -> int: ...
    @property
    def helpful(self) -> int: ...
    @property
    def not_helpful(self) -> int: ...
    @property
    def wrong(self) -> int: ...


@dataclass(frozen=True)
class Figures:
    """A practice's notes in numbers. The three verdicts are shares of the notes that got one."""

    opened: int
    judged: int
    taken: Share
    mended: Share
    helpful: Share
    not_helpful: Share
    wrong: Share


def figures(counts: Sequence[Counted]) -> Figures | None:
    """The numbers of a practice from those of its therapists; None where they would say too much about one of them."""
    if why_not(counts):
        return None
    total = {name: sum(getattr(each, name) for each in counts) for name in _ADDED}
    judged = total["helpful"] + total["not_helpful"] + total["wrong"]
    return Figures(
        opened=total["opened"],
        judged=judged,
        taken=share(total["taken"], total["opened"]),
        mended=share(total["mended"], total["opened"]),
        **{name: share(total[name], judged) for name in ("helpful", "not_helpful", "wrong")},
    )


def why_not(counts: Sequence[Counted]) -> str:
    """Why the numbers aren't shown: "notes", "clients" or "therapists" are too few, "one" has too many; or empty."""
    opened = sum(each.opened for each in counts)
    found = {
        "notes": opened < FEWEST_NOTES,
        "therapists": len(counts) < FEWEST_THERAPISTS,
        "clients": sum(each.clients for each in counts) < FEWEST_CLIENTS,
        "one": _most(each.opened for each in counts) > LARGEST_SHARE * opened,
    }
    return next((reason for reason, holds in found.items() if holds), "")


def _most(numbers: Iterable[int]) -> int:
    return max(numbers, default=0)
