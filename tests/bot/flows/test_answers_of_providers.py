"""What follows from what the provider says to a message: yes, no, not now, or nothing that can be told."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.channels import DeliveryFailed, Outgoing, codes
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.store import appointments, clients, outbox, people
from bot.store.outbox import ORDINARY, URGENT
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted, raising

NEW_YORK = ZoneInfo("America/New_York")
SECOND = timedelta(seconds=1)


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice)


@pytest.mark.parametrize("fault", ["503", "accept_then_503", "reset", "lose_answer"])
def test_an_answer_that_leaves_it_open_puts_the_message_in_doubt(post: Post, sandbox: Sandbox, fault: str) -> None:
    """Nothing else happens to it until the provider was asked."""
    sandbox.faults.plan(Fault(fault))
    message = post.put("Ana")
    post.send(MONDAY_NOON)
    assert post.state(message) == "in_doubt"
    assert post.send(MONDAY_NOON + timedelta(days=1)) == 0


def test_a_fault_in_the_channel_itself_counts_as_doubt(post: Post) -> None:
    """Whatever went wrong, the provider may have it."""
    broken = post.by(Scripted(raising(RuntimeError("boom"))))
    message = broken.put("Ana")
    broken.send(MONDAY_NOON)
    assert broken.state(message) == "in_doubt"


def test_no_connection_is_a_definite_no_and_is_tried_again_ever_less_often(post: Post) -> None:
    """Half a minute, one, two, five ... ; waiting for other reasons doesn't count as a try."""
    down = post.by(Scripted(raising(DeliveryFailed("no connection", permanent=False, meaning=codes.BUSY))))
    message = down.put("Ana")
    now, waits = MONDAY_NOON, []
    for _ in range(4):
        down.send(now)
        due = datetime.fromtimestamp(down.row(message)["due_at"], NEW_YORK)
        waits.append((due - now).total_seconds())
        now = due
    assert waits == [30, 60, 120, 300]


@pytest.mark.parametrize(
    ("to", "urgency", "most"), [("Ana", URGENT, 60), ("Theo", URGENT, 60), ("Theo", ORDINARY, 1800)]
)
def test_what_is_urgent_or_for_our_own_people_is_never_put_off_for_long(
    post: Post, to: str, urgency: int, most: int
) -> None:
    """Ten failures in: danger every minute still, an alert every half hour, and by then the managers know."""
    down = post.by(Scripted(raising(DeliveryFailed("no connection", permanent=False, meaning=codes.BUSY))))
    message = down.put(to, "crisis" if to == "Ana" else "alert_rapport", urgency=urgency)
    with down.ctx.store.transaction() as tx:
        tx.run("update outbox set attempts = 10")
    down.send(MONDAY_NOON)
    assert down.row(message)["due_at"] == MONDAY_NOON.timestamp() + most


def test_too_many_requests_holds_up_the_whole_sender_but_nothing_urgent(post: Post) -> None:
    """429 is always safe to try again, after what Retry-After says; hammering on with others would earn more."""
    answers = iter([raising(DeliveryFailed("busy", permanent=False, meaning=codes.BUSY, retry_after=40))])
    channel = Scripted(lambda outgoing: next(answers, lambda o: f"SM{o.attempt_id}")(outgoing))
    busy = post.by(channel)
    refused = busy.put("Ana")
    busy.send(MONDAY_NOON)
    other, crisis = busy.put("Ben"), busy.put("Chidi", "crisis", urgency=URGENT)
    busy.send(MONDAY_NOON + timedelta(seconds=39))
    assert [busy.state(message) for message in (refused, other, crisis)] == ["due", "due", "sent"]
    busy.send(MONDAY_NOON + timedelta(seconds=40))
    assert [busy.state(message) for message in (refused, other)] == ["sent", "sent"]


def test_a_provider_cannot_hold_us_up_for_a_month(post: Post) -> None:
    """Retry-After is believed up to an hour."""
    failure = DeliveryFailed("busy", permanent=False, meaning=codes.BUSY, retry_after=30 * 86400)
    busy = post.by(Scripted(raising(failure)))
    message = busy.put("Ana")
    busy.send(MONDAY_NOON)
    assert busy.row(message)["due_at"] == MONDAY_NOON.timestamp() + 3600


