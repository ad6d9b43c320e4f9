"""SQLite looks over its tables while clients reply: no longer at a stretch than it must, and no more often."""

from bot.store import sqlite
from tests.support.cast import MONDAY_NOON, Riverside


def looks(practice: Riverside) -> list[str]:
    """What SQLite was told to look at."""
    conn = practice.ctx.store._database().conn
    told: list[str] = []
    conn.set_trace_callback(told.append)
    practice.ctx.store.analyze()
    conn.set_trace_callback(None)
    return [statement for statement in told if statement.startswith("analyze")]


def test_each_index_is_looked_at_by_itself(practice: Riverside) -> None:
    """All rows of an index are counted with the writers waiting: they get their turn between two."""
    practice.visit("Ana", MONDAY_NOON)
    told = looks(practice)
    assert 'analyze "check_in_due"' in told
    assert "analyze" not in told
    known = {row["idx"] for row in practice.rows("select idx from sqlite_stat1")}
    assert {"check_in_due", "appointment_client", "sqlite_autoindex_client_1"} <= known


def test_only_tables_that_have_doubled_are_looked_at_again(practice: Riverside) -> None:
    """A large practice isn't counted every night."""
    for name in ("Ana", "Ben"):
        practice.visit(name, MONDAY_NOON)
    looks(practice)
    practice.visit("Chidi", MONDAY_NOON)
    assert looks(practice) == []
    practice.visit("Ana", MONDAY_NOON)
    conn = practice.ctx.store._database().conn
    assert {"appointment_client", "appointment_ended"} <= set(sqlite.grown(conn))
    assert not [each for each in looks(practice) if "client_phone" in each or "person" in each]
