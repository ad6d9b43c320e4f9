"""The schema, step by step. Steps are only ever appended; a released step is never edited.

Each step is a name and a list of SQL statements in the subset that SQLite and PostgreSQL share.
`{i64}` is the engine's 64-bit integer type and `{strict}` its word for strict tables.
Times are epoch seconds in UTC; keys are text (uuid hex) made by the program; columns whose name
ends in `_sealed` hold text encrypted by `bot.store.seal`, and `_index` columns a keyed hash.
"""

from migrations import m0001_start, m0002_pages

STEPS: list[tuple[str, list[str]]] = [
    ("0001_start", m0001_start.STATEMENTS),
    ("0002_pages", m0002_pages.STATEMENTS),
]

TYPES = {
    "sqlite": {"i64": "INTEGER", "strict": "STRICT"},
    "postgresql": {"i64": "BIGINT", "strict": ""},
}


def statements(step: list[str], dialect: str) -> list[str]:
    """The step's SQL for one engine (`sqlite` or `postgresql`)."""
    types = TYPES[dialect]
    return [text.replace("{i64}", types["i64"]).replace("{strict}", types["strict"]) for text in step]
