"""Large practices for the measurements, written straight into the tables: clients by the thousand, years of answers,
check-ins that are open or due."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any

from bot.flows.context import Context
from bot.store.sql import epoch, new_id
from tests.support.cast import Riverside

AT_ONCE = 20_000  # rows in one transaction
FEELINGS = ("heard", "respected", "understood", "dependable")
WEEKS = 50  # how long a client has been coming, at most
_phones = count(2_000_000_000 + time.time_ns() // 10**6 % (7 * 10**9))  # others in each run, for a folder that stays


@dataclass(frozen=True)
class Someone:
    """A client made for a measurement."""

    id: str
    phone: str


def clients(practice: Riverside, how_many: int, welcomed: bool = True) -> list[Someone]:
    """So many clients of Theo's, each with a phone of their own."""
    everyone = [Someone(new_id(), f"+1{next(_phones)}") for _ in range(how_many)]
    _write(practice.ctx, "client", (_client(practice, each, welcomed) for each in everyone))
    return everyone


def opened(practice: Riverside, whose: Sequence[Someone], now: datetime) -> None:
    """One check-in of each, asked an hour ago and open for three days, with the text that asked it."""
    visits = [(each, new_id(), new_id()) for each in whose]
    since = now - timedelta(hours=1)
    held = since - timedelta(hours=2)
    _write(practice.ctx, "appointment", (_visit(practice, who, visit, held) for who, visit, _ in visits))
    _write(practice.ctx, "check_in", (_asked(practice, who, visit, ask, since) for who, visit, ask in visits))
    _write(practice.ctx, "outbox", (_text(practice, who, ask, since) for who, _, ask in visits))


def due(practice: Riverside, whose: Sequence[Someone], now: datetime) -> None:
    """One check-in of each, planned for this moment."""
    visits = [(each, new_id(), new_id()) for each in whose]
    held = now - timedelta(hours=2)
    _write(practice.ctx, "appointment", (_visit(practice, who, visit, held) for who, visit, _ in visits))
    rows = (_check_in(practice, who, visit, ask, now) for who, visit, ask in visits)
    _write(practice.ctx, "check_in", rows)


def answered(practice: Riverside, answers: int, now: datetime, each_has: int = WEEKS) -> list[Someone]:
    """So many answers of the past, four to a check-in, a check-in a week; those who gave them."""
    check_ins = -(-answers // len(FEELINGS))
    whose = clients(practice, -(-check_ins // each_has))
    waiting = ((who, week) for who in whose for week in range(1, each_has + 1))
    waiting = islice(waiting, check_ins)
    while some := list(islice(waiting, AT_ONCE // len(FEELINGS))):
        _past(practice, some, now)
    return whose


def _past(practice: Riverside, some: Sequence[tuple[Someone, int]], now: datetime) -> None:
    rows: dict[str, list[dict[str, Any]]] = {n: [] for n in ("appointment", "check_in", "outbox", "inbox", "answer")}
    for who, week in some:
        at = now - timedelta(weeks=week)
        visit, ask, heard = new_id(), new_id(), new_id()
        rows["appointment"].append(_visit(practice, who, visit, at - timedelta(hours=2)))
        over = {"state": "answered", "answered_at": epoch(at)}
        rows["check_in"].append(_asked(practice, who, visit, ask, at) | over)
        rows["outbox"].append(_text(practice, who, ask, at))
        rows["inbox"].append(_heard(practice, who, ask, heard, at))
        rows["answer"] += [
            _answer(practice, ask, heard, feeling, 3 + (week + n) % 3, at) for n, feeling in enumerate(FEELINGS)
        ]
    with practice.ctx.store.transaction() as tx:
        for table, found in rows.items():
            tx.insert_many(table, found)


def _write(ctx: Context, table: str, rows: Iterator[dict[str, Any]]) -> None:
    while some := list(islice(rows, AT_ONCE)):
        with ctx.store.transaction() as tx:
            tx.insert_many(table, some)


def _client(practice: Riverside, who: Someone, welcomed: bool) -> dict[str, Any]:
    sealer = practice.ctx.store.sealer
    return {
        "id": who.id, "practice_id": practice.practice.id, "client_ref": f"B-{who.phone}",
        "name_sealed": sealer.seal(f"client|name|{who.id}", "Somebody"),
        "phone_sealed": sealer.seal(f"client|phone|{who.id}", who.phone), "phone_index": sealer.index(who.phone),
        "language": "en", "timezone": "America/New_York", "channel": "sms", "consent_at": 1,
        "therapist_id": practice.staff["Theo"], "created_at": 1, "welcomed_at": 1 if welcomed else None,
    }  # fmt: skip


def _visit(practice: Riverside, who: Someone, visit: str, ends_at: datetime) -> dict[str, Any]:
    return {
        "id": visit, "practice_id": practice.practice.id, "appointment_ref": visit, "client_id": who.id,
        "therapist_id": practice.staff["Theo"], "starts_at": epoch(ends_at) - 3000, "ends_at": epoch(ends_at),
        "status": "attended",
    }  # fmt: skip


def _check_in(practice: Riverside, who: Someone, visit: str, ask: str, at: datetime) -> dict[str, Any]:
    return {
        "id": ask, "practice_id": practice.practice.id, "client_id": who.id, "therapist_id": practice.staff["Theo"],
        "appointment_id": visit, "state": "planned", "feelings": "", "due_at": epoch(at),
        "expires_at": epoch(at + timedelta(days=3)),
    }  # fmt: skip


def _asked(practice: Riverside, who: Someone, visit: str, ask: str, at: datetime) -> dict[str, Any]:
    more = {"state": "asked", "feelings": ",".join(FEELINGS), "asked_at": epoch(at)}
    return _check_in(practice, who, visit, ask, at) | more | {"answered_at": None}


def _text(practice: Riverside, who: Someone, ask: str, at: datetime) -> dict[str, Any]:
    sealer, text = practice.ctx.store.sealer, new_id()
    return {
        "id": text, "practice_id": practice.practice.id, "kind": "check_in", "dedupe": f"check_in:{ask}",
        "client_id": who.id, "check_in_id": ask, "channel": "sms",
        "address_sealed": sealer.seal(f"outbox|address|{text}", who.phone), "address_index": sealer.index(who.phone),
        "body_sealed": sealer.seal(f"outbox|body|{text}", "Riverside: how was your last visit? " * 4), "urgency": 2,
        "due_at": epoch(at), "state": "sent", "provider_id": f"SM{text}", "sent_at": epoch(at),
        "created_at": epoch(at),
    }  # fmt: skip


def _heard(practice: Riverside, who: Someone, ask: str, heard: str, at: datetime) -> dict[str, Any]:
    sealer = practice.ctx.store.sealer
    return {
        "id": heard, "practice_id": practice.practice.id, "channel": "sms", "provider_id": f"SM{heard}",
        "address_index": sealer.index(who.phone), "sender_sealed": sealer.seal(f"inbox|sender|{heard}", who.phone),
        "body_sealed": sealer.seal(f"inbox|body|{heard}", "4 5 4 5"), "received_at": epoch(at), "client_id": who.id,
        "check_in_id": ask, "kind": "scores",
    }  # fmt: skip


def _answer(practice: Riverside, ask: str, heard: str, feeling: str, score: int, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "practice_id": practice.practice.id, "check_in_id": ask, "inbox_id": heard,
        "feeling": feeling, "score": score, "answered_at": epoch(at),
    }  # fmt: skip
