"""Structured logs: JSON lines with ids only. Names, numbers, addresses, ratings and words never get in.

`ALLOWED` is the whole list of fields a line may have; anything else is dropped with a note that it was, so
that a slip in a log call can't leak.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

# fmt: off
ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "process", "practice", "client", "person", "appointment", "check_in",
        "message", "attempt", "alert", "inbox", "worker", "kind", "state", "code", "count", "seconds",
        "status", "channel", "error", "port", "what", "setting",
    }
)
# fmt: on

Event = MutableMapping[str, Any]


def set_up(process: str) -> None:
    """Log to standard error as JSON lines, marked with the kind of process (web, worker, command)."""
    structlog.configure(
        processors=[
            _named(process),
            structlog.processors.add_log_level,
            _only_allowed,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries log addresses and numbers of their own: keep them quiet.
    logging.basicConfig(level=logging.ERROR, format="%(name)s %(levelname)s")


def get() -> Any:
    """The logger."""
    return structlog.get_logger()


def _named(process: str) -> Callable[[Any, str, Event], Event]:
    def name(_logger: Any, _method: str, event: Event) -> Event:
        return {**event, "process": process}

    return name


def _only_allowed(_logger: Any, _method: str, event: Event) -> Event:
    dropped = [name for name in event if name not in ALLOWED]
    kept = {name: value for name, value in event.items() if name in ALLOWED}
    if dropped:
        kept["what"] = f"{len(dropped)} fields that may not be logged were left out"
    return kept
