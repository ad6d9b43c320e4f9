"""The roster as a manager keeps it: how everyone stands, and what is changed about one client by hand."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, moment, moment_of


@dataclass(frozen=True)
class Standing:
    """How a client stands, for counting many. `address` says whether there is one."""

    id: str
    therapist_id: str | None
    state: str
    consented: bool
    stopped: bool
    paused_until: datetime | None
    halted: bool
    address: bool


def standings(tx: Tx, practice_id: str) -> list[Standing]:
    """How everyone on the roster stands, by reference, without opening a name or number. While a change of key is
    under way, a STOP by address alone may not show here yet."""
    rows = tx.all(
        "select id, therapist_id, state, consent_at, stopped_at, paused_until, halted_at, phone_index, email_index, "
        "case when channel = 'sms' then phone_index else email_index end as reached "
        "from client where practice_id = :p and merged_into is null and erased_at is null order by client_ref",
        {"p": practice_id},
    )
    listed_ = {row["address_index"] for row in tx.all(
        "select address_index from suppression where practice_id = :p and lifted_at is null", {"p": practice_id}
    )}  # fmt: skip
    return [_standing(row, listed_) for row in rows]


def pause(tx: Tx, practice_id: str, client_id: str, until: datetime | None) -> None:
    """No check-ins until then; None: they go on."""
    _set(tx, practice_id, client_id, paused_until=epoch(until) if until else None)


def set_discreet(tx: Tx, practice_id: str, client_id: str, discreet: bool) -> None:
    """Whether texts to them are a bare link that names no feelings."""
    _set(tx, practice_id, client_id, discreet=int(discreet))


def set_therapist(tx: Tx, practice_id: str, client_id: str, therapist_id: str) -> None:
    """Whose client they are from now on."""
    _set(tx, practice_id, client_id, therapist_id=therapist_id)


def consent_events(tx: Tx, practice_id: str, client_id: str) -> list[tuple[str, str, datetime]]:
    """What became of their consent, oldest first: (given, stopped, restored ..., source, when) each."""
    rows = tx.all(
        "select what, source, at from consent_event where practice_id = :p and client_id = :c order by at, id",
        {"p": practice_id, "c": client_id},
    )
    return [(row["what"], row["source"], moment_of(row["at"])) for row in rows]


def _set(tx: Tx, practice_id: str, client_id: str, **changes: str | int | None) -> None:
    names = ", ".join(f"{name} = :{name}" for name in changes)
    sql = f"update client set {names} where id = :id and practice_id = :p"
    tx.run(sql, {**changes, "id": client_id, "p": practice_id})


def _standing(row: Row, suppressed: set[str]) -> Standing:
    stopped = row["stopped_at"] is not None or row["phone_index"] in suppressed or row["email_index"] in suppressed
    return Standing(
        id=row["id"],
        therapist_id=row["therapist_id"],
        state=row["state"],
        consented=row["consent_at"] is not None,
        stopped=stopped,
        paused_until=moment(row["paused_until"]),
        halted=row["halted_at"] is not None,
        address=row["reached"] is not None,
    )
