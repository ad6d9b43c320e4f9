"""A provider that takes longer than the lease is slow, not dead: nobody else may take the message up meanwhile."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event

from bot.channels import Outgoing
from bot.flows import asking, leases, sending
from bot.store import clients
from tests.support.cast import MONDAY_NOON, Riverside

DUE = MONDAY_NOON + timedelta(hours=2)
LEASE = 1


class Slow:
    """Answers only once its caller's lease would have ended more than once, and lets another worker look in meanwhile.

    A second passes as soon as the lease is renewed, so that a busy machine decides nothing; where it isn't, the second
    passes all the same.
    """

    sender = "slow"

    def __init__(self, practice: Riverside) -> None:
        self.practice, self.now, self.freed = practice, DUE, 0

    def tell(self) -> datetime:
        return self.now

    def send(self, message: Outgoing) -> str:
        for _ in range(3 * LEASE):
            self._wait_until_renewed()
            self.now += timedelta(seconds=1)
            self.freed += sending.free_abandoned(self.practice.ctx, self.now)
        return "SM" + "1" * 32

    def _wait_until_renewed(self) -> None:
        patience = time.monotonic() + 20
        while time.monotonic() < patience and not self._is_renewed():
            time.sleep(0.02)

    def _is_renewed(self) -> bool:
        ends = [int(row["lease_until"]) for row in self.practice.rows("select * from outbox where state = 'claimed'")]
        return bool(ends) and min(ends) >= self.now.timestamp() + LEASE


def test_a_call_still_open_keeps_its_lease(practice: Riverside) -> None:
    practice.visit("Ana", MONDAY_NOON)
    asking.ask_due(practice.ctx, DUE)
    slow = Slow(practice)
    ctx = replace(practice.ctx, channels={"sms": slow}, config=replace(practice.ctx.config, lease_seconds=LEASE))
    [message] = sending.claim(ctx, "w", DUE)
    sending.deliver(ctx, message, DUE, slow.tell)
    assert slow.freed == 0
    assert practice.rows("select state from outbox") == [{"state": "sent"}]


def test_messages_behind_a_call_still_open_keep_their_leases_too(practice: Riverside) -> None:
    """They go back for another turn once the call is over, and nobody else has begun them meanwhile."""
    for name in ("Ana", "Ben"):
        practice.visit(name, MONDAY_NOON)
        with practice.ctx.store.transaction() as tx:
            clients.mark_welcomed(tx, practice.practice.id, practice.clients[name], MONDAY_NOON)
    asking.ask_due(practice.ctx, DUE)
    slow = Slow(practice)
    ctx = replace(practice.ctx, channels={"sms": slow}, config=replace(practice.ctx.config, lease_seconds=LEASE))
    tempo = sending.Tempo(lambda: (slow.now - DUE).total_seconds())
    tempo.most = 2
    assert sending.send_next(ctx, "w", sending.Lane("sms", False), slow.tell, tempo) == 2
    assert slow.freed == 0
    assert practice.rows("select state from outbox order by state") == [{"state": "due"}, {"state": "sent"}]
    assert tempo.most == 1, "and the next ones are taken one by one"


def test_the_thread_that_keeps_leases_ends_when_nothing_is_under_way(practice: Riverside) -> None:
    """A worker with nothing to send holds nothing open; the next call has a keeper again."""
    ctx = replace(practice.ctx, config=replace(practice.ctx.config, lease_seconds=LEASE))
    for _ in range(2):
        with leases.kept(ctx, [("message", "attempt")], lambda: DUE):
            keeper = leases._keeper._thread
            assert keeper
            assert keeper.is_alive()
        keeper.join(60)
        assert leases._keeper._thread is None


def test_a_short_lease_is_renewed_in_time_beside_a_long_one(practice: Riverside) -> None:
    """The keeper sleeps no longer than the shortest of them allows."""
    renewed = Event()
    short = replace(practice.ctx, config=replace(practice.ctx.config, lease_seconds=LEASE))

    def tell() -> datetime:
        renewed.set()
        return DUE

    with leases.kept(practice.ctx, [("one", "attempt")], lambda: DUE), leases.kept(short, [("two", "attempt")], tell):
        assert renewed.wait(60)
