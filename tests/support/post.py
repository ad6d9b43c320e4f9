"""Short ways to queue a message and to send it, step by step, and channels that do as a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.channels import Outgoing
from bot.flows import asking, sending
from bot.flows.context import Context
from bot.store import clients, outbox
from bot.store.outbox import ORDINARY, REPLY, Draft, Message
from tests.support.cast import MONDAY_NOON, PHONES, Riverside


@dataclass
class Post:
    """Riverside's outgoing post. `now` is the last time that was named."""

    ctx: Context
    practice: Riverside
    names: int = 0

    def ask(self, name: str, at: datetime = MONDAY_NOON) -> Message:
        """A client who knows us, with a check-in that falls due then and lies in the outbox."""
        self.practice.visit(name, at - timedelta(hours=2))
        with self.ctx.store.transaction() as tx:
            clients.mark_welcomed(tx, self.practice.practice.id, self.practice.clients[name], at)
        asking.ask_due(self.ctx, at)
        return self.messages(name)[-1]

    def put(self, to: str, kind: str = "thanks", at: datetime = MONDAY_NOON, **more: Any) -> Message:
        """A message to a client, one of our own people, or a number."""
        self.names += 1
        owner: dict[str, Any] = {}
        if to in self.practice.clients:
            owner = {"client_id": self.practice.clients[to], "channel": "sms", "address": PHONES[to]}
        elif to in self.practice.staff:
            address = f"{to.lower()}@riverside.example"
            owner = {"person_id": self.practice.staff[to], "channel": "mail", "address": address, "subject": "A note"}
        usual = {"channel": "sms", "address": to, "body": f"Words {self.names}", "urgency": REPLY}
        draft = Draft(kind, f"{kind}:{self.names}", **{**usual, **owner, **more})
        with self.ctx.store.transaction() as tx:
            message_id = outbox.put(tx, self.practice.practice.id, draft, at, at)
            assert message_id
            return outbox.get(tx, self.practice.practice.id, message_id)

    def claim(self, now: datetime, worker: str = "worker") -> list[Message]:
        """What a worker claims now."""
        return sending.claim(self.ctx, worker, now)

    def send(self, now: datetime) -> int:
        """Claim and deliver what is due now; how many were claimed."""
        sending.free_abandoned(self.ctx, now)
        claimed = self.claim(now)
        for message in claimed:
            sending.deliver(self.ctx, message, now)
        return len(claimed)

    def row(self, message: Message) -> dict[str, Any]:
        """A message's row as it stands."""
        return self.practice.rows("select * from outbox where id = :id", id=message.id)[0]

    def state(self, message: Message) -> str:
        return str(self.row(message)["state"])

    def messages(self, name: str) -> list[Message]:
        """All messages to a client, oldest first."""
        with self.ctx.store.transaction(write=False) as tx:
            return outbox.of_client(tx, self.practice.practice.id, self.practice.clients[name])

    def by(self, channel: "Scripted", **config: Any) -> "Post":
        """The same post, with texts and mails going out through a channel that does as the test says."""
        ctx = replace(self.ctx, config=replace(self.ctx.config, **config), channels={"sms": channel, "mail": channel})
        return Post(ctx, replace(self.practice, ctx=ctx), self.names)


@dataclass
class Scripted:
    """A channel whose answer is whatever `answers` gives or raises. `listed`: what a look-up finds."""

    answers: Callable[[Outgoing], str] = lambda outgoing: f"SM{outgoing.attempt_id}"
    listed: list[str] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)
    sender: str = "+15005550006"

    def send(self, message: Outgoing) -> str:
        self.sent.append(message)
        return self.answers(message)

    def find(self, to: str, body: str, since: datetime) -> list[str]:
        return list(self.listed)


def raising(error: Exception) -> Callable[[Outgoing], str]:
    """A channel's answer that is an error."""

    def answer(_: Outgoing) -> str:
        raise error

    return answer


__all__ = ["ORDINARY", "Post", "Scripted", "raising"]
