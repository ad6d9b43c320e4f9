"""Learning a practice's own model from its unlabelled check-ins (empirical Bayes, by EM), with shipped priors.

The shipped model counts as a number of clients (or check-ins) of its own, so that a small practice stays near it. What
unlabelled check-ins hardly tell (how often declines begin, their sizes) is left as shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surveys.rapport.alarms import Pattern, with_curve
from surveys.rapport.expectation import Counts, History, encoded, expected
from surveys.rapport.filtering import begin, foreseen, update
from surveys.rapport.items import better_items
from surveys.rapport.model import Model, default_model
from surveys.rapport.tables import Array

ROUNDS = 10  # more moves only the scale, which the answers don't fix
LEVEL_ROUNDS = 30
PRIOR_CLIENTS = 60.0  # what the shipped shares of levels, raters and growth count
PRIOR_CHECK_INS = 100.0  # what the shipped fluctuation, carry-over and off days count
ENOUGH_PAIRS, ENOUGH_ANSWERED = 60, 6  # as many clients as the shipped shares count, known well enough to place
HELD_OUT = 5  # one in so many clients
CURVE_CLIENTS = 4000  # so that the threshold's own error moves false alarms by about 4 %


def fit(
    histories: Sequence[History],
    feelings: tuple[str, ...],
    progress: Callable[[int, int], None] = lambda *_: None,
    curve_clients: int = CURVE_CLIENTS,
) -> Model:
    """The model of a practice, from its clients' check-ins so far; no labels, no other past needed.

    With no answers at all, the shipped model. Takes less than a minute for 600 clients. `progress` is told how many
    rounds of how many are done; with no `curve_clients` to simulate, the model has the shipped thresholds.
    """
    model = default_model(feelings)
    histories = [h for h in histories if any(seen.answers for seen in h)]
    if not histories:
        return model
    answers = encoded(histories, model)
    for number in range(ROUNDS):
        model = better(model, expected(answers, model))
        progress(number + 1, ROUNDS)
    if not curve_clients:
        return model
    patterns = [pattern(h) for h in histories]
    return with_curve(model, patterns, curve_clients)


def enough(histories: Sequence[History]) -> bool:
    """Whether there is enough to learn from: ENOUGH_PAIRS clients with ENOUGH_ANSWERED answered check-ins or more."""
    known = (sum(seen.answered for seen in history) >= ENOUGH_ANSWERED for history in histories)
    return sum(known) >= ENOUGH_PAIRS


def held_out(histories: Sequence[History]) -> tuple[list[History], list[History]]:
    """Most clients, to learn from, and every fifth, to see on how well what was learned foresees others."""
    rest = [history for i, history in enumerate(histories) if i % HELD_OUT]
    return rest, list(histories[::HELD_OUT])


def score(model: Model, histories: Sequence[History]) -> float:
    """How well a model foresees answers: the mean log chance of an answered check-in, given those before. Higher is
    better; it can't be raised by anything but being right (a proper score)."""
    logs = []
    for history in histories:
        belief = begin(model)
        for seen in history:
            if seen.answers:
                logs.append(foreseen(belief, seen))
            belief = update(belief, seen)
    return float(np.mean(logs)) if logs else 0.0


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
