"""A change of key: everything comes under the newest one, and the old one can be thrown away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.flows.context import Context
from bot.store import SealBroken, Store, clients, people, reseal
from tests.support.canaries import CANARIES, STRANGER, fill, opened
from tests.support.practice_rows import ANA, NOW, Small
from tests.support.racers import SECRET, store_at

NEWER = "a-newer-secret-for-tests-of-good-length"


@pytest.fixture
def rotated(path: Path, store: Store) -> Store:
    """The same database after a change of key: the new one first, the old one still known."""
    return store_at(path, NEWER, SECRET)


def columns(store: Store) -> Iterator[tuple[str, str]]:
    with store.transaction(write=False) as tx:
        tables = [row["name"] for row in tx.all("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for column in tx.all(f"select name from pragma_table_info('{table}')"):
                yield table, column["name"]


def test_the_table_of_sealed_columns_names_every_one_in_the_schema(store: Store) -> None:
    """A new sealed column that is forgotten there would be lost with the old key."""
    known = {(table, f"{each.name}_sealed") for table, fields in reseal.TABLES.items() for each in fields}
    assert known == {(t, c) for t, c in columns(store) if c.endswith("_sealed")}


def test_the_table_of_sealed_columns_names_every_index_in_the_schema(store: Store) -> None:
    """An index can only be made anew from a sealed value beside it."""
    known = {(table, each.index) for table, fields in reseal.TABLES.items() for each in fields if each.index}
    assert known == {(t, c) for t, c in columns(store) if c.endswith("_index")}


def test_a_whole_practice_is_read_and_found_with_the_new_key_alone(ctx: Context) -> None:
    """Everything the product has stored: the same words, numbers and people as before."""
    practice_id = fill(ctx)
    path, old = Path(ctx.store.path), ctx.config.secrets[0]
    with ctx.store.transaction(write=False) as tx:
        before = opened(tx)
    done = reseal.reseal(store_at(path, NEWER, old))
    assert done.rows > 20
    assert done.broken == []
    with store_at(path, NEWER).transaction(write=False) as tx:
        assert opened(tx) == before
        assert all(canary in before for canary in CANARIES.values())
        assert [client.client_ref for client in clients.by_address(tx, "+12025550188")] == ["C-1"]
        assert people.by_email(tx, practice_id, "theobald@wrenfield.example") is not None
        assert clients.is_stopped(tx, practice_id, STRANGER)
    with pytest.raises(SealBroken), ctx.store.transaction(write=False) as tx:
        opened(tx)


def test_nothing_under_the_old_key_is_left_in_the_files(path: Path, store: Store, rotated: Store) -> None:
    """A key is changed because it may have been seen: old values in free pages or the WAL would still open."""
    small = Small(store)
    small.take()
    old_index = store.sealer.index(ANA.phone).encode()
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert old_index in stored
    store.close()
    reseal.reseal(rotated)
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert old_index not in stored
    assert f"{store.sealer.keys[0].id}.".encode() not in stored


def test_resealing_twice_changes_nothing_the_second_time(store: Store, rotated: Store) -> None:
    """And what is left to do can be asked before and after."""
    small = Small(store)
    small.take()
    small.stop(ANA.phone)
    with rotated.transaction(write=False) as tx:
        assert reseal.left(tx) == 4  # Theo, Ana, her consent, the list
    assert [reseal.reseal(rotated).rows, reseal.reseal(rotated).rows] == [4, 0]
    with rotated.transaction(write=False) as tx:
        assert reseal.left(tx) == 0


def test_killed_half_way_it_goes_on_where_it_was(
    store: Store, path: Path, rotated: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step stands by itself: with both keys set all is readable at any moment."""
    monkeypatch.setattr(reseal, "AT_ONCE", 2)
    small = Small(store)
    for number in range(6):
        small.take(client_ref=f"C-{number}", phone=f"+1202555010{number}")
    rewrite, written = reseal._rewrite, []

    def dying(*args: object) -> None:
        if len(written) == 4:
            raise KeyboardInterrupt
        written.append(args)
        rewrite(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reseal, "_rewrite", dying)
    with pytest.raises(KeyboardInterrupt):
        reseal.reseal(rotated)
    for number in range(6):
        assert small.client(f"C-{number}", rotated).phone == f"+1202555010{number}"
    monkeypatch.setattr(reseal, "_rewrite", rewrite)
    assert reseal.reseal(rotated).rows > 0
    alone = store_at(path, NEWER)
    for number in range(6):
        assert small.client(f"C-{number}", alone).phone == f"+1202555010{number}"


def test_what_does_not_open_is_named_and_left_and_the_rest_goes_on(store: Store, rotated: Store) -> None:
    """One damaged row must not keep the others under the old key; it is named by its id alone."""
    small = Small(store)
    small.take()
    small.take(client_ref="C-2", phone="+12025550102")
    broken = small.client().id
    with store.transaction() as tx:
        tx.run("update client set name_sealed = name_sealed || 'x' where id = :id", {"id": broken})
    done = reseal.reseal(rotated)
    assert done.broken == [f"client {broken}"]
    assert small.client("C-2", store_at(Path(store.path), NEWER)).phone == "+12025550102"
    with rotated.transaction(write=False) as tx:
        assert reseal.left(tx) == 1


def test_stop_said_under_the_old_key_holds_when_that_key_is_gone(path: Path, store: Store, rotated: Store) -> None:
    """For the client who said it, and for a stranger's number that becomes a client's only later."""
    small = Small(store)
    small.take()
    small.stop(ANA.phone)
    small.stop(STRANGER)
    reseal.reseal(rotated)
    alone = store_at(path, NEWER)
    with alone.transaction() as tx:
        clients.save(tx, small.id, small.entry(client_ref="C-2", phone=STRANGER), NOW)
    assert small.client("C-1", alone).stopped
    assert small.client("C-2", alone).stopped


def test_of_two_entries_for_one_address_the_later_stop_holds(path: Path, store: Store, rotated: Store) -> None:
    """Such a pair comes from a time when the old key was missing: neither entry could know of the other."""
    small, alone = Small(store), store_at(path, NEWER)
    small.stop(ANA.phone, alone)
    with alone.transaction() as tx:
        clients.lift_stop(tx, small.id, ANA.phone, NOW.replace(hour=18))
    with store.transaction() as tx:
        clients.stop(tx, small.id, ANA.phone, "reply", NOW.replace(hour=20))
    assert entries(rotated) == 2
    reseal.reseal(rotated)
    assert entries(alone) == 1
    with alone.transaction(write=False) as tx:
        assert clients.is_stopped(tx, small.id, ANA.phone)


def test_of_two_entries_for_one_address_the_later_start_holds(path: Path, store: Store, rotated: Store) -> None:
    """Who has come back is not stopped again by an entry from before."""
    small, alone = Small(store), store_at(path, NEWER)
    small.stop(ANA.phone)
    small.stop(ANA.phone, alone)
    with alone.transaction() as tx:
        clients.lift_stop(tx, small.id, ANA.phone, NOW.replace(hour=18))
    assert entries(rotated) == 2
    reseal.reseal(rotated)
    assert entries(alone) == 1
    with alone.transaction(write=False) as tx:
        assert not clients.is_stopped(tx, small.id, ANA.phone)


def entries(store: Store) -> int:
    with store.transaction(write=False) as tx:
        return len(tx.all("select id from suppression"))
