"""How notes have done at a practice, told plainly: by simulation at its setting, and by its therapists' verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.flows.context import Context
from bot.store import Tx, models
from bot.store.practices import Practice
from surveys import alerting
from surveys.rapport import honesty
from surveys.rapport.honesty import Figures, Share

VERDICTS = ("helpful", "not_helpful", "false")


@dataclass(frozen=True)
class Honesty:
    """How often notes about a decline are wrong, and declines missed.

    `simulated`: at this practice's setting, and `own_model` whether it was learned from its own check-ins. `opened`,
    `acknowledged` and `ended` count the notes so far; `verdicts` shares of those judged, by VERDICTS, with 95 %
    intervals. Practice-wide, never by therapist; `therapists` is how many had a note, for whoever decides to show it.
    """

    simulated: Figures
    own_model: bool
    opened: int
    acknowledged: int
    ended: int
    verdicts: Mapping[str, Share]
    therapists: int

    @property
    def judged(self) -> int:
        """Notes on which a therapist has said something."""
        return next(iter(self.verdicts.values())).of


def facts(_ctx: Context, tx: Tx, practice: Practice, now: datetime) -> Honesty:
    """What there is to tell by now. Notes opened later than `now` are left out."""
    counts = models.notes_so_far(tx, practice.id, now)
    judged = {verdict: counts[verdict] for verdict in VERDICTS}
    return Honesty(
        simulated=honesty.figures(alerting.one_in(practice.settings)),
        own_model=models.current(tx, practice.id) != models.shipped(),
        opened=counts["opened"],
        acknowledged=counts["acknowledged"],
        ended=counts["ended"],
        verdicts={verdict: honesty.share(count, sum(judged.values())) for verdict, count in judged.items()},
        therapists=counts["therapists"],
    )
