"""A PostgreSQL server that a test may stop, kill, and put back."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.sandbox import Sandbox
from tests.hosts.server import Server
from tests.support.cast import Riverside, riverside


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    # in memory where there is such a place: no test here cuts the power, and copies are quick
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="attune-server-", dir=memory) as folder:
        found = Server(Path(folder))
        yield found
        found.stop()


@pytest.fixture
def server(_server: Server) -> Server:
    """It runs, as it should."""
    _server.stop()
    _server.start()
    return _server


@pytest.fixture
def ctx(server: Server, config: Config, sandbox: Sandbox) -> Context:
    """A context on that server, which sends through the sandbox."""
    found = context.build(
        replace(config, database_url=server.url(server.fresh()), twilio_api_url=sandbox.url, smtp_url="")
    )
    found.store.migrate()
    return found


@pytest.fixture
def practice(ctx: Context) -> Riverside:
    """Riverside with its cast."""
    return riverside(ctx)
