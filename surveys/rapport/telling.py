"""What a belief says, in data: where each feeling usually is, and where it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surveys.rapport.model import Model
from surveys.rapport.tables import POINTS, Array, Index, Tables, fade, tables

INSIDE = (0.1, 0.9)  # a band holds four in five of what is believed


@dataclass(frozen=True)
class Band:
    """Where a feeling stands on the 1..5 scale: expected answer, and the range that holds it four times in five."""

    mean: float
    low: float
    high: float


def bands(model: Model, weights: Array, profiles: Array, place: Index) -> Mapping[str, Band]:
    """A band for each feeling from how it stands."""
    t = tables(model)
    return {f: band(stands(weights, d, place, t), profiles[d] @ t.mean[d]) for d, f in enumerate(model.feelings)}


def band(where: Array, answer: Array) -> Band:
    """Mean and quantiles of the expected answer, from weights by precision and place."""
    order = np.argsort(answer)
    sums = np.cumsum(where[order])
    low, high = (float(answer[order[np.searchsorted(sums, q * sums[-1])]]) for q in INSIDE)
    return Band(float((where * answer).sum() / where.sum()), low, high)


def usual_weights(weights: Array, t: Tables) -> Array:
    """The same clients with nothing fluctuating and nothing down."""
    usual = np.zeros_like(weights)
    usual[0, ..., len(t.wave) // 2] = weights.sum((0, 4))
    return usual


def stands(weights: Array, d: int, place: Index, t: Tables) -> Array:
    """How feeling d stands: weight by precision and place, P * POINTS."""
    own = 1 + t.all_drops
    singles = weights[own:].reshape(-1, len(t.drops) - own, *weights.shape[1:])
    by_drop = np.concatenate([weights[:own], singles[d]])
    by_drop[0] += singles.sum((0, 1)) - singles[d].sum(0)
    return np.bincount(place.ravel(), by_drop.ravel(), t.mean.shape[-1]).astype(np.float64)


def places(number: int, t: Tables) -> Index:
    """Where each state stands on the line (flattened over precision) at an appointment: S, P, G, B, Z."""
    down = np.rint(t.growth * fade(number)).astype(np.intp)
    place = np.clip(t.theta - down[:, None, None], 0, POINTS - 1)
    return np.asarray(place + POINTS * np.arange(t.theta.shape[1])[:, None, None, None])
