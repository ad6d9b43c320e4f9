"""A practice moves from SQLite to PostgreSQL and back: every row, compared, and only one of the two goes on."""

import signal
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.flows import backups, context, older_copy, receiving
from bot.flows.context import Context
from bot.flows.copying import copy_database
from bot.store import PostgresEngine, StoreError, clients, copying, open_store, system
from bot.store.inbox import Inbound
from bot.store.postgres_link import Connection
from tests.hosts.hold import die_handing_over, die_while_copying, gives_up
from tests.support import postgres
from tests.support.cast import MONDAY_NOON, PHONES, Riverside, riverside
from tests.support.racers import alone

LATER = MONDAY_NOON + timedelta(hours=1)


@pytest.fixture
def lived(ctx: Context, practice: Riverside) -> Riverside:
    """A practice with some history."""
    practice.visit("Ana", MONDAY_NOON - timedelta(days=1))
    for number, words in enumerate(("4 4 5", "STOP", "i want to kill myself")):
        sender = list(PHONES.values())[number]
        receiving.receive(ctx, Inbound("sms", f"SM{number:032x}", sender, words), MONDAY_NOON)
    return practice


def test_everything_arrives_and_goes_on_there(lived: Riverside) -> None:
    """Ana is found by her number, sealed fields open, and a repeated delivery is still known."""
    config = lived.ctx.config
    target = postgres.fresh()
    copied = copy_database(config.database_url, target, config.secrets, LATER)
    assert {each.table: each.rows for each in copied}["inbox"] == 3
    there = context.build(replace(config, database_url=target))
    there.store.check_ready()
    with there.store.transaction(write=False) as tx:
        assert [client.name for client in clients.by_address(tx, PHONES["Ana"])] == ["Ana"]
    assert not receiving.receive(there, Inbound("sms", f"SM{0:032x}", PHONES["Ana"], "4 4 5"), LATER)


def test_there_and_back_is_the_same(lived: Riverside) -> None:
    """Table by table, to the last field."""
    config = lived.ctx.config
    middle, back = postgres.fresh(), config.database_url.replace("attune.db", "back.db")
    there = copy_database(config.database_url, middle, config.secrets, LATER)
    assert copy_database(middle, back, config.secrets, LATER) == there


def test_a_clean_move_is_no_older_copy_in_either_direction(lived: Riverside, tmp_path: Path) -> None:
    """A worker that starts on the new database puts nothing in doubt: nothing was sent since. Nor from one server to
    another, by a worker on the same host, which keeps a file of how far the first one had come."""
    config = lived.ctx.config
    older_copy.guard(lived.ctx, MONDAY_NOON)
    places = [config.database_url, postgres.fresh(), postgres.fresh(), f"sqlite:///{tmp_path}/back.db"]
    for source, target in pairwise(places):
        copy_database(source, target, config.secrets, LATER)
        there = context.build(replace(config, database_url=target))
        assert [older_copy.guard(there, LATER) for _ in range(2)] == [False, False]
        older_copy.advance(there, LATER)


def test_a_copy_that_is_killed_half_way_is_begun_again(lived: Riverside) -> None:
    """Until all of it is there and compared, the target holds nothing, and the source may be used."""
    config, target = lived.ctx.config, postgres.fresh()
    lived.ctx.store.close()
    assert alone(die_while_copying, config.database_url, target, config.secrets[0]) == -signal.SIGKILL
    lived.ctx.store.check_ready()
    half = open_store(target, config.secrets)
    with half.transaction(write=False) as tx:
        assert not [each for each in copying.fingerprints(tx) if each.rows]
    copied = copy_database(config.database_url, target, config.secrets, LATER)
    assert {each.table: each.rows for each in copied}["inbox"] == 3


def usable(url: str, secrets: tuple[str, ...]) -> bool:
    """Whether a practice could go on there: it has clients, and web and worker would start."""
    store = open_store(url, secrets)
    with store.transaction(write=False) as tx:
        if not tx.one("select 1 as yes from client limit 1"):
            return False
    try:
        store.check_ready()
    except StoreError:
        return False
    return True


@pytest.mark.parametrize("kept", [False, True])
def test_killed_as_it_hands_over_it_never_leaves_two_that_go_on(lived: Riverside, kept: bool) -> None:
    """The source was given up before; beginning again finds out whether the target was kept, and ends what is left."""
    config, target = lived.ctx.config, postgres.fresh()
    lived.ctx.store.close()
    assert alone(die_handing_over, config.database_url, target, config.secrets[0], kept) == -signal.SIGKILL
    assert [usable(url, config.secrets) for url in (config.database_url, target)] == [False, kept]
    with pytest.raises(StoreError, match="begin it again, with the same two addresses"):
        copy_database(config.database_url, postgres.fresh(), config.secrets, LATER)
    copied = copy_database(config.database_url, target, config.secrets, LATER)
    assert {each.table: each.rows for each in copied}["inbox"] == 3
    assert [usable(url, config.secrets) for url in (config.database_url, target)] == [False, True]
    with pytest.raises(StoreError, match="set DATABASE_URL to that one"):
        copy_database(config.database_url, postgres.fresh(), config.secrets, LATER)


