"""The engine on PostgreSQL keeps what SQLite's keeps; all flows' tests run on it too (`make test-postgres`)."""

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from bot.flows import context
from bot.flows.context import Context
from bot.store import PostgresEngine, Sealer, StoreError, Tx, outbox, system
from bot.store import postgres as server
from bot.store.outbox import Draft
from bot.store.postgres import _native
from migrations import STEPS
from tests.support import postgres, racers
from tests.support.cast import MONDAY_NOON, PHONES, riverside
from tests.support.racers import SECRET, alone, race
from tests.support.strikes import struck

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


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_may_forget_a_commit_is_refused(
    engine: PostgresEngine, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """A forgotten "sent" is a second text to a client. (A real server run so: tests/hosts/test_server.py.)"""
    engine.check_durability()
    said = engine.durability() | {setting: "off"}
    monkeypatch.setattr(PostgresEngine, "durability", lambda _: said)
    with pytest.raises(StoreError, match=f"{setting}=off"):
        engine.check_durability()


def backend(tx: Tx) -> int:
    """The server's process behind a transaction."""
    return int((tx.one("select pg_backend_pid() as pid") or {})["pid"])


def end(url: str, pid: int) -> None:
    """End one of the server's processes, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("select pg_terminate_backend(%s, 5000)", (pid,))


def test_a_connection_that_broke_while_nobody_used_it_is_made_anew(engine: PostgresEngine, url: str) -> None:
    """After a restart of the server at night the first reply of the morning is taken like any other."""
    with engine.transaction(write=False) as tx:
        pid = backend(tx)
    end(url, pid)
    with engine.transaction() as tx:
        assert backend(tx) != pid
        system.set_value(tx, "number", "1")


def test_a_connection_that_breaks_in_the_middle_is_told_and_nothing_is_stored(engine: PostgresEngine, url: str) -> None:
    """What was begun isn't begun again behind the flow's back: it may have been decided on what it had read."""

    def write() -> None:
        with engine.transaction() as tx:
            system.set_value(tx, "number", "1")
            end(url, backend(tx))
            system.set_value(tx, "number", "2")

    with pytest.raises(StoreError, match="Nothing of what was being done was stored"):
        write()
    with engine.transaction(write=False) as tx:
        assert system.value(tx, "number") is None


LEAVING = (
    """create function leave() returns trigger language plpgsql
       as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'""",
    """create constraint trigger leaving after insert on installation deferrable initially deferred
       for each row execute function leave()""",
)


def test_a_connection_that_breaks_in_the_commit_leaves_it_open_whether_it_was_stored(engine: PostgresEngine) -> None:
    """The words must not say that nothing was stored: nobody knows."""
    with engine.transaction() as tx:
        for sql in LEAVING:
            tx.run(sql)
    with pytest.raises(StoreError, match="stored isn't known"), engine.transaction() as tx:
        system.set_value(tx, "number", "1")
    with engine.transaction(write=False) as tx:
        assert system.value(tx, "number") is None


def test_a_commit_that_stored_nothing_is_not_taken_for_one(engine: PostgresEngine) -> None:
    """The server answers the commit of a transaction in which something failed as if all were well."""

    def swallow() -> None:
        with engine.transaction() as tx:
            system.set_value(tx, "number", "1")
            with suppress(psycopg.Error):
                tx.run("insert into installation (name, value) values ('number', '2')")

    with pytest.raises(StoreError, match="didn't commit"):
        swallow()


def test_a_writer_that_falls_silent_loses_its_turn(engine: PostgresEngine, url: str) -> None:
    """As one on a machine that is cut off, or frozen: the others go on, and it stores nothing when it comes back."""
    other = PostgresEngine(url, Sealer((SECRET,)))

    def fall_silent() -> None:
        with engine.transaction(patience=4) as silent:
            system.set_value(silent, "number", "silent")
            with other.transaction(patience=20) as tx:
                system.set_value(tx, "number", "other")
            system.set_value(silent, "number", "silent again")

    with pytest.raises(StoreError, match="Nothing of what was being done"):
        fall_silent()
    with engine.transaction(write=False) as tx:
        assert system.value(tx, "number") == "other"


def test_a_server_that_is_frozen_hangs_nobody(
    engine: PostgresEngine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine still answers, so that no connection breaks."""
    monkeypatch.setattr(server, "LONGEST", 0.25)
    monkeypatch.setattr(server, "GRACE", 0.5)

    def ask_a_frozen_one() -> None:
        with engine.transaction(patience=4) as tx:
            frozen.append(backend(tx))
            os.kill(frozen[0], signal.SIGSTOP)
            system.set_value(tx, "number", "1")

    frozen: list[int] = []
    try:
        with pytest.raises(StoreError, match="can't be used"):
            ask_a_frozen_one()
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    with engine.transaction() as tx:
        assert system.value(tx, "number") is None


def test_a_thread_leaves_its_connection_to_the_next(engine: PostgresEngine) -> None:
    """A worker's threads come and go every second; connecting would cost more than what they do."""

    def look() -> int:
        with engine.transaction(write=False) as tx:
            found = backend(tx)
        engine.close()
        return found

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        assert first.submit(look).result() == second.submit(look).result()


def test_the_server_is_known_again_and_another_is_not(engine: PostgresEngine) -> None:
    """By its own number and the life it is in, which a promotion or a recovery to a point in time changes."""
    server_id, _, life = engine.lineage().partition("-")
    assert server_id.isdigit()
    assert life == "00000001"
    with engine.transaction() as tx:
        assert engine.lineage() == f"{server_id}-{life}"
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


def test_a_child_that_leaves_the_transaction_it_was_forked_in_spoils_nothing(engine: PostgresEngine) -> None:
    """It neither adds to it nor commits it nor undoes it: the connection is the parent's. Afterwards it has its own."""
    parent, told = os.getpid(), 0
    try:
        with engine.transaction() as tx:
            system.set_value(tx, "number", "1")
            child = os.fork()
            if child == 0:
                with pytest.raises(RuntimeError, match="forked in the middle"):
                    system.set_value(tx, "number", "2")
            else:
                told = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                system.set_value(tx, "more", "1")
    except RuntimeError as error:
        assert os.getpid() != parent, "that is the child's"
        with engine.transaction(write=False) as tx:
            seen = system.value(tx, "number")
        os._exit(7 if "forked in the middle" in str(error) and seen is None else 1)
    finally:
        if os.getpid() != parent:
            os._exit(1)
    with engine.transaction(write=False) as tx:
        assert [told, system.value(tx, "number"), system.value(tx, "more")] == [7, "1", "1"]


def test_a_transaction_struck_at_any_step_leaves_nothing_of_itself_in_the_next(engine: PostgresEngine) -> None:
    """A connection that is left in the middle of one is never used for another."""
    number, more = 0, True

    def writes() -> None:
        with engine.transaction() as tx:
            system.set_value(tx, "struck", str(number))
            raise KeyError

    while more:
        number += 7  # every seventh: each is some trips to the server
        more = struck(writes, number, (server.__file__, contextlib.__file__))
        with engine.transaction(patience=60) as tx:
            system.set_value(tx, "next", str(number))
        with engine.transaction(write=False) as tx:
            assert [system.value(tx, "struck"), system.value(tx, "next")] == [None, str(number)]
    assert number > 100
