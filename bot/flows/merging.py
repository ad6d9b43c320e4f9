"""One client who stands in the roster twice becomes one. What hangs on the second row moves to the first; of consent,
pauses and STOP the stricter holds."""

from dataclasses import dataclass
from datetime import datetime

from bot.flows.access import Me, NotHere
from bot.flows.client_record import living
from bot.flows.context import Context
from bot.flows.managing import Refused, practice_of
from bot.flows.planning import replan_client
from bot.flows.standing import STATES
from bot.store import Tx, check_ins, clients, merging, practices
from bot.store.clients import Client, Entry
from bot.store.sql import epoch


@dataclass(frozen=True)
class Merge:
    """What merging would do. `kept` as it would be after it; `moved`: how many appointments, check-ins, messages."""

    kept: Client
    merged: Client
    moved: dict[str, int]
    consent_at: datetime | None
    state: str
    stopped: bool
    halted: bool
    phone: str
    email: str


def preview(ctx: Context, me: Me, kept_id: str, merged_ref: str) -> Merge:
    """What it would do to merge the client of that reference into this one. Raises NotHere or Refused."""
    practice = practice_of(me)
    with ctx.store.transaction(write=False) as tx:
        kept = living(tx, me, kept_id)
        merged_id = clients.refs(tx, practice.id).get(" ".join(merged_ref.split()))
        if merged_id is None:
            raise Refused({"with": "No client has this reference."})
        return _merge(tx, kept, living(tx, me, merged_id))


def merge(ctx: Context, me: Me, kept_id: str, merged_id: str, now: datetime) -> None:
    """Merge the second client into the first. Raises NotHere or Refused."""
    practice = practice_of(me)
    with ctx.store.transaction() as tx:
        kept, merged = living(tx, me, kept_id), living(tx, me, merged_id)
        plan = _merge(tx, kept, merged)
        _apply(tx, plan, now)
        practices.note(tx, practice.id, me.person.id, "client merged into another", merged.id, now)
        practices.note(tx, practice.id, me.person.id, "another client merged into this one", kept.id, now)
        for therapist_id in merging.pairs(tx, kept):
            check_ins.mark_to_assess(tx, practice.id, kept.id, therapist_id)
        replan_client(tx, practice.id, kept.id, now)


def _merge(tx: Tx, kept: Client, merged: Client) -> Merge:
    if kept.id == merged.id:
        raise Refused({"with": "That is the same client."})
    if kept.merged_into or merged.merged_into:
        raise NotHere
    both = (kept, merged)
    dates = [client.consent_at for client in both]
    return Merge(
        kept=kept,
        merged=merged,
        moved=merging.counts(tx, merged),
        consent_at=None if None in dates else max(date for date in dates if date),
        state=max((client.state for client in both), key=STATES.index),
        stopped=kept.stopped or merged.stopped,
        halted=kept.halted or merged.halted,
        phone=kept.phone or merged.phone,
        email=kept.email or merged.email,
    )


def _apply(tx: Tx, plan: Merge, now: datetime) -> None:
    kept, merged = plan.kept, plan.merged
    strict = merging.strictest(tx, kept, merged)
    if plan.stopped:
        strict["stopped_at"] = strict["stopped_at"] or epoch(now)
    merging.hang_over(tx, merged, kept, now)
    merging.set_aside(tx, merged, kept)
    entry = Entry(kept.client_ref, kept.name, plan.phone, plan.email, kept.language, kept.timezone, kept.channel,
                  kept.consent_at, kept.therapist_id or "")  # fmt: skip
    if (kept.phone, kept.email) != (plan.phone, plan.email):
        clients.save(tx, kept.practice_id, entry, now)
    consent_at = epoch(plan.consent_at) if plan.consent_at else None
    merging.keep(tx, kept, **strict, consent_at=consent_at, state=plan.state)
