"""Making every stored belief anew from stored answers. Alerts are left as they are: a replay tells nobody anything."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.flows.context import Context
from bot.flows.signal import history_of, kept_of
from bot.store import Tx, beliefs, system
from bot.store.beliefs import Pair
from bot.store.sql import epoch, moment_of
from surveys import rapport

TO_REPLAY, SOON = "to replay: ", timedelta(minutes=5)


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


def mark_to_replay(tx: Tx, practice_id: str, now: datetime) -> None:
    """Where another model takes effect: should we end before every belief is made anew by it, a worker does that."""
    system.set_value(tx, f"{TO_REPLAY}{practice_id}", str(epoch(now)))


def replay_all(ctx: Context, practice_id: str, now: datetime) -> None:
    """Make the beliefs of a practice anew, and take the mark off that says so."""
    replay(ctx, practice_id, now)
    with ctx.store.transaction() as tx:
        system.drop_value(tx, f"{TO_REPLAY}{practice_id}")


def replay_marked(ctx: Context, now: datetime) -> int:
    """Finish for every practice where that was begun a while ago and not finished; how many practices."""
    with ctx.store.transaction(write=False) as tx:
        marks = system.values(tx, TO_REPLAY)
    late = [name for name, at in marks.items() if not timedelta() <= now - moment_of(int(at)) < SOON]
    for name in late:
        replay_all(ctx, name.removeprefix(TO_REPLAY), now)
    return len(late)


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
