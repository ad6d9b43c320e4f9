"""Making every stored belief anew from stored answers. Alerts are left as they are: a replay tells nobody anything."""

from dataclasses import dataclass
from datetime import datetime

from bot.flows.context import Context
from bot.flows.signal import history_of, kept_of
from bot.store import beliefs
from bot.store.beliefs import Pair
from surveys import rapport


@dataclass(frozen=True)
class Replayed:
    """How many pairs of client and therapist there are, how many beliefs differed from what was stored (or were
    missing), and how many were left to the worker, which has yet to look at newer answers."""

    pairs: int
    differed: int
    waiting: int


def replay(ctx: Context, practice_id: str, now: datetime, check: bool = False) -> Replayed:
    """Make the beliefs of a practice anew, and store those that differ, unless it is only a `check`.

    The same answers under the same model give the same bytes on the same machine. On another kind of processor the
    last digits may differ: then a replay brings all under one.
    """
    with ctx.store.transaction(write=False) as tx:
        pairs = sorted({*beliefs.asked_pairs(tx, practice_id), *beliefs.pairs(tx, practice_id)})
        marked = set(beliefs.pairs_to_assess(tx, practice_id))
    waiting = [pair for pair in pairs if pair in marked]
    differed = sum(_replay(ctx, practice_id, pair, now, check) for pair in pairs if pair not in marked)
    return Replayed(len(pairs), differed, len(waiting))


def _replay(ctx: Context, practice_id: str, pair: Pair, now: datetime, check: bool) -> bool:
    with ctx.store.transaction(write=False) as tx:
        kept = kept_of(tx, practice_id, *pair, anew=True)
        same = beliefs.is_kept(tx, practice_id, *pair, kept)
    if not same and not check:
        with ctx.store.transaction() as tx:
            # where the history grew meanwhile, the worker has a newer one, or will
            if rapport.digest(history_of(tx, practice_id, *pair)) == kept.digest:
                beliefs.keep(tx, practice_id, *pair, kept, now)
    return not same
