"""Learning a practice's own model from its unlabelled check-ins (empirical Bayes, by EM), with shipped priors.

The shipped model counts as a number of clients (or check-ins) of its own, so that a small practice stays near it. What
unlabelled check-ins hardly tell (how often declines begin, their sizes) is left as shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from surveys.rapport.alarms import Pattern, with_curve
from surveys.rapport.belief import Observation
from surveys.rapport.items import better_items
from surveys.rapport.model import Model, default_model
from surveys.rapport.tables import WAVES, Array, Tables, tables
from surveys.rapport.telling import places

ROUNDS = 10
LEVEL_ROUNDS = 30
LONGEST = 40  # appointments of a client looked at
PRIOR_CLIENTS = 60.0  # what the shipped shares of levels, raters and growth count
PRIOR_CHECK_INS = 100.0  # what the shipped fluctuation and carry-over count
CURVE_CLIENTS = 4000
CHUNK = 64

History = Sequence[Observation]
Scores = npt.NDArray[np.int8]  # N, T, D: 1..5, 0 for none


@dataclass
class Counts:
    """What the E-step expects: answers by place, and moments of what doesn't show."""

    items: Array  # D, 5, P * POINTS
    levels: list[Array]  # for each client, posterior over prior of each level
    precision: Array
    growth: Array
    off_days: Array  # off days expected, answered check-ins of clients as usual
    waves: Array  # appointments' worth of information on w, sum of its squared means; sum of w w', number of pairs


def fit(histories: Sequence[History], feelings: tuple[str, ...]) -> Model:
    """The model of a practice, from its clients' check-ins so far; no labels, no other past needed.

    With no answers at all, the shipped model. Takes less than a minute for 600 clients.
    """
    model = default_model(feelings)
    histories = [h for h in histories if any(seen.answers for seen in h)]
    if not histories:
        return model
    answers = encoded(histories, model)
    for _ in range(ROUNDS):
        model = better(model, expected(answers, model))
    patterns = [pattern(h) for h in histories]
    return with_curve(model, patterns, CURVE_CLIENTS)


def encoded(histories: Sequence[History], model: Model) -> Scores:
    """Answers as an array N, T, D: 1..5, or 0 where there is none."""
    length = 1 + min(LONGEST - 1, max(seen.number for h in histories for seen in h))
    answers = np.zeros((len(histories), length, len(model.feelings)), np.int8)
    for i, history in enumerate(histories):
        for seen in history:
            for feeling, score in seen.answers.items() if seen.number < length else ():
                answers[i, seen.number, model.feelings.index(feeling)] = score
    return answers


def expected(answers: Scores, model: Model) -> Counts:
    """The E-step, over declines in all feelings only (those in one are seen as noise of that feeling)."""
    t = tables(replace(model, single=()))
    _, precisions, growths, _, _ = t.prior.shape
    items = np.zeros((len(model.feelings), 5, t.mean.shape[-1]))
    total = Counts(items, [], *(np.zeros(n) for n in (precisions, growths, 2, 4)))
    for first in range(0, len(answers), CHUNK):
        add(total, answers[first : first + CHUNK], t, model.off_days)
    return total


def add(total: Counts, answers: Scores, t: Tables, off_days: float) -> None:
    """Forward and backward over some clients; adds what is expected of them."""
    likely = [likelihood(answers[:, n], n, t) for n in range(answers.shape[1])]
    off = [mix_off_days(now, off_days) for now in likely]
    last = 1 + np.max(np.where(answers.any(2), np.arange(answers.shape[1]), 0), axis=1)
    ahead = forward(likely, t)
    after = np.ones_like(ahead[0])
    for n in range(len(likely) - 1, -1, -1):
        now = ahead[n] * after
        scale = now.sum(tuple(range(1, now.ndim)), keepdims=True)
        seen = n < last
        now = now / scale * seen.reshape(-1, 1, 1, 1, 1, 1)
        by_wave = now.sum((1, 2, 3, 4))
        mean = by_wave @ WAVES
        kept, answered = now.copy(), answers[:, n].any(1)
        kept[:, 0] *= 1 - off[n]
        total.off_days += (now - kept)[answered].sum(), now[answered, 0].sum()
        count_items(total.items, answers[:, n], kept, n, t)
        total.waves[:2] += seen.sum() - (by_wave @ WAVES**2 - mean**2).sum(), (mean**2).sum()
        if n == 0:
            total.levels.extend(now.sum((1, 2, 3, 5)) / t.prior.sum((0, 1, 2, 4)))
            total.precision += now.sum((0, 1, 3, 4, 5))
            total.growth += now.sum((0, 1, 2, 4, 5))
            return
        weighed = likely[n] * after
        pair = step(ahead[n - 1] * WAVES.astype(np.float32), t) * weighed
        norm = (step(ahead[n - 1], t) * weighed).sum((1, 2, 3, 4, 5))
        both = (pair.sum((1, 2, 3, 4)) @ WAVES) / norm
        total.waves[2:] += (both * seen).sum(), seen.sum()
        after = back(weighed, t)
        after /= after.max(tuple(range(1, after.ndim)), keepdims=True)


