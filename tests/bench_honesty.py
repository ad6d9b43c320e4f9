"""How often notes are wrong and declines missed, at every choice of "one false alarm in n", in practices that are not
the signal's own model. Written to surveys/rapport/figures.toml, from which pages and notes take their words.

    python -m tests.bench_honesty [surveys/rapport/figures.toml]

Clients are asked as the product asks (the core feelings, and a fourth by doubt) and notes are opened and ended by the
product's own rules. A quarter of clients decline once, by one of several sizes, in all feelings or in one; a quarter of
those declines mend by themselves after three visits, and from the fourth poor visit on some clients leave. Worlds
differ in what no practice knows of itself beforehand.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from surveys import rapport
from surveys.instrument import FEELINGS
from surveys.noting import Seen, notes, said
from tests.support.practice import Array

CORE, DIGITS, VISITS, DECLINING, MENDS_AFTER, LEAVES = FEELINGS[:3], 4, 18, 0.25, 3, 0.06
ONE_IN = (20, 30, 50, 75, 100, 150, 200)
WITHIN = (1, 2, 3, 5)


@dataclass(frozen=True)
class World:
    """A practice: sizes in points of the scale, shares of clients and of check-ins."""

    top: float = 4.6  # where most clients are
    low: float = 0.1  # share who always rate low
    carried: float = 0.5
    wobble: float = 0.35  # sd of a visit
    noise: float = 0.35  # sd of an answer
    answered: float = 0.68
    tails: float = 0.0  # degrees of freedom of a visit's shocks; 0: normal
    drops: tuple[float, ...] = (0.4, 0.7, 1.1)  # about 1, 1 3/4 and 2 3/4 of a client's own spread
    single: float = 1.6


TYPICAL = World()
WORLDS = {
    "typical": TYPICAL,
    "fewer fives": replace(TYPICAL, top=4.1),
    "more fives": replace(TYPICAL, top=5.0),
    "less response": replace(TYPICAL, answered=0.5),
    "more carry-over": replace(TYPICAL, carried=0.75),
    "blunt answers": replace(TYPICAL, noise=0.55),
    "odd visits": replace(TYPICAL, tails=3.0),
    "many low raters": replace(TYPICAL, low=0.25),
    "larger declines": replace(TYPICAL, drops=(0.6, 1.0, 1.6), single=2.0),
}


@dataclass(frozen=True)
class Client:
    """What a client would answer at each visit (0: no answer that day), and between which visits they are down."""

    answers: Array  # T, D
    down: range


@dataclass(frozen=True)
class Played:
    """A client's visits: those at which they are down, what the signal says, and whether they answered."""

    down: range
    found: list[Seen]
    answered: list[bool]


def drawn(world: World, declining: bool, rng: np.random.Generator) -> Client:
    """One client of a practice."""
    visits = int(rng.integers(10, VISITS + 1))
    kind = rng.choice(3, p=(0.9 - world.low, world.low, 0.1))
    usual = (rng.normal(world.top, 0.5), rng.normal(2.8, 0.3), 6.0)[kind] + rng.normal(0, 0.2, len(FEELINGS))
    felt = usual + world.wobble * waves(world, visits, rng)[:, None] + rng.normal(0, world.noise, (visits, 7))
    down = range(0)
    if declining:
        onset = int(rng.integers(2, 9))
        visits = min(visits, onset + 3 + int(rng.geometric(LEAVES)))
        felt = felt[:visits]
        down = range(onset, min(onset + MENDS_AFTER, visits) if rng.random() < 0.25 else visits)
        felt[list(down)] -= drop(world, rng)
    share = np.clip(rng.normal(world.answered, 0.15), 0.2, 0.95)
    return Client(np.clip(np.rint(felt), 1, 5) * (rng.random(visits) < share)[:, None], down)


