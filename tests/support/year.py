"""A practice with a year behind it, in a real database: thirty therapists, a thousand clients, weekly appointments.

Written straight into the tables, since fifty thousand check-ins by the front door would take an hour. Who declines,
who falls silent and who answers badly is drawn from a seed. `settle` does what the worker would have done meanwhile.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.flows import planning, signal
from bot.flows.context import Context
from bot.store import Tx, check_ins, clients, people, practices
from bot.store.clients import Entry
from bot.store.practices import Practice
from bot.store.sql import epoch, new_id
from surveys.schedule import NO_SHOW

CORE = ("heard", "respected", "understood")
ANSWERS, COMES = 0.8, 0.95
WAITS = (3, 6, 9, 14, 25, 50, 100, 240, 600)  # minutes until an answer
DAY = timedelta(days=1)
STAFF = ("Theo", "Ines", "Mo", "Lea")
NAMES = (
    "Ana", "Ben", "Chidi", "Dora", "Emil", "Fay", "Goran", "Hana", "Ivo", "Juno", "Kai", "Lina", "Marek", "Noor",
    "Otis", "Pia", "Quentin", "Rosa", "Sami", "Tove", "Uma", "Viktor", "Wren",
)  # fmt: skip
AHEAD = 4  # weeks of visits that are booked
WORDS = ("thank you, that helped", "It felt a bit rushed today", "see you next week", "could we talk about money?")


@dataclass(frozen=True)
class Year:
    """The practice, its people by id, and when the year ends."""

    practice: Practice
    therapists: list[str]
    clients: list[str]
    now: datetime


def a_year(
    ctx: Context, now: datetime, *, therapists: int = 30, everyone: int = 1_000, weeks: int = 52, seed: int = 1
) -> Year:
    """Fill a fresh database. A manager Dana is there too; therapists are t0@..., clients C-0000 and on."""
    draw = random.Random(seed)
    start = now - timedelta(weeks=weeks)
    with ctx.store.transaction() as tx:
        practice = replace(practices.add(tx, "Riverside Counseling", start), sms_name="Riverside")
        practices.save(tx, practice)
        staff = [
            _staff(tx, practice, STAFF[n] if n < len(STAFF) else f"Therapist {n}", f"t{n}", "therapist", start)
            for n in range(therapists)
        ]
        _staff(tx, practice, "Dana", "dana", "manager", start)
        found = [_client(tx, practice, n, staff[n % therapists], start) for n in range(everyone)]
    for number, client_id in enumerate(found):
        with ctx.store.transaction() as tx:
            _history(tx, practice, client_id, staff[number % therapists], start, weeks, draw)
    return Year(practice, staff, found, now)


def settle(ctx: Context, year: Year) -> None:
    """Plan what is booked, and look at everyone's answers: beliefs are stored and notes opened. It takes minutes."""
    planning.replan(ctx, year.practice.id, year.clients, year.now)
    with ctx.store.transaction() as tx:
        for number, client_id in enumerate(year.clients):
            check_ins.mark_to_assess(tx, year.practice.id, client_id, year.therapists[number % len(year.therapists)])
    while signal.assess_marked(ctx, year.now):
        pass


def _staff(tx: Tx, practice: Practice, name: str, local: str, role: str, now: datetime) -> str:
    person_id, _ = people.save(tx, practice.id, name=name, email=f"{local}@riverside.example", now=now)
    people.give_role(tx, practice.id, person_id, role)
    return person_id


def _client(tx: Tx, practice: Practice, number: int, therapist_id: str, now: datetime) -> str:
    phone = f"+1202555{number:04}" if number < 10_000 else f"+1{2_035_550_000 + number}"
    entry = Entry(
        f"C-{number:04}", _name(number), phone, f"c{number}@clients.example", "en", "America/New_York", "sms",
        now, therapist_id,
    )  # fmt: skip
    return clients.save(tx, practice.id, entry, now)[0]


def _name(number: int) -> str:
    return f"{NAMES[number % len(NAMES)]} {chr(ord('A') + number * 7 % 26)}."


