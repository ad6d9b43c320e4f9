"""The audit trail: who did what about which row. Each entry is chained to the one before by a keyed hash, and how many
there are, and the last one's hash, are kept sealed, so that whoever changes, removes, inserts or reorders entries in
the database, without the key, is found out.

What it can't show: a whole older state put back, trail and all. So the doctor tells how long the trail is and how its
last entry begins: written down elsewhere, they show that, too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.seal import SealBroken
from bot.store.sql import epoch, new_id
from bot.store.system import set_value, value

ERASED, LOST = "words erased", "the end of the trail was lost"
_FIELDS = ("id", "practice_id", "at", "who", "what", "about", "seq", "said")
_START = ""  # what the first entry is chained to


@dataclass(frozen=True)
class Trail:
    """What a look at a practice's trail found: how many entries, the beginning of the last one's hash, and the numbers
    of the first entries that aren't as they were written (in order; empty: all is well)."""

    entries: int
    last: str
    broken: tuple[int, ...]


@dataclass(frozen=True)
class _Head:
    seq: int
    chain: str


def note(tx: Tx, practice_id: str, who: str, what: str, about: str, now: datetime, words: str = "") -> None:
    """Write down who did what about which row (ids only); what they said of it is sealed."""
    _append(tx, practice_id, _head(tx, practice_id) or _begin(tx, practice_id, now), who, what, about, now, words)


def erase_words(tx: Tx, practice_id: str, who: str, about: str, now: datetime) -> None:
    """Take out what was said about a row, as when a client is erased; that it was done becomes an entry itself, and
    the trail stays whole: what is chained is that something was said, and its seal holds for that entry alone."""
    told = {"p": practice_id, "about": about}
    sql = "update audit set words_sealed = null where practice_id = :p and about = :about and words_sealed is not null"
    if tx.run(sql, told):
        note(tx, practice_id, who, ERASED, about, now)


def verify(tx: Tx, practice_id: str, most: int = 10) -> Trail:
    """Read the whole trail of a practice and check it; at most so many broken entries are named.

    A removed entry is named by its number, an inserted one by the number it took or, without one, by 0; entries cut
    off at the end by the first that is missing.
    """
    rows, head = _rows(tx, practice_id), _head(tx, practice_id)
    if head is None:
        # nothing was written since the trail has been chained; then nothing may be chained either
        return Trail(len(rows), "", tuple(row["seq"] or 0 for row in rows if row["chain"])[:most])
    broken = [*_unchained(rows), *_wrong(tx, [row for row in rows if row["seq"] is not None], head)]
    return Trail(len(rows), head.chain.partition(".")[2][:12], tuple(broken[:most]))


def renew(tx: Tx, practice_id: str) -> bool:
    """Chain a trail anew under the newest key, before an older one is taken out; False, and nothing is changed, where
    it isn't whole."""
    if verify(tx, practice_id, 1).broken:
        return False
    head = _START
    rows = _rows(tx, practice_id)
    for row in rows:
        head = _link(tx, row, head, int(row["seq"])) if row["chain"] else head
    if head:
        _keep_head(tx, practice_id, _Head(len(rows), head))
    return True


def stale(tx: Tx, practice_id: str) -> bool:
    """Whether the trail is chained, even in part, under a key that isn't the newest."""
    sql = "select 1 as yes from audit where practice_id = :p and substr(chain, 1, 8) <> :newest limit 1"
    return tx.one(sql, {"p": practice_id, "newest": tx.sealer.keys[0].id}) is not None


def _append(
    tx: Tx, practice_id: str, head: _Head, who: str, what: str, about: str, now: datetime, words: str = ""
) -> _Head:
    note_id = new_id()
    row = {"id": note_id, "practice_id": practice_id, "at": epoch(now), "who": who, "what": what, "about": about}
    row |= {"seq": head.seq + 1, "said": int(bool(words))}
    chain = _chains(tx, head.chain, row)[0]
    tx.insert("audit", row | {"words_sealed": tx.seal("audit", "words", note_id, words), "chain": chain})
    _keep_head(tx, practice_id, _Head(head.seq + 1, chain))
    return _Head(head.seq + 1, chain)


