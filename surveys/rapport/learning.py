"""Learning a practice's own model from its unlabelled check-ins (empirical Bayes, by EM), with shipped priors.

The shipped model counts as a number of clients (or check-ins) of its own, so that a small practice stays near it. What
unlabelled check-ins hardly tell (how often declines begin, their sizes) is left as shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surveys.rapport.alarms import Pattern, with_curve
from surveys.rapport.belief import Observation
from surveys.rapport.items import better_items
from surveys.rapport.model import Model, answering, default_model
from surveys.rapport.tables import POINTS, WAVES, Array, Tables, blurred, tables
from surveys.rapport.telling import places

ROUNDS = 10
LONGEST = 40  # appointments of a client looked at
PRIOR_CLIENTS = 60.0  # what the shipped shares of levels, raters and growth count
PRIOR_CHECK_INS = 100.0  # what the shipped fluctuation and carry-over count
CURVE_CLIENTS = 2500
CHUNK = 64

History = Sequence[Observation]


@dataclass
class Counts:
    """What the E-step expects: answers by place, and moments of what doesn't show."""

    items: Array  # D, 5, P * POINTS
    levels: Array
    precision: Array
    growth: Array
    waves: Array  # appointments' worth of information on w, sum of its squared means; sum of w w', number of pairs


def fit(histories: Sequence[History], feelings: tuple[str, ...]) -> Model:
    """The model of a practice, from its clients' check-ins so far; no labels, no other past needed.

    With no answers at all, the shipped model. Takes less than a minute for 600 clients.
    """
    model = default_model(feelings)
    histories = [h for h in histories if any(seen.answers for seen in h)]
    if not histories:
        return model
    model = replace(model, answers=learned_answering(histories))
    answers = encoded(histories, model)
    for _ in range(ROUNDS):
        model = better(model, expected(answers, model))
    patterns = [pattern(h) for h in histories]
    return with_curve(model, patterns, CURVE_CLIENTS)


def encoded(histories: Sequence[History], model: Model) -> Array:
    """Answers as an array N, T, D: 1..5, or 0 where there is none."""
    length = 1 + min(LONGEST - 1, max(seen.number for h in histories for seen in h))
    answers = np.zeros((len(histories), length, len(model.feelings)), np.int8)
    for i, history in enumerate(histories):
        for seen in history:
            for feeling, score in seen.answers.items() if seen.number < length else ():
                answers[i, seen.number, model.feelings.index(feeling)] = score
    return answers


def expected(answers: Array, model: Model) -> Counts:
    """The E-step, over declines in all feelings only (those in one are seen as noise of that feeling)."""
    t = tables(replace(model, single=()))
    total = Counts(np.zeros((len(model.feelings), 5, t.chance.shape[2] * POINTS)), *(np.zeros(n) for n in shares(t)))
    for first in range(0, len(answers), CHUNK):
        add(total, answers[first : first + CHUNK], t)
    return total


def shares(t: Tables) -> tuple[int, int, int, int]:
    """Lengths of the expected shares."""
    _, precisions, growths, levels, _ = t.prior.shape
    return levels, precisions, growths, 4


def add(total: Counts, answers: Array, t: Tables) -> None:
    """Forward and backward over some clients; adds what is expected of them."""
    likely = [likelihood(answers[:, n], n, t) for n in range(answers.shape[1])]
    last = 1 + np.max(np.where(answers.any(2), np.arange(answers.shape[1]), 0), axis=1)
    ahead = forward(likely, t)
    after = np.ones_like(ahead[0])
    for n in range(len(likely) - 1, -1, -1):
        now = ahead[n] * after
        scale = now.sum(tuple(range(1, now.ndim)), keepdims=True)
        seen = n < last
        now = now / scale * seen.reshape(-1, 1, 1, 1, 1, 1)
        count_items(total.items, answers[:, n], now, n, t)
        by_wave = now.sum((1, 2, 3, 4))
        mean = by_wave @ WAVES
        total.waves[:2] += seen.sum() - (by_wave @ WAVES**2 - mean**2).sum(), (mean**2).sum()
        if n == 0:
            total.levels += now.sum((0, 1, 2, 3, 5))
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


def likelihood(answers: Array, number: int, t: Tables) -> Array:
    """P(answers at one appointment) by client and state: N, M, P, G, B, Z."""
    place = places(number, t)
    likely = np.ones((len(answers), *place.shape), np.float32)
    for d in range(answers.shape[1]):
        lines = blurred(t.profile, t.chance[d], t).astype(np.float32).reshape(5, -1)
        for score in range(1, 6):
            rows = np.flatnonzero(answers[:, d] == score)
            if len(rows):
                likely[rows] *= lines[score - 1][place]
    return likely


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


def count_items(items: Array, answers: Array, now: Array, number: int, t: Tables) -> None:
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
    model = replace(
        model,
        levels=mixed(counts.levels, shipped.levels),
        precision=reshared(model.precision, mixed(counts.precision, [w for *_, w in shipped.precision])),
        growth=reshared(model.growth, mixed(counts.growth, [w for *_, w in shipped.growth])),
        fluctuation=float(model.fluctuation * np.sqrt(variance)),
        carry=float(np.clip(carry, 0.05, 0.9)),
    )
    return better_items(model, shipped, counts.items)


def mixed(counts: Array, shipped: Sequence[float]) -> tuple[float, ...]:
    """Shares from counts, the shipped ones counting as PRIOR_CLIENTS."""
    shares = counts + PRIOR_CLIENTS * np.array(shipped) / sum(shipped)
    return tuple(float(s) for s in shares / shares.sum())


def reshared(table: Sequence[tuple[float, ...]], shares: Sequence[float]) -> tuple[Any, ...]:
    """A table with its last column replaced."""
    return tuple((*row[:-1], share) for row, share in zip(table, shares, strict=True))


def learned_answering(histories: Sequence[History]) -> tuple[tuple[float, float, float], ...]:
    """Habits of answering: typical share and spread between clients by moments (beta-binomial)."""
    asked = np.array([len(h) for h in histories], float)
    answered = np.array([sum(seen.answered for seen in h) for h in histories], float)
    prior = 10.0
    share = (answered.sum() + 0.68 * prior * 10) / (asked.sum() + prior * 10)
    return answering(float(np.clip(share, 0.1, 0.97)))


def pattern(history: History) -> Pattern:
    """When and what this client was asked; for unanswered check-ins, what another answer of theirs held."""
    held = [tuple(seen.answers) for seen in history if seen.answers]
    return [(seen.number, tuple(seen.answers) or held[k % len(held)]) for k, seen in enumerate(history)]
