"""How one check-in changes a belief: one step ahead, then Bayes' rule on a small grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from surveys.rapport.belief import REMEMBERED, Belief, Observation, rounded
from surveys.rapport.model import LEVELS, Model
from surveys.rapport.tables import Array, Tables, tables
from surveys.rapport.telling import places, stands

LONGEST_GAP = 12  # appointments stepped over one by one; after more, little is left of what carried over
FORGETS = 0.3  # how fast "usual" becomes what the last appointments were (recall of change leans on the present)
UNKNOWN = -9.0  # evidence before anything was answered
FAIR_FROM, FAIR_LEVEL, FAIR_NOISE = -0.5, 0.3, 0.9
FADES = 0.3  # evidence fades while nothing is answered, and never rises: silence alone is no alarm
NEGLIGIBLE = 1e-9  # weights below are dropped: they cost room and say nothing


def begin(model: Model) -> Belief:
    """The belief about a client of whom nothing is known yet."""
    t = tables(model)
    modes = t.prior.shape[0]
    profiles = np.tile(t.profile, (len(model.feelings), 1))
    began = np.zeros((modes, REMEMBERED))
    return Belief(model, -1, rounded(t.prior), rounded(profiles), np.zeros(modes), began, (), (), UNKNOWN)


def assess(history: Iterable[Observation], model: Model) -> Belief:
    """The belief after a whole history, in order."""
    belief = begin(model)
    for observation in history:
        belief = update(belief, observation)
    return belief


def update(belief: Belief, seen: Observation) -> Belief:
    """The belief after one more check-in, answered or not.

    Appointments skipped in between count as time passed. Raises ValueError for an unknown feeling or a score outside
    1..5.
    """
    check(seen, belief.model)
    t = tables(belief.model)
    belief = ahead(belief, seen.number - belief.number, t)
    belief = replace(belief, number=max(seen.number, belief.number))
    if seen.answered:
        belief = hear_answers(belief, seen.answers, t) if seen.answers else belief
        belief = hear_change(belief, seen.change, t) if seen.change else belief
        belief = remember(belief, seen)
    return judge(settle(belief, t), bool(seen.answers) or seen.change is not None)


def foreseen(belief: Belief, seen: Observation) -> float:
    """The log of the chance, before it came, of what a check-in was answered; 0.0 where nothing was."""
    check(seen, belief.model)
    if not seen.answers:
        return 0.0
    t = tables(belief.model)
    belief = replace(ahead(belief, seen.number - belief.number, t), number=max(seen.number, belief.number))
    place = places(belief.number, t)
    asked = [(belief.model.feelings.index(f), score) for f, score in seen.answers.items()]
    lines = {d: (belief.profiles[d] @ t.chance[d, score - 1])[place] for d, score in asked}
    chance = float((belief.weights * likelihood(lines, belief, t)).sum() / belief.weights.sum())
    return float(np.log(max(chance, 1e-300)))


def remember(belief: Belief, seen: Observation) -> Belief:
    """Keeps what was answered at the last REMEMBERED answered check-ins, for words and pictures only."""
    answered = (*belief.answered, seen.number)[-REMEMBERED:]
    places = sorted((belief.model.feelings.index(feeling), score) for feeling, score in seen.answers.items())
    said = (*belief.said, *((seen.number, feeling, score) for feeling, score in places))
    return replace(belief, answered=answered, said=tuple(each for each in said if each[0] >= answered[0]))


def check(seen: Observation, model: Model) -> None:
    """Refuses what can't be an answer, naming it."""
    for feeling, score in [*seen.answers.items(), ("change", seen.change or 3)]:
        if feeling not in (*model.feelings, "change"):
            raise ValueError(f"{feeling!r} is not one of the feelings {model.feelings}")
        if score not in (1, 2, 3, 4, 5):
            raise ValueError(f"an answer is 1..5, not {score!r} ({feeling})")


def ahead(belief: Belief, steps: int, t: Tables) -> Belief:
    """The belief some appointments later: fluctuation carries over, a decline may begin, deepen or mend."""
    for _ in range(min(steps, LONGEST_GAP) if belief.number >= 0 else 0):
        belief = one_ahead(belief, t)
    return belief


def one_ahead(belief: Belief, t: Tables) -> Belief:
    """One appointment later; what is remembered and when it began move with each mode's weight."""
    flow = belief.weights.sum((1, 2, 3, 4))[:, None] * t.mode
    into = np.maximum(flow.sum(0), 1e-300)
    weights = t.mode.T @ (belief.weights @ t.wave).reshape(len(flow), -1)
    began = np.zeros_like(belief.began)
    began[:, 1:] = (flow.T @ belief.began)[:, :-1]
    began[:, -1] += flow.T @ belief.began[:, -1]
    began[1:, 0] += flow[0, 1:]
    began[0] = 0
    memory = flow.T @ belief.memory / into
    return replace(belief, weights=weights.reshape(belief.weights.shape), began=began / into[:, None], memory=memory)