def _begin(tx: Tx, practice_id: str, now: datetime) -> _Head:
    """Chain what was written before there was a chain, by time. Where there is one already, its end was taken away:
    nothing is made good, and that it was so becomes an entry itself, which is told of for ever."""
    rows = _rows(tx, practice_id)
    if any(row["chain"] for row in rows):
        head = _Head(max(row["seq"] or 0 for row in rows), rows[-1]["chain"] or _START)
        return _append(tx, practice_id, head, "attune", LOST, practice_id, now)
    chain = _START
    for seq, row in enumerate(rows, 1):
        chain = _link(tx, row, chain, seq)
    return _Head(len(rows), chain)


def _link(tx: Tx, row: Row, before: str, seq: int) -> str:
    said = row["said"] if row["chain"] else int(row["words_sealed"] is not None)
    chain = _chains(tx, before, {**row, "seq": seq, "said": said})[0]
    changed = {"seq": seq, "chain": chain, "said": said, "id": row["id"]}
    tx.run("update audit set seq = :seq, chain = :chain, said = :said where id = :id", changed)
    return chain


def _rows(tx: Tx, practice_id: str) -> list[Row]:
    rows = tx.all("select * from audit where practice_id = :p order by at, id", {"p": practice_id})
    return sorted(rows, key=lambda row: row["seq"] or 0)


def _unchained(rows: Sequence[Row]) -> list[int]:
    return [0] if any(row["seq"] is None for row in rows) else []


def _wrong(tx: Tx, rows: Sequence[Row], head: _Head) -> list[int]:
    """The numbers that are missing, or whose entry doesn't follow from the one before as it stands."""
    wrong, before, due = [], _START, 1
    erased = {row["about"]: row["seq"] for row in rows if row["what"] == ERASED}
    for row in rows:
        if row["seq"] != due:
            wrong.append(min(due, row["seq"]))
        elif not _fits(tx, before, row, erased.get(row["about"], 0)):
            wrong.append(due)
        before, due = row["chain"] or _START, row["seq"] + 1
    if due <= head.seq:
        wrong.append(due)
    elif due - 1 > head.seq or before != head.chain:
        wrong.append(head.seq)
    return sorted(set(wrong))


def _fits(tx: Tx, before: str, row: Row, erased: int) -> bool:
    return row["what"] != LOST and row["chain"] in _chains(tx, before, row) and _said(tx, row, erased)


def _said(tx: Tx, row: Row, erased: int) -> bool:
    """Whether an entry's words are there, as they were said, or were taken out by a later entry, number `erased`."""
    if row["words_sealed"] is None:
        return not row["said"] or row["seq"] < erased
    try:
        return bool(row["said"] and tx.open("audit", "words", row["id"], row["words_sealed"]))
    except SealBroken:
        return False


def _chains(tx: Tx, before: str, row: Row) -> list[str]:
    """An entry's hash under each of our keys, newest first."""
    told = json.dumps([before, *(row[name] for name in _FIELDS)])
    indexes = tx.sealer.indexes(f"audit {hashlib.sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()}")
    return [f"{key.id}.{index}" for key, index in zip(tx.sealer.keys, indexes, strict=True)]


def _head(tx: Tx, practice_id: str) -> _Head | None:
    """Where the trail ends; None where that isn't there, or isn't ours."""
    try:
        told = tx.open("installation", "audit head", practice_id, value(tx, f"audit head {practice_id}"))
    except SealBroken:
        return None
    seq, chain = json.loads(told) if told else (0, "")
    return _Head(int(seq), str(chain)) if told else None


def _keep_head(tx: Tx, practice_id: str, head: _Head) -> None:
    told = json.dumps([head.seq, head.chain])
    set_value(tx, f"audit head {practice_id}", str(tx.seal("installation", "audit head", practice_id, told)))
