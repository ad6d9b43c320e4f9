"""Providers on loopback that answer whatever a test tells them to, byte by byte if need be."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from bot.channels import Outgoing
from bot.config import Config

NOW = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)


@dataclass
class Wire:
    """A port. Each connection is handed to `talk`; `heard` keeps what came in."""

    talk: Callable[[socket.socket], None] = lambda connection: None
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                self.talk(connection)
            except OSError:  # the client went away, as some tests have it do
                return


@pytest.fixture
def wire() -> Iterator[Wire]:
    found = Wire()
    yield found
    found.close()


@pytest.fixture
def outgoing() -> Outgoing:
    """A check-in to Ana."""
    return Outgoing(
        to="+12025550101", body="Riverside visit: did you feel heard?", message_id="m" * 32, attempt_id="a" * 32,
        valid_seconds=3600, now=NOW, subject="A question",
    )  # fmt: skip


@pytest.fixture
def to_wire(config: Config, wire: Wire) -> Config:
    """Settings whose providers are the wire."""
    address = f"127.0.0.1:{wire.port}"
    return replace(config, twilio_api_url=f"http://{address}", smtp_url=f"smtp://{address}")
