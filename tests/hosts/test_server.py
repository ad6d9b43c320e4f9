"""A real server that may forget what it acknowledged is refused at start, in words."""

import signal

import pytest

from bot.store import PostgresEngine, Sealer, StoreError, system
from tests.hosts.server import Server
from tests.support.racers import SECRET


@pytest.fixture
def engine(server: Server) -> PostgresEngine:
    found = PostgresEngine(server.url(server.fresh()), Sealer((SECRET,)))
    found.migrate()
    return found


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_commits_in_a_power_cut_is_refused(
    server: Server, engine: PostgresEngine, setting: str
) -> None:
    """It is asked, each time a process starts."""
    engine.check_ready()
    server.stop()
    server.start(f"{setting}=off")
    with pytest.raises(StoreError, match=f"{setting}=off"):
        engine.check_ready()


def test_commits_wait_for_the_disk_whatever_the_server_or_the_role_says(server: Server, engine: PostgresEngine) -> None:
    """Each of our transactions asks for it itself, so that no pooler in between can lose the setting."""
    server.stop()
    server.start("synchronous_commit=off")
    engine.check_ready()
    with engine.transaction() as tx:
        tx.run("set session synchronous_commit = off")
    with engine.transaction() as tx:
        assert tx.one("select current_setting('synchronous_commit') as v") == {"v": "on"}


def test_what_was_committed_is_there_after_the_server_was_killed(server: Server, engine: PostgresEngine) -> None:
    """kill -9, and an immediate stop; whoever is in the middle is told, and the next one is taken as always."""
    for number, end in enumerate((server.kill, lambda: server.stop(signal.SIGQUIT))):
        with engine.transaction() as tx:
            system.set_value(tx, "number", str(number))
        end()
        with pytest.raises(StoreError, match="can't be used"), engine.transaction():
            pass
        server.start()
        engine._link._away_until = 0.0
        with engine.transaction(write=False) as tx:
            assert system.value(tx, "number") == str(number)
