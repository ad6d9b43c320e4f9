"""Which of a therapist's clients need attention first, and why: one reason each. Pure.

What someone has said outweighs what numbers suggest, and numbers outweigh silence, which is a soft sign only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

QUIET_AFTER = 3  # unanswered in a row from which on it is worth a word
# In this order; whoever has several reasons is listed under the first.
KINDS = (
    *("danger", "call", "note", "halted", "silent", "followed", "quiet"),
    *("stopped", "paused", "usual", "early", "unasked"),
)
CALM = frozenset({"stopped", "paused", "usual", "early", "unasked"})
FEWEST = 2  # answered check-ins before which nothing is usual yet
_LATER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Open:
    """One alert that isn't over: its kind, since when, whether somebody took it on, and which feelings fell."""

    id: str
    kind: str
    since: datetime
    taken: bool
    feelings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What is known of one client. `unanswered`: in a row, the latest. `answered`: check-ins, of all."""

    alerts: Sequence[Open] = ()
    halted: bool = False
    stopped: bool = False
    paused: bool = False
    unanswered: int = 0
    answered: int = 0


@dataclass(frozen=True)
class Reason:
    """Why a client stands where they do. `alert_id`, `since`, `feelings` and `count` where the kind has them."""

    kind: str
    alert_id: str = ""
    since: datetime | None = None
    feelings: tuple[str, ...] = ()
    count: int = 0

    @property
    def calm(self) -> bool:
        """Nothing here asks for anything."""
        return self.kind in CALM

    @property
    def order(self) -> tuple[int, datetime]:
        """Smaller comes first: by kind, and of one kind what has waited longest."""
        return KINDS.index(self.kind), self.since or _LATER


def reason(facts: Facts) -> Reason:
    """The one reason to show for a client."""
    found = [_of_alert(each) for each in facts.alerts]
    if facts.halted:
        found.append(Reason("halted"))
    if facts.unanswered >= QUIET_AFTER:
        found.append(Reason("quiet", count=facts.unanswered))
    found += [Reason("stopped")] if facts.stopped else [Reason("paused")] if facts.paused else []
    return min([*found, _otherwise(facts)], key=lambda each: each.order)


def _of_alert(alert: Open) -> Reason:
    if alert.taken:
        kind = "followed"
    elif alert.kind.startswith("danger"):
        kind = "danger"
    else:
        kind = alert.kind if alert.kind in ("call", "silent") else "note"
    return Reason(kind, alert.id, alert.since, alert.feelings)


def _otherwise(facts: Facts) -> Reason:
    if not facts.answered and not facts.unanswered:
        return Reason("unasked")
    return Reason("usual") if facts.answered >= FEWEST else Reason("early", count=facts.answered)