def likelihood(answers: Scores, number: int, t: Tables) -> Array:
    """P(answers at one appointment) by client and state: N, M, P, G, B, Z."""
    place = places(number, t)
    likely = np.ones((len(answers), *place.shape), np.float32)
    for d in range(answers.shape[1]):
        lines = (t.profile @ t.chance[d]).astype(np.float32)
        for score in range(1, 6):
            rows = np.flatnonzero(answers[:, d] == score)
            if len(rows):
                likely[rows] *= lines[score - 1][place]
    return likely


def mix_off_days(likely: Array, off_days: float) -> Array:
    """Lets a client as usual have an off day, in place; gives the chance that it was one: N, P, G, B, Z."""
    off = off_days * likely[:, 1:].mean(1)
    likely[:, 0] = (1 - off_days) * likely[:, 0] + off
    return np.asarray(off / np.maximum(likely[:, 0], 1e-30))


def forward(likely: Sequence[Array], t: Tables) -> list[Array]:
    """Filtered beliefs at each appointment."""
    belief = t.prior.astype(np.float32)[None] * likely[0]
    ahead = [belief / belief.sum((1, 2, 3, 4, 5), keepdims=True)]
    for now in likely[1:]:
        belief = step(ahead[-1], t) * now
        ahead.append(belief / belief.sum((1, 2, 3, 4, 5), keepdims=True))
    return ahead


def step(belief: Array, t: Tables) -> Array:
    """One appointment ahead, many clients at once."""
    moved = belief @ t.wave.astype(np.float32)
    return np.asarray(np.einsum("nm...,mk->nk...", moved, t.mode.astype(np.float32), optimize=True))


def back(after: Array, t: Tables) -> Array:
    """One appointment back: the chance of all that comes after."""
    moved = after @ t.wave.T.astype(np.float32)
    return np.asarray(np.einsum("nk...,mk->nm...", moved, t.mode.astype(np.float32), optimize=True))


def count_items(items: Array, answers: Scores, now: Array, number: int, t: Tables) -> None:
    """Adds expected answers by place."""
    place = places(number, t).ravel()
    flat = now.reshape(len(now), -1)
    for d in range(answers.shape[1]):
        for score in range(1, 6):
            rows = answers[:, d] == score
            if rows.any():
                items[d, score - 1] += np.bincount(place, flat[rows].sum(0), items.shape[2])


def better(model: Model, counts: Counts) -> Model:
    """The M-step: every parameter moved to what the counts and the shipped prior say."""
    shipped = default_model(model.feelings)
    number, square, product, pairs = counts.waves
    prior = PRIOR_CHECK_INS * (shipped.fluctuation / model.fluctuation) ** 2
    variance = (square + prior) / (number + PRIOR_CHECK_INS)
    told = number / max(pairs, 1.0)  # the rest only repeats what was assumed: reach over it
    carry = model.carry + (product / max(pairs, 1.0) - model.carry) / max(told, 0.2)
    carry = (carry * number + PRIOR_CHECK_INS * shipped.carry) / (number + PRIOR_CHECK_INS)
    off, usual = counts.off_days
    model = replace(
        model,
        off_days=float((off + PRIOR_CHECK_INS * shipped.off_days) / (usual + PRIOR_CHECK_INS)),
        levels=better_levels(model.levels, np.array(counts.levels), shipped.levels),
        precision=reshared(model.precision, mixed(counts.precision, [w for *_, w in shipped.precision])),
        growth=reshared(model.growth, mixed(counts.growth, [w for *_, w in shipped.growth])),
        fluctuation=float(model.fluctuation * np.sqrt(variance)),
        carry=float(np.clip(carry, 0.05, 0.9)),
    )
    return better_items(model, shipped, counts.items)


def better_levels(levels: Sequence[float], ratios: Array, shipped: Sequence[float]) -> tuple[float, ...]:
    """Shares of levels by many quick rounds of their own (nonparametric empirical Bayes is slow to settle)."""
    for _ in range(LEVEL_ROUNDS):
        weighed = ratios * np.array(levels)
        levels = mixed((weighed / weighed.sum(1, keepdims=True)).sum(0), shipped)
    return tuple(levels)


def mixed(counts: Array, shipped: Sequence[float]) -> tuple[float, ...]:
    """Shares from counts, the shipped ones counting as PRIOR_CLIENTS."""
    shares = counts + PRIOR_CLIENTS * np.array(shipped) / sum(shipped)
    return tuple(float(s) for s in shares / shares.sum())


def reshared(table: Sequence[tuple[float, ...]], shares: Sequence[float]) -> tuple[Any, ...]:
    """A table with its last column replaced."""
    return tuple((*row[:-1], share) for row, share in zip(table, shares, strict=True))


def pattern(history: History) -> Pattern:
    """When this client was asked, and which feelings they answered."""
    return [(seen.number, tuple(seen.answers)) for seen in history]
