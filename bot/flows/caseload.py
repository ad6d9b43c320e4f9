"""A therapist's caseload: who needs attention first, and why; gathered for all clients at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.flows.access import Me, NotHere, own_client
from bot.flows.context import Context
from bot.flows.signal import GONE, explanation_of
from bot.store import Tx, alerts, beliefs, caseload, clients, models
from bot.store.alerts import Alert
from bot.store.caseload import Dates, Recent
from bot.store.clients import Client
from surveys import attention
from surveys.attention import Facts, Open, Reason
from surveys.rapport import Band

SHOWN = 8  # check-ins in a small trend


@dataclass(frozen=True)
class Line:
    """One client in the list. `feelings`: those the small trend is of; `usual`: their bands, empty while unknown."""

    client: Client
    reason: Reason
    recent: Sequence[Recent]
    feelings: tuple[str, ...]
    usual: Sequence[Band]
    dates: Dates


def lines(ctx: Context, me: Me, now: datetime, search: str = "") -> list[Line]:
    """The therapist's clients in care, those who need attention first; `search`: a part of the name or reference."""
    with ctx.store.transaction(write=False) as tx:
        mine = [c for c in clients.of_therapist(tx, me.practice.id, me.person.id) if c.state not in GONE]
        found = [client for client in mine if _is_meant(client, search)]
        return sorted(_lines(ctx, tx, me, found, now), key=lambda line: (line.reason.order, line.client.name))


def in_care(tx: Tx, me: Me, client_id: str, even_gone: bool = False) -> Client:
    """A client in this therapist's care now. Raises NotHere, also once they were discharged or have died, unless
    `even_gone`."""
    client = own_client(tx, me, client_id)
    if client.state in GONE and not even_gone:
        raise NotHere
    return client


def open_alerts(found: Sequence[Alert]) -> dict[str, list[Open]]:
    """Alerts that aren't over, by client. A call, a silence or danger is over once somebody has taken it on."""
    kept: dict[str, list[Open]] = {}
    for alert in found:
        taken = alert.acknowledged_at is not None
        if alert.client_id is None or alert.resolved_at is not None or (taken and alert.kind != "rapport"):
            continue
        explanation = explanation_of(alert)
        feelings = explanation.feelings if explanation else ()
        kept.setdefault(alert.client_id, []).append(Open(alert.id, alert.kind, alert.opened_at, taken, feelings))
    return kept


def facts(client: Client, alerts_open: Sequence[Open], recent: Sequence[Recent], answered: int, now: datetime) -> Facts:
    """What the order of a caseload depends on, for one client."""
    return Facts(
        alerts=alerts_open,
        halted=client.halted,
        stopped=client.stopped,
        paused=client.state == "on_hold" or (client.paused_until is not None and client.paused_until > now),
        unanswered=_unanswered(recent),
        answered=answered,
    )


def _lines(ctx: Context, tx: Tx, me: Me, mine: Sequence[Client], now: datetime) -> list[Line]:
    who, ids = (me.practice.id, me.person.id), [client.id for client in mine]
    recent = caseload.recent(tx, *who, ids, SHOWN)
    dates = caseload.dates(tx, *who, ids, now)
    waiting = open_alerts(alerts.of_therapist(tx, *who))
    usual = _usual(tx, me, [id for id in ids if dates[id].answered >= attention.FEWEST])
    return [_line(ctx, c, recent[c.id], dates[c.id], waiting.get(c.id, []), usual.get(c.id, {}), now) for c in mine]


def _usual(tx: Tx, me: Me, ids: Sequence[str]) -> dict[str, Mapping[str, Band]]:
    """What is usual for each of these clients. One belief at a time, for each takes a tenth of a megabyte."""
    model = models.current(tx, me.practice.id)
    kept = ((id, beliefs.kept_of(tx, me.practice.id, id, me.person.id, model)) for id in ids)
    return {id: each.belief.usual for id, each in kept if each}


def _line(
    ctx: Context,
    client: Client,
    recent: Sequence[Recent],
    dates: Dates,
    waiting: Sequence[Open],
    usual: Mapping[str, Band],
    now: datetime,
) -> Line:
    reason = attention.reason(facts(client, waiting, recent, dates.answered, now))
    feelings = reason.feelings or ctx.instruments.core
    return Line(client, reason, recent, feelings, _bands(usual, feelings), dates)


def _bands(usual: Mapping[str, Band], feelings: Sequence[str]) -> list[Band]:
    return [usual[feeling] for feeling in feelings if feeling in usual]


def _unanswered(recent: Sequence[Recent]) -> int:
    """How many of the latest went unanswered in a row."""
    answered = [bool(each.scores) for each in recent]
    return next((n for n, was in enumerate(reversed(answered)) if was), len(answered))


def _is_meant(client: Client, search: str) -> bool:
    wanted = search.casefold().split()
    return all(word in f"{client.name} {client.client_ref}".casefold() for word in wanted)
