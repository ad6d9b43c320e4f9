"""The signal's model of a client: what a rating tells about rapport, and how rapport moves.

For a client with feelings d = 1..D, at appointment t (0-based), on a scale whose unit is the standard deviation of
clients' levels:

    theta_td = b - g exp(-t / GROWTH_FADES) + c_d + w_t - drop_td        how the client feels about d
    w_t      = carry w_(t-1) + noise,  sd(w) = fluctuation                what carries over between appointments
    P(answer_d >= k) = logistic(s slope_d (theta_td - shift_d - steps_k)), k = 2..5     (graded response, Samejima 1969)

b is the client's level, g the growth still to come, c_d their profile, s their precision. drop is zero in the mode
"as usual"; in the mode "down" it is one size for all feelings, in the mode "one feeling down" a size in that feeling
alone. An off day is a drop for one appointment that means nothing. From one appointment to the next a decline begins,
deepens or mends
(a Markov chain: with "as usual" against all other modes this is Shiryaev's 1963 quickest-detection filter).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

VERSION = 2  # goes up with every release in which the same answers under the same numbers give another belief
CHANGE = "change"  # the digit "compared with usual"; not a feeling
LEVELS = tuple(round(-4.5 + 0.45 * i, 2) for i in range(21))
GROWTH_FADES = 4.0  # appointments; alliance growth is mostly over after the first handful of sessions
CURVE = (  # alarms.with_curve from the shipped model; moves by < 0.12 between three or four questions, of 3 to 7
    (0.004, -0.11),
    (0.007, -0.52),
    (0.012, -0.89),
    (0.02, -1.26),
    (0.033, -1.64),
    (0.055, -2.05),
    (0.09, -2.47),
    (0.15, -2.87),
)


@dataclass(frozen=True)
class Model:
    """Everything a belief needs; immutable, hashable, pickles. All sizes in units of the sd of clients' levels."""

    feelings: tuple[str, ...]
    slope: tuple[float, ...]
    shift: tuple[float, ...]
    steps: tuple[float, float, float, float]
    levels: tuple[float, ...]
    precision: tuple[tuple[float, float, float], ...]  # (s, factor on fluctuation, share)
    growth: tuple[tuple[float, float], ...]  # (g, share)
    fluctuation: float
    carry: float
    profile: float
    drops: tuple[tuple[float, float], ...]  # (size, share of declines that begin so)
    single: tuple[tuple[float, float], ...]  # the same for one feeling alone
    off_days: float  # share of appointments that go badly once, for whatever reason
    begins: float
    deepens: float
    mends: float
    curve: tuple[tuple[float, float], ...]  # (false alarms per ordinary check-in, evidence)

    def threshold(self, false_alarms: float) -> float:
        """Evidence at which one in 1 / false_alarms answered check-ins of clients as usual alarms.

        Log-linear between the rates the curve was simulated at, and beyond its ends.
        """
        if not 0 < false_alarms < 1:
            raise ValueError(f"false_alarms is a rate between 0 and 1, not {false_alarms}")
        rates, evidence = np.log([r for r, _ in self.curve]), np.array([e for _, e in self.curve])
        at = min(max(int(np.searchsorted(rates, np.log(false_alarms))), 1), len(rates) - 1)
        gradient = (evidence[at] - evidence[at - 1]) / (rates[at] - rates[at - 1])
        return float(evidence[at] + gradient * (np.log(false_alarms) - rates[at]))

    @property
    def id(self) -> str:
        """Sixteen characters that no other model has, and no other version of this program gives this one."""
        return _fingerprint(self)

    def to_text(self) -> str:
        """Every number as JSON; `from_text` gives the same model back, bit for bit."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Model:
        """The model that `to_text` wrote. Raises ValueError where something is missing or not known."""
        found = json.loads(text)
        expected = {field.name for field in fields(cls)}
        if not isinstance(found, dict) or set(found) != expected:
            raise ValueError(f"this is no model: it should have {', '.join(sorted(expected))}")
        return cls(**{name: _frozen(value) for name, value in found.items()})


@lru_cache(maxsize=32)
def _fingerprint(model: Model) -> str:
    return hashlib.sha256(f"{VERSION} {model.to_text()}".encode()).hexdigest()[:16]


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def default_model(feelings: tuple[str, ...]) -> Model:
    """The shipped model, from published figures alone, for any feelings; used until there is enough to learn from.

    None of these is sharp: moving any by a third moves the delay by less than one per cent (docs/signal.md).
    """
    feelings = tuple(feelings)
    if not feelings or len(set(feelings)) != len(feelings) or CHANGE in feelings:
        raise ValueError(f"feelings must be different names, none of them {CHANGE!r}, not {feelings}")
    return Model(
        feelings=feelings,
        slope=(3.0,) * len(feelings),  # the items of a check-in agree to about .9 (alpha; these give .90)
        shift=(0.0,) * len(feelings),
        steps=(-4.4, -3.5, -2.4, -0.4),  # published: 40 to 48 % of check-ins all fives; these give 41 %
        levels=usual_levels(),
        precision=((1.0, 1.0, 0.85), (0.5, 1.25, 0.15)),  # about one rater in seven is much noisier
        growth=((0.25, 0.8), (1.5, 0.2)),  # small for most; alliance grows over the first sessions
        fluctuation=0.6,  # between 0.5 and 0.7 the delay hardly moves
        carry=0.55,  # neighbouring sessions resemble each other
        profile=0.3,
        drops=((0.8, 0.35), (1.5, 0.3), (2.3, 0.15)),  # one to three times a client's own spread
        single=((1.5, 0.05), (3.0, 0.15)),  # at least a point on the scale, or nobody would notice
        off_days=0.005,
        begins=0.02,  # a quarter of clients in a dozen sessions
        deepens=0.12,
        mends=0.1,  # some ruptures mend within weeks, most last until spoken of
        curve=CURVE,
    )


def usual_levels(wide: float = 0.2) -> tuple[float, ...]:
    """Prior weights of LEVELS: a standard normal, and a share of clients anywhere (always low, always five)."""
    bell = np.exp(-0.5 * np.square(LEVELS))
    weights = (1 - wide) * bell / bell.sum() + wide / len(LEVELS)
    return tuple(float(w) for w in weights)
