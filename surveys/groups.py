"""Which groups of clients may be shown to a manager, so that nobody can be told apart and no therapist ranked.

A group is shown when at least five clients of at least three therapists answered, and no client or therapist stands
for over half of the answers. That alone isn't enough: a small group is the difference of two large ones. So groups
are shown together only while every set of clients whose answers could be worked out from all that is shown, by adding
and subtracting, keeps the same rule. Nothing is ever cut by therapist.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import combinations

FEWEST_CLIENTS, FEWEST_THERAPISTS = 5, 3
LARGEST_SHARE = Fraction(1, 2)

FEW_CLIENTS = "fewer than five clients answered"
FEW_THERAPISTS = "fewer than three therapists' clients answered"
ONE_SIDED = "one person would stand for over half of the answers"
GIVES_AWAY = "shown beside the others, it would give away a group that is too small"
EVERYONE = "all"

Traits = tuple[str, ...]
Row = tuple[Fraction, ...]


@dataclass(frozen=True)
class Given:
    """How one client answered one question about one therapist: so many answers, adding up to `total`. `traits`: the
    groups the client belongs to besides everyone, such as "language=es"."""

    client: str
    therapist: str
    traits: Traits
    answers: int
    total: int


@dataclass(frozen=True)
class Shown:
    """A group that may be shown: how many clients and answers, and what these add up to."""

    clients: int
    answers: int
    total: int

    @property
    def mean(self) -> float:
        """The mean answer, 1 to 5."""
        return self.total / self.answers


@dataclass(frozen=True)
class Hidden:
    """A group that isn't shown, and why."""

    why: str


def why_not(given: Iterable[Given]) -> str:
    """Why these answers can't be shown as one group; empty when they can."""
    return _why_not(reduce(_Part.plus, (_Part.of(each) for each in _by_client(given)), _Part()))


def choose(given: Sequence[Given]) -> dict[str, Shown | Hidden]:
    """What may be shown of these answers at once: everyone, and each group of a trait.

    Everyone comes first, then the groups by size; one that can't stand beside those before it is hidden.
    """
    population = _Population(given)
    chosen: list[str] = []
    found: dict[str, Shown | Hidden] = {}
    for name in population.by_size():
        why = population.why_not(name, chosen)
        if not why:
            chosen.append(name)
        found[name] = Hidden(why) if why else population.shown(name)
    return found


@dataclass(frozen=True)
class _Part:
    """Answers of some clients, as far as the rule needs them."""

    clients: int = 0
    answers: int = 0
    total: int = 0
    most: int = 0
    therapists: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(rows: Sequence[Given]) -> "_Part":
        """One client's."""
        answers = sum(row.answers for row in rows)
        therapists = Counter[str]()
        for row in rows:
            therapists[row.therapist] += row.answers
        return _Part(int(answers > 0), answers, sum(row.total for row in rows), answers, therapists)

    def plus(self, other: "_Part") -> "_Part":
        """Together with other clients'."""
        return _Part(
            self.clients + other.clients,
            self.answers + other.answers,
            self.total + other.total,
            max(self.most, other.most),
            Counter(self.therapists) + Counter(other.therapists),
        )


class _Population:
    """The clients who answered, in parts that share all traits: nothing finer can be shown or worked out."""

    def __init__(self, given: Iterable[Given]) -> None:
        self.parts: dict[Traits, _Part] = {}
        for rows in _by_client(given):
            traits = rows[0].traits
            self.parts[traits] = self.parts.get(traits, _Part()).plus(_Part.of(rows))
        self.order = sorted(self.parts)
        self._why: dict[frozenset[Traits], str] = {}

    def by_size(self) -> list[str]:
        """Everyone, then the groups, the largest first."""
        names = {trait for traits in self.order for trait in traits}
        return [EVERYONE, *sorted(names, key=lambda name: (-self._joined(self._within(name)).clients, name))]

    def shown(self, name: str) -> Shown:
        """What is shown of a group."""
        part = self._joined(self._within(name))
        return Shown(part.clients, part.answers, part.total)

    def why_not(self, name: str, beside: Sequence[str]) -> str:
        """Why a group can't be shown beside others; empty when it can."""
        if why := self._why_not(self._within(name)):
            return why
        basis = _basis([self._vector(self._within(each)) for each in (*beside, name)])
        return next((GIVES_AWAY for some in self._sets() if _spans(basis, self._vector(some))
                     and self._why_not(some)), "")  # fmt: skip

    def _sets(self) -> Iterable[frozenset[Traits]]:
        """Every set of clients that could be worked out."""
        return (frozenset(some) for size in range(1, len(self.order) + 1) for some in combinations(self.order, size))

    def _within(self, name: str) -> frozenset[Traits]:
        return frozenset(traits for traits in self.order if name == EVERYONE or name in traits)

    def _vector(self, some: frozenset[Traits]) -> Row:
        return tuple(Fraction(traits in some) for traits in self.order)

    def _joined(self, some: Iterable[Traits]) -> _Part:
        return reduce(_Part.plus, (self.parts[traits] for traits in some), _Part())

    def _why_not(self, some: frozenset[Traits]) -> str:
        if some not in self._why:
            self._why[some] = _why_not(self._joined(some))
        return self._why[some]


def _why_not(part: _Part) -> str:
    if part.clients < FEWEST_CLIENTS:
        return FEW_CLIENTS
    if sum(count > 0 for count in part.therapists.values()) < FEWEST_THERAPISTS:
        return FEW_THERAPISTS
    largest = max(part.most, max(part.therapists.values()))
    return ONE_SIDED if Fraction(largest, part.answers) > LARGEST_SHARE else ""


def _by_client(given: Iterable[Given]) -> list[list[Given]]:
    found: dict[str, list[Given]] = {}
    for each in given:
        if each.answers:
            found.setdefault(each.client, []).append(each)
    return list(found.values())


def _basis(rows: Iterable[Row]) -> list[tuple[int, Row]]:
    """The rows in a form in which one can see what they span: each with the place of its leading 1."""
    basis: list[tuple[int, Row]] = []
    for row in rows:
        left = _reduced(basis, row)
        lead = next((place for place, value in enumerate(left) if value), None)
        if lead is not None:
            basis.append((lead, tuple(value / left[lead] for value in left)))
    return basis


def _reduced(basis: Iterable[tuple[int, Row]], row: Row) -> Row:
    for lead, base in basis:
        factor = row[lead]
        if factor:
            row = tuple(value - factor * other for value, other in zip(row, base, strict=True))
    return row


def _spans(basis: Iterable[tuple[int, Row]], row: Row) -> bool:
    return not any(_reduced(basis, row))