def hear_change(belief: Belief, change: int, t: Tables) -> Belief:
    """Weighs "compared with usual": a rating of now less what is remembered as usual."""
    likely = change_chances(belief.memory, t)[change - 1]
    weights = belief.weights * likely[:, :, None, None, :]
    return replace(belief, weights=weights / weights.sum())


def change_chances(memory: Array, t: Tables) -> Array:
    """P(change = 1..5): 5, M, P, Z."""
    gap = t.feel - memory[:, None, None]
    at_least = np.ones((6, *gap.shape))
    at_least[5] = 0
    at_least[1:5] = 1 / (1 + np.exp(-t.change_slope[:, None] * (gap - t.change_steps[:, None, None, None])))
    return np.asarray(at_least[:-1] - at_least[1:])


def hear_answers(belief: Belief, answers: Mapping[str, int], t: Tables) -> Belief:
    """Weighs the answers (Samejima's graded response), then what each tells about its feeling's own profile."""
    place = places(belief.number, t)
    asked = [(belief.model.feelings.index(f), score) for f, score in answers.items()]
    lines = {d: belief.profiles[d] @ t.chance[d, score - 1] for d, score in asked}
    weights = belief.weights * likelihood({d: line[place] for d, line in lines.items()}, belief, t)
    weights /= weights.sum()
    profiles = belief.profiles.copy()
    for d, score in asked:
        ratio = stands(weights, d, place, t) / np.maximum(lines[d], 1e-300)
        profiles[d] *= t.chance[d, score - 1] @ ratio
        profiles[d] /= profiles[d].sum()
    return replace(belief, weights=weights, profiles=profiles)


def likelihood(each: Mapping[int, Array], belief: Belief, t: Tables) -> Array:
    """P(all answers) by state: M, P, G, B, Z. A single drop touches its own feeling alone."""
    own = 1 + t.all_drops
    together = np.prod(list(each.values()), axis=0)
    likely: Array = np.empty_like(belief.weights)
    likely[:own] = together[:own]
    singles = likely[own:].reshape(len(belief.model.feelings), -1, *likely.shape[1:])
    singles[:] = together[0]
    for d, line in each.items():
        singles[d] *= line[own:] / np.maximum(line[0], 1e-300)
    likely[0] = off_day(together, belief.model, t)
    return likely


def off_day(together: Array, model: Model, t: Tables) -> Array:
    """P(all answers) of a client as usual, on a day that may be off."""
    off = together[1 : 1 + t.all_drops].mean(0)
    return np.asarray((1 - model.off_days) * together[0] + model.off_days * off)


def settle(belief: Belief, t: Tables) -> Belief:
    """Memory moves towards now; everything is rounded as it will be stored."""
    small = belief.weights.sum((2, 3))
    by_mode = small.sum((1, 2))
    felt = (small * t.feel).sum((1, 2)) / np.maximum(by_mode, 1e-300)
    memory = np.where(by_mode > 0, belief.memory + FORGETS * (felt - belief.memory), 0)
    weights = np.where(belief.weights > NEGLIGIBLE, belief.weights, 0)
    return replace(
        belief,
        weights=rounded(weights / weights.sum()),
        profiles=rounded(belief.profiles),
        memory=rounded(memory),
        began=rounded(belief.began),
    )


def judge(belief: Belief, told: bool) -> Belief:
    """Evidence after this check-in: log odds of "down now", less what makes raters alarm equally often.

    Clients who use the middle of the scale show every fluctuation, clients at its top show few: at one threshold the
    first would be flagged for how they rate. So evidence is lowered with the distance of the believed level below
    FAIR_FROM, and with the chance that the client rates at random (both set by the run in docs/signal.md).
    """
    if not told:
        return replace(belief, evidence=max(belief.evidence - FADES, UNKNOWN))
    down = belief.probability
    odds = np.log(max(down, 1e-12) / max(1 - down, 1e-12))
    by_rater = belief.weights.sum((0, 2, 4))  # P, B
    level = float(by_rater.sum(0) @ np.array(LEVELS))
    noisy = float(by_rater[1:].sum())
    fair = FAIR_LEVEL * max(FAIR_FROM - level, 0.0) + FAIR_NOISE * noisy
    return replace(belief, evidence=max(float(odds) - fair, UNKNOWN))
