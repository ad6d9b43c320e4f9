"""What only a person can settle."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels import InDoubt, Outgoing
from bot.flows import alerting, asking, by_hand, sending, settling
from bot.flows.settings import BadSetting
from bot.store import alerts, people
from tests.support.cast import MONDAY_NOON, Riverside

DUE = MONDAY_NOON + timedelta(hours=2)


class Lost:
    """Every answer is lost, and nothing can be looked up."""

    sender = "lost"

    def send(self, message: Outgoing) -> str:
        raise InDoubt("lost")

    def find(self, to: str, body: str, since: object) -> list[str]:
        raise InDoubt("lost")


@pytest.fixture
def waiting(practice: Riverside) -> str:
    """A text of which nobody knows whether it went out."""
    practice.visit("Ana", MONDAY_NOON)
    ctx = replace(practice.ctx, channels={"sms": Lost()})
    asking.ask_due(ctx, DUE)
    for message in sending.claim(ctx, "w", DUE):
        sending.deliver(ctx, message, DUE)
    for hours in range(1, 26):
        settling.look_up_due(ctx, DUE + timedelta(hours=hours))
    [row] = practice.rows("select id from outbox where state = 'needs_person'")
    return str(row["id"])


def test_a_message_that_went_out_is_noted_as_sent(practice: Riverside, waiting: str) -> None:
    by_hand.settle(practice.ctx, practice.practice, waiting, "sent", "Dana", DUE + timedelta(days=2))
    assert practice.rows("select state from outbox") == [{"state": "sent"}]
    assert practice.client("Ana").welcomed


def test_one_that_did_not_is_due_again(practice: Riverside, waiting: str) -> None:
    by_hand.settle(practice.ctx, practice.practice, waiting, "not_sent", "Dana", DUE + timedelta(days=2))
    assert practice.rows("select state, attempt_id from outbox") == [{"state": "due", "attempt_id": None}]


def test_only_what_waits_for_a_person_can_be_settled(practice: Riverside, waiting: str) -> None:
    """A second word about the same message changes nothing, and says why."""
    by_hand.settle(practice.ctx, practice.practice, waiting, "sent", "Dana", DUE)
    for message_id, verdict in ((waiting, "not_sent"), ("nobody", "sent"), (waiting, "maybe")):
        with pytest.raises(BadSetting):
            by_hand.settle(practice.ctx, practice.practice, message_id, verdict, "Dana", DUE)


def test_the_notes_of_somebody_who_left_go_to_whoever_stands_in(practice: Riverside) -> None:
    """Theo is gone; danger about his client reaches Dana at once."""
    assert by_hand.set_active(practice.ctx, practice.practice, "Theo@riverside.example", False, "Dana", DUE)
    assert not by_hand.set_active(practice.ctx, practice.practice, "theo@riverside.example", False, "Dana", DUE)
    with practice.ctx.store.transaction() as tx:
        alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ana"], therapist_id=practice.staff["Theo"],
            kind="danger", explanation="", check_in_id=None, now=DUE,
        )  # fmt: skip
    alerting.climb_due(practice.ctx, DUE)
    told = {row["person_id"] for row in practice.rows("select person_id from outbox")}
    assert told == {practice.staff["Dana"]}
    with practice.ctx.store.transaction(write=False) as tx:
        assert not people.get(tx, practice.practice.id, practice.staff["Theo"]).active


def test_nobody_by_that_address_is_said_in_words(practice: Riverside) -> None:
    with pytest.raises(BadSetting, match="mail address"):
        by_hand.set_active(practice.ctx, practice.practice, "x@y.example", False, "Dana", DUE)
