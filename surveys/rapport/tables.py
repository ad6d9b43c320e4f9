"""A model made into arrays, once: the grid of states, the chance of every answer in each, and one step ahead.

A state is (mode, precision, growth, level, fluctuation). Feelings' profiles are kept beside the grid as separate
small distributions, as if independent of it (assumed-density filtering), which keeps it small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from surveys.rapport.model import GROWTH_FADES, LEVELS, Model

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

STEP, LOWEST, HIGHEST = 0.05, -10.0, 8.0  # theta is looked up on this fine line
POINTS = round((HIGHEST - LOWEST) / STEP) + 1
WAVES = np.linspace(-3.0, 3.0, 7)  # fluctuation, in its own sd
PROFILE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])  # a feeling's own offset, in the profile's sd
CHANGE_SLOPE, CHANGE_STEPS = (
    2.0,
    np.array([-1.5, -0.5, 0.5, 1.5]),
)  # half an sd is noticed (Norman et al. 2003)
FADED = 24  # appointments after which no growth is left to speak of


@dataclass(frozen=True)
class Tables:
    """Arrays of one model. Axes: M modes, P precisions, G growths, B levels, Z fluctuation, S drops, D feelings."""

    prior: Array  # M, P, G, B, Z
    wave: Array  # Z, Z: one step of the fluctuation, rows from
    mode: Array  # M, M: one step of the mode, rows from
    theta: Index  # S, P, G, B, Z: place on the line, before growth
    growth: Index  # G: places to go down at appointment 0
    drops: Array  # S: size of each drop; 0 first, then for all feelings, then for one
    all_drops: int  # how many of them are for all
    chance: Array  # D, 5, C, P * POINTS: P(answer), by the feeling's own offset
    mean: Array  # D, C, P * POINTS: expected answer
    profile: Array  # C: prior weights of the offsets
    feel: Array  # M, P, Z: fluctuation less the mean drop, what a client compares with usual
    change_slope: Array  # P
    change_steps: Array  # 4


@lru_cache(maxsize=32)
def tables(model: Model) -> Tables:
    """The model's arrays; made once for each model."""
    drops = np.array([0.0] + [d for d, _ in model.drops] + [d for d, _ in model.single])
    wave, waves = wave_steps(model.carry), WAVES * model.fluctuation
    theta = place_states(model, drops, waves)
    chance = with_profile(answer_chances(model), model)
    return Tables(
        prior=first_prior(model, wave),
        wave=wave,
        mode=mode_steps(model),
        theta=theta,
        growth=np.rint(np.array([g for g, _ in model.growth]) / STEP).astype(np.intp),
        drops=drops,
        all_drops=len(model.drops),
        chance=chance,
        mean=np.einsum("dkcx,k->dcx", chance, np.arange(1.0, 6.0)),
        profile=bell(PROFILE),
        feel=felt(model, drops, waves),
        change_slope=CHANGE_SLOPE * np.array([s for s, *_ in model.precision]),
        change_steps=CHANGE_STEPS,
    )


def bell(x: Array) -> Array:
    """Normal weights on a few points, summing to one."""
    weights = np.exp(-0.5 * np.square(x))
    return np.asarray(weights / weights.sum())


def wave_steps(carry: float) -> Array:
    """One step of a stationary AR(1) of unit variance, on WAVES."""
    gap = (WAVES[None, :] - carry * WAVES[:, None]) / np.sqrt(1 - carry**2)
    step = np.exp(-0.5 * gap**2)
    return np.asarray(step / step.sum(1, keepdims=True))


def mode_steps(model: Model) -> Array:
    """One step of the mode: as usual, each drop in all feelings, each drop in each feeling alone."""
    feelings, all_drops, single = len(model.feelings), len(model.drops), len(model.single)
    size = 1 + all_drops + feelings * single
    step = np.zeros((size, size))
    start = [share for _, share in model.drops] + [share / feelings for _, share in model.single] * feelings
    step[0, 1:] = model.begins * np.array(start) / sum(start)
    step[1:, 0] = model.mends
    for at in range(1, all_drops):
        step[at, at + 1] = model.deepens
    np.fill_diagonal(step, 1 - step.sum(1))
    return step


def first_prior(model: Model, wave: Array) -> Array:
    """The belief before appointment 0: everyone as usual."""
    stay = np.linalg.matrix_power(wave, 64)[0]
    parts = [
        np.array([w for *_, w in model.precision]),
        np.array([w for _, w in model.growth]),
        model.levels,
        stay,
    ]
    grid = np.einsum("p,g,b,z->pgbz", *parts)
    prior = np.zeros((1 + len(model.drops) + len(model.feelings) * len(model.single), *grid.shape))
    prior[0] = grid / grid.sum()
    return prior


def place_states(model: Model, drops: Array, waves: Array) -> Index:
    """Where on the line each state feels, by drop: S, P, G, B, Z."""
    factor = np.array([f for _, f, _ in model.precision])
    theta = np.array(LEVELS)[None, :, None] + factor[:, None, None] * waves
    theta = theta[None, :, None] - drops[:, None, None, None, None]
    theta = np.broadcast_to(theta, (len(drops), len(factor), len(model.growth), *theta.shape[3:]))
    return np.rint((theta - LOWEST) / STEP).astype(np.intp)


def answer_chances(model: Model) -> Array:
    """P(answer = 1..5) by feeling, precision and place: D, 5, P, POINTS."""
    theta = LOWEST + STEP * np.arange(POINTS)
    s = np.array([s for s, *_ in model.precision])
    at_least = np.ones((len(model.feelings), 6, len(s), POINTS))
    at_least[:, 5] = 0.0
    for d, (slope, shift) in enumerate(zip(model.slope, model.shift, strict=True)):
        for k, edge in enumerate(model.steps):
            at_least[d, k + 1] = 1 / (1 + np.exp(-s[:, None] * slope * (theta - shift - edge)))
    return at_least[:, :-1] - at_least[:, 1:]


def felt(model: Model, drops: Array, waves: Array) -> Array:
    """Fluctuation less the mean drop over feelings: M, P, Z."""
    feelings, all_drops = len(model.feelings), len(model.drops)
    mean_drop = np.concatenate([drops[: 1 + all_drops], np.tile(drops[1 + all_drops :] / feelings, feelings)])
    factor = np.array([f for _, f, _ in model.precision])
    return np.asarray(factor[None, :, None] * waves - mean_drop[:, None, None])


def fade(number: int) -> float:
    """The share of growth still to come at an appointment."""
    return float(np.exp(-min(number, FADED) / GROWTH_FADES))


def with_profile(lines: Array, model: Model) -> Array:
    """Lines by precision and place, at each offset a feeling may have of its own: ..., C, P * POINTS."""
    offsets = np.rint(PROFILE * model.profile / STEP).astype(np.intp)
    moved = [lines[..., np.clip(np.arange(POINTS) + by, 0, POINTS - 1)] for by in offsets]
    return np.stack([m.reshape(*m.shape[:-2], -1) for m in moved], axis=-2)
