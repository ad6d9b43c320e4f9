"""What a request works with."""

from datetime import datetime

from flask import current_app

from bot.flows.context import Context


def ctx() -> Context:
    """The store, the words and the settings."""
    found: Context = current_app.extensions["attune"]
    return found


def now() -> datetime:
    """The time of this request, UTC."""
    at: datetime = current_app.extensions["clock"].now()
    return at
