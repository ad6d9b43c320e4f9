"""Small helpers for SQL text that both engines read."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


def new_id() -> str:
    """A key for a new row."""
    return uuid.uuid4().hex


def listed(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """`in`-list text and its parameters: ("(:id0, :id1)", {"id0": .., "id1": ..}).

    An empty list becomes one that matches nothing.
    """
    params = {f"{name}{i}": value for i, value in enumerate(values)}
    return "(" + (", ".join(f":{key}" for key in params) or "null") + ")", params


def epoch(at: datetime) -> int:
    """Aware time to whole epoch seconds."""
    return int(at.timestamp())


def moment(seconds: int | None) -> datetime | None:
    """Epoch seconds to an aware UTC time; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def moment_of(seconds: int) -> datetime:
    """Epoch seconds to an aware UTC time."""
    return datetime.fromtimestamp(seconds, UTC)
