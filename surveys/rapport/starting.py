"""The first two answered check-ins, of which the belief can't say much: is this an unusual start for this practice?

There is no usual of the client's own yet to fall from, so an early misfit looks like somebody who always rates low.
What can be said is how often clients of this practice start as low as this, by the practice's own prior.
"""

from __future__ import annotations

import numpy as np

from surveys.rapport.belief import Belief
from surveys.rapport.explaining import BESIDE, NOTICED, Explanation, fall
from surveys.rapport.tables import Array, tables
from surveys.rapport.telling import places

FIRST = 2  # answered check-ins that are a start


def start(belief: Belief) -> float:
    """The chance that a client as usual starts as low as this one has, or lower; 1.0 when this is no start any more.

    The sum of all answers so far is compared, over level, rater, growth, fluctuation and each feeling's own profile.
    """
    if not 1 <= len(belief.answered) <= FIRST or not belief.said:
        return 1.0
    sums = start_sums(belief)
    return float(sums[: sum(score for *_, score in belief.said) + 1].sum())


def start_sums(belief: Belief) -> Array:
    """P(sum of as many answers) for a client as usual, by sum from 0 on."""
    t = tables(belief.model)
    numbers = [number for number in belief.answered if any(at == number for at, *_ in belief.said)]
    weights, last = t.prior.sum(0) / t.prior.sum(), numbers[0]  # P, G, B, Z
    by_state = weights[..., None]  # P, G, B, Z, sum
    for number in numbers:
        moved = np.linalg.matrix_power(t.wave, number - last)
        by_state = np.einsum("pgbzs,zy->pgbys", by_state, moved)
        place = places(number, t)[0]
        for d in (feeling for at, feeling, _ in belief.said if at == number):
            by_state = one_more(by_state, np.einsum("c,kcx->kx", t.profile, t.chance[d])[:, place])
        last = number
    return np.asarray(by_state.sum((0, 1, 2, 3)))


def one_more(by_state: Array, chance: Array) -> Array:
    """The distribution of a sum after one more answer, by state; `chance`: of 1..5, by state."""
    sums = np.zeros((*by_state.shape[:-1], by_state.shape[-1] + 5))
    for score in range(1, 6):
        sums[..., score : score + by_state.shape[-1]] += by_state * chance[score - 1][..., None]
    return sums


def explain_start(belief: Belief) -> Explanation:
    """Which feelings are lowest, against what clients of this practice mostly answer at first."""
    scores = {d: [s for _, each, s in belief.said if each == d] for _, d, _ in belief.said}
    usual = {d: first_mean(belief, d) for d in scores}
    below = {d: usual[d] - sum(of) / len(of) for d, of in scores.items()}
    least = max(NOTICED, BESIDE * max(below.values(), default=0.0))
    low = sorted((d for d, points in below.items() if points >= least), key=lambda d: (-round(below[d], 2), d))
    names, since = tuple(belief.model.feelings[d] for d in low), belief.answered[0]
    return Explanation(
        since=since,
        check_ins=len(belief.answered),
        feelings=names,
        overall=len(low) >= 3 and set(low) == set(scores),
        probability=belief.probability,
        falls=tuple(fall(belief, name, since) for name in names),
        start=True,
    )


def first_mean(belief: Belief, feeling: int) -> float:
    """What clients of this practice answer at first, on average."""
    t = tables(belief.model)
    answer = (t.profile @ t.mean[feeling])[places(0, t)[0]]
    return float((t.prior.sum(0) / t.prior.sum() * answer).sum())
