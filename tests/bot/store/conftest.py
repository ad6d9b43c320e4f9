"""A store of its own for every test here; nothing is sent, so no sandbox."""

from pathlib import Path

import pytest

from bot.store import Store
from tests.support.racers import store_at


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "attune.db"


@pytest.fixture
def store(path: Path) -> Store:
    """A migrated, empty database."""
    found = store_at(path)
    found.migrate()
    return found
