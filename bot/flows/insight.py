"""How notes do in a whole practice: never by therapist, never for few, and no newer than the beginning of the month,
so that nobody can tell by looking twice whose note it was that changed a number."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.flows.access import Me
from bot.flows.context import Context
from bot.flows.honesty import facts
from bot.store import notes
from surveys.notes import Figures, figures, why_not
from surveys.rapport import honesty
from surveys.window import clock_shows


@dataclass(frozen=True)
class Insight:
    """The practice's figures until `until` (UTC), or `why_not` there are none; and how notes do by simulation at the
    practice's setting, `own_model`: by what was learned from its own check-ins."""

    until: datetime
    figures: Figures | None
    why_not: str
    simulated: honesty.Figures
    own_model: bool


def insight(ctx: Context, me: Me, now: datetime) -> Insight:
    """How notes have done in the practice of whoever asks."""
    until = month_began(now, me.practice.timezone)
    with ctx.store.transaction(write=False) as tx:
        counts = notes.counts(tx, me.practice.id, until)
        told = facts(ctx, tx, me.practice, now)
    return Insight(until, figures(counts), why_not(counts), told.simulated, told.own_model)


def month_began(now: datetime, zone: str) -> datetime:
    """The first moment of this month by the practice's clock, UTC."""
    return clock_shows(now.astimezone(ZoneInfo(zone)).date().replace(day=1), 0, zone)
