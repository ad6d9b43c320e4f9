"""The schema's upgrades: by several processes at once, killed half-way, refused where the database is newer."""

import re
import signal
from pathlib import Path

import pytest

import migrations
from bot.store import Store, StoreError, system
from migrations import STEPS, TYPES, m0001_start, statements
from tests.support import racers
from tests.support.racers import alone, race, store_at

NAMES = [name for name, _ in STEPS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "attune.db"


def schema(store: Store) -> list[str]:
    with store.transaction(write=False) as tx:
        rows = tx.all("select sql from sqlite_master where sql is not null order by type, name")
    return [row["sql"] for row in rows]


def add_step(monkeypatch: pytest.MonkeyPatch, *sql: str) -> None:
    """As if the next release had one more step."""
    monkeypatch.setattr("bot.store.upgrades.STEPS", [*STEPS, ("9999_later", list(sql))])


def test_six_processes_upgrade_one_database_at_once(tmp_path: Path) -> None:
    """Release, web and worker may start together: one does it, none fails, in five fresh databases."""
    done = race(6, racers.migrate_each, str(tmp_path), 5)
    assert all(isinstance(each, list) for each in done), done
    for number in range(5):
        assert sorted(each[number] for each in done) == [0, 0, 0, 0, 0, len(STEPS)]
        assert store_at(tmp_path / f"{number}.db").integrity() == "ok"


def test_upgrading_again_changes_nothing(path: Path) -> None:
    """The names of what was applied, and then none."""
    store = store_at(path)
    assert store.pending() == NAMES
    assert store.migrate() == NAMES
    before = schema(store)
    assert store.migrate() == []
    assert store.pending() == []
    assert schema(store) == before


@pytest.mark.parametrize("at_statement", [0, 1, 5, 20, len(m0001_start.STATEMENTS) - 1, len(m0001_start.STATEMENTS)])
def test_an_upgrade_killed_half_way_is_as_if_it_had_not_begun(path: Path, at_statement: int) -> None:
    """kill -9 after any statement: nothing is there, and the next start does all of it."""
    assert alone(racers.die_while_upgrading, str(path), at_statement) == -signal.SIGKILL
    store = store_at(path)
    assert store.pending() == NAMES
    assert [sql for sql in schema(store) if "practice" in sql] == []
    assert store.migrate() == NAMES
    assert store.integrity() == "ok"
    store.check_ready()


def test_a_step_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its statements and all steps before it in the same upgrade are undone."""
    store = store_at(path)
    store.migrate()
    before = schema(store)
    add_step(monkeypatch, "create table later (id text primary key)", "create table practice (id text)")
    with pytest.raises(Exception, match="table practice already exists"):
        store.migrate()
    assert schema(store) == before
    assert store.pending() == ["9999_later"]


def test_a_step_that_would_orphan_rows_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps run without the check of foreign keys, so that tables can be rebuilt; it is made at the end."""
    store = store_at(path)
    store.migrate()
    add_step(monkeypatch, "insert into person_role values ('nobody''s', 'nobody', 'duty')")
    with pytest.raises(StoreError, match="rows without their parents; nothing was changed"):
        store.migrate()
    with store.transaction() as tx:
        assert tx.all("select * from person_role") == []
        assert tx.one("pragma foreign_keys") == {"foreign_keys": 1}, "on again for what follows"


def test_a_newer_database_is_refused_in_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older program must not work on a schema it doesn't know: it says what to do, and changes nothing."""
    store = store_at(path)
    with monkeypatch.context() as newer:
        add_step(newer, "create table later (id text primary key)")
        store.migrate()
    before = schema(store)
    for use in (store.migrate, store.pending, store.check_ready):
        with pytest.raises(StoreError, match=r"newer Attune \(step 9999_later\). Nothing was changed. Start the newer"):
            use()
    assert schema(store) == before


def test_a_database_without_the_newest_step_is_not_ready(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web and worker refuse to start, with the command to run."""
    store = store_at(path)
    with pytest.raises(StoreError, match=r"lacks \d+ upgrade steps?: run `attune migrate` first"):
        store.check_ready()
    store.migrate()
    store.check_ready()
    add_step(monkeypatch, "create table later (id text primary key)")
    with pytest.raises(StoreError, match="run `attune migrate` first"):
        store.check_ready()


def test_rows_are_kept_by_an_upgrade(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before a step is there after it."""
    store = store_at(path)
    store.migrate()
    with store.transaction() as tx:
        system.set_value(tx, "a", "kept")
    add_step(monkeypatch, "alter table practice add column later text")
    store.migrate()
    with store.transaction(write=False) as tx:
        assert system.value(tx, "a") == "kept"


def test_steps_are_named_in_their_order() -> None:
    """The number says which comes first; each name is there once."""
    assert sorted(set(NAMES)) == NAMES
    assert all(re.fullmatch(r"\d{4}_[a-z_]+", name) for name in NAMES)


def test_each_step_has_its_own_file() -> None:
    """So that a released one is left alone, and none is forgotten."""
    folder = Path(migrations.__file__).parent
    assert sorted(file.stem for file in folder.glob("m[0-9]*.py")) == [f"m{name}" for name in NAMES]


@pytest.mark.parametrize("dialect", sorted(TYPES))
def test_each_step_can_be_said_in_both_engines_words(dialect: str) -> None:
    """No placeholder is left over, and no word that only one of the two knows."""
    for _, step in STEPS:
        for sql in statements(step, dialect):
            assert "{" not in sql
            assert not re.search(r"(?i)autoincrement|without rowid|datetime\(|\bserial\b|jsonb|now\(\)", sql)


def test_times_are_whole_seconds_and_keys_are_text(path: Path) -> None:
    """Strict tables: a time that isn't an integer is refused by the database itself."""
    store = store_at(path)
    store.migrate()
    with store.transaction(write=False) as tx:
        for table in tx.all("select name from sqlite_master where type = 'table' and name not like '%sqlite%'"):
            for column in tx.all(f"select name, type from pragma_table_info('{table['name']}')"):
                is_time, is_key = (
                    column["name"].endswith("_at"),
                    column["name"] == "id" or column["name"].endswith("_id"),
                )
                assert not is_time or column["type"] == "INTEGER", (table, column)
                assert not is_key or column["type"].upper() == "TEXT", (table, column)
    with pytest.raises(Exception, match="cannot store TEXT value"), store.transaction() as tx:
        tx.insert("worker", {"id": "a", "seen_at": "2026-09-07T16:00:00Z"})