def waves(world: World, visits: int, rng: np.random.Generator) -> Array:
    """What carries over from visit to visit, of unit variance."""
    df = world.tails
    shocks = rng.standard_t(df, visits) / np.sqrt(df / (df - 2)) if df else rng.normal(size=visits)
    for number in range(1, visits):
        shocks[number] = world.carried * shocks[number - 1] + np.sqrt(1 - world.carried**2) * shocks[number]
    return np.asarray(shocks)


def drop(world: World, rng: np.random.Generator) -> Array:
    """What each feeling loses: all of them, or one of those always asked."""
    if rng.random() < 0.25:
        return np.asarray(world.single * np.eye(len(FEELINGS))[rng.integers(len(CORE))])
    return np.full(len(FEELINGS), rng.choice(world.drops))


def played(model: rapport.Model, client: Client) -> Played:
    """A client who is asked as the product asks: what the signal says, and which check-ins were answered."""
    belief, found, answered = rapport.begin(model), [], []
    for number, scores in enumerate(client.answers):
        asked = rapport.choose(belief, DIGITS, always=CORE)
        answers = {f: int(scores[FEELINGS.index(f)]) for f in asked} if scores.any() else {}
        belief = rapport.update(belief, rapport.Observation(number, bool(answers), answers, None))
        found.append(said(belief, bool(answers)))
        answered.append(bool(answers))
    return Played(client.down, found, answered)


def figures(people: list[Played], threshold: float, rate: float) -> dict[str, float]:
    """What one choice of n means in one practice."""
    told = [(each, list(notes(each.found, threshold, rate))) for each in people]
    real = sum(number in each.down for each, at in told for number in at)
    false = sum(len(at) for _, at in told) - real
    well = sum(sum(each.answered) - sum(each.answered[number] for number in each.down) for each in people)
    delay = np.array([waited(each, at) for each, at in told if each.down])
    return {
        "false_per_100": 100 * false / well,
        "real_share": real / max(real + false, 1),
        "missed": float(np.isinf(delay).mean()),
        **{f"within_{n}": float((delay <= n).mean()) for n in WITHIN},
    }


def waited(each: Played, at: list[int]) -> float:
    """Answered check-ins from the first poor visit to the note, that one included; infinite without a note."""
    first = next((number for number in at if number in each.down), None)
    if first is None:
        return np.inf
    return sum(each.answered[number] for number in each.down if number <= first)


def table(clients: int = 1200, seed: int = 51) -> dict[int, dict[str, list[float]]]:
    """By n, each figure as [lowest of the practices, typical practice, highest]."""
    model = rapport.default_model(FEELINGS)
    found: dict[int, dict[str, dict[str, float]]] = {n: {} for n in ONE_IN}
    for name, world in WORLDS.items():
        rng = np.random.default_rng(seed)
        everyone = [drawn(world, i < DECLINING * clients, rng) for i in range(clients)]
        people = [played(model, client) for client in everyone]
        for n in ONE_IN:
            found[n][name] = figures(people, model.threshold(1 / n), 1 / n)
        print(name, {key: round(value, 3) for key, value in found[50][name].items()}, flush=True)
    return {n: {key: spread(rows, key) for key in rows["typical"]} for n, rows in found.items()}


def spread(rows: dict[str, dict[str, float]], key: str) -> list[float]:
    """Lowest, typical, highest."""
    values = [row[key] for row in rows.values()]
    return [round(value, 3) for value in (min(values), rows["typical"][key], max(values))]


def written(rows: dict[int, dict[str, list[float]]]) -> str:
    """The table as TOML."""
    head = "# Made by `python -m tests.bench_honesty`, from simulated practices; don't edit. Each figure is\n"
    head += "# [lowest of the practices simulated, a typical one, highest], at one false alarm promised in n.\n"
    parts = ["\n".join([f"[one_in.{n}]", *(f"{key} = {row}" for key, row in rows[n].items())]) for n in rows]
    return head + "\n" + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    text = written(table())
    print(text)
    for path in sys.argv[1:]:
        Path(path).write_text(text)
