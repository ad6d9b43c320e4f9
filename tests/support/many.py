"""A practice with many clients and months of answers, written straight into its tables."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.store.sql import epoch, new_id
from surveys import rapport
from surveys.instrument import FEELINGS
from surveys.rapport.alarms import rotation, stable_client
from tests.support.cast import Riverside

FROM = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def like(model: rapport.Model, clients: int, seed: int = 8) -> list[list[rapport.Observation]]:
    """Clients who follow a model and don't decline, asked three feelings in turn."""
    rng = np.random.default_rng(seed)
    return [list(stable_client(model, pattern, rng)) for pattern in rotation(FEELINGS, 3, clients)]


def stored(practice: Riverside, histories: Sequence[Sequence[rapport.Observation]], therapist: str = "Theo") -> None:
    """Clients of Theo's with these histories, a visit a week, everything long over."""
    p, t = practice.practice.id, practice.staff[therapist]
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in ("client", "appointment", "check_in", "answer")}
    inbox_id = new_id()
    for n, history in enumerate(histories):
        client_id = new_id()
        rows["client"].append(
            {
                "id": client_id,
                "practice_id": p,
                "client_ref": f"M-{n}",
                "name_sealed": "",
                "language": "en",
                "timezone": "UTC",
                "channel": "sms",
                "therapist_id": t,
                "created_at": epoch(FROM),
            }
        )
        for seen in history:
            _one(rows, p, client_id, t, inbox_id, n, seen)
    with practice.ctx.store.transaction() as tx:
        tx.insert(
            "inbox",
            {
                "id": inbox_id,
                "practice_id": p,
                "channel": "sms",
                "provider_id": inbox_id,
                "sender_sealed": "",
                "body_sealed": "",
                "received_at": epoch(FROM),
            },
        )
        for table, found in rows.items():
            tx.insert_many(table, found)


def _one(
    rows: dict[str, list[dict[str, object]]],
    p: str,
    client_id: str,
    t: str,
    inbox_id: str,
    n: int,
    seen: rapport.Observation,
) -> None:
    appointment_id, check_in_id, at = new_id(), new_id(), epoch(FROM + timedelta(weeks=seen.number))
    rows["appointment"].append(
        {
            "id": appointment_id,
            "practice_id": p,
            "appointment_ref": f"M-{n}-{seen.number}",
            "client_id": client_id,
            "therapist_id": t,
            "starts_at": at,
            "ends_at": at,
            "status": "attended",
        }
    )
    rows["check_in"].append(
        {
            "id": check_in_id,
            "practice_id": p,
            "client_id": client_id,
            "therapist_id": t,
            "appointment_id": appointment_id,
            "state": "answered" if seen.answered else "expired",
            "feelings": ",".join(seen.answers),
            "due_at": at,
            "expires_at": at,
            "asked_at": at,
            "answered_at": at if seen.answered else None,
        }
    )
    rows["answer"] += [
        {
            "id": new_id(),
            "practice_id": p,
            "check_in_id": check_in_id,
            "inbox_id": inbox_id,
            "feeling": feeling,
            "score": score,
            "answered_at": at,
        }
        for feeling, score in seen.answers.items()
    ]
