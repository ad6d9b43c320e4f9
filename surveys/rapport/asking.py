"""What to ask next: the answers expected to tell most about whether rapport is down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surveys.rapport.belief import Belief
from surveys.rapport.filtering import ahead, change_chances
from surveys.rapport.model import CHANGE
from surveys.rapport.tables import Array, Index, Tables, tables
from surveys.rapport.telling import places

DOUBT = 0.1  # probability of a decline from which a further question is worth its place at every check-in


def choose(belief: Belief, n: int, always: Sequence[str] = ()) -> tuple[str, ...]:
    """Up to n digits to ask next.

    With `always`, those first, in their order, then feelings where doubt is greatest: at every second appointment, or
    at each while a decline is in doubt. Without it, free choice among feelings and "change" (compared with usual).
    """
    t = tables(belief.model)
    number = belief.number + 1
    worth = worths(ahead(belief, 1, t), number, t)
    if not always:
        names = (*belief.model.feelings, CHANGE)
        return tuple(names[i] for i in np.argsort(-worth, kind="stable")[:n])
    asked = tuple(always)[:n]
    doubtful = float(belief.weights[1:].sum()) > DOUBT
    rest = [belief.model.feelings[i] for i in np.argsort(-worth[:-1], kind="stable")]
    more = [f for f in rest if f not in asked][: n - len(asked)]
    return asked + tuple(more) if doubtful or number % 2 else asked


def worths(belief: Belief, number: int, t: Tables) -> Array:
    """Mutual information between "down now" and each answer, one per feeling and last "change" (Shannon, nats)."""
    modes = belief.weights.sum((1, 2, 3, 4))
    chances = [answers_by_mode(belief, d, p, t) for d, p in enumerate(by_mode(belief, number, t))]
    small = belief.weights.sum((2, 3))
    chances.append(np.einsum("kmpz,mpz->mk", change_chances(belief.memory, t), small))
    return np.array([information(c, modes) for c in chances])


def by_mode(belief: Belief, number: int, t: Tables) -> list[Array]:
    """Weight by mode, precision and place, for each feeling: M, P * POINTS."""
    place = places(number, t)
    own, modes, size = 1 + t.all_drops, len(belief.weights), t.mean.shape[-1]
    feelings = len(belief.model.feelings)
    apart = spread(belief.weights, np.concatenate([place[:own], np.repeat(place[:1], modes - own, 0)]), size)
    down = spread(belief.weights[own:], np.tile(place[own:], (feelings, 1, 1, 1, 1)), size)
    down = down.reshape(feelings, -1, size)
    result = []
    for d in range(feelings):
        mine = apart.copy()
        mine[own:].reshape(feelings, -1, size)[d] = down[d]
        result.append(mine)
    return result


def spread(weights: Array, place: Index, size: int) -> Array:
    """Weights gathered by mode and place."""
    modes = len(weights)
    at = place + size * np.arange(modes)[:, None, None, None, None]
    gathered: Array = np.bincount(at.ravel(), weights.ravel(), modes * size)
    return gathered.reshape(modes, size)


def answers_by_mode(belief: Belief, d: int, weights: Array, t: Tables) -> Array:
    """P(mode, answer to feeling d): M, 5."""
    return np.asarray(weights @ (belief.profiles[d] @ t.chance[d]).T)


def information(joint: Array, modes: Array) -> float:
    """Mutual information between an answer and "down", from P(mode, answer)."""
    both = np.stack([joint[0], joint[1:].sum(0)])
    apart = both.sum(1, keepdims=True) * both.sum(0, keepdims=True) / max(float(modes.sum()), 1e-300)
    return float((both * np.log(np.maximum(both, 1e-300) / np.maximum(apart, 1e-300))).sum())
