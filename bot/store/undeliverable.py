"""Addresses that mail came back from, and numbers that don't exist: remembered for a while."""

from datetime import datetime, timedelta

from bot.store.sql import epoch, listed, new_id
from bot.store.tx import Tx

FOR = timedelta(days=30)  # then it is tried again: mailboxes are mended


def mark(tx: Tx, practice_id: str, address: str, now: datetime) -> None:
    """It came back."""
    row_id = new_id()
    row = {
        "id": row_id,
        "practice_id": practice_id,
        "address_sealed": tx.seal("undeliverable", "address", row_id, address),
        "address_index": tx.sealer.index(address),
        "at": epoch(now),
    }
    tx.insert("undeliverable", row, "on conflict (practice_id, address_index) do update set at = excluded.at")


def is_marked(tx: Tx, practice_id: str, address: str, now: datetime) -> bool:
    """Whether it came back lately."""
    among, params = listed("i", tx.sealer.indexes(address))
    row = tx.one(
        f"select 1 as yes from undeliverable where practice_id = :p and at > :since and address_index in {among}",
        {"p": practice_id, "since": epoch(now - FOR), **params},
    )
    return row is not None


def clear(tx: Tx, address: str) -> None:
    """Somebody has written from there: it works, in every practice."""
    among, params = listed("i", tx.sealer.indexes(address))
    tx.run(f"delete from undeliverable where address_index in {among}", params)
