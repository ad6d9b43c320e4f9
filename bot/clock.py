"""The one source of the time for the entry points (web requests, worker passes, commands).

Everything below them takes `now` as an argument.
"""

from datetime import UTC, datetime
from typing import Any, Protocol

import requests

from bot.config import BadConfig

LONGEST_WAIT = 1  # seconds


class Clock(Protocol):
    """Tells the time; a worker also tells it how far it has come, so that a held clock can go on."""

    def now(self) -> datetime: ...

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for us: the machine's clock goes on by itself."""


class FollowedClock:
    """The sandbox's clock (ATTUNE_CLOCK_URL), which may be held still and jump."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the machine's mustn't come between us and loopback
        self._version: int | None = None

    def now(self) -> datetime:
        """The sandbox's time, UTC. The first look since the last report is what that report will speak of.

        Raises BadConfig when no such clock answers.
        """
        try:
            answer: dict[str, Any] = self._session.get(self.url, timeout=5).json()
            at, version = datetime.fromtimestamp(float(answer["now"]), UTC), int(answer["version"])
        except (requests.RequestException, LookupError, TypeError, ValueError) as error:
            raise BadConfig(
                f"ATTUNE_CLOCK_URL names no clock that answers ({error.__class__.__name__}): "
                "start the sandbox it belongs to, or unset it."
            ) from error
        if self._version is None:
            self._version = version
        return at

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Tell the clock whether this worker still had work and when it next will (epoch seconds).

        One with nothing to do then waits until something happens, for a second at most.
        """
        seen, self._version = self._version, None
        body = {"who": who, "version": seen or 0, "busy": busy, "next_due": next_due}
        self._session.post(f"{self.url}/report", json=body, timeout=5)
        if not busy:
            self._session.get(self.url, params={"after": seen or 0, "wait": LONGEST_WAIT}, timeout=5)


def clock_for(clock_url: str) -> Clock:
    """The sandbox's clock where a setting names one, else the machine's."""
    return FollowedClock(clock_url) if clock_url else SystemClock()
