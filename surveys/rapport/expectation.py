"""The E-step of learning: what a model expects of many clients' check-ins, forward and backward over the grid.

Declines in one feeling are left out here (they are seen as noise of that feeling), which keeps the grid small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from surveys.rapport.belief import Observation
from surveys.rapport.model import Model
from surveys.rapport.tables import WAVES, Array, Tables, tables
from surveys.rapport.telling import places

LONGEST = 40  # appointments of a client looked at
CHUNK = 64  # clients at once

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
    ahead = forward(likely, t)
    # appointments after a client's last answer tell nothing
    heard = np.arange(answers.shape[1]) <= np.max(np.where(answers.any(2), np.arange(answers.shape[1]), -1), 1)[:, None]
    after = np.ones_like(ahead[0])
    for n in range(len(likely) - 1, -1, -1):
        now = normed(ahead[n] * after) * heard[:, n].reshape(-1, 1, 1, 1, 1, 1)
        count_answers(total, answers[:, n], now, off[n], n, t)
        count_waves(total, now, heard[:, n])
        if n:
            weighed = likely[n] * after
            count_pairs(total, ahead[n - 1], weighed, heard[:, n], t)
            after = normed(back(weighed, t))
    total.levels.extend(now.sum((1, 2, 3, 5)) / t.prior.sum((0, 1, 2, 4)))
    total.precision += now.sum((0, 1, 3, 4, 5))
    total.growth += now.sum((0, 1, 2, 4, 5))


def normed(weights: Array) -> Array:
    """Weights of each client summing to one."""
    return np.asarray(weights / weights.sum((1, 2, 3, 4, 5), keepdims=True))


def count_answers(total: Counts, answers: Scores, now: Array, off: Array, number: int, t: Tables) -> None:
    """Off days, and answers by place on days that weren't."""
    kept, answered = now.copy(), answers.any(1)
    kept[:, 0] *= 1 - off
    total.off_days += (now - kept)[answered].sum(), now[answered, 0].sum()
    place, flat = places(number, t).ravel(), kept.reshape(len(kept), -1)
    for d in range(answers.shape[1]):
        for score in range(1, 6):
            rows = answers[:, d] == score
            if rows.any():
                total.items[d, score - 1] += np.bincount(place, flat[rows].sum(0), total.items.shape[2])


def count_waves(total: Counts, now: Array, heard: Array) -> None:
    """How much is known of the fluctuation (one less its variance), and its squared mean."""
    by_wave = now.sum((1, 2, 3, 4))
    mean = by_wave @ WAVES
    total.waves[:2] += heard.sum() - (by_wave @ WAVES**2 - mean**2).sum(), (mean**2).sum()


def count_pairs(total: Counts, before: Array, weighed: Array, heard: Array, t: Tables) -> None:
    """Products of neighbouring fluctuations."""
    pair = (step(before * WAVES.astype(np.float32), t) * weighed).sum((1, 2, 3, 4)) @ WAVES
    norm = (step(before, t) * weighed).sum((1, 2, 3, 4, 5))
    total.waves[2:] += (pair / norm * heard).sum(), heard.sum()


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
    ahead = [normed(t.prior.astype(np.float32)[None] * likely[0])]
    for now in likely[1:]:
        ahead.append(normed(step(ahead[-1], t) * now))
    return ahead


def step(belief: Array, t: Tables) -> Array:
    """One appointment ahead, many clients at once."""
    moved = belief @ t.wave.astype(np.float32)
    return np.asarray(np.einsum("nm...,mk->nk...", moved, t.mode.astype(np.float32), optimize=True))


def back(after: Array, t: Tables) -> Array:
    """One appointment back: the chance of all that comes after."""
    moved = after @ t.wave.T.astype(np.float32)
    return np.asarray(np.einsum("nk...,mk->nm...", moved, t.mode.astype(np.float32), optimize=True))
