"""Alerts: what a person must look at, until they have."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, moment, moment_of, new_id


@dataclass(frozen=True)
class Alert:
    """One alert. `explanation` is JSON; `step` counts the rungs of the ladder already climbed.

    `done`: what the therapist noted afterwards; `verdict`: helpful, not_helpful, false, or empty.
    """

    id: str
    practice_id: str
    client_id: str | None
    therapist_id: str | None
    check_in_id: str | None
    kind: str
    state: str
    explanation: str
    opened_at: datetime
    sent_at: datetime | None
    seen_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str
    resolved_at: datetime | None
    step: int
    next_step_at: datetime | None
    done: str = ""
    verdict: str = ""

    @property
    def waiting(self) -> bool:
        """Nobody has acknowledged it yet."""
        return self.acknowledged_at is None and self.resolved_at is None


def open_alert(
    tx: Tx,
    practice_id: str,
    *,
    client_id: str | None,
    therapist_id: str | None,
    kind: str,
    explanation: str,
    check_in_id: str | None,
    now: datetime,
    inbox_id: str | None = None,
) -> str:
    """Open an alert whose first step is due at once; its id."""
    alert_id = new_id()
    tx.insert(
        "alert",
        {
            "id": alert_id,
            "practice_id": practice_id,
            "client_id": client_id,
            "therapist_id": therapist_id,
            "check_in_id": check_in_id,
            "inbox_id": inbox_id,
            "kind": kind,
            "state": "opened",
            "explanation_sealed": tx.seal("alert", "explanation", alert_id, explanation),
            "opened_at": epoch(now),
            "next_step_at": epoch(now),
        },
    )
    return alert_id


def get(tx: Tx, practice_id: str, alert_id: str) -> Alert:
    """One alert. Raises KeyError."""
    row = tx.one("select * from alert where id = :id and practice_id = :p", {"id": alert_id, "p": practice_id})
    if row is None:
        raise KeyError(alert_id)
    return _alert(tx, row)


def latest(tx: Tx, practice_id: str, client_id: str, therapist_id: str, kind: str) -> Alert | None:
    """Of a kind, for a client with a therapist: the one that hasn't ended, else the newest (a merge may bring two)."""
    row = tx.one(
        "select * from alert where practice_id = :p and client_id = :c and therapist_id = :t and kind = :kind "
        "order by case when resolved_at is null then 0 else 1 end, opened_at desc, id desc limit 1",
        {"p": practice_id, "c": client_id, "t": therapist_id, "kind": kind},
    )
    return _alert(tx, row) if row else None


def of_client(tx: Tx, practice_id: str, client_id: str) -> list[Alert]:
    """A client's alerts, oldest first."""
    rows = tx.all(
        "select * from alert where practice_id = :p and client_id = :c order by opened_at, id",
        {"p": practice_id, "c": client_id},
    )
    return [_alert(tx, row) for row in rows]


def of_therapist(tx: Tx, practice_id: str, therapist_id: str, most: int = 500) -> list[Alert]:
    """A therapist's alerts, newest first."""
    rows = tx.all(
        "select * from alert where practice_id = :p and therapist_id = :t order by opened_at desc, id limit :most",
        {"p": practice_id, "t": therapist_id, "most": most},
    )
    return [_alert(tx, row) for row in rows]


def due(tx: Tx, now: datetime, most: int) -> list[Alert]:
    """Unacknowledged alerts whose next step is due, over all practices; danger before anything else."""
    rows = tx.all(
        "select * from alert where next_step_at <= :now "
        "order by case when kind like 'danger%' then 0 else 1 end, next_step_at, id limit :most",
        {"now": epoch(now), "most": most},
    )
    return [_alert(tx, row) for row in rows]


def climb(tx: Tx, alert: Alert, step: int, next_step_at: datetime | None, state: str | None = None) -> bool:
    """Note that a rung was climbed; False if another worker did it first."""
    return (
        tx.run(
            "update alert set step = :step, next_step_at = :next, state = coalesce(:state, state) "
            "where id = :id and step = :before and acknowledged_at is null and resolved_at is null",
            {
                "step": step,
                "next": epoch(next_step_at) if next_step_at else None,
                "state": state,
                "id": alert.id,
                "before": alert.step,
            },
        )
        == 1
    )


def postpone(tx: Tx, alert: Alert, until: datetime) -> None:
    """Try the same step again later: telling people failed by a fault of ours."""
    tx.run(
        "update alert set next_step_at = :until where id = :id and step = :step and next_step_at is not null",
        {"until": epoch(until), "id": alert.id, "step": alert.step},
    )


def rest(tx: Tx, alert: Alert) -> None:
    """It climbs no more, though nobody has acknowledged it: the client has left or died."""
    tx.run("update alert set next_step_at = null where id = :id", {"id": alert.id})


def update_explanation(tx: Tx, alert: Alert, explanation: str) -> None:
    """An open alert deepened."""
    tx.run(
        "update alert set explanation_sealed = :e where id = :id",
        {"e": tx.seal("alert", "explanation", alert.id, explanation), "id": alert.id},
    )


