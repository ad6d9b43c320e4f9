"""What the sandbox's routes share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flask import current_app

from bot.sandbox.book import Book, Line
from bot.sandbox.clock import SandboxClock
from bot.sandbox.deliveries import Deliveries
from bot.sandbox.faults import Faults
from bot.sandbox.mailbox import Mailbox


@dataclass(frozen=True)
class Owner:
    """Whose phone a number is, and the zone its screen shows times in."""

    name: str
    zone: str = "America/New_York"


@dataclass(frozen=True)
class Account:
    """The pretended Twilio account. Tokens stay out of its repr."""

    sid: str
    tokens: tuple[str, ...] = field(repr=False)
    line: Line
    opt_out_replies: bool = True


class Director(Protocol):
    """Whoever can make a visit end and weeks go by. `busy`: what is going on; `problem`: what went wrong last;
    `colleagues`: addresses by name of those who can sign in to Attune's pages."""

    busy: str
    problem: str
    colleagues: Mapping[str, str]

    def sign_in_link(self, name: str) -> str: ...

    def do(self, what: str, phone: str = "") -> None: ...


@dataclass
class Parts:
    """Everything a route may need."""

    account: Account
    clock: SandboxClock
    book: Book
    faults: Faults
    deliveries: Deliveries
    mailbox: Mailbox
    owners: dict[str, Owner]
    zone: str = "America/New_York"  # of the guide and the mailbox; each phone has its owner's
    director: Director | None = None

    def owner(self, number: str) -> Owner:
        """Whose phone this is; a phone nobody named goes by its number."""
        return self.owners.get(number, Owner(number))

    def name(self, people: Mapping[str, Owner]) -> None:
        """Put names to numbers."""
        self.owners.update(people)

    def direct(self, director: Director) -> None:
        """From now on the guide has buttons that make things happen."""
        self.director = director


def here() -> Parts:
    """The parts of the sandbox that is answering the current request."""
    parts = current_app.extensions["sandbox"]
    assert isinstance(parts, Parts)
    return parts
