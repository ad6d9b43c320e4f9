"""A simulated practice for the bench of the signal: clients who answer on a rounded scale, some of them in decline.

Deliberately not the signal's own model: a continuous feeling is rounded and cut off at 5 (so ratings crowd at the top),
not graded by logistic steps. Sizes are in points of the scale.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FEELINGS = ("heard", "respected", "understood", "dependable", "accepted", "involved")
VISITS = 18  # appointments at most
CARRIED, WOBBLE, NOISE, OWN = 0.5, 0.35, 0.35, 0.2  # carry-over, sd of a visit, of an answer, of a feeling's own level
DROPS = (0.6, 1.0, 1.6)  # in all feelings; in one, twice the middle one
SINGLE = 2.0
ANSWERED = 0.68

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Practice:
    """Clients: where they are used to be, what they answered (0: not), and when a decline began (-1: never)."""

    usual: Array  # N, D
    answers: npt.NDArray[np.int8]  # N, T, D
    visits: npt.NDArray[np.intp]  # N
    onset: npt.NDArray[np.intp]  # N

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """Which check-ins were answered: N, T."""
        return np.asarray(self.answers.any(2))


def practice(clients: int, declining: bool, seed: int) -> Practice:
    """So many clients, all of them declining at some visit or none."""
    rng = np.random.default_rng(seed)
    usual = levels(clients, rng)[:, None] + rng.normal(0, OWN, (clients, len(FEELINGS)))
    visits = rng.integers(10, VISITS + 1, clients)
    onset = rng.integers(2, 9, clients) if declining else np.full(clients, -1)
    down = drops(clients, rng)[:, None, :] * ((np.arange(VISITS) >= onset[:, None]) & (onset[:, None] >= 0))[..., None]
    felt = usual[:, None, :] + wobble(clients, rng)[..., None] - down + rng.normal(0, NOISE, down.shape)
    answers = np.clip(np.rint(felt), 1, 5).astype(np.int8)
    return Practice(usual, answers * heard(clients, visits, rng)[..., None] * asked(clients, rng), visits, onset)


def levels(clients: int, rng: np.random.Generator) -> Array:
    """Most near the top, a tenth who always rate low, a tenth beyond the top."""
    kind = rng.choice(3, clients, p=(0.8, 0.1, 0.1))
    return np.choose(kind, [rng.normal(4.6, 0.5, clients), rng.normal(2.8, 0.3, clients), np.full(clients, 6.0)])


def drops(clients: int, rng: np.random.Generator) -> Array:
    """What each feeling loses in a decline: N, D."""
    size = rng.choice(DROPS, clients)[:, None] * np.ones(len(FEELINGS))
    one = SINGLE * np.eye(len(FEELINGS))[rng.integers(0, len(FEELINGS), clients)]
    return np.asarray(np.where(rng.random(clients)[:, None] < 0.25, one, size))


def wobble(clients: int, rng: np.random.Generator) -> Array:
    """What carries over from visit to visit: N, T."""
    waves = [rng.normal(size=clients)]
    for _ in range(VISITS - 1):
        waves.append(CARRIED * waves[-1] + np.sqrt(1 - CARRIED**2) * rng.normal(size=clients))
    return WOBBLE * np.stack(waves, 1)


def heard(clients: int, visits: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which check-ins are answered: N, T."""
    share = np.clip(rng.normal(ANSWERED, 0.15, clients), 0.2, 0.95)[:, None]
    return np.asarray((rng.random((clients, VISITS)) < share) & (np.arange(VISITS) < visits[:, None]))


def asked(clients: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Three of the feelings, the other three at the next visit: N, T, D."""
    first = rng.random((clients, 1, len(FEELINGS))).argsort(2).argsort(2) < 3
    turn = (np.arange(VISITS) % 2 == 0)[None, :, None]
    return np.asarray(first == turn)
