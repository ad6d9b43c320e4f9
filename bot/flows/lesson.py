"""A process of its own that learns a practice's model: `python -m bot.flows.lesson`, as polite as a process can be.

It reads check-ins without names or ids on standard input, writes a line of JSON for every bit of progress and one with
what was learned, and knows no database and no key. It ends by itself when nobody listens any more.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from surveys import rapport
from surveys.noting import noted
from surveys.rapport import history

LOWEST_PRIORITY = 19


@dataclass(frozen=True)
class Lesson:
    """What was learned from so many clients. `scores`: how well clients held out were foreseen, by the model in use
    and by what was learned from the others; `notes`: how many there would have been so far, before and after."""

    model: rapport.Model
    scores: tuple[float, float]
    notes: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether it foresees other clients no worse than the model in use."""
        return self.scores[1] >= self.scores[0]


def learn(
    histories: Sequence[Sequence[rapport.Observation]],
    current: rapport.Model,
    one_in: int,
    curve_clients: int,
    told: Callable[[str], None] = lambda _: None,
) -> Lesson:
    """Learn from most clients, look how well that foresees the rest, and then learn from all."""
    rest, others = rapport.held_out(histories)
    tried = rapport.fit(rest, current.feelings, lambda n, of: told(f"trying, round {n} of {of}"), 0)
    scores = rapport.score(current, others), rapport.score(tried, others)
    if scores[1] < scores[0]:
        return Lesson(current, scores, (0, 0))
    model = rapport.fit(histories, current.feelings, lambda n, of: told(f"learning, round {n} of {of}"), curve_clients)
    told("counting notes")
    before, after = (sum(len(list(noted(each, m, one_in))) for each in histories) for m in (current, model))
    return Lesson(model, scores, (before, after))


def asked(
    histories: Sequence[Sequence[rapport.Observation]],
    current: rapport.Model,
    one_in: int,
    curve_clients: int = rapport.CURVE_CLIENTS,
) -> str:
    """What the process reads."""
    numbers = {"one_in": one_in, "curve_clients": curve_clients}
    return json.dumps({"histories": history.written(histories), "current": current.to_text(), **numbers})


def main(source: TextIO, out: TextIO) -> None:
    """One lesson, from what `asked` wrote to a last line that `read` understands."""
    task = json.load(source)

    def tell(**line: Any) -> None:
        out.write(json.dumps(line) + "\n")
        out.flush()

    current = rapport.Model.from_text(task["current"])
    numbers = task["one_in"], task["curve_clients"]
    done = learn(history.read(task["histories"]), current, *numbers, lambda stage: tell(stage=stage))
    tell(model=done.model.to_text(), scores=done.scores, notes=done.notes)


def read(line: str) -> str | Lesson:
    """A line of the process: how far it is, or what was learned. Raises ValueError for anything else."""
    found = json.loads(line)
    if "stage" in found:
        return str(found["stage"])
    (was, is_now), (before, after) = found["scores"], found["notes"]
    return Lesson(rapport.Model.from_text(found["model"]), (was, is_now), (before, after))


if __name__ == "__main__":
    os.nice(LOWEST_PRIORITY)
    main(sys.stdin, sys.stdout)
