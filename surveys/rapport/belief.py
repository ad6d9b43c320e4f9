"""What is believed about one client after what was observed so far."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from surveys.rapport.model import Model
from surveys.rapport.tables import Array, tables
from surveys.rapport.telling import Band, Explanation, bands, explanation, places, usual_weights

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
        usual, now = self.usual, self.now
        fallen = {f: usual[f].mean - now[f].mean for f in self.model.feelings}
        return explanation(self.model, self.weights, self.began, self.number, self.answered, fallen)

    def to_bytes(self) -> bytes:
        """A compact form to store; without the model, which the reader must have."""
        head = np.array([self.evidence], "<f8").tobytes()
        head += np.array([self.number, len(self.answered), *self.answered], "<i4").tobytes()
        parts = (self.weights, self.profiles, self.memory, self.began)
        return zlib.compress(head + b"".join(part.astype("<f4").tobytes() for part in parts))

    @classmethod
    def from_bytes(cls, data: bytes, model: Model) -> Belief:
        """The belief that to_bytes wrote, under the model it was made with. Raises ValueError when it doesn't fit."""
        raw = zlib.decompress(data)
        evidence = float(np.frombuffer(raw, "<f8", 1)[0])
        number, count = np.frombuffer(raw, "<i4", 2, 8).tolist()
        answered = tuple(np.frombuffer(raw, "<i4", count, 16).tolist())
        return cls(model, number, *arrays(raw[16 + 4 * count :], model), answered, evidence)


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
