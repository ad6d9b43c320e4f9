"""Faults made for real, for tests: each happens to the next `n` messages it can happen to."""

from dataclasses import dataclass, replace
from threading import Lock

KINDS = {
    "429": "refused for haste, not taken",
    "503": "refused as out of order, not taken",
    "reset": "the connection is cut, not taken",
    "accept_then_503": "taken, and answered as if it weren't",
    "lose_answer": "taken, and the connection is cut before the answer",
    "slow": "taken, and answered after `seconds`",
    "undelivered": "taken, and never delivered, for the reason `code`",
    "callback_twice": "each status callback of it is posted twice",
    "inbound_twice": "a client's text is posted twice, as Twilio may",
    "inbound_lost": "a client's text never reaches the webhook, and is only listed",
    "list_lag": "a listing leaves out what is younger than `seconds`",
    "mail_451": "a mail is put off",
    "mail_550": "a mail is refused for good",
    "mail_lose_answer": "a mail is taken, and the connection is cut before the answer",
}


@dataclass(frozen=True)
class Fault:
    """One kind of fault still to come."""

    kind: str
    next: int = 1
    seconds: float = 5.0
    code: int = 30003


class Faults:
    """The faults still to come. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._coming: dict[str, Fault] = {}

    def plan(self, fault: Fault) -> None:
        """Make this fault happen to the next `fault.next`. Raises ValueError for an unknown kind."""
        if fault.kind not in KINDS:
            raise ValueError(f"no fault is called {fault.kind!r}; there are {', '.join(KINDS)}")
        with self._lock:
            self._coming[fault.kind] = fault

    def take(self, kind: str) -> Fault | None:
        """The fault, if it happens now; it is then used up once."""
        with self._lock:
            fault = self._coming.get(kind)
            if fault is None or fault.next < 1:
                return None
            self._coming[kind] = replace(fault, next=fault.next - 1)
            return fault

    def coming(self) -> dict[str, int]:
        """How often each planned fault will still happen."""
        with self._lock:
            return {kind: fault.next for kind, fault in self._coming.items() if fault.next > 0}
