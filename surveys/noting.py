"""Which notes about a decline a whole history would have brought, by the signal and the rules of alerting together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surveys import rapport
from surveys.alerting import Standing, decide


@dataclass(frozen=True)
class Seen:
    """What the signal says after one check-in: the evidence, and how unusual a start it is."""

    number: int
    evidence: float
    start: float


def noted(history: Sequence[rapport.Observation], model: rapport.Model, one_in: int) -> Iterator[int]:
    """The appointments at which a note would have been opened, if nobody had ever taken one on."""
    return notes(seen(history, model), model.threshold(1 / one_in), 1 / one_in)


def seen(history: Sequence[rapport.Observation], model: rapport.Model) -> list[Seen]:
    """What the signal says, check-in by check-in."""
    belief, found = rapport.begin(model), []
    for each in history:
        belief = rapport.update(belief, each)
        found.append(said(belief, bool(each.answers)))
    return found


def said(belief: rapport.Belief, answered: bool) -> Seen:
    """What the signal says after one check-in."""
    return Seen(belief.number, belief.evidence, rapport.start(belief) if answered else 1.0)


def notes(found: Sequence[Seen], threshold: float, rate: float) -> Iterator[int]:
    """The appointments at which that opens a note, at one threshold."""
    standing = Standing()
    for each in found:
        verdict = decide(each.evidence, threshold, standing, start=each.start, rate=rate)
        if verdict == "open":
            yield each.number
            standing = Standing(open=True, start=each.evidence < threshold)
        elif verdict == "resolve":
            standing = Standing()
