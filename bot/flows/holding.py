"""A therapist lets check-ins to a client rest, and go on again. To a manager it looks like the pause after words of
danger: what is shown of either must not tell the two apart."""

from datetime import datetime

from bot.flows import standing
from bot.flows.access import Me
from bot.flows.caseload import in_care
from bot.flows.context import Context


def pause(ctx: Context, me: Me, client_id: str, now: datetime) -> bool:
    """Nothing is asked from now on, until somebody lets check-ins go on; False if they rest already. What was asked
    before may still be answered. Raises NotHere."""
    with ctx.store.transaction() as tx:
        return standing.hold(tx, in_care(tx, me, client_id), me.person.id, now)


def go_on(ctx: Context, me: Me, client_id: str, now: datetime) -> bool:
    """Check-ins follow the visits again; False if nothing held them up. Raises NotHere, and BadSetting, in words, while
    a message that may mean danger waits for somebody to look, or where it is for the client or a manager to say."""
    with ctx.store.transaction() as tx:
        client = in_care(tx, me, client_id)
        return standing.resume(ctx, me.practice, client.client_ref, me.person.id, now)
