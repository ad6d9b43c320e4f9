"""After a change of key: every sealed field and index written anew under the newest key.

Web and worker may run meanwhile, with both keys set. Killed half-way it goes on where it was: what is under the
newest key already isn't touched again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.store import audit
from bot.store.engine import Row, SqliteEngine, Tx
from bot.store.postgres import PostgresEngine
from bot.store.seal import SealBroken

AT_ONCE = 200  # rows in one transaction, so that replies don't wait


@dataclass(frozen=True)
class Sealed:
    """A sealed field: `phone` stands for the column phone_sealed; `index` is the column it is found by, if any."""

    name: str
    index: str = ""


@dataclass
class Resealed:
    """How many rows were written anew, and which ("table id") don't open with any key."""

    rows: int = 0
    broken: list[str] = field(default_factory=list)


_REACHED = (Sealed("name"), Sealed("email", "email_index"), Sealed("phone", "phone_index"))
TABLES: Mapping[str, tuple[Sealed, ...]] = {
    "person": _REACHED,
    "client": _REACHED,
    "suppression": (Sealed("address", "address_index"),),
    "undeliverable": (Sealed("address", "address_index"),),
    "consent_event": (Sealed("address"),),
    "inbox": (Sealed("sender", "address_index"), Sealed("body"), Sealed("reading")),
    "alert": (Sealed("explanation"), Sealed("note"), Sealed("done")),
    "reading_mark": (Sealed("before"), Sealed("after")),
    "outbox": (Sealed("address", "address_index"), Sealed("subject"), Sealed("body"), Sealed("html")),
    "api_token": (Sealed("name"),),
    "import_draft": (Sealed("file"), Sealed("shown")),
    "audit": (Sealed("words"),),
    "account": (Sealed("totp"), Sealed("recovery")),
    "passkey": (Sealed("name"),),
    "sign_in": (Sealed("browser"),),
    "new_address": (Sealed("address"),),
    "belief": (Sealed("belief"),),
}


def reseal(store: SqliteEngine | PostgresEngine) -> Resealed:
    """Bring everything under the newest key. What doesn't open is left as it is and named."""
    done = Resealed()
    for table in TABLES:
        after: str | None = ""
        while after is not None:
            with store.transaction() as tx:
                after = _some(tx, table, after, done)
    _renew_trails(store, done)
    store.checkpoint()
    return done


def left(tx: Tx) -> int:
    """How many rows, and audit trails, still need an older key."""
    rows = sum(tx.all(f"select count(*) as n from {t} where {_stale(t)}", _newest(tx))[0]["n"] for t in TABLES)
    return int(rows) + sum(audit.stale(tx, practice_id) for practice_id in _practices(tx))


def _renew_trails(store: SqliteEngine | PostgresEngine, done: Resealed) -> None:
    """Chain the audit trails anew; one that was changed stays under its old key, and is named."""
    with store.transaction() as tx:
        for practice_id in _practices(tx):
            if audit.stale(tx, practice_id) and not audit.renew(tx, practice_id):
                done.broken.append(f"audit trail of practice {practice_id}")


def _practices(tx: Tx) -> list[str]:
    return [row["id"] for row in tx.all("select id from practice order by id")]


def _some(tx: Tx, table: str, after: str, done: Resealed) -> str | None:
    """Take the next rows of a table by id; the last id, or None when there were none."""
    rows = tx.all(
        f"select * from {table} where id > :after and ({_stale(table)}) order by id limit :most",
        {"after": after, "most": AT_ONCE, **_newest(tx)},
    )
    for row in rows:
        try:
            _rewrite(tx, table, row)
        except SealBroken:
            done.broken.append(f"{table} {row['id']}")
        else:
            done.rows += 1
    return str(rows[-1]["id"]) if rows else None


def _rewrite(tx: Tx, table: str, row: Row) -> None:
    changes: dict[str, str | None] = {}
    for each in TABLES[table]:
        sealed, where = row[f"{each.name}_sealed"], f"{table}|{each.name}|{row['id']}"
        if sealed is None:
            continue
        text = tx.sealer.open(where, sealed)
        changes[f"{each.name}_sealed"] = tx.sealer.seal(where, text)
        if each.index:
            changes[each.index] = tx.sealer.index(text)
    if table == "suppression" and _merged(tx, row, str(changes["address_index"])):
        return
    names = ", ".join(f"{name} = :{name}" for name in changes)
    tx.run(f"update {table} set {names} where id = :id", {**changes, "id": row["id"]})


def _merged(tx: Tx, row: Row, index: str) -> bool:
    """An address may be on the list under two keys, if one was missing for a while: what happened last holds."""
    twin = tx.one(
        "select * from suppression where practice_id = :p and address_index = :index and id <> :id",
        {"p": row["practice_id"], "index": index, "id": row["id"]},
    )
    if twin is None:
        return False
    older, newer = sorted((row, twin), key=_last_event)
    tx.run("delete from suppression where id = :id", {"id": older["id"]})
    return newer is twin


def _last_event(row: Row) -> tuple[int, bool]:
    # at the same moment, STOP holds
    return max(row["stopped_at"], row["lifted_at"] or 0), row["lifted_at"] is None


def _stale(table: str) -> str:
    """The condition that a row has a field under an older key; a key's id takes the first eight characters."""
    return " or ".join(f"substr({each.name}_sealed, 1, 8) <> :newest" for each in TABLES[table])


def _newest(tx: Tx) -> dict[str, str]:
    return {"newest": tx.sealer.keys[0].id}
