"""What is believed about one client after what was observed so far."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from surveys.rapport.explaining import Explanation, Recovery, explanation, recovery
from surveys.rapport.model import Model
from surveys.rapport.tables import Array, tables
from surveys.rapport.telling import Band, bands, places, usual_weights

REMEMBERED = 24  # appointments back to which a beginning is told


@dataclass(frozen=True)
class Observation:
    """One check-in: the client's 0-based appointment number with this therapist, and what was answered (1..5)."""

    number: int
    answered: bool
    answers: Mapping[str, int] = field(default_factory=dict)
    change: int | None = None


@dataclass(frozen=True, eq=False)
class Belief:
    """A belief about one client; never needs the past again."""

    model: Model
    number: int  # last appointment seen; -1 before the first
    weights: Array  # M, P, G, B, Z; sums to one
    profiles: Array  # D, C
    memory: Array  # M: what the client remembers as usual, by mode
    began: Array  # M, REMEMBERED: share of each mode's weight that began so many appointments ago
    answered: tuple[int, ...]  # the last answered appointments
    said: tuple[tuple[int, int, int], ...]  # their answers: appointment, feeling (its place), score
    evidence: float  # log odds that rapport is down now, made fair between raters; what thresholds are for

    @property
    def probability(self) -> float:
        """That rapport is down now."""
        return float(self.weights[1:].sum())

    @property
    def usual(self) -> Mapping[str, Band]:
        """Each feeling as it usually is with this client by now, in points of the 1..5 scale."""
        t = tables(self.model)
        return bands(self.model, usual_weights(self.weights, t), self.profiles, places(max(self.number, 0), t))

    @property
    def now(self) -> Mapping[str, Band]:
        """Each feeling as it is now, in points of the 1..5 scale."""
        return bands(self.model, self.weights, self.profiles, places(max(self.number, 0), tables(self.model)))

    def explain(self) -> Explanation:
        """Since when, in which feelings and how surely rapport is down."""
        return explanation(self)

    def recovery(self, feelings: Sequence[str], since: int | None) -> Recovery:
        """Where feelings that fell at appointment `since` stand now."""
        return recovery(self, feelings, since)

    def to_bytes(self) -> bytes:
        """A compact form to store; without the model, which the reader must have."""
        head = np.array([self.evidence], "<f8").tobytes()
        said = [place for answer in self.said for place in answer]
        head += np.array([self.number, len(self.answered), len(said), *self.answered, *said], "<i4").tobytes()
        parts = (self.weights, self.profiles, self.memory, self.began)
        return zlib.compress(head + b"".join(part.astype("<f4").tobytes() for part in parts))

    @classmethod
    def from_bytes(cls, data: bytes, model: Model) -> Belief:
        """The belief that to_bytes wrote, under the model it was made with. Raises ValueError when it doesn't fit."""
        raw = zlib.decompress(data)
        evidence = float(np.frombuffer(raw, "<f8", 1)[0])
        number, count, places = np.frombuffer(raw, "<i4", 3, 8).tolist()
        answered, said = np.split(np.frombuffer(raw, "<i4", count + places, 20), [count])
        parts = arrays(raw[20 + 4 * (count + places) :], model)
        return cls(model, number, *parts, tuple(answered.tolist()), answers_in(said), evidence)


def answers_in(places: npt.NDArray[np.int32]) -> tuple[tuple[int, int, int], ...]:
    """Stored answers in threes."""
    return tuple((number, feeling, score) for number, feeling, score in places.reshape(-1, 3).tolist())


def arrays(raw: bytes, model: Model) -> tuple[Array, Array, Array, Array]:
    """The four arrays of a stored belief."""
    t = tables(model)
    modes = t.prior.shape[0]
    shapes = (t.prior.shape, (len(model.feelings), len(t.profile)), (modes,), (modes, REMEMBERED))
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    flat = np.frombuffer(raw, "<f4").astype(np.float64)
    if len(flat) != ends[-1]:
        raise ValueError("this belief was made with another model; replay the client's history")
    a, b, c, d = (flat[i:j].reshape(s) for i, j, s in zip(ends, ends[1:], shapes, strict=False))
    return a, b, c, d


def rounded(part: Array) -> Array:
    """As it will be stored, so that a stored belief goes on exactly like one that wasn't."""
    return part.astype(np.float32).astype(np.float64)
