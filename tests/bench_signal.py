"""How early the signal finds a decline, beside the peers' rules and the limit. Run by `make bench-signal`.

Everyone sees the same answers and may alarm as often: once in 50 answered check-ins of clients who don't decline. A
flag that stays up counts again every four visits. Delay: visits from the first affected one to the alarm, a miss
charged 8. The limit is a filter that knows this practice's numbers and each client's own usual, which nobody does.

Fails when the signal's delay, as a ratio to the limit, is worse than RECORDED by more than its noise; so does the quick
form among the tests (tests/surveys/rapport/test_early_enough.py), which plays fewer clients. With a file name it also
draws delay against false alarms there (docs/pictures/signal-delay.svg).
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from surveys import rapport
from tests.support.curves import Curves, drawn
from tests.support.limit import limit
from tests.support.practice import FEELINGS, Array, Practice, practice

AGAIN, MISS, RATE = 4, 8, 1 / 50
RECORDED, NOISE = 1.47, 0.05  # as measured with the shipped model; noise is two standard errors
QUICK = 600  # clients of each kind in the quick form that every test run plays; they too give 1.47
Rule = Callable[[Practice], Array]
Flags = npt.NDArray[np.bool_]


def signal(people: Practice) -> Array:
    """Evidence of `surveys.rapport` with the shipped model: N, T."""
    model = rapport.default_model(FEELINGS)
    return np.stack([evidence(model, people, i) for i in range(len(people.visits))])


def evidence(model: rapport.Model, people: Practice, client: int) -> Array:
    """One client's evidence, check-in by check-in."""
    belief, said = rapport.begin(model), np.full(people.answers.shape[1], -np.inf)
    for number in range(people.visits[client]):
        scores = people.answers[client, number]
        answers = {f: int(s) for f, s in zip(FEELINGS, scores, strict=True) if s}
        belief = rapport.update(belief, rapport.Observation(number, bool(answers), answers, None))
        said[number] = belief.evidence
    return said


def means(people: Practice) -> Array:
    """The mean answer of each check-in, nan where there was none."""
    count = (people.answers > 0).sum(2)
    return np.asarray(np.where(count > 0, people.answers.sum(2) / np.maximum(count, 1), np.nan))


def cut_off(people: Practice) -> Array:
    """The lower the mean, the louder."""
    return silent(-means(people))


def drop(people: Practice) -> Array:
    """Down since the last answered check-in."""
    return silent(before(people, lambda past: past[-1]) - means(people))


def reliable_change(people: Practice) -> Array:
    """Down since the first answered check-in (Jacobson & Truax 1991)."""
    return silent(before(people, lambda past: past[0]) - means(people))


def shewhart(people: Practice) -> Array:
    """Below the client's own mean, in their own standard deviations; from the fourth answer on."""
    own = before(people, lambda past: float(np.mean(past)) if len(past) >= 3 else np.nan)
    spread = before(people, lambda past: max(float(np.std(past)), 0.15))
    return silent((own - means(people)) / spread)


def before(people: Practice, of: Callable[[list[float]], float]) -> Array:
    """Something of the answered check-ins before each: N, T; nan before the first."""
    result = np.full(people.answers.shape[:2], np.nan)
    for i, row in enumerate(means(people)):
        past: list[float] = []
        for number, mean in enumerate(row):
            result[i, number] = of(past) if past else np.nan
            past += [] if np.isnan(mean) else [float(mean)]
    return result


def silent(scores: Array) -> Array:
    """Nothing said where nothing is known."""
    return np.where(np.isnan(scores), -np.inf, scores)


def alarms(scores: Array, threshold: float) -> Flags:
    """Where a rule alarms: at or over the threshold, again at the earliest AGAIN visits later."""
    fired, last = np.zeros(scores.shape, bool), np.full(len(scores), -AGAIN)
    for number in range(scores.shape[1]):
        fired[:, number] = (scores[:, number] >= threshold) & (number - last >= AGAIN)
        last[fired[:, number]] = number
    return fired


def threshold(scores: Array, people: Practice, rate: float) -> float:
    """The lowest at which these clients, who don't decline, alarm no more often than the rate."""
    candidates = np.unique(scores[np.isfinite(scores)])
    low, high = 0, len(candidates)
    while low < high:
        middle = (low + high) // 2
        too_many = alarms(scores, candidates[middle]).sum() > rate * people.answered.sum()
        low, high = (middle + 1, high) if too_many else (low, middle)
    return float(candidates[low]) if low < len(candidates) else np.inf


def delays(scores: Array, people: Practice, at: float) -> Array:
    """Visits to the first alarm of a decline, MISS where there was none by then."""
    late = np.arange(scores.shape[1]) - people.onset[:, None] + 1
    waited = np.where(alarms(scores, at) & (late >= 1), late, MISS)
    return np.asarray(np.minimum(waited.min(1), MISS), float)


def jittered(scores: Array) -> Array:
    """Ties broken at random, so that coarse rules can be set to any rate."""
    return scores + 1e-6 * np.random.default_rng(5).random(scores.shape)


RULES: dict[str, Rule] = {
    "limit": limit,
    "signal": signal,
    "cut-off": cut_off,
    "drop": drop,
    "reliable change": reliable_change,
    "Shewhart": shewhart,
}


def scores_of(clients: int) -> tuple[dict[str, tuple[Array, Array]], Practice, Practice]:
    """Every rule on clients who don't decline and on clients who do."""
    calm, ill = practice(clients, False, 11), practice(clients, True, 12)
    return {name: (jittered(rule(calm)), jittered(rule(ill))) for name, rule in RULES.items()}, calm, ill


def ratio(clients: int) -> float:
    """The signal's delay to the limit's, at one false alarm in 50 of clients who don't decline."""
    calm, ill = practice(clients, False, 11), practice(clients, True, 12)
    found = {rule: (jittered(rule(calm)), jittered(rule(ill))) for rule in (signal, limit)}
    waited = {rule: delays(s, ill, threshold(c, calm, RATE)).mean() for rule, (c, s) in found.items()}
    return float(waited[signal] / waited[limit])


def curves(scores: dict[str, tuple[Array, Array]], calm: Practice, ill: Practice) -> Curves:
    """For each rule, delay at every rate of false alarms drawn."""
    rates = np.geomspace(0.005, 0.1, 9)
    return {
        name: [(rate, float(delays(s, ill, threshold(c, calm, rate)).mean())) for rate in rates]
        for name, (c, s) in scores.items()
    }


def main() -> int:
    """Prints the table; 1 when the signal got worse."""
    scores, calm, ill = scores_of(1200)
    delay = {name: delays(s, ill, threshold(c, calm, RATE)).mean() for name, (c, s) in scores.items()}
    for name, visits in delay.items():
        print(f"{name:16s} {visits:5.2f} visits   {visits / delay['limit']:.3f} of the limit")
    own = rapport.default_model(FEELINGS).threshold(RATE)
    realised = alarms(scores["signal"][0], own).sum() / calm.answered.sum() / RATE
    print(f"false alarms at the signal's own threshold: {realised:.2f} of those promised")
    for path in sys.argv[1:]:
        Path(path).write_text(drawn(curves(scores, calm, ill)))
    ratio = delay["signal"] / delay["limit"]
    return int(ratio > RECORDED + NOISE)


if __name__ == "__main__":
    sys.exit(main())
