"""What must hold over the whole program: every row has a practice, nothing personal is in plain text, and the
documents name every command and setting."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bot.cli import main
from bot.config import SETTINGS
from bot.flows import backups, exporting
from bot.flows.context import Context
from bot.store import practices
from tests.support.canaries import CANARIES, MONDAY, fill, opened
from tests.support.racers import store_at

ROOT = Path(__file__).parents[1]
WITHOUT_A_PRACTICE = {
    "attempt_count",
    "installation",
    "worker",
    "pace",
    "practice",
}  # the program itself, and practices themselves


def commands(command: click.Command, path: str = "attune") -> Iterator[str]:
    """Every command that can be typed, in full."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path


@pytest.mark.parametrize("command", list(commands(main)))
def test_every_command_is_in_the_documents(command: str) -> None:
    """A command nobody can read about doesn't exist."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    assert any(command in document.read_text("utf-8") for document in documents), f"no document names `{command}`"


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_in_the_operators_document(setting: str) -> None:
    """An operator finds every name there, word for word."""
    assert f"`{setting}`" in (ROOT / "docs" / "operators.md").read_text("utf-8")


def test_every_row_has_a_practice(tmp_path: Path) -> None:
    """Every table but the installation's own has practice_id, never empty, and it must be a practice's."""
    store = store_at(tmp_path / "attune.db")
    store.migrate()
    with store.transaction(write=False) as tx:
        tables = [r["name"] for r in tx.all("select name from sqlite_master where type = 'table'")]
        ours = {name for name in tables if "sqlite" not in name}
        assert len(ours) > 10
        for table in ours - WITHOUT_A_PRACTICE:
            columns = {row["name"]: row for row in tx.all(f"select * from pragma_table_info('{table}')")}
            assert columns["practice_id"]["notnull"] == 1, table
            parents = {row["from"]: row["table"] for row in tx.all(f"select * from pragma_foreign_key_list('{table}')")}
            assert parents["practice_id"] == "practice", table


def files_of(ctx: Context) -> dict[str, bytes]:
    """Database, WAL and the rest, as they are on the disk at this moment."""
    path = Path(ctx.store.path)
    return {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")}


def hits(stored: bytes) -> list[str]:
    """Which canaries can be read in some bytes, in either of two encodings."""
    ways = ("utf-8", "utf-16-le")
    return [what for what, canary in CANARIES.items() if any(canary.encode(way) in stored for way in ways)]


def test_nothing_personal_is_readable_in_the_files(ctx: Context, tmp_path: Path) -> None:
    """Names, numbers, addresses and words went in by the product's own doors; not one is in the database, its WAL,
    its shared memory or a backup, though each opens with the key."""
    fill(ctx)
    found = files_of(ctx)
    assert found["attune.db"]
    if ctx.store.durability()["journal_mode"] == "wal":
        assert found["attune.db-wal"]
        assert found["attune.db-shm"]
    assert {name: hits(stored) for name, stored in found.items()} == {name: [] for name in found}
    ctx.store.checkpoint()
    backups.backup(ctx, str(tmp_path / "backup.db"), MONDAY)
    assert hits(files_of(ctx)["attune.db"]) == []
    assert hits((tmp_path / "backup.db").read_bytes()) == []
    with ctx.store.transaction(write=False) as tx:
        readable = opened(tx)
    missing = [what for what, canary in CANARIES.items() if canary not in readable]
    assert missing == [], "these were never stored, so that looking for them means nothing"


def test_the_reason_of_an_export_is_not_readable_in_the_files(ctx: Context) -> None:
    """It is free text, and names a client often enough."""
    with ctx.store.transaction() as tx:
        practice = practices.first(tx, MONDAY)
    list(exporting.export(ctx, practice, "answers", "asked for by Anastasia Nightjar", "csv", "command", MONDAY))
    assert {name: hits(stored) for name, stored in files_of(ctx).items() if hits(stored)} == {}
    with ctx.store.transaction(write=False) as tx:
        assert "Anastasia Nightjar" in opened(tx)


def test_the_search_for_canaries_finds_one_that_is_in_plain_text(ctx: Context) -> None:
    """The test above means something: a name in a plain column is found."""
    fill(ctx)
    with ctx.store.transaction() as tx:
        tx.run("update appointment set not_asked = 'Anastasia Nightjar'")
    assert any("a client's name" in hits(stored) for stored in files_of(ctx).values())
