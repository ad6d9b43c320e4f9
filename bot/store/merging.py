"""Two rows of one client become one: everything that hangs on the one is hung on the other."""

from datetime import datetime

from bot.store.clients import Client
from bot.store.engine import Tx
from bot.store.sql import epoch

_MOVED = ("appointment", "check_in", "inbox", "outbox", "consent_event", "answer_link")
# The signal makes these anew from what moved.
_DROPPED = ("belief", "to_assess")


def counts(tx: Tx, client: Client) -> dict[str, int]:
    """How many appointments, check-ins and messages hang on a client."""
    tables = {"appointments": "appointment", "check_ins": "check_in", "messages": "outbox", "replies": "inbox"}
    params = {"c": client.id, "p": client.practice_id}
    sql = "select count(*) as n from {table} where client_id = :c and practice_id || '' = :p"
    return {name: int(tx.all(sql.format(table=table), params)[0]["n"]) for name, table in tables.items()}


def hang_over(tx: Tx, merged: Client, kept: Client, now: datetime) -> None:
    """Everything of `merged` is `kept`'s from now on, also whatever was merged into it before."""
    params = {"merged": merged.id, "kept": kept.id, "p": kept.practice_id}
    for table in _MOVED:
        tx.run(f"update {table} set client_id = :kept where client_id = :merged and practice_id = :p", params)
    for table in _DROPPED:
        tx.run(f"delete from {table} where client_id in (:merged, :kept) and practice_id = :p", params)
    _move_alerts(tx, params, now)
    tx.run("delete from schedule_rule where practice_id = :p and scope = 'client' and scope_id = :merged", params)
    tx.run("update client set merged_into = :kept where merged_into = :merged and practice_id = :p", params)


def keep(tx: Tx, client: Client, **changes: object) -> None:
    """Write the standing of who is kept: `halted_at`, `stopped_at`, `welcomed_at` and the like, as stored."""
    names = ", ".join(f"{name} = :{name}" for name in changes)
    tx.run(f"update client set {names} where id = :id and practice_id = :p",
           {**changes, "id": client.id, "p": client.practice_id})  # fmt: skip


def strictest(tx: Tx, one: Client, other: Client) -> dict[str, int | None]:
    """When they first were stopped, halted and welcomed, and the end of the longer pause, whichever row says it."""
    row = tx.all(
        """select min(stopped_at) as stopped_at, min(halted_at) as halted_at, min(welcomed_at) as welcomed_at,
                  max(paused_until) as paused_until, max(discreet) as discreet
             from client where practice_id = :p and id in (:one, :other)""",
        {"p": one.practice_id, "one": one.id, "other": other.id},
    )[0]
    return dict(row)


def set_aside(tx: Tx, merged: Client, kept: Client) -> None:
    """The row that is left stands for its reference, and for where they could be reached: what comes from there is from
    who is kept."""
    tx.run(
        """update client set merged_into = :kept, therapist_id = null, state = 'discharged', consent_at = null,
               consent_source = null, name_sealed = :name, stopped_at = null, halted_at = null, paused_until = null,
               talked_at = null, digits = null where id = :id and practice_id = :p""",
        {
            "kept": kept.id,
            "name": tx.sealer.seal(f"client|name|{merged.id}", ""),
            "id": merged.id,
            "p": merged.practice_id,
        },
    )


def pairs(tx: Tx, client: Client) -> list[str]:
    """The therapists this client has been asked about."""
    rows = tx.all(
        "select distinct therapist_id from check_in where client_id = :c and practice_id = :p order by therapist_id",
        {"c": client.id, "p": client.practice_id},
    )
    return [row["therapist_id"] for row in rows]


def _move_alerts(tx: Tx, params: dict[str, str], now: datetime) -> None:
    """With both rows a note about rapport may be open for one therapist: the merged row's ends, the other stands."""
    tx.run(
        """update alert set resolved_at = :now, state = 'resolved', next_step_at = null
            where client_id = :merged and practice_id = :p and kind = 'rapport' and resolved_at is null
              and exists (select 1 from alert other where other.client_id = :kept and other.practice_id = :p
                          and other.kind = 'rapport' and other.resolved_at is null
                          and other.therapist_id = alert.therapist_id)""",
        {**params, "now": epoch(now)},
    )
    tx.run("update alert set client_id = :kept where client_id = :merged and practice_id = :p", params)
