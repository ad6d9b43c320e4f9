"""What is acknowledged survives; what can't be kept safe is refused, in words."""

import stat
import threading
from pathlib import Path

import pytest

from bot.store import Store, StoreError, open_store, sqlite, system
from bot.store.sqlite import sqlite_path, wal_is_safe
from tests.support.racers import SECRET, store_at


def test_commits_are_synced_to_the_disk(store: Store) -> None:
    """synchronous reads back FULL (2): a reply answered with 200 outlives a power cut."""
    store.check_ready()
    assert store.durability()["synchronous"] == "2"


@pytest.mark.parametrize("level", ["off", "normal"])
def test_anything_less_than_full_is_refused(store: Store, level: str) -> None:
    """WAL with synchronous=NORMAL forgets the last commits at a power cut."""
    store.durability()
    store._local.db.conn.execute(f"pragma synchronous={level}")
    with pytest.raises(StoreError, match="replies could be lost in a power cut"):
        store.check_ready()


@pytest.mark.parametrize("journal", ["off", "memory"])
def test_a_journal_that_a_crash_would_lose_is_refused(
    store: Store, path: Path, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FULL is no help without a journal on the disk."""
    store.close()
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: False)
    again = store_at(path)
    again.durability()
    again._local.db.conn.execute(f"pragma journal_mode={journal}")
    with pytest.raises(StoreError, match="a crash could damage it"):
        again.check_ready()


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),  # Debian 12's
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_only_where_its_fault_is_mended(version: tuple[int, ...], safe: bool) -> None:
    """SQLite 3.7.0 to 3.51.2 can damage a database in WAL mode, but for two backports of the fix."""
    assert wal_is_safe(version) is safe


def test_an_engine_with_the_fault_takes_a_database_out_of_wal(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that another engine has put into WAL mode before; and back where the engine is safe."""
    with store.transaction() as tx:
        system.set_value(tx, "a", "kept")
    store.close()
    with monkeypatch.context() as patched:
        patched.setattr(sqlite, "wal_is_safe", lambda version: False)
        old = store_at(path)
        assert old.durability()["journal_mode"] == "delete"
        old.check_ready()
        old.close()
    with store.transaction(write=False) as tx:
        assert system.value(tx, "a") == "kept"
    assert store.durability()["journal_mode"] == (
        "wal" if wal_is_safe(sqlite.sqlite3.sqlite_version_info) else "delete"
    )


def test_rows_without_their_parents_are_refused(store: Store, path: Path) -> None:
    """SQLite checks foreign keys only where each connection asks it to; a fresh one does."""
    store.close()
    with pytest.raises(sqlite.sqlite3.IntegrityError), store_at(path).transaction() as tx:
        tx.insert("person_role", {"practice_id": "nobody's", "person_id": "nobody", "role": "duty"})


def test_only_the_owner_can_read_the_files(store: Store, path: Path) -> None:
    """Database, WAL, gate and copy are made with mode 0600."""
    with store.transaction() as tx:
        system.set_value(tx, "a", "b")
    store.copy_to(str(path.with_name("copy.db")))
    files = list(path.parent.iterdir())
    assert {"attune.db", "attune.db.writer", "copy.db"} <= {file.name for file in files}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_a_copy_made_while_others_write_is_whole(store: Store, path: Path) -> None:
    """The copy is of one moment: both halves of every transaction, or neither."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.transaction() as tx:
                system.set_value(tx, "left", str(number))
                system.set_value(tx, "right", str(number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            store.copy_to(str(path.with_name(f"copy{number}.db")))
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        copy = store_at(path.with_name(f"copy{number}.db"))
        assert copy.integrity() == "ok"
        with copy.transaction(write=False) as tx:
            assert system.value(tx, "left") == system.value(tx, "right")


def test_nothing_is_left_of_a_copy_that_fails(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a backup must not be taken for one; and a place that can't be written is told in words."""
    with pytest.raises(StoreError, match="can't be used"):
        store.copy_to(str(path.parent / "no such folder" / "copy.db"))

    class Full:
        def backup(self, target: object) -> None:
            raise sqlite.sqlite3.OperationalError("database or disk is full")

    target = path.with_name("copy.db")
    with pytest.raises(sqlite.sqlite3.OperationalError):
        sqlite.copy(Full(), str(target))
    assert not target.exists()


def test_an_emptied_wal_keeps_nothing(store: Store, path: Path) -> None:
    """What was overwritten is in none of the files after a checkpoint."""
    for value in ("the-first-value", "the-second-value"):
        with store.transaction() as tx:
            system.set_value(tx, "a", value)
    with store.transaction(write=False) as tx:
        tx.all("select 1 as one")
    store.checkpoint()
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"the-second-value" in stored
    assert b"the-first-value" not in stored


def test_what_was_deleted_is_not_left_in_free_pages(store: Store, path: Path) -> None:
    """SQLite by itself only marks a page as free; its bytes would stay for years."""
    rows = [{"name": f"{number}", "value": f"canary {number} " * 100} for number in range(50)]
    with store.transaction() as tx:
        tx.insert_many("installation", rows)
    store.checkpoint()
    assert b"canary 7 " in path.read_bytes()
    with store.transaction() as tx:
        tx.run("delete from installation")
    store.checkpoint()
    assert b"canary" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/attune.db", "var/attune.db"),
        ("sqlite:////srv/attune/attune.db", "/srv/attune/attune.db"),
        ("sqlite:////srv/with%20space/a%23b.db", "/srv/with space/a#b.db"),
    ],
)
def test_an_address_leads_to_a_file(url: str, path: str) -> None:
    """Three slashes for a relative path, four for a full one, as elsewhere."""
    assert sqlite_path(url) == path


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://attune:hunter2@db/attune", "its scheme is 'mysql'"),
        ("attune.db", "its scheme is 'missing'"),
        ("sqlite://attune.db", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:////srv/attune/", "names no file"),
        ("sqlite:///a#b.db", "%3F and %23"),
        ("sqlite:///a.db?mode=ro", "%3F and %23"),
        ("sqlite:///:memory:", "can't share a database in memory"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_reason(url: str, reason: str) -> None:
    """The words say what is wrong and what it should look like, and never repeat a password."""
    with pytest.raises(StoreError) as refused:
        open_store(url, (SECRET,))
    assert reason in str(refused.value)
    assert "sqlite:///attune.db" in str(refused.value)
    assert "hunter2" not in str(refused.value)
