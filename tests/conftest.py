"""What every test may use: a real database in a folder of its own, a real sandbox on loopback, the cast."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.sandbox import Sandbox
from tests.support import postgres
from tests.support.cast import Riverside, riverside

ACCOUNT_SID = "AC" + "0" * 31 + "1"
TOKEN = "a-token-for-tests"
SENDER = "+15005550006"
PUBLIC_URL = "http://attune.example"
# A property is tried on the same examples at every run, however long each takes: no run is refused by luck. To look
# further, `--hypothesis-profile roaming`, with `--hypothesis-seed N` for a run that can be had again.
settings.register_profile("roaming", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", settings.get_profile("roaming"), derandomize=True)
settings.load_profile("steady")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Twilio's stand-in and a mailbox, on free ports; what it sends to Attune goes nowhere."""
    with Sandbox(PUBLIC_URL, ACCOUNT_SID, TOKEN) as running:
        yield running


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """Where one test's database is: a file, or on a real PostgreSQL for `make test-postgres`."""
    if os.environ.get("ATTUNE_TEST_ENGINE") != "postgresql":
        yield f"sqlite:///{tmp_path}/attune.db"
        return
    with postgres.database() as url:
        yield url


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """Settings of one test, without any way to send."""
    return Config(
        database_url=database_url,
        data_folder=str(tmp_path),
        public_url=PUBLIC_URL,
        secrets=("a-secret-for-tests-that-is-long-enough",),
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_tokens=(TOKEN,),
        twilio_from=SENDER,
        mail_from="Riverside <notes@riverside.example>",
        pace=0,
    )


@pytest.fixture
def ctx(config: Config, sandbox: Sandbox) -> Context:
    """A context that sends through the sandbox, on a fresh migrated database."""
    found = context.build(replace(config, twilio_api_url=sandbox.url, smtp_url=sandbox.environment["SMTP_URL"]))
    found.store.migrate()
    return found


@pytest.fixture
def practice(ctx: Context) -> Riverside:
    """Riverside with its cast, open Monday to Saturday from nine to eight."""
    return riverside(ctx)
