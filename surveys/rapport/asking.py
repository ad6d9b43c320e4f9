"""What to ask next: the answers expected to tell most about whether rapport is down.

For each digit that could be asked, the mutual information (Lindley 1956) between its answer and "down" at the next
appointment. Taking off what digits share with each other was tried and gained nothing (docs/signal.md). States are
gathered into coarse places, which is enough to choose by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surveys.rapport.belief import Belief
from surveys.rapport.filtering import ahead, change_chances
from surveys.rapport.model import CHANGE
from surveys.rapport.tables import POINTS, STEP, Array, Tables, tables
from surveys.rapport.telling import places

COARSE = 12  # places of the line taken together
CENTRES = np.minimum(np.arange(0, POINTS + COARSE, COARSE) + COARSE // 2, POINTS - 1)
DOUBT = 0.1  # probability of a decline from which a further question is worth its place at every check-in


def choose(belief: Belief, n: int, always: Sequence[str] = ()) -> tuple[str, ...]:
    """Up to n digits to ask next.

    With `always`, those first, in their order, then feelings where doubt is greatest: at every second appointment,
    or at each while a decline is in doubt. Without it, free choice among feelings and "change" (compared with usual).
    """
    asked = tuple(always)[:n]
    if asked and not wanted(belief):
        return asked
    names = belief.model.feelings if asked else (*belief.model.feelings, CHANGE)
    worth = worths(belief)
    more = sorted((name for name in names if name not in asked), key=lambda name: -worth[name])
    return asked + tuple(more[: n - len(asked)])


def wanted(belief: Belief) -> bool:
    """Whether a question beyond those always asked is due."""
    return belief.number % 2 == 1 or belief.probability > DOUBT  # the first, the third, the fifth ...


def worths(belief: Belief) -> dict[str, float]:
    """What each answer would tell of "down" at the next appointment, in nats."""
    t = tables(belief.model)
    belief, number = ahead(belief, 1, t), belief.number + 1
    feelings = feeling_answers(belief, number, t)
    change = np.einsum("kmpz,mpz->km", change_chances(belief.memory, t), belief.weights.sum((2, 3)))
    joint = np.concatenate([feelings, change[None]])  # D + 1, 5, M
    usual_or_down = np.stack([joint[..., 0], joint[..., 1:].sum(-1)], axis=-1)
    return dict(zip((*belief.model.feelings, CHANGE), information(usual_or_down).tolist(), strict=True))


def feeling_answers(belief: Belief, number: int, t: Tables) -> Array:
    """P(answer, mode) for each feeling: D, 5, M."""
    feelings, own = len(belief.model.feelings), 1 + t.all_drops
    drops = np.rint(t.drops / STEP).astype(np.intp)
    lines = np.einsum("dc,dkcx->dkx", belief.profiles, t.chance).reshape(feelings, 5, -1, POINTS)
    at = np.clip(CENTRES - drops[:, None], 0, POINTS - 1)  # S, coarse
    chances = np.moveaxis(lines[..., at], 3, 2).reshape(feelings, 5, len(drops), -1)
    weights = coarse_weights(belief, number, t)  # M, P * coarse
    singles = weights[own:].reshape(feelings, -1, weights.shape[1])
    answers = np.einsum("dkx,mx->dkm", chances[:, :, 0], weights)
    answers[:, :, :own] = np.einsum("dksx,sx->dks", chances[:, :, :own], weights[:own])
    own_drop = np.einsum("dksx,dsx->dks", chances[:, :, own:], singles)
    for d in range(feelings):
        first = own + d * own_drop.shape[2]
        answers[d, :, first : first + own_drop.shape[2]] = own_drop[d]
    return np.asarray(answers)


def coarse_weights(belief: Belief, number: int, t: Tables) -> Array:
    """Weight by mode, precision and coarse place, before any drop: M, P * coarse."""
    where = places(number, t)[0] % POINTS // COARSE  # P, G, B, Z
    modes, precisions = len(belief.weights), len(where)
    size = len(CENTRES)
    spot = where + size * np.arange(precisions)[:, None, None, None]
    spot = spot + size * precisions * np.arange(modes)[:, None, None, None, None]
    gathered = np.bincount(spot.ravel(), belief.weights.ravel(), modes * precisions * size).astype(np.float64)
    return gathered.reshape(modes, -1)


def information(joint: Array) -> Array:
    """Mutual information of an answer and "down" at even odds, from P(answer, as usual or down): ..., 5, 2.

    Even odds, since a question is asked for the client who may be down: at the odds as they are, nearly all the
    information would be about clients who are as usual.
    """
    even = joint / np.maximum(joint.sum(-2, keepdims=True), 1e-300)
    either = even.mean(-1, keepdims=True)
    return np.asarray((even * np.log(np.maximum(even, 1e-300) / np.maximum(either, 1e-300))).sum((-1, -2)) / 2)
