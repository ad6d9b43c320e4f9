"""The engine on PostgreSQL keeps what SQLite's keeps; all flows' tests run on it too (`make test-postgres`)."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from bot.flows import context
from bot.flows.context import Context
from bot.store import PostgresEngine, Sealer, StoreError, outbox, system
from bot.store.outbox import Draft
from bot.store.postgres import _native
from migrations import STEPS
from tests.support import postgres, racers
from tests.support.cast import MONDAY_NOON, PHONES, riverside
from tests.support.racers import SECRET, alone, race

LATER = MONDAY_NOON + timedelta(hours=1)


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def engine(url: str) -> PostgresEngine:
    found = PostgresEngine(url, Sealer((SECRET,)))
    found.migrate()
    return found


@pytest.fixture
def busy(url: str, ctx: Context) -> str:
    """A hundred and twenty messages are due; the address of the database."""
    there = context.build(replace(ctx.config, database_url=url, secrets=(SECRET,)))
    there.store.migrate()
    practice = riverside(there)
    with there.store.transaction() as tx:
        for number in range(120):
            draft = Draft("thanks", f"thanks:{number}", "sms", PHONES["Ana"], "Thank you.")
            assert outbox.put(tx, practice.practice.id, draft, MONDAY_NOON, MONDAY_NOON)
    return url


def test_four_workers_claim_every_message_once(busy: str) -> None:
    """None twice, none left."""
    claimed = race(4, racers.claim_all, busy, LATER)
    assert all(isinstance(each, list) for each in claimed), claimed
    ids = [each for some in claimed for each in some]
    assert len(ids) == len(set(ids)) == 120


def test_a_worker_killed_in_the_middle_of_a_claim_holds_nothing(busy: str) -> None:
    """The next one gets all."""
    assert alone(racers.die_while_claiming, busy, LATER) == -signal.SIGKILL
    assert len(race(1, racers.claim_all, busy, LATER)[0]) == 120


def test_reading_and_then_writing_loses_no_update(engine: PostgresEngine, url: str) -> None:
    """Four processes read a number and write the next: every step counts, as on SQLite."""
    with engine.transaction() as tx:
        system.set_value(tx, "number", "0")
    waits = race(4, racers.count_up, url, 25)
    assert all(isinstance(wait, float) for wait in waits), waits
    with engine.transaction(write=False) as tx:
        assert system.value(tx, "number") == "100"


def test_six_processes_upgrade_one_database_at_once(url: str) -> None:
    """One does it, none fails."""
    assert sorted(race(6, racers.migrate_one, url)) == [0, 0, 0, 0, 0, len(STEPS)]


def test_what_fails_inside_a_savepoint_is_undone_alone(engine: PostgresEngine) -> None:
    """A failed statement would otherwise end the whole transaction."""
    with engine.transaction() as tx:
        system.set_value(tx, "first", "kept")
        with pytest.raises(psycopg.Error), tx.savepoint():
            tx.run("insert into installation (name, value) values ('first', 'again')")
        system.set_value(tx, "second", "kept")
    with engine.transaction(write=False) as tx:
        assert [system.value(tx, name) for name in ("first", "second")] == ["kept", "kept"]


def test_a_transaction_that_reads_cannot_write_and_sees_one_moment(engine: PostgresEngine, url: str) -> None:
    """As on SQLite."""
    other = PostgresEngine(url, Sealer((SECRET,)))
    with engine.transaction(write=False) as tx:
        assert system.value(tx, "number") is None
        with other.transaction() as writing:
            system.set_value(writing, "number", "1")
        assert system.value(tx, "number") is None
    with pytest.raises(RuntimeError, match="began with write=False"), engine.transaction(write=False) as tx:
        system.set_value(tx, "number", "2")


def test_a_server_that_is_not_there_is_told_in_words_without_the_password() -> None:
    """And nothing is half stored."""
    away = PostgresEngine("postgresql://attune:hunter2@127.0.0.1:9/attune", Sealer((SECRET,)))
    with pytest.raises(StoreError, match="can't be used") as told:
        away.check_ready()
    assert "hunter2" not in str(told.value)


def test_a_newer_database_refuses_an_older_program(engine: PostgresEngine) -> None:
    """In the same words as on SQLite."""
    with engine.transaction() as tx:
        tx.run("insert into attune_step (name, applied_at) values ('9999_later', 0)")
    with pytest.raises(StoreError, match="newer Attune"):
        engine.migrate()


def test_a_server_that_may_forget_a_commit_is_refused(engine: PostgresEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten "sent" is a second text to a client."""
    engine.check_durability()
    monkeypatch.setattr(PostgresEngine, "durability", lambda _: {"synchronous_commit": "on", "fsync": "off"})
    with pytest.raises(StoreError, match="fsync=off"):
        engine.check_durability()


def test_a_connection_that_broke_is_made_anew(engine: PostgresEngine, url: str) -> None:
    """After a restart of the server, say: one transaction fails in words, the next works."""
    with engine.transaction(write=False) as tx:
        pid = (tx.one("select pg_backend_pid() as pid") or {})["pid"]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("select pg_terminate_backend(%s)", (pid,))
    with pytest.raises(StoreError, match="Nothing of what was being done was stored"), engine.transaction():
        pass
    with engine.transaction() as tx:
        system.set_value(tx, "number", "1")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("select :a, :b_2", "select %(a)s, %(b_2)s"),
        ("select ':a' , \"x:y\", n::text -- :a", "select ':a' , \"x:y\", n::text -- :a"),
        ("x like 'danger%'", "x like 'danger%%'"),
    ],
)
def test_names_become_the_servers_own_form(ours: str, theirs: str) -> None:
    """But not in literals, quoted names, casts and comments."""
    assert _native(ours).decode() == theirs