def _history(
    tx: Tx, practice: Practice, client_id: str, therapist_id: str, start: datetime, weeks: int, draw: random.Random
) -> None:
    """A visit a week and its check-in, answered or run out; and visits that are booked."""
    tables = ("appointment", "check_in", "inbox", "answer", "outbox")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
    who = {"practice_id": practice.id, "client_id": client_id, "therapist_id": therapist_id}
    for at, scores in _weeks(start, weeks, draw):
        visit_id, check_in_id, asked = new_id(), new_id(), at + timedelta(hours=2)
        if draw.random() > COMES:
            rows["appointment"].append(_visit(visit_id, at, "no_show") | who | {"not_asked": NO_SHOW})
            continue
        rows["appointment"].append(_visit(visit_id, at, "attended") | who | {"not_asked": None})
        answered = asked + timedelta(minutes=draw.choice(WAITS))
        ended = {"answered_at": epoch(answered) if scores else None, "closed_at": epoch(asked + 3 * DAY)}
        rows["check_in"].append(
            {"id": check_in_id, "appointment_id": visit_id, "state": "answered" if scores else "expired"}
            | {"feelings": ",".join(CORE), "due_at": epoch(asked), "expires_at": epoch(asked + 3 * DAY)}
            | {"asked_at": epoch(asked)} | who | ended
        )  # fmt: skip
        rows["outbox"].append(_message(tx, practice, client_id, check_in_id, "check_in", asked))
        if scores:
            rows["outbox"].append(_message(tx, practice, client_id, check_in_id, "thanks", answered))
            _reply(tx, rows, practice, client_id, check_in_id, scores, answered, draw)
    rows["appointment"] += [
        _visit(new_id(), at + timedelta(weeks=n), "booked") | who | {"not_asked": None} for n in range(1, AHEAD + 1)
    ]
    for table, some in rows.items():
        tx.insert_many(table, some)


def _visit(visit_id: str, at: datetime, status: str) -> dict[str, Any]:
    times = {"starts_at": epoch(at - timedelta(minutes=50)), "ends_at": epoch(at)}
    return {"id": visit_id, "appointment_ref": f"V-{visit_id}", "status": status} | times


def _message(
    tx: Tx, practice: Practice, client_id: str, check_in_id: str, kind: str, at: datetime
) -> dict[str, Any]:  # fmt: skip
    """A text that was sent and arrived."""
    id_, address = new_id(), "+12025550100"
    return {
        "id": id_, "practice_id": practice.id, "kind": kind, "dedupe": f"{kind}:{check_in_id}", "client_id": client_id,
        "check_in_id": check_in_id, "channel": "sms", "address_sealed": tx.seal("outbox", "address", id_, address),
        "address_index": tx.sealer.index(f"{address}{client_id}"), "body_sealed": tx.seal("outbox", "body", id_, kind),
        "segments": 2 if kind == "check_in" else 1, "urgency": 2, "due_at": epoch(at), "created_at": epoch(at),
        "state": "sent", "sent_at": epoch(at) + 2, "delivery": "delivered", "attempt_id": id_,
        "provider_id": f"SM{id_}",
    }  # fmt: skip


def _weeks(start: datetime, weeks: int, draw: random.Random) -> Iterator[tuple[datetime, list[int]]]:
    """The time of each visit, and what was answered (nothing: unanswered)."""
    usual = draw.choice((3.6, 4.2, 4.6, 4.9))
    falls_at = draw.randrange(weeks * 3)  # one in three declines once
    monday = (start - timedelta(days=start.weekday())).replace(hour=0, minute=50)
    first = monday + timedelta(hours=draw.randrange(13, 21), days=draw.randrange(5))  # nine to five in New York
    for week in range(weeks):
        level = usual - (1.5 if falls_at <= week < falls_at + 4 else 0)
        scores = [max(1, min(5, round(draw.gauss(level, 0.6)))) for _ in CORE]
        yield first + timedelta(weeks=week), scores if draw.random() < ANSWERS else []


def _reply(
    tx: Tx, rows: dict[str, list[dict[str, Any]]], practice: Practice, client_id: str, check_in_id: str,
    scores: list[int], at: datetime, draw: random.Random,
) -> None:  # fmt: skip
    inbox_id = new_id()
    body = " ".join(map(str, scores)) + (f" {draw.choice(WORDS)}" if draw.random() < 0.2 else "")
    rows["inbox"].append(
        {"id": inbox_id, "practice_id": practice.id, "channel": "sms", "provider_id": f"SM{inbox_id}"}
        | {"sender_sealed": tx.seal("inbox", "sender", inbox_id, "+12025550100"), "kind": "answers"}
        | {"body_sealed": tx.seal("inbox", "body", inbox_id, body), "received_at": epoch(at)}
        | {"client_id": client_id, "check_in_id": check_in_id}
    )
    for feeling, score in zip(CORE, scores, strict=True):
        row = {"id": new_id(), "practice_id": practice.id, "check_in_id": check_in_id, "inbox_id": inbox_id}
        rows["answer"].append(row | {"feeling": feeling, "score": score, "answered_at": epoch(at)})
