"""Learning how the questions behave in one practice: slopes, shifts and steps of the graded-response model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surveys.rapport.model import Model
from surveys.rapport.tables import PROFILE, Array, answer_chances, bell, with_profile

# Prior sd around the shipped values: log slope (all together, and each beside the others), shift, steps.
SPREAD_COMMON, SPREAD_SLOPE, SPREAD_SHIFT, SPREAD_STEP = 0.4, 0.15, 0.25, 0.8
SMALL = 1e-3  # step of the numerical derivatives
FARTHEST = 0.3  # one move at most, in log slope or sd of levels
CLOSEST = 0.1  # steps may not cross


def better_items(model: Model, shipped: Model, counts: Array) -> Model:
    """One Fisher-scoring step on expected counts (D, 5, P * POINTS) and the prior, halved until it helps."""
    x, centre = packed(model), packed(shipped)
    certain = prior_precision(len(model.feelings))
    here = loss(x, centre, certain, model, counts)
    slope, information = scoring(x, model, counts)
    move = np.linalg.solve(information + certain, slope - certain @ (x - centre))
    move = np.clip(move, -FARTHEST, FARTHEST)
    for _ in range(5):
        if loss(x + move, centre, certain, model, counts) < here:
            return unpacked(x + move, model)
        move = move / 2
    return model


def packed(model: Model) -> Array:
    """Log slopes, shifts, steps."""
    return np.array([*np.log(model.slope), *model.shift, *model.steps])


def unpacked(x: Array, model: Model) -> Model:
    """The model with these items; steps kept in order."""
    count = len(model.feelings)
    steps = x[2 * count :]
    apart = np.maximum.accumulate(steps - CLOSEST * np.arange(4)) + CLOSEST * np.arange(4)
    a, b, c, d = (float(step) for step in apart)
    slope = tuple(float(s) for s in np.exp(x[:count]))
    return replace(model, slope=slope, shift=tuple(float(s) for s in x[count : 2 * count]), steps=(a, b, c, d))


def prior_precision(count: int) -> Array:
    """Inverse covariance of the prior on what `packed` gives."""
    size = 2 * count + 4
    spread = np.zeros((size, size))
    spread[:count, :count] = SPREAD_COMMON**2 + SPREAD_SLOPE**2 * np.eye(count)
    spread[count:, count:] = np.diag([SPREAD_SHIFT**2] * count + [SPREAD_STEP**2] * 4)
    return np.asarray(np.linalg.inv(spread))


def chances(x: Array, model: Model) -> Array:
    """P(answer) by place under these items, over feelings' profiles: D, 5, P * POINTS."""
    now = unpacked(x, model)
    lines = bell(PROFILE) @ with_profile(answer_chances(now), model)
    return np.asarray(np.maximum(lines, 1e-12))


def loss(x: Array, centre: Array, certain: Array, model: Model, counts: Array) -> float:
    """Minus the expected log likelihood and log prior."""
    return float(0.5 * (x - centre) @ certain @ (x - centre) - (counts * np.log(chances(x, model))).sum())


def scoring(x: Array, model: Model, counts: Array) -> tuple[Array, Array]:
    """Gradient of the expected log likelihood, and the Fisher information at these counts."""
    base = chances(x, model)
    moved = [chances(x + SMALL * unit, model) for unit in np.eye(len(x))]
    change = np.array([((m - base) / SMALL).ravel() for m in moved])
    at = np.broadcast_to(counts.sum(1, keepdims=True), counts.shape).ravel()
    gradient = change @ (counts / base).ravel()
    return gradient, (change * (at / base.ravel())) @ change.T
