"""Structured logs: JSON lines with ids only. Names, numbers, addresses, ratings and words never get in.

`ALLOWED` is the whole list of fields a line may have, and a value is plain text, a number or nothing: whatever
else is handed in is left out, with a note of how much, so that a slip in a log call can't leak. What looks like
a number or a mail address in a text is blotted out all the same.
"""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

# fmt: off
ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "process", "practice", "client", "person", "appointment", "check_in",
        "message", "attempt", "alert", "inbox", "worker", "kind", "state", "code", "count", "seconds",
        "status", "channel", "error", "port", "what", "setting", "request",
    }
)
# fmt: on
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+|\+[0-9][0-9 ().-]{5,}[0-9]")

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
        logger_factory=lambda *_: _StandardError(),
    )
    # Libraries' own words may hold addresses, numbers and tokens: only who it was, and what kind of fault.
    handler = logging.StreamHandler()
    handler.setFormatter(_NamesOnly())
    logging.basicConfig(level=logging.ERROR, handlers=[handler])


def get() -> Any:
    """The logger."""
    return structlog.get_logger()


class _StandardError:
    """Writes lines. A log that can't be written (a full disk, a closed pipe) stops nothing else."""

    def msg(self, line: str) -> None:
        try:
            sys.stderr.write(f"{line}\n")  # one write a line, so that processes don't mix theirs
            sys.stderr.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            return

    debug = info = warning = error = critical = msg


class _NamesOnly(logging.Formatter):
    """A library's log record as its logger's name, level and kind of exception, without any of its words."""

    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0] if record.exc_info else None
        return f"{record.name} {record.levelname}{f' {kind.__name__}' if kind else ''}"


def _named(process: str) -> Callable[[Any, str, Event], Event]:
    def name(_logger: Any, _method: str, event: Event) -> Event:
        return {**event, "process": process}

    return name


def _only_allowed(_logger: Any, _method: str, event: Event) -> Event:
    kept = {name: _blotted(value) for name, value in event.items() if name in ALLOWED and _is_plain(value)}
    if missing := len(event) - len(kept):
        kept["left_out"] = missing
    return kept


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _blotted(value: Any) -> Any:
    return _ADDRESS.sub("[address]", value) if isinstance(value, str) else value
