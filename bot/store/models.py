"""The signal's models: the shipped one, and those learned from a practice's own check-ins."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, moment, moment_of, new_id
from surveys.instrument import FEELINGS
from surveys.rapport import Model, default_model

# learning -> given_up | refused | proposed -> declined | current -> ended
LEARNING, GIVEN_UP, REFUSED, PROPOSED = "learning", "given_up", "refused", "proposed"
DECLINED, CURRENT, ENDED = "declined", "current", "ended"
LIVE = (LEARNING, PROPOSED, CURRENT)


@dataclass(frozen=True)
class Learned:
    """One attempt at learning and what came of it. `model` is None until it is learned; `facts` are for people."""

    id: str
    practice_id: str
    state: str
    model: Model | None
    facts: Mapping[str, Any]
    created_at: datetime
    takes_effect_at: datetime | None
    ended_at: datetime | None


@cache
def shipped() -> Model:
    """The model every practice begins with, over all feelings that can be asked."""
    return default_model(FEELINGS)


def current(tx: Tx, practice_id: str) -> Model:
    """The model in use at a practice: its own, if it has one."""
    row = tx.one(
        "select parameters from model where practice_id = :p and state = 'current' "
        "order by created_at desc, id limit 1",
        {"p": practice_id},
    )
    return _model(row["parameters"]) if row else shipped()


def begin(tx: Tx, practice_id: str, facts: Mapping[str, Any], now: datetime) -> str:
    """An attempt at learning begins; its id."""
    model_id = new_id()
    tx.insert(
        "model",
        {
            "id": model_id,
            "practice_id": practice_id,
            "state": LEARNING,
            "parameters": "",
            "facts": json.dumps(dict(facts), sort_keys=True),
            "created_at": epoch(now),
        },
    )
    return model_id


def get(tx: Tx, practice_id: str, model_id: str) -> Learned:
    """One attempt. Raises KeyError."""
    row = tx.one("select * from model where id = :id and practice_id = :p", {"id": model_id, "p": practice_id})
    if row is None:
        raise KeyError(model_id)
    return _learned(row)


def of_practice(tx: Tx, practice_id: str) -> list[Learned]:
    """Every attempt of a practice, newest first."""
    rows = tx.all(
        "select * from model where practice_id = :p order by created_at desc, id desc",
        {"p": practice_id},
    )
    return [_learned(row) for row in rows]


def note(tx: Tx, model_id: str, facts: Mapping[str, Any]) -> None:
    """What there is to tell by now, progress included."""
    tx.run(
        "update model set facts = :facts where id = :id",
        {"facts": json.dumps(dict(facts), sort_keys=True), "id": model_id},
    )


def propose(tx: Tx, model_id: str, model: Model, facts: Mapping[str, Any], takes_effect_at: datetime) -> bool:
    """It was learned, and takes effect then unless somebody declines; False if the attempt was given up meanwhile."""
    note(tx, model_id, facts)
    return (
        tx.run(
            "update model set state = 'proposed', parameters = :text, takes_effect_at = :at "
            "where id = :id and state = 'learning'",
            {"text": model.to_text(), "at": epoch(takes_effect_at), "id": model_id},
        )
        == 1
    )


def move(tx: Tx, practice_id: str, model_id: str, before: str, after: str, now: datetime) -> bool:
    """From one state to another; False if it stood in another state. Whatever isn't LIVE afterwards has ended."""
    return (
        tx.run(
            "update model set state = :after, ended_at = :ended "
            "where id = :id and practice_id = :p and state = :before",
            {
                "after": after,
                "ended": None if after in LIVE else epoch(now),
                "id": model_id,
                "p": practice_id,
                "before": before,
            },
        )
        == 1
    )


def effective(tx: Tx, now: datetime) -> list[Learned]:
    """Proposed models whose time has come, over all practices."""
    rows = tx.all(
        "select * from model where state = 'proposed' and takes_effect_at <= :now order by takes_effect_at, id",
        {"now": epoch(now)},
    )
    return [_learned(row) for row in rows]


def notes_so_far(tx: Tx, practice_id: str, until: datetime) -> dict[str, int]:
    """How many notes about a decline were opened by then, and of those acknowledged, ended, and judged each way."""
    rows = tx.all(
        "select therapist_id, acknowledged_at, resolved_at, verdict from alert "
        "where practice_id = :p and kind = 'rapport' and opened_at <= :until",
        {"p": practice_id, "until": epoch(until)},
    )
    verdicts = [row["verdict"] for row in rows]
    return {
        "opened": len(rows),
        "acknowledged": sum(row["acknowledged_at"] is not None for row in rows),
        "ended": sum(row["resolved_at"] is not None for row in rows),
        "therapists": len({row["therapist_id"] for row in rows}),
        **{verdict: verdicts.count(verdict) for verdict in ("helpful", "not_helpful", "false")},
    }


@lru_cache(maxsize=32)
def _model(text: str) -> Model:
    return Model.from_text(text)


def _learned(row: Row) -> Learned:
    return Learned(
        id=row["id"],
        practice_id=row["practice_id"],
        state=row["state"],
        model=_model(row["parameters"]) if row["parameters"] else None,
        facts=json.loads(row["facts"]),
        created_at=moment_of(row["created_at"]),
        takes_effect_at=moment(row["takes_effect_at"]),
        ended_at=moment(row["ended_at"]),
    )
