"""Every row from one database to another, whatever their engines, and the proof that they hold the same."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bot.store.engine import SqliteEngine, StoreError
from bot.store.postgres import PostgresEngine
from bot.store.tx import UPGRADE_PATIENCE, Row, Tx
from migrations import STEPS

AT_ONCE = 200
# Columns that lead to another row of the same table: filled in once all rows are there.
WITHIN = {"person": "cover_id", "client": "merged_into"}

Store = SqliteEngine | PostgresEngine


@dataclass(frozen=True)
class Copied:
    """How many rows a table has, and one fingerprint of them all."""

    table: str
    rows: int
    fingerprint: str


def tables() -> list[str]:
    """Every table, parents before children, as the migrations make them."""
    found = [re.match(r"create table (\w+)", sql.strip()) for _, step in STEPS for sql in step]
    return [match[1] for match in found if match]


def copy(source: Store, target: Store, hand_over: Callable[[Tx, Tx], None]) -> list[Copied]:
    """Copy everything into an empty database that has its schema, in one transaction, and compare. Nobody else writes
    to either meanwhile.

    `hand_over(source, target)` comes last; what it does to the source is committed first, then the target is.
    Raises StoreError, and then the target is as it was: where it isn't empty, or what arrived isn't what was sent.
    """
    with target.transaction(patience=UPGRADE_PATIENCE) as write:
        if filled := _filled(write):
            raise StoreError(f"{target.place} isn't empty (table {filled}); nothing was copied.")
        with source.transaction(patience=UPGRADE_PATIENCE) as read:
            sent = [_copy_table(read, write, table) for table in tables()]
            arrived = fingerprints(write)
            if wrong := [each.table for each, other in zip(sent, arrived, strict=True) if each != other]:
                raise StoreError(f"What arrived in {', '.join(wrong)} isn't what was sent; nothing was copied.")
            hand_over(read, write)
    return arrived


def _filled(tx: Tx) -> str:
    return next((table for table in tables() if tx.one(f"select 1 as yes from {table} limit 1")), "")


def _copy_table(read: Tx, write: Tx, table: str) -> Copied:
    """Copy it; what was read. A little at a time, so that neither side waits long for the other."""
    told, rows = _Told(table), _rows(read, table)
    while some := list(islice(rows, AT_ONCE)):
        write.insert_many(table, [{**row, **_without(table)} for row in some])
        told.add(some)
    _fill_in(read, write, table)
    return told.copied()


def fingerprints(tx: Tx) -> list[Copied]:
    """Of every table: rows and fingerprint. The order in which an engine gives rows doesn't matter."""
    return [_fingerprint(tx, table) for table in tables()]


def _fingerprint(tx: Tx, table: str) -> Copied:
    told = _Told(table)
    told.add(_rows(tx, table))
    return told.copied()


class _Told:
    """Each row's hash, added up: the sum is the same in any order, and changes with any row."""

    def __init__(self, table: str) -> None:
        self._table, self._count, self._total = table, 0, 0

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            told = json.dumps(sorted(row.items())).encode()
            self._total = (self._total + int.from_bytes(hashlib.sha256(told).digest())) % 2**256
            self._count += 1

    def copied(self) -> Copied:
        return Copied(self._table, self._count, f"{self._total:064x}")


def _rows(tx: Tx, table: str) -> Iterator[Row]:
    """Some at a time, where the table has a single key, so that a large one needn't fit into memory."""
    first = tx.all(f"select * from {table} limit 1")
    if not first or "id" not in first[0]:
        yield from tx.all(f"select * from {table}")
        return
    after, sql = "", f"select * from {table} where id > :after order by id limit :most"
    while some := tx.all(sql, {"after": after, "most": AT_ONCE}):
        yield from some
        after = some[-1]["id"]


def _without(table: str) -> Row:
    return {WITHIN[table]: None} if table in WITHIN else {}


def _fill_in(read: Tx, write: Tx, table: str) -> None:
    if column := WITHIN.get(table):
        rows = read.all(f"select id, {column} as value from {table} where {column} is not null")
        write.run_many(f"update {table} set {column} = :value where id = :id", rows)
