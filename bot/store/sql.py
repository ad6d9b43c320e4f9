"""Small helpers for SQL text that both engines read."""

import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


class _Ids:
    """Keys that sort in the order they were made (within a process, surely), with 68 random bits to tell hosts apart:
    the idea of UUID version 7, RFC 9562. The clock is used for nothing but this order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 250)
            return f"{self._last:015x}{secrets.randbits(68):017x}"


_ids = _Ids()


def new_id() -> str:
    """A key for a new row, 32 hex digits; of two rows of the same second the later one sorts last."""
    return _ids.next()


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
