"""Raising alerts from what clients write, or from their silence; `bot.flows.alerting` takes them to people."""

import json
from collections.abc import Sequence
from datetime import datetime

from bot.store import Tx, alerts
from bot.store.clients import Client


def danger(
    tx: Tx,
    practice_id: str,
    client: Client | None,
    everyone: Sequence[Client],
    check_in_id: str | None,
    inbox_id: str,
    now: datetime,
) -> None:
    """Words of danger: the client's therapist is told first.

    For a number that is nobody's, or several people's (`everyone`), and for a client who is no longer asked, the
    duty contact is told at once as well: there may be no therapist who looks.
    """
    if client and client.therapist_id:
        _open(tx, practice_id, client, "danger", check_in_id, now, inbox_id=inbox_id)
    if client is None or client.stopped or client.state != "active" or client.therapist_id is None:
        _tell_duty(tx, practice_id, [client] if client else everyone, check_in_id, inbox_id, now)


def call(tx: Tx, client: Client, check_in_id: str | None, now: datetime) -> None:
    """The client would like a call."""
    _open(tx, client.practice_id, client, "call", check_in_id, now)


def unread(
    tx: Tx, practice_id: str, client: Client | None, everyone: Sequence[Client], inbox_id: str, now: datetime
) -> None:
    """A message that the program failed to read may be a cry for help, and climbs like one."""
    danger(tx, practice_id, client, everyone, None, inbox_id, now)


def silent(tx: Tx, client: Client, count: int, check_in_id: str, now: datetime) -> None:
    """So many check-ins in a row went unanswered that no more are sent."""
    _open(tx, client.practice_id, client, "silent", check_in_id, now, json.dumps({"count": count}))


def _tell_duty(
    tx: Tx, practice_id: str, everyone: Sequence[Client], check_in_id: str | None, inbox_id: str, now: datetime
) -> None:
    for client in everyone:
        _open(tx, client.practice_id, client, "danger_unknown", check_in_id, now, inbox_id=inbox_id)
    # A stranger who goes on writing is one alarm until somebody has taken it up, not one a text.
    if not everyone and not alerts.stranger_waits(tx, practice_id, inbox_id):
        _open(tx, practice_id, None, "danger_unknown", check_in_id, now, inbox_id=inbox_id)


def _open(
    tx: Tx,
    practice_id: str,
    client: Client | None,
    kind: str,
    check_in_id: str | None,
    now: datetime,
    explanation: str = "",
    inbox_id: str | None = None,
) -> None:
    """Open an alert, unless one of its kind for this client still waits for someone to take it up."""
    therapist_id = client.therapist_id if client else None
    if client and therapist_id:
        latest = alerts.latest(tx, practice_id, client.id, therapist_id, kind)
        if latest and latest.waiting:
            return
    alerts.open_alert(
        tx,
        practice_id,
        client_id=client.id if client else None,
        therapist_id=therapist_id,
        kind=kind,
        explanation=explanation,
        check_in_id=check_in_id,
        inbox_id=inbox_id,
        now=now,
    )