def mark_sent(tx: Tx, practice_id: str, alert_id: str, now: datetime) -> None:
    """The mail server has taken the first mail."""
    tx.run(
        "update alert set sent_at = :now, state = case when state = 'opened' then 'sent' else state end "
        "where id = :id and practice_id = :p and sent_at is null",
        {"now": epoch(now), "id": alert_id, "p": practice_id},
    )


def acknowledge(tx: Tx, practice_id: str, alert_id: str, person_id: str, note: str, now: datetime) -> bool:
    """A person has seen it and takes it on; nothing climbs any more. False if someone already had.

    One that was resolved a moment ago keeps that state, and the note.
    """
    return (
        tx.run(
            "update alert set acknowledged_at = :now, acknowledged_by = :who, note_sealed = :note, "
            "seen_at = coalesce(seen_at, :now), next_step_at = null, "
            "state = case when resolved_at is null then 'acknowledged' else state end "
            "where id = :id and practice_id = :p and acknowledged_at is null",
            {
                "now": epoch(now),
                "who": person_id,
                "note": tx.seal("alert", "note", alert_id, note),
                "id": alert_id,
                "p": practice_id,
            },
        )
        == 1
    )


def resolve(tx: Tx, alert: Alert, now: datetime) -> None:
    """What it was about is over: rapport has recovered, or a silent client has answered."""
    tx.run(
        "update alert set state = 'resolved', resolved_at = :now, next_step_at = null where id = :id "
        "and resolved_at is null",
        {"now": epoch(now), "id": alert.id},
    )


def withdraw_letters(tx: Tx, alert: Alert, reason: str) -> int:
    """Skip what is queued about an alert and not being sent yet; how many.

    But for its first letters (step 0): whoever it is for should get to read it, however it ended.
    """
    return tx.run(
        "update outbox set state = 'skipped', reason = :reason, claim_token = null "
        "where alert_id = :id and practice_id = :p and attempt_id is null and state in ('due', 'claimed') "
        "and dedupe like :letters and dedupe not like :first",
        {
            "reason": reason,
            "id": alert.id,
            "p": alert.practice_id,
            "letters": f"alert:{alert.id}:%",
            "first": f"alert:{alert.id}:0:%",
        },
    )


def letters_waiting(tx: Tx, alert: Alert) -> bool:
    """Whether none of its letters has been taken yet by a provider, and one is still to be sent."""
    rows = tx.all(
        "select state from outbox where alert_id = :id and practice_id = :p",
        {"id": alert.id, "p": alert.practice_id},
    )
    states = {row["state"] for row in rows}
    return "sent" not in states and bool(states & {"due", "claimed", "in_doubt"})


def written_from(tx: Tx, alert: Alert) -> list[str]:
    """The number or address from which the message came that opened an alert about danger."""
    row = tx.one(
        "select i.id, i.sender_sealed from alert a join inbox i on i.id = a.inbox_id "
        "where a.id = :id and a.practice_id = :p",
        {"id": alert.id, "p": alert.practice_id},
    )
    return [tx.open("inbox", "sender", row["id"], row["sender_sealed"])] if row else _written_at(tx, alert)


def _written_at(tx: Tx, alert: Alert) -> list[str]:
    """For an alert from before each knew its message: all that came at that second and might have opened it."""
    rows = tx.all(
        "select id, sender_sealed from inbox where practice_id = :p and received_at = :at "
        "and kind in ('crisis', 'unread') and (client_id is null or client_id = :client) order by id",
        {"p": alert.practice_id, "at": epoch(alert.opened_at), "client": alert.client_id or ""},
    )
    return list(dict.fromkeys(tx.open("inbox", "sender", row["id"], row["sender_sealed"]) for row in rows))


def stranger_waits(tx: Tx, practice_id: str, inbox_id: str) -> bool:
    """Whether an alarm about the same unknown sender as this message's still waits for somebody."""
    row = tx.one(
        "select 1 as yes from alert a join inbox i on i.id = a.inbox_id join inbox mine on mine.id = :inbox "
        "where a.practice_id = :p and a.client_id is null and a.acknowledged_at is null and a.resolved_at is null "
        "and i.address_index = mine.address_index limit 1",
        {"p": practice_id, "inbox": inbox_id},
    )
    return row is not None


def next_due(tx: Tx) -> datetime | None:
    """When an alert next climbs."""
    row = tx.one("select min(next_step_at) as at from alert where next_step_at is not null")
    return moment(row["at"]) if row else None


def _alert(tx: Tx, row: Row) -> Alert:
    plain = (
        "id",
        "practice_id",
        "client_id",
        "therapist_id",
        "check_in_id",
        "kind",
        "state",
        "step",
        "acknowledged_by",
    )
    return Alert(
        **{name: row[name] for name in plain},
        explanation=tx.open("alert", "explanation", row["id"], row["explanation_sealed"]),
        note=tx.open("alert", "note", row["id"], row["note_sealed"]),
        opened_at=moment_of(row["opened_at"]),
        sent_at=moment(row["sent_at"]),
        seen_at=moment(row["seen_at"]),
        acknowledged_at=moment(row["acknowledged_at"]),
        resolved_at=moment(row["resolved_at"]),
        next_step_at=moment(row["next_step_at"]),
        done=tx.open("alert", "done", row["id"], row["done_sealed"]),
        verdict=row["verdict"] or "",
    )
