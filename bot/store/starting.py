"""How far a practice has come: what is there already, in numbers. No names."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.engine import Tx
from bot.store.sql import epoch, moment_of


@dataclass(frozen=True)
class First:
    """The planned check-in that is due first."""

    client_ref: str
    due_at: datetime


@dataclass(frozen=True)
class Reached:
    """What there is. `consented`: active clients who have agreed; `visits`: appointments; `asked`: check-ins sent."""

    therapists: int
    clients: int
    consented: int
    visits: int
    asked: int
    first: First | None


def reached(tx: Tx, practice_id: str) -> Reached:
    """How far this practice has come."""
    return Reached(
        therapists=_count(
            tx,
            practice_id,
            "person_role r join person p on p.id = r.person_id",
            "r.practice_id = :p and r.role = 'therapist' and p.active = 1",
        ),
        clients=_count(tx, practice_id, "client", "practice_id = :p and state = 'active'"),
        consented=_count(tx, practice_id, "client", "practice_id = :p and state = 'active' and consent_at is not null"),
        visits=_count(tx, practice_id, "appointment", "practice_id = :p"),
        asked=_count(tx, practice_id, "check_in", "practice_id = :p and asked_at is not null"),
        first=_first(tx, practice_id),
    )


def sent_tests(tx: Tx, practice_id: str, since: datetime | None = None) -> dict[str, int]:
    """How many test texts are in each state; only those since then, where given."""
    only = " and created_at >= :since" if since else ""
    rows = tx.all(
        f"select state, count(*) as n from outbox where practice_id = :p and kind = 'test_text'{only} "
        "group by state order by state",
        {"p": practice_id, "since": epoch(since) if since else 0},
    )
    return {row["state"]: int(row["n"]) for row in rows}


def _count(tx: Tx, practice_id: str, table: str, where: str) -> int:
    row = tx.one(f"select count(*) as n from {table} where {where}", {"p": practice_id})
    return int(row["n"]) if row else 0


def _first(tx: Tx, practice_id: str) -> First | None:
    row = tx.one(
        "select c.client_ref, k.due_at from check_in k join client c on c.id = k.client_id "
        "where k.practice_id = :p and k.state = 'planned' order by k.due_at, k.id limit 1",
        {"p": practice_id},
    )
    return First(row["client_ref"], moment_of(row["due_at"])) if row else None
