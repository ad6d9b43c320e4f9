"""How often ordinary clients alarm: simulated from a model, so that a threshold needs no labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from surveys.rapport.belief import Observation
from surveys.rapport.filtering import begin, update
from surveys.rapport.model import GROWTH_FADES, LEVELS, Model
from surveys.rapport.tables import Array

ANSWERED = 0.65  # of check-ins, typically
AGAIN = 4  # a flag that stays up is told again after so many appointments
RATES = (0.004, 0.007, 0.012, 0.02, 0.033, 0.055, 0.09, 0.15)
Pattern = Sequence[tuple[int, tuple[str, ...]]]  # appointment number, feelings answered then (none: silence)
Run = list[tuple[int, float]]  # appointment number, evidence


def with_curve(model: Model, patterns: Sequence[Pattern], clients: int, seed: int = 1) -> Model:
    """The model with its curve of false alarms: clients who stay as usual, answering as in `patterns`, filtered."""
    rng = np.random.default_rng(seed)
    runs, answered = [], 0
    for i in range(clients):
        history = list(stable_client(model, patterns[i % len(patterns)], rng))
        answered += sum(seen.answered for seen in history)
        runs.append(evidence(model, history))
    return replace(model, curve=tuple((rate, evidence_at(rate * answered, runs)) for rate in RATES))


def evidence(model: Model, history: Sequence[Observation]) -> Run:
    """Evidence, check-in by check-in."""
    belief, run = begin(model), []
    for seen in history:
        belief = update(belief, seen)
        run.append((seen.number, belief.evidence))
    return run


def evidence_at(alarms: float, runs: Sequence[Run]) -> float:
    """The evidence at which these runs alarm so many times in all (bisection)."""
    low, high = -9.0, 15.0
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(count(run, middle) for run in runs) > alarms else (low, middle)
    return high


def count(run: Run, threshold: float) -> int:
    """Alarms in one run; a flag that stays up counts again every AGAIN appointments."""
    alarms, last = 0, -AGAIN
    for number, height in run:
        if height >= threshold and number - last >= AGAIN:
            alarms, last = alarms + 1, number
    return alarms


def stable_client(model: Model, pattern: Pattern, rng: np.random.Generator) -> Iterator[Observation]:
    """One client drawn from the model who stays as usual."""
    precision, factor = drawn(model.precision, rng)
    (growth,) = drawn(model.growth, rng)
    level = drawn(tuple(zip(LEVELS, model.levels, strict=True)), rng)[0] + rng.uniform(-0.5, 0.5) * (
        LEVELS[1] - LEVELS[0]
    )
    profile = rng.normal(0, model.profile, len(model.feelings))
    wave, last = rng.normal(), pattern[0][0]
    for number, asked in pattern:
        for _ in range(number - last):
            wave = model.carry * wave + np.sqrt(1 - model.carry**2) * rng.normal()
        last, now = number, model.fluctuation * factor * wave
        theta = level - growth * np.exp(-number / GROWTH_FADES) + now + profile
        if rng.random() < model.off_days:
            theta = theta - rng.choice([size for size, _ in model.drops])
        yield Observation(number, bool(asked), answered_with(model, asked, precision, theta, rng))


def drawn(table: Sequence[tuple[float, ...]], rng: np.random.Generator) -> tuple[float, ...]:
    """One row of a table whose last column is its share, without that column."""
    shares = np.array([row[-1] for row in table])
    return table[rng.choice(len(table), p=shares / shares.sum())][:-1]


def answered_with(
    model: Model, asked: Sequence[str], precision: float, theta: Array, rng: np.random.Generator
) -> dict[str, int]:
    """Answers under the graded-response model."""
    answers = {}
    for feeling in asked:
        d = model.feelings.index(feeling)
        at_least = logistic(precision * model.slope[d] * (theta[d] - model.shift[d] - np.array(model.steps)))
        answers[feeling] = 1 + int((rng.random() < at_least).sum())
    return answers


def logistic(x: Array) -> Array:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-x)))


def rotation(feelings: tuple[str, ...], each: int, clients: int, seed: int = 2) -> list[Pattern]:
    """Patterns of 8 to 20 appointments, so many feelings in turn; a third unanswered."""
    rng = np.random.default_rng(seed)
    patterns: list[Pattern] = []
    for _ in range(clients):
        turn: list[str] = []
        pattern = []
        for number in range(int(rng.integers(8, 21))):
            if len(turn) < each:
                turn += [str(f) for f in rng.permutation(feelings) if f not in turn]
            pattern.append((number, tuple(turn[:each]) if rng.random() < ANSWERED else ()))
            turn = turn[each:]
        patterns.append(pattern)
    return patterns
