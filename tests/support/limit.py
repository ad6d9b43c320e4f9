"""The limit of the bench: an exact filter that knows the simulated practice and each client's own usual."""

import numpy as np

from tests.support.practice import CARRIED, DROPS, FEELINGS, NOISE, SINGLE, WOBBLE, Array, Practice

WAVES = np.linspace(-2.7, 2.7, 9)
BEGINS = 0.06  # chance per visit; the read-out hardly depends on it
EDGES = np.array([-np.inf, 1.5, 2.5, 3.5, 4.5, np.inf])


def limit(people: Practice) -> Array:
    """Log odds that this client is down at each visit: N, T."""
    modes, step, begins = drops_by_mode(), wave_steps(), mode_steps()
    weights = np.zeros((len(people.visits), len(modes), len(WAVES)))
    weights[:, 0] = np.exp(-0.5 * WAVES**2) / np.exp(-0.5 * WAVES**2).sum()
    said = np.full(people.answers.shape[:2], -np.inf)
    for number in range(people.answers.shape[1]):
        if number:
            weights = np.einsum("nmz,mk->nkz", weights @ step, begins)
        weights = weights * likelihood(people, number, modes)
        weights /= weights.sum((1, 2), keepdims=True)
        down = weights[:, 1:].sum((1, 2))
        heard = people.answered[:, number]
        said[heard, number] = np.log(np.maximum(down, 1e-12) / np.maximum(1 - down, 1e-12))[heard]
    return said


def drops_by_mode() -> Array:
    """What each feeling loses in each mode; none in the first: M, D."""
    every = np.array(DROPS)[:, None] * np.ones(len(FEELINGS))
    return np.concatenate([np.zeros((1, len(FEELINGS))), every, SINGLE * np.eye(len(FEELINGS))])


def mode_steps() -> Array:
    """A decline begins and stays."""
    step = np.eye(1 + len(DROPS) + len(FEELINGS))
    starts = np.array([0.75 / len(DROPS)] * len(DROPS) + [0.25 / len(FEELINGS)] * len(FEELINGS))
    step[0] = np.concatenate([[1 - BEGINS], BEGINS * starts])
    return step


def wave_steps() -> Array:
    """One visit of what carries over."""
    gap = (WAVES[None] - CARRIED * WAVES[:, None]) / np.sqrt(1 - CARRIED**2)
    step = np.exp(-0.5 * gap**2)
    return np.asarray(step / step.sum(1, keepdims=True))


def likelihood(people: Practice, number: int, modes: Array) -> Array:
    """P(the answers at one visit) by client, mode and wave."""
    felt = people.usual[:, None, None, :] - modes[:, None, :] + (WOBBLE * WAVES)[:, None]
    score = people.answers[:, number][:, None, None, :]
    below, above = ((EDGES[np.maximum(score - low, 0)] - felt) / NOISE for low in (1, 0))
    chance = np.where(score > 0, np.maximum(normal(above) - normal(below), 1e-9), 1.0)
    return np.asarray(chance.prod(-1))


def normal(x: Array) -> Array:
    """The normal distribution function, close enough (Bowling 2009: logistic with a cubic term, error < 2e-4)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(1.5976 * x + 0.07056 * x**3, -500, 500))))