@pytest.mark.parametrize("kept", [False, True])
def test_a_last_commit_that_fails_leaves_one_that_goes_on(
    lived: Riverside, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """The source, or, should the connection have broken after the server had kept it, the target."""
    config, target, commit = lived.ctx.config, postgres.fresh(), PostgresEngine._commit

    def fail(self: PostgresEngine, conn: Connection) -> None:
        last = gives_up(config.database_url, config.secrets[0])
        if kept or not last:
            commit(self, conn)
        if last:
            monkeypatch.undo()
            raise StoreError("broke off during a commit")

    monkeypatch.setattr(PostgresEngine, "_commit", fail)
    with pytest.raises(StoreError, match="broke off"):
        copy_database(config.database_url, target, config.secrets, LATER)
    assert [usable(url, config.secrets) for url in (config.database_url, target)] == [not kept, kept]
    copy_database(config.database_url, target, config.secrets, LATER)
    assert [usable(url, config.secrets) for url in (config.database_url, target)] == [False, True]


def test_a_database_is_not_copied_onto_itself(lived: Riverside) -> None:
    """It says so at once, and goes on."""
    config = lived.ctx.config
    with pytest.raises(StoreError, match="isn't empty"):
        copy_database(config.database_url, config.database_url, config.secrets, LATER)
    assert usable(config.database_url, config.secrets)


def test_long_words_and_every_sign_arrive_as_they_are(lived: Riverside) -> None:
    """A mail of megabytes, and what an engine might take for something else."""
    config = lived.ctx.config
    words = ["x" * 3_000_000, "100 % :a 'b' \"c\" \\ ; -- \n\t %s %(a)s {} \u00e9 \U0001f600"]
    store = open_store(config.database_url, config.secrets)
    with store.transaction() as tx:
        for number, text in enumerate(words):
            system.set_value(tx, f"words {number}", text)
    target = postgres.fresh()
    copy_database(config.database_url, target, config.secrets, LATER)
    with open_store(target, config.secrets).transaction(write=False) as tx:
        assert [system.value(tx, f"words {number}") for number in range(2)] == words


def test_what_was_left_refuses_to_go_on(lived: Riverside) -> None:
    """Two installations would write to the same people."""
    config = lived.ctx.config
    copy_database(config.database_url, postgres.fresh(), config.secrets, LATER)
    with pytest.raises(StoreError, match="set DATABASE_URL to that one"):
        lived.ctx.store.check_ready()


def test_a_database_in_use_is_not_copied(lived: Riverside) -> None:
    """Nor into one that holds something."""
    config = lived.ctx.config
    with lived.ctx.store.transaction() as tx:
        system.beat(tx, "a worker", LATER - timedelta(seconds=30))
    with pytest.raises(StoreError, match="Stop web and worker first"):
        copy_database(config.database_url, postgres.fresh(), config.secrets, LATER)
    full = postgres.fresh()
    other = context.build(replace(config, database_url=full))
    other.store.migrate()
    riverside(other)
    with pytest.raises(StoreError, match="isn't empty"):
        copy_database(config.database_url, full, config.secrets, LATER + timedelta(hours=1))


def test_a_changed_field_changes_the_fingerprint(lived: Riverside) -> None:
    """The comparison can fail."""
    store = open_store(lived.ctx.config.database_url, lived.ctx.config.secrets)
    with store.transaction() as tx:
        before = copying.fingerprints(tx)
        tx.run("update appointment set status = 'cancelled'")
        changed = [new.table for old, new in zip(before, copying.fingerprints(tx), strict=True) if old != new]
    assert changed == ["appointment"]


def test_a_server_brought_back_in_time_sends_nothing_again(lived: Riverside) -> None:
    """`attune after-restore`: what waited is looked up first, what fell due since isn't asked."""
    ctx = lived.ctx
    lived.visit("Ana", MONDAY_NOON - timedelta(hours=3), now=MONDAY_NOON - timedelta(hours=3))
    with ctx.store.transaction() as tx:
        before = {row["state"] for row in tx.all("select state from outbox where channel = 'sms'")}
    done = backups.after_restore(ctx, MONDAY_NOON - timedelta(hours=2), LATER)
    assert before == {"due"}
    assert done.messages == len(lived.rows("select id from outbox where state = 'in_doubt'")) > 0
    assert not lived.rows("select id from outbox where state = 'due'")
