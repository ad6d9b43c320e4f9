"""All that is stored about one client, as JSON, for when they ask for it. A manager's part holds no answer, word or
note; their therapist's part holds those too. Both need a reason, which is kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.flows import privacy
from bot.flows.access import Me, own_client
from bot.flows.client_record import living
from bot.flows.context import Context
from bot.flows.managing import Refused
from bot.store import Tx, alerts, appointments, check_ins, exports, inbox, outbox, people, practices, roster
from bot.store.clients import Client

SHORTEST_REASON = 5


@dataclass(frozen=True)
class File:
    """A file to hand over."""

    name: str
    text: str


def by_manager(ctx: Context, me: Me, client_id: str, reason: str, now: datetime) -> File:
    """What a manager may see. Raises NotHere, or Refused without a reason."""
    with ctx.store.transaction() as tx:
        client = living(tx, me, client_id)
        return _file(tx, me, client, reason, _plain(tx, client), "record", now)


def own(ctx: Context, me: Me, client_id: str) -> Client:
    """A therapist's own client. Raises NotHere."""
    with ctx.store.transaction(write=False) as tx:
        return own_client(tx, me, client_id)


def by_therapist(ctx: Context, me: Me, client_id: str, reason: str, now: datetime) -> File:
    """All of it, for the client's own therapist; the privacy contact is told. Raises NotHere, or Refused without a
    reason."""
    with ctx.store.transaction() as tx:
        client = own_client(tx, me, client_id)
        found = _file(tx, me, client, reason, _plain(tx, client) | _telling(tx, client), "everything", now)
        privacy.tell(ctx, tx, me.practice, "everything", now, by=me.person.name)
        return found


def _file(tx: Tx, me: Me, client: Client, reason: str, held: Mapping[str, Any], what: str, now: datetime) -> File:
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused({"reason": "Say why: it is kept with who exported it and when."})
    practices.note(tx, client.practice_id, me.person.id, f"export client's {what}", client.id, now, words=reason)
    text = json.dumps({"exported_at": _time(now), **held}, ensure_ascii=False, indent=2)
    return File(f"client-{now:%Y-%m-%d}.json", text + "\n")


def _plain(tx: Tx, client: Client) -> dict[str, Any]:
    practice_id = client.practice_id
    visits = appointments.of_clients(tx, practice_id, [client.id])[client.id]
    refs = {visit.id: visit.appointment_ref for visit in visits}
    names = {visit.therapist_id: people.get(tx, practice_id, visit.therapist_id).name for visit in visits}
    return {
        "client": _about(tx, client),
        "consent": [{"what": what, "source": source, "at": _time(at)}
                    for what, source, at in roster.consent_events(tx, practice_id, client.id)],
        "appointments": [
            {"appointment_ref": each.appointment_ref, "therapist": names[each.therapist_id],
             "starts_at": _time(each.starts_at), "ends_at": _time(each.ends_at), "status": each.status,
             "not_asked": each.not_asked}
            for each in visits
        ],
        "check_ins": [
            {"appointment_ref": refs[each.appointment_id], "state": each.state, "due_at": _time(each.due_at),
             "asked_at": _time(each.asked_at), "answered_at": _time(each.answered_at), "reason": each.reason}
            for each in check_ins.of_clients(tx, practice_id, [client.id])[client.id]
        ],
        "messages_to_them": [
            {"kind": exports.told_kind(each.kind), "channel": each.channel, "state": each.state,
             "created_at": _time(each.created_at)}
            for each in outbox.of_client(tx, practice_id, client.id)
        ],
        "messages_from_them": [
            {"received_at": _time(each.received_at)} for each in inbox.of_client(tx, practice_id, client.id)
        ],
    }  # fmt: skip


def _about(tx: Tx, client: Client) -> dict[str, Any]:
    plain = ("client_ref", "name", "phone", "email", "language", "timezone", "channel", "state", "stopped", "discreet")
    return {name: getattr(client, name) for name in plain} | {
        "therapist": people.get(tx, client.practice_id, client.therapist_id).name if client.therapist_id else None,
        "consent_at": _time(client.consent_at),
        "consent_source": client.consent_source or None,
        "paused_until": _time(client.paused_until),
    }


def _telling(tx: Tx, client: Client) -> dict[str, Any]:
    """What only their therapist may see: of the check-ins with this therapist, and everything they wrote."""
    practice_id, therapist_id = client.practice_id, client.therapist_id or ""
    answers = check_ins.answers_of(tx, practice_id, client.id, therapist_id)
    asked = check_ins.of_clients(tx, practice_id, [client.id])[client.id]
    mine = {each.id for each in asked if each.therapist_id == therapist_id}
    visits = appointments.of_clients(tx, practice_id, [client.id])[client.id]
    # what belonged to no check-in counts from their first appointment on: a new therapist starts fresh
    first = min((each.starts_at for each in visits if each.therapist_id == therapist_id), default=None)

    def theirs(check_in_id: str | None, at: datetime) -> bool:
        return check_in_id in mine or (check_in_id is None and first is not None and at >= first)

    return {
        "answers": [{"asked_at": _time(each.asked_at), **answers[each.id]} for each in asked if each.id in answers],
        "words": [
            {"received_at": _time(each.received_at), "text": each.body}
            for each in inbox.of_client(tx, practice_id, client.id)
            if theirs(each.check_in_id, each.received_at)
        ],
        "texts_to_them": [
            {"created_at": _time(each.created_at), "text": each.body}
            for each in outbox.of_client(tx, practice_id, client.id)
            if theirs(each.check_in_id, each.created_at)
        ],
        "notes": [
            {"kind": each.kind, "opened_at": _time(each.opened_at), "acknowledged_at": _time(each.acknowledged_at),
             "resolved_at": _time(each.resolved_at)}
            for each in alerts.of_client(tx, practice_id, client.id)
            if each.therapist_id == therapist_id
        ],
    }  # fmt: skip


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
