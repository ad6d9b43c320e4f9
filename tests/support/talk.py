"""Short ways to ask a client, to text back, and to see what became of it; all on the real store and flows."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.flows import receiving
from bot.flows.context import Context
from bot.store import check_ins, clients, inbox, outbox
from bot.store.check_ins import CheckIn
from bot.store.inbox import Inbound
from bot.store.outbox import Message
from tests.support.cast import PHONES, Riverside

CORE = ("heard", "respected", "understood")
STRANGER = "+12025550199"


def at(text: str) -> datetime:
    """New York's clock, as "09-07 12:00" in 2026 (UTC-4 until November)."""
    return datetime.fromisoformat(f"2026-{text}:00-04:00").astimezone(UTC)


@dataclass
class Talk:
    """A practice and what is said in it."""

    ctx: Context
    practice: Riverside
    _ids: count = field(default_factory=lambda: count(1))

    def asked(self, name: str, when: datetime, feelings: tuple[str, ...] = CORE) -> CheckIn:
        """A client who has just been asked about a visit that ended two hours before."""
        self.practice.visit(name, when - timedelta(hours=2), now=when)
        found = self.ask_planned(name, when, feelings)
        assert found is not None, "nothing was planned"
        return found

    def ask_planned(self, name: str, when: datetime, feelings: tuple[str, ...] = CORE) -> CheckIn | None:
        """Ask now what is planned for a client, if anything is."""
        planned = next((each for each in self.practice.check_ins(name) if each.state == "planned"), None)
        if planned is None:
            return None
        with self.ctx.store.transaction() as tx:
            check_ins.set_feelings(tx, self.id, planned.id, feelings)
            check_ins.set_state(tx, self.id, planned.id, "asked", when)
            remind_at, expires_at = when + timedelta(hours=24), when + timedelta(hours=72)
            check_ins.set_asked(tx, self.id, planned.id, when, remind_at, expires_at)
            clients.mark_welcomed(tx, self.id, planned.client_id, when)
            return check_ins.get(tx, self.id, planned.id)

    def text(self, who: str, body: str, when: datetime, **more: Any) -> bool:
        """A text comes in, from one of the cast or from a number."""
        more = {"provider_id": f"SM{next(self._ids):032x}", "channel": "sms", **more}
        return receiving.receive(self.ctx, Inbound(sender=PHONES.get(who, who), body=body, **more), when)

    def last(self, name: str) -> CheckIn:
        """The check-in asked last."""
        with self.ctx.store.transaction(write=False) as tx:
            found = check_ins.latest_asked(tx, self.id, self.practice.clients[name])
        assert found is not None
        return found

    def answers(self, name: str) -> dict[str, int]:
        """What the check-in asked last has for answers now."""
        with self.ctx.store.transaction(write=False) as tx:
            return check_ins.answers(tx, self.id, self.last(name).id)

    def said(self, who: str) -> list[str]:
        """The kinds of message queued to a client or number, oldest first."""
        return [message.kind for message in self.messages(who)]

    def messages(self, who: str) -> list[Message]:
        """The messages queued to a client or number, oldest first."""
        address = PHONES.get(who, who)
        rows = self.practice.rows("select * from outbox order by created_at, id")
        with self.ctx.store.transaction(write=False) as tx:
            found = [outbox.message_of(tx, row) for row in rows]
        return [message for message in found if message.address == address]

    def alerts(self) -> list[tuple[str, str | None]]:
        """Every alert's kind and client, oldest first."""
        names = {client_id: name for name, client_id in self.practice.clients.items()}
        rows = self.practice.rows("select kind, client_id from alert order by opened_at, id")
        return [(str(row["kind"]), names.get(str(row["client_id"]))) for row in rows]

    def kept(self, name: str) -> list[inbox.Kept]:
        """A client's messages as kept."""
        with self.ctx.store.transaction(write=False) as tx:
            return inbox.of_client(tx, self.id, self.practice.clients[name])

    @property
    def id(self) -> str:
        return self.practice.practice.id
