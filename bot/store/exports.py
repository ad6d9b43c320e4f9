"""Rows for exports. Times are ISO 8601 UTC; there are no names, numbers or words in any of them.

Messages are told by kind, but those that would show what a client has answered are all called "reply".
"""

from datetime import UTC, datetime
from typing import Any

from bot.store.engine import Tx

COLUMNS = {
    "answers": ("client_ref", "appointment_ref", "feeling", "score", "answered_at"),
    "messages": (
        *("message_id", "kind", "channel", "client_ref", "appointment_ref", "state", "reason", "code"),
        *("segments", "created_at", "due_at", "sent_at", "delivery"),
    ),
    "alerts": (
        *("alert_id", "kind", "client_ref", "state", "opened_at", "sent_at", "seen_at", "acknowledged_at"),
        "resolved_at",
    ),
}
_SQL = {
    "answers": """
        select c.client_ref, v.appointment_ref, a.feeling, a.score, a.answered_at, k.feelings
          from answer a join check_in k on k.id = a.check_in_id join client c on c.id = k.client_id
          join appointment v on v.id = k.appointment_id
         where a.practice_id = :p and a.replaced_at is null""",
    "messages": """
        select o.id as message_id, o.kind, o.channel, c.client_ref, v.appointment_ref, o.state, o.reason, o.code,
               o.segments, o.created_at, o.due_at, o.sent_at, o.delivery
          from outbox o left join client c on c.id = o.client_id left join check_in k on k.id = o.check_in_id
          left join appointment v on v.id = k.appointment_id
         where o.practice_id = :p""",
    "alerts": """
        select a.id as alert_id, a.kind, c.client_ref, a.state, a.opened_at, a.sent_at, a.seen_at,
               a.acknowledged_at, a.resolved_at
          from alert a left join client c on c.id = a.client_id where a.practice_id = :p""",
}
# Which of these a client got follows from what they wrote: "confirm_low" goes out after all ones.
_TELLING = (
    *("thanks", "comment_thanks", "ask_rest", "explain", "confirm_low", "replaced"),
    *("crisis", "crisis_stopped", "call", "unexpected"),
)

# A very low answer has a note of its own; its kind would say what was answered.
_TOLD_AS = {"low": "rapport", "alert_low": "alert_rapport"}


def rows(tx: Tx, practice_id: str, kind: str) -> list[dict[str, Any]]:
    """The rows of an export of `kind`: answers in the order answered, then as asked; the others by time."""
    found = tx.all(_SQL[kind], {"p": practice_id})
    if kind == "answers":
        found.sort(key=lambda r: (r["answered_at"], r["client_ref"], r["appointment_ref"], _place(r)))
    else:
        found.sort(key=lambda r: (r.get("created_at") or r.get("opened_at"), r[COLUMNS[kind][0]]))
    return [{name: _shown(name, row[name]) for name in COLUMNS[kind]} for row in found]


def _place(row: dict[str, Any]) -> int:
    feelings: list[str] = row["feelings"].split(",")
    return feelings.index(row["feeling"]) if row["feeling"] in feelings else len(feelings)


def told_kind(kind: str) -> str:
    """The kind of a message or alert as a manager may know it."""
    return "reply" if kind in _TELLING else _TOLD_AS.get(kind, kind)


def _shown(name: str, value: Any) -> Any:
    if name == "kind":
        return told_kind(value)
    if name.endswith("_at") and value is not None:
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
    return value
