"""Going on from a stored belief, where a client's history only grew; beginning anew, where anything in it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from surveys.rapport.belief import Belief, Observation
from surveys.rapport.filtering import assess, update
from surveys.rapport.model import Model


@dataclass(frozen=True)
class Kept:
    """A belief and the history it was folded from: how many check-ins, and a digest of them."""

    belief: Belief
    count: int
    digest: str


def folded(history: Sequence[Observation], model: Model, before: Kept | None = None) -> Kept:
    """What is believed after a whole history, in order; from `before` on where that was a beginning of it.

    Both ways give the same belief, bit for bit: every update rounds to what is stored.
    """
    if before and before.belief.model == model and before.digest == digest(history[: before.count]):
        belief = before.belief
        for seen in history[before.count :]:
            belief = update(belief, seen)
    else:
        belief = assess(history, model)
    return Kept(belief, len(history), digest(history))


def digest(history: Sequence[Observation]) -> str:
    """Differs between any two histories, and is the same for the same one everywhere."""
    return hashlib.sha256(written([history]).encode()).hexdigest()


def written(histories: Sequence[Sequence[Observation]]) -> str:
    """Histories as JSON, for another process; `read` gives them back."""
    return json.dumps(
        [
            [[seen.number, seen.answered, sorted(seen.answers.items()), seen.change] for seen in history]
            for history in histories
        ]
    )


def read(text: str) -> list[list[Observation]]:
    """The histories that `written` wrote."""
    return [
        [Observation(number, answered, dict(answers), change) for number, answered, answers, change in history]
        for history in json.loads(text)
    ]
