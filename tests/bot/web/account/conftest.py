"""Signing in needs no provider: what is mailed is read where it lies, in the outbox."""

from dataclasses import replace

import pytest

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context


@pytest.fixture
def ctx(config: Config) -> Context:
    """A context that could send mail, on a fresh migrated database."""
    found = context.build(replace(config, smtp_url="smtp://127.0.0.1:9"))
    found.store.migrate()
    return found
