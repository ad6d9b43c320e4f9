"""A provider that takes longer than the lease is slow, not dead: nobody else may take the message up meanwhile."""

import time
from dataclasses import replace
from datetime import datetime, timedelta

from bot.channels import Outgoing
from bot.flows import asking, sending
from tests.support.cast import MONDAY_NOON, Riverside

DUE = MONDAY_NOON + timedelta(hours=2)
LEASE = 1


class Slow:
    """Answers only once its caller's lease would have ended, and lets another worker look in meanwhile."""

    sender = "slow"

    def __init__(self, practice: Riverside, began: float) -> None:
        self.practice, self.began, self.freed = practice, began, 0

    def send(self, message: Outgoing) -> str:
        lease_ends = self.began + LEASE + 1.5
        while time.monotonic() < lease_ends:
            time.sleep(0.05)
            self.freed += sending.free_abandoned(self.practice.ctx, at(self.began))
        return "SM" + "1" * 32


def at(began: float) -> datetime:
    """The time of a clock that shows DUE as the call begins, and runs."""
    return DUE + timedelta(seconds=time.monotonic() - began)


def test_a_call_still_open_keeps_its_lease(practice: Riverside) -> None:
    practice.visit("Ana", MONDAY_NOON)
    asking.ask_due(practice.ctx, DUE)
    began = time.monotonic()
    slow = Slow(practice, began)
    ctx = replace(practice.ctx, channels={"sms": slow}, config=replace(practice.ctx.config, lease_seconds=LEASE))
    [message] = sending.claim(ctx, "w", DUE)
    sending.deliver(ctx, message, DUE, lambda: at(began))
    assert slow.freed == 0
    assert practice.rows("select state from outbox") == [{"state": "sent"}]