def test_a_definite_no_ends_the_check_in(post: Post) -> None:
    """The row keeps the code and its words; the check-in failed, and says why."""
    failure = DeliveryFailed("Not a mobile number", permanent=True, code="21614", meaning=codes.BAD_ADDRESS)
    refusing = post.by(Scripted(raising(failure)))
    message = refusing.ask("Ana")
    refusing.send(MONDAY_NOON)
    row, check_in = refusing.row(message), refusing.practice.check_ins("Ana")[0]
    assert (row["state"], row["code"], row["reason"]) == ("refused", "21614", "Not a mobile number")
    assert (check_in.state, check_in.reason) == ("failed", "Not a mobile number")


def test_an_opt_out_that_only_the_provider_knew_of_stops_everyone_at_that_number(post: Post, sandbox: Sandbox) -> None:
    """21610 keeps our list in step: the number, the person, and the record of consent."""
    [line] = {sandbox.parts.account.line}
    sandbox.book.set_opted_out(line, PHONES["Ana"], True)
    sandbox.book.set_opted_out(replace(line, messaging_service_sid=None), PHONES["Ana"], True)
    message = post.ask("Ana")
    post.send(MONDAY_NOON)
    assert (post.state(message), post.row(message)["code"]) == ("refused", "21610")
    assert post.practice.client("Ana").stopped
    assert post.practice.rows("select what from consent_event where source = 'provider'") == [{"what": "stopped"}]
    later = post.put("Ana", at=MONDAY_NOON + SECOND)
    post.send(MONDAY_NOON + SECOND)
    assert post.state(later) == "skipped"


def test_a_strangers_opt_out_at_the_provider_is_kept_too(post: Post) -> None:
    """Somebody who is no client, and whom we answered, is left alone from then on."""
    failure = DeliveryFailed("unsubscribed", permanent=True, code="21610", meaning=codes.STOPPED)
    refusing = post.by(Scripted(raising(failure)))
    refusing.put("+12025550199", "unexpected")
    refusing.send(MONDAY_NOON)
    with post.ctx.store.transaction(write=False) as tx:
        assert clients.is_stopped(tx, post.practice.practice.id, "+12025550199")


def test_managers_learn_that_a_letter_to_one_of_their_own_was_refused(post: Post) -> None:
    """That, and not what was in it."""
    failure = DeliveryFailed("the mail server said 550", permanent=True, code="550", meaning=codes.BAD_ADDRESS)
    refusing = post.by(Scripted(raising(failure)))
    refusing.put("Theo", "alert_rapport", body="Ana's trend fell")
    refusing.send(MONDAY_NOON)
    [notice] = [row for row in post.practice.rows("select * from outbox") if row["kind"] == "notice"]
    with post.ctx.store.transaction(write=False) as tx:
        letter = outbox.get(tx, post.practice.practice.id, str(notice["id"]))
        dana = people.get(tx, post.practice.practice.id, str(notice["person_id"]))
    assert (dana.name, "Theo" in letter.body, "Ana" in letter.body) == ("Dana", True, False)


def test_an_appointment_cancelled_while_the_text_was_on_its_way_changes_nothing_twice(post: Post) -> None:
    """What was taken was taken; the check-in is asked, and its message isn't sent again."""
    message = post.ask("Ana")

    def answer(_: Outgoing) -> str:
        with post.ctx.store.transaction() as tx:
            [visit] = appointments.of_clients(tx, post.practice.practice.id, [post.practice.clients["Ana"]])[
                post.practice.clients["Ana"]
            ]
            tx.run("update appointment set status = 'cancelled' where id = :id", {"id": visit.id})
        return "SM1"

    post.by(Scripted(answer)).send(MONDAY_NOON)
    assert post.state(message) == "sent"
    assert post.send(MONDAY_NOON + timedelta(hours=1)) == 0
