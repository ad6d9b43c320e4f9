# ruff: noqa: PT012 - what is tested here is what several statements in one block leave behind
"""Transactions: all or nothing, whatever goes wrong in them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils.utils import sqlite3

from bot.store import Store, StoreError, Tx, system
from bot.store.sql import listed
from tests.support import racers
from tests.support.racers import race, store_at


def put(tx: Tx, name: str) -> None:
    system.set_value(tx, name, "here")


def names(store: Store) -> list[str]:
    with store.transaction(write=False) as tx:
        return [row["name"] for row in tx.all("select name from installation order by name")]


def names_seen_by_others(path: Path) -> list[str]:
    """What a second connection sees: only what was committed."""
    return names(store_at(path))


def test_what_was_written_is_there_for_everyone_afterwards(store: Store, path: Path) -> None:
    """A transaction that ends well is committed, not only visible to its own connection."""
    with store.transaction() as tx:
        put(tx, "a")
    assert names_seen_by_others(path) == ["a"]


def test_an_error_leaves_nothing_behind(store: Store, path: Path) -> None:
    """All or nothing."""
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        put(tx, "a")
        1 / 0  # noqa: B018
    assert names_seen_by_others(path) == []
    with store.transaction() as tx:
        put(tx, "b")
    assert names_seen_by_others(path) == ["b"]


def test_an_error_in_an_inner_transaction_undoes_that_one_alone(store: Store, path: Path) -> None:
    """Inside another, a transaction is a savepoint: whoever catches its error keeps the rest."""
    with store.transaction() as tx:
        put(tx, "before")
        with pytest.raises(ZeroDivisionError), store.transaction() as inner:
            put(inner, "inside")
            1 / 0  # noqa: B018
        put(tx, "after")
    assert names_seen_by_others(path) == ["after", "before"]


def test_an_error_that_nobody_catches_undoes_every_level(store: Store, path: Path) -> None:
    """An inner transaction that ended well is undone with the outer one it was part of."""
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        put(tx, "a")
        with store.transaction() as inner, inner.savepoint():
            put(inner, "b")
        1 / 0  # noqa: B018
    assert names_seen_by_others(path) == []


def test_nothing_inside_another_is_stored_before_the_outer_one_ends(store: Store, path: Path) -> None:
    """An inner transaction commits nothing by itself."""
    with store.transaction():
        with store.transaction() as inner:
            put(inner, "a")
        assert names_seen_by_others(path) == []
    assert names_seen_by_others(path) == ["a"]


def test_a_commit_that_fails_stores_nothing_and_the_next_one_stores(store: Store, path: Path) -> None:
    """After a refused COMMIT SQLite leaves the transaction open; the next one must not become a part of it."""
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.run("pragma defer_foreign_keys=on")  # so that the fault is only found when committing
        put(tx, "a")
        tx.insert("person_role", {"practice_id": "nobody's", "person_id": "nobody", "role": "duty"})
    assert names_seen_by_others(path) == []
    with store.transaction() as tx:
        put(tx, "b")
    assert names_seen_by_others(path) == ["b"]


@pytest.fixture
def full_disk(store: Store) -> Iterator[Store]:
    """A database that may not grow, as on a full disk: the same result code, SQLITE_FULL."""
    store.pending()
    conn = store._local.db.conn
    conn.execute(f"pragma max_page_count={conn.execute('pragma page_count').fetchone()[0]}")
    yield store
    conn.execute("pragma max_page_count=1000000")


def fill(tx: Tx) -> None:
    tx.insert_many("installation", [{"name": str(i), "value": "x" * 2000} for i in range(50)])


def test_a_full_disk_is_told_in_words_and_nothing_is_half_stored(full_disk: Store, path: Path) -> None:
    """SQLITE_FULL becomes a StoreError that says what to do."""
    words = r"is full.*Nothing of what was being done was stored; make room"
    with pytest.raises(StoreError, match=words), full_disk.transaction() as tx:
        put(tx, "a")
        fill(tx)
    assert names_seen_by_others(path) == []


def test_what_follows_a_swallowed_full_disk_is_not_stored_on_its_own(full_disk: Store, path: Path) -> None:
    """SQLite undoes the whole transaction by itself when the disk is full; the rest must not be stored alone."""
    with pytest.raises(StoreError, match="This transaction is over"), full_disk.transaction() as tx:
        put(tx, "before")
        with pytest.raises(sqlite3.OperationalError), tx.savepoint():
            fill(tx)
        put(tx, "after")
    assert names_seen_by_others(path) == []


def test_room_made_on_the_disk_is_used_at_once(full_disk: Store, path: Path) -> None:
    """The same connection goes on after a full disk."""
    with pytest.raises(StoreError), full_disk.transaction() as tx:
        fill(tx)
    full_disk._local.db.conn.execute("pragma max_page_count=1000000")
    with full_disk.transaction() as tx:
        fill(tx)
    assert len(names_seen_by_others(path)) == 50


def test_a_file_that_cannot_grow_loses_nothing_that_was_stored(store: Store, path: Path) -> None:
    """A real limit of the system on file sizes: the error is in words, whole transactions are there, no halves."""
    words = race(1, racers.write_on_a_small_disk, str(path), 900_000)[0]
    assert "the disk reports an error" in words or "is full" in words
    assert store.integrity() == "ok"
    found = names(store)
    assert found
    assert len(found) % 20 == 0


def test_a_database_that_may_not_be_written_says_so() -> None:
    """A read-only file and folder: words, with what to look at. (The test's own folder is closed to others.)"""
    folder = Path(tempfile.mkdtemp())
    try:
        store = store_at(folder / "attune.db")
        store.migrate()
        store.close()
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        words = race(1, racers.write_as_nobody, str(folder / "attune.db"))[0]
        assert "can't be" in words
        assert str(folder) in words
        assert names(store) == []
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_transaction_that_reads_cannot_write(store: Store, path: Path) -> None:
    """A read that turns into a write fails at once whenever someone else wrote meanwhile: refused from the start."""
    with pytest.raises(RuntimeError, match="write=False"), store.transaction(write=False) as tx:
        put(tx, "a")
    with pytest.raises(RuntimeError, match="write=False"), store.transaction(write=False), store.transaction():
        pass
    with store.transaction() as tx:
        put(tx, "b")
    assert names_seen_by_others(path) == ["b"]


@pytest.mark.parametrize(
    "sql",
    [
        "with a as (select 1) replace into installation (name, value) values ('x', 'y')",
        "with a as (select 1) replace/**/into installation (name, value) values ('x', 'y')",
        "with a as (select 1) insert into installation (name, value) values ('x', 'y')",
        "replace into installation (name, value) values ('x', 'y')",
    ],
)
def test_no_way_of_writing_slips_through_a_transaction_that_reads(store: Store, sql: str) -> None:
    with pytest.raises(RuntimeError, match="write=False"), store.transaction(write=False) as tx:
        tx.run(sql)
    with store.transaction(write=False) as tx:
        assert tx.all("with a as (select replace('ab', 'a', 'c') as word) select word from a") == [{"word": "cb"}]
    assert names(store) == []


def test_a_reader_sees_one_moment(store: Store, path: Path) -> None:
    """What others commit while a transaction reads isn't seen before its end."""
    with store.transaction(write=False) as tx:
        assert tx.all("select * from installation") == []
        with store_at(path).transaction() as other:
            put(other, "a")
        assert tx.all("select * from installation") == []
    assert names(store) == ["a"]


def test_a_transaction_cannot_be_used_after_its_end(store: Store) -> None:
    """Whatever kept it would otherwise write outside any transaction."""
    with store.transaction() as tx:
        pass
    for use in (lambda: put(tx, "a"), lambda: tx.all("select 1 as one"), lambda: tx.run_many("select 1", [{}])):
        with pytest.raises(StoreError, match="over"):
            use()
    assert names(store) == []


def test_a_conflict_is_told_apart_from_an_insert(store: Store) -> None:
    """`insert` says whether the row was kept."""
    with store.transaction() as tx:
        row = {"name": "a", "value": "b"}
        assert tx.insert("installation", row)
        assert not tx.insert("installation", row, "on conflict do nothing")


def test_an_empty_list_matches_nothing(store: Store) -> None:
    """`in ()` is no SQL; an empty list must neither fail nor match."""
    with store.transaction() as tx:
        put(tx, "a")
        among, params = listed("n", [])
        assert tx.all(f"select * from installation where name in {among}", params) == []


def test_a_missing_schema_is_told_with_the_command_that_makes_it(path: Path) -> None:
    """An operator who forgot `attune migrate` reads what to do."""
    with pytest.raises(StoreError, match="run `attune migrate` first"), store_at(path).transaction() as tx:
        put(tx, "a")


def test_a_file_that_is_no_database_is_told_in_words(path: Path) -> None:
    """DATABASE_URL may lead to the wrong file."""
    path.write_bytes(b"Dear diary, " * 500)
    store = store_at(path)
    for use in (store.migrate, store.pending, store.integrity, store.durability):
        with pytest.raises(StoreError, match="is not a database"):
            use()


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    """The system's own errors become words too."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be used"):
        store_at(tmp_path / "file" / "attune.db").migrate()
