"""What the signal believes about each client with each therapist: made from answers, and made anew whenever lost."""

import base64
from datetime import datetime

from bot.store import models
from bot.store.engine import Row, Tx
from bot.store.sql import epoch, new_id
from surveys.rapport import Belief, Kept, Model

Pair = tuple[str, str]  # client id, therapist id


def get(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> Belief | None:
    """What is believed about one client with a therapist; None where there is nothing yet."""
    kept = kept_of(tx, practice_id, client_id, therapist_id, models.current(tx, practice_id))
    return kept.belief if kept else None


def kept_of(tx: Tx, practice_id: str, client_id: str, therapist_id: str, model: Model) -> Kept | None:
    """What is stored about one client with a therapist; None where it was made with another model."""
    row = _row(tx, practice_id, client_id, therapist_id)
    return _kept(tx, row, model) if row and row["model_id"] == model.id else None


def keep(tx: Tx, practice_id: str, client_id: str, therapist_id: str, kept: Kept, now: datetime) -> bool:
    """Store what is believed, or forget it where there is nothing to believe it from; False if it was so before."""
    if is_kept(tx, practice_id, client_id, therapist_id, kept):
        return False
    row = _row(tx, practice_id, client_id, therapist_id)
    if kept.count == 0 and row:
        tx.run("delete from belief where id = :id", {"id": row["id"]})
        return True
    _put(tx, row["id"] if row else new_id(), practice_id, client_id, therapist_id, kept, now)
    return True


def is_kept(tx: Tx, practice_id: str, client_id: str, therapist_id: str, kept: Kept) -> bool:
    """Whether exactly this is stored; nothing, for what rests on no check-in."""
    row = _row(tx, practice_id, client_id, therapist_id)
    if row is None or kept.count == 0:
        return row is None and kept.count == 0
    stored = tx.open("belief", "belief", row["id"], row["belief_sealed"])
    return row["model_id"] == kept.belief.model.id and stored == _text(kept)


def pairs(tx: Tx, practice_id: str) -> list[Pair]:
    """Every client and therapist of whom something is believed."""
    rows = tx.all("select client_id, therapist_id from belief where practice_id = :p", {"p": practice_id})
    return sorted((row["client_id"], row["therapist_id"]) for row in rows)


def asked_pairs(tx: Tx, practice_id: str) -> list[Pair]:
    """Every client and therapist with a check-in that was asked."""
    rows = tx.all(
        "select distinct client_id, therapist_id from check_in where practice_id = :p and asked_at is not null",
        {"p": practice_id},
    )
    return sorted((row["client_id"], row["therapist_id"]) for row in rows)


def pairs_to_assess(tx: Tx, practice_id: str) -> list[Pair]:
    """Every client and therapist with answers the worker has yet to look at."""
    rows = tx.all("select client_id, therapist_id from to_assess where practice_id = :p", {"p": practice_id})
    return sorted((row["client_id"], row["therapist_id"]) for row in rows)


def well_known(tx: Tx, practice_id: str, answered: int) -> int:
    """How many clients have answered so many check-ins of one therapist, or more."""
    row = tx.one(
        "select count(*) as n from (select c.client_id, c.therapist_id from check_in c where c.practice_id = :p "
        "and exists (select 1 from answer a where a.check_in_id = c.id and a.replaced_at is null) "
        "group by c.client_id, c.therapist_id having count(*) >= :answered) as known",
        {"p": practice_id, "answered": answered},
    )
    return int(row["n"]) if row else 0


def asked_about_twice(tx: Tx, since: datetime, until: datetime) -> list[Row]:
    """Check-ins answered in a span whose client was asked whether they meant those numbers, over all practices: rows of
    practice_id, client_id, therapist_id."""
    return tx.all(
        "select practice_id, client_id, therapist_id from check_in where prompted like '%confirm%' "
        "and answered_at > :since and answered_at <= :until order by answered_at, id",
        {"since": epoch(since), "until": epoch(until)},
    )


def _row(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> Row | None:
    return tx.one(
        "select * from belief where practice_id = :p and client_id = :c and therapist_id = :t",
        {"p": practice_id, "c": client_id, "t": therapist_id},
    )


def _text(kept: Kept) -> str:
    return f"{kept.count} {kept.digest} {base64.b64encode(kept.belief.to_bytes()).decode()}"


def _kept(tx: Tx, row: Row, model: Model) -> Kept:
    count, digest, data = tx.open("belief", "belief", row["id"], row["belief_sealed"]).split(" ")
    return Kept(Belief.from_bytes(base64.b64decode(data), model), int(count), digest)


def _put(
    tx: Tx, belief_id: str, practice_id: str, client_id: str, therapist_id: str, kept: Kept, now: datetime
) -> None:
    row = {
        "id": belief_id,
        "practice_id": practice_id,
        "client_id": client_id,
        "therapist_id": therapist_id,
        "belief_sealed": tx.seal("belief", "belief", belief_id, _text(kept)),
        "model_id": kept.belief.model.id,
        "updated_at": epoch(now),
    }
    tx.insert(
        "belief",
        row,
        # the id too: what is sealed opens under the id it was sealed for alone
        "on conflict (practice_id, client_id, therapist_id) do update set id = excluded.id, "
        "belief_sealed = excluded.belief_sealed, model_id = excluded.model_id, updated_at = excluded.updated_at",
    )
