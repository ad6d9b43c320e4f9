"""A signed-in manager, for flows that are called without a browser."""

from bot.flows.access import Me
from bot.flows.context import Context
from bot.store import people
from bot.store.practices import Practice


def manager(ctx: Context, practice: Practice, person_id: str, *roles: str) -> Me:
    """This person, as a manager (or with the roles named)."""
    with ctx.store.transaction(write=False) as tx:
        person = people.get(tx, practice.id, person_id)
    return Me(person, practice, frozenset(roles or ("manager",)), True, "a-session")
