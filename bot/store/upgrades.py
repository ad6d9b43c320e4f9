"""Upgrades of the schema: which steps a database has had, and those it lacks. The caller holds the transaction."""

from collections.abc import Callable

import sqlite_utils

from bot.store.errors import StoreError
from migrations import STEPS, statements


def missing(db: sqlite_utils.Database) -> list[str]:
    """Names of the steps not yet applied. Raises StoreError when the database is newer than this program."""
    steps = _steps()
    _refuse_newer(db, steps)
    return [step.name for step in steps.pending(db)]


def apply(db: sqlite_utils.Database) -> list[str]:
    """Apply what is missing; the names applied. Raises StoreError as `missing` does."""
    names = missing(db)
    _steps().apply(db)
    if db.execute("pragma foreign_key_check").fetchone():
        raise StoreError("The upgrade would leave rows without their parents; nothing was changed.")
    return names


def _steps() -> sqlite_utils.Migrations:
    migrations = sqlite_utils.Migrations("attune")
    for name, step in STEPS:
        migrations(name=name)(_runner(statements(step, "sqlite")))
    return migrations


def _runner(sql: list[str]) -> Callable[[sqlite_utils.Database], None]:
    def run(db: sqlite_utils.Database) -> None:
        for statement in sql:
            db.execute(statement)

    return run


def _refuse_newer(db: sqlite_utils.Database, migrations: sqlite_utils.Migrations) -> None:
    known = {name for name, _ in STEPS}
    unknown = [step.name for step in migrations.applied(db) if step.name not in known]
    if unknown:
        raise StoreError(
            f"This database was upgraded by a newer Attune (step {unknown[-1]}). Nothing was changed. "
            "Start the newer program again, or restore the backup made before the upgrade."
        )
