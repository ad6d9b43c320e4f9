"""Sending: what goes out, and what is looked at again at the moment of sending."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.channels import Outgoing
from bot.flows import leases, receiving, sending
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.store import Tx, clients
from bot.store.inbox import Inbound
from bot.store.outbox import URGENT
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted

NEW_YORK = ZoneInfo("America/New_York")
EVENING = datetime(2026, 9, 7, 20, 0, tzinfo=NEW_YORK)  # when the hours end
MORNING = datetime(2026, 9, 8, 9, 0, tzinfo=NEW_YORK)
SECOND = timedelta(seconds=1)


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice)


def _change_phone(tx: Tx, client_id: str, phone: str) -> None:
    found = {"s": tx.seal("client", "phone", client_id, phone), "i": tx.sealer.index(phone), "id": client_id}
    tx.run("update client set phone_sealed = :s, phone_index = :i where id = :id", found)


def _change_to_mail(tx: Tx, client_id: str, mail: str) -> None:
    found = {"s": tx.seal("client", "email", client_id, mail), "i": tx.sealer.index(mail), "id": client_id}
    tx.run("update client set channel = 'mail', email_sealed = :s, email_index = :i where id = :id", found)


# --- what is sent


def test_a_check_in_is_taken_once_and_then_asked(post: Post, sandbox: Sandbox) -> None:
    """The provider's yes makes the check-in asked, with its reminder and its end."""
    message = post.ask("Ana")
    assert post.send(MONDAY_NOON) == 1
    assert post.send(MONDAY_NOON + SECOND) == 0
    assert [text.body for text in sandbox.book.all()] == [message.body]
    check_in = post.practice.check_ins("Ana")[0]
    assert (check_in.state, check_in.asked_at) == ("asked", MONDAY_NOON)
    assert post.row(message)["provider_id"] == sandbox.book.all()[0].sid


def test_the_provider_gets_our_attempts_id_and_no_longer_than_the_hours_last(post: Post, sandbox: Sandbox) -> None:
    """A text may not lie in the provider's queue until the hours are over, counted from the end of the call."""
    message = post.ask("Ana", EVENING - timedelta(minutes=10))
    post.send(EVENING - timedelta(minutes=10))
    text = sandbox.book.all()[0]
    assert text.status_callback.endswith(f"/webhooks/twilio/status?attempt={post.row(message)['attempt_id']}")
    assert text.validity == 600 - 30


def test_a_check_in_is_not_valid_beyond_the_next_appointment(post: Post, sandbox: Sandbox) -> None:
    """What is open closes when the next appointment starts; so does what lies in the provider's queue."""
    post.practice.visit("Ana", MONDAY_NOON + timedelta(minutes=65), status="booked", now=MONDAY_NOON)
    post.ask("Ana")
    post.send(MONDAY_NOON)
    assert sandbox.book.all()[0].validity == 15 * 60 - 30


def test_no_transaction_is_open_while_the_provider_is_called(post: Post) -> None:
    """Another writer gets in during the call."""

    def answer(_: Outgoing) -> str:
        with post.ctx.store.transaction() as tx:  # in the same thread this would be a savepoint, so look
            assert tx.one("select 1 as yes from attempt where ended_at is null") == {"yes": 1}
        assert post.ctx.store._local.outer is None
        return "SM1"

    post.ask("Ana")
    assert post.by(Scripted(answer)).send(MONDAY_NOON) == 1


# --- what is looked at again at the moment of sending


def test_at_the_edge_of_the_hours_a_message_waits_for_the_morning(post: Post, sandbox: Sandbox) -> None:
    """With less than a minute left it might be taken too late."""
    message = post.ask("Ana", EVENING - timedelta(seconds=59))
    post.send(EVENING - timedelta(seconds=59))
    assert sandbox.book.all() == []
    assert (post.state(message), post.row(message)["due_at"]) == ("due", MORNING.timestamp())
    post.send(MORNING)
    assert post.state(message) == "sent"


def test_the_hours_are_those_of_the_clients_own_zone(post: Post, sandbox: Sandbox) -> None:
    """Noon in New York is six in the evening in Paris, eight in Sofia."""
    for name, zone in (("Ana", "Europe/Paris"), ("Ben", "Europe/Sofia")):
        with post.ctx.store.transaction() as tx:
            tx.run("update client set timezone = :z where client_ref = :ref", {"z": zone, "ref": f"C-{name}"})
        post.put(name)
    post.send(MONDAY_NOON + timedelta(hours=1, minutes=30))
    assert [text.to for text in sandbox.book.all()] == [PHONES["Ana"]]


def test_a_zone_nobody_knows_counts_as_the_practices(post: Post, sandbox: Sandbox) -> None:
    """The check-in goes out by the practice's hours, and is asked like any other."""
    message = post.ask("Ana")
    with post.ctx.store.transaction() as tx:
        tx.run("update client set timezone = 'America/Atlantis'")
    post.send(MONDAY_NOON)
    assert (post.state(message), post.practice.check_ins("Ana")[0].state) == ("sent", "asked")
    late = post.put("Ben")
    post.send(EVENING)
    assert post.state(late) == "due"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update client set consent_at = null", "the client has given no consent"),
        ("update client set state = 'on_hold'", "the client is on hold"),
        ("update client set state = 'discharged'", "the client is discharged"),
        ("update client set state = 'died'", "the client has died"),
        ("update client set halted_at = 1", "waiting until a clinician resumes check-ins"),
        ("update client set stopped_at = 1", "the client has opted out"),
        ("update client set paused_until = 4000000000", "the client's check-ins are paused"),
        ("update appointment set status = 'cancelled'", "the appointment was cancelled"),
        ("update appointment set status = 'no_show'", "the client did not come"),
        ("update check_in set expires_at = 1", "its time is over"),
        ("update client set phone_sealed = null, phone_index = null", "the client's number or address has changed"),
    ],
)
def test_what_changed_since_it_was_queued_stops_a_check_in(
    post: Post, sandbox: Sandbox, change: str, reason: str
) -> None:
    """Nothing goes out, and message and check-in both say why."""
    message = post.ask("Ana")
    with post.ctx.store.transaction() as tx:
        tx.run(change)
    post.send(MONDAY_NOON)
    assert sandbox.book.all() == []
    assert (post.state(message), post.row(message)["reason"]) == ("skipped", reason)
    check_in = post.practice.check_ins("Ana")[0]
    assert (check_in.state, check_in.reason) == ("cancelled", reason)


def test_a_number_on_the_suppression_list_gets_nothing_even_if_it_is_no_longer_the_clients(
    post: Post, sandbox: Sandbox
) -> None:
    """STOP holds for the number as well as for the person."""
    message = post.put("Ana")
    with post.ctx.store.transaction() as tx:
        clients.stop(tx, post.practice.practice.id, PHONES["Ana"], "reply", MONDAY_NOON)
        _change_phone(tx, post.practice.clients["Ana"], "+12025550111")
    assert not post.practice.client("Ana").stopped
    post.send(MONDAY_NOON)
    assert (post.state(message), sandbox.book.all()) == ("skipped", [])


def test_stop_between_the_claim_and_the_check_keeps_the_message_back(post: Post, sandbox: Sandbox) -> None:
    """STOP takes claimed messages away in its own transaction."""
    post.ask("Ana")
    [claimed] = post.claim(MONDAY_NOON)
    receiving.receive(post.ctx, Inbound("sms", "SM1", PHONES["Ana"], "stop", ""), MONDAY_NOON)
    sending.deliver(post.ctx, claimed, MONDAY_NOON)
    assert sandbox.book.all() == []
    assert post.state(claimed) == "skipped"


@pytest.mark.parametrize(("later", "asked"), [(0.7, 1), (0.9, 0)])
def test_a_provider_is_called_within_a_second_of_the_look_at_consent_or_after_another_look(
    post: Post, monkeypatch: pytest.MonkeyPatch, later: float, asked: int
) -> None:
    """STOP comes right after that look. The disk, the picture and the lease's start are slow here."""
    channel = Scripted()
    post = post.by(channel)
    message = post.ask("Ana")
    clock = [MONDAY_NOON]
    plain = leases.kept

    @contextmanager
    def slow(*args: Any) -> Iterator[None]:
        with plain(*args):
            receiving.receive(post.ctx, Inbound("sms", "SM1", PHONES["Ana"], "stop", ""), clock[0])
            clock[0] += timedelta(seconds=later)
            yield

    monkeypatch.setattr(leases, "kept", slow)
    (claimed,) = post.claim(MONDAY_NOON)
    sending.deliver(post.ctx, claimed, MONDAY_NOON, lambda: clock[0])
    assert (len(channel.sent), post.state(message)) == (asked, "sent" if asked else "due")


def test_our_own_people_who_cannot_say_stop_are_told_by_a_slow_disk_too(post: Post) -> None:
    channel = Scripted()
    post = post.by(channel)
    message = post.put("Theo", kind="alert")
    times = iter([MONDAY_NOON])
    (claimed,) = post.claim(MONDAY_NOON)
    sending.deliver(post.ctx, claimed, MONDAY_NOON, lambda: next(times, MONDAY_NOON + timedelta(seconds=2)))
    assert (len(channel.sent), post.state(message)) == (1, "sent")


def test_a_schedule_that_moved_the_check_in_is_followed(post: Post, sandbox: Sandbox) -> None:
    """A manager's change reaches what is already queued."""
    message = post.ask("Ana")
    later = MONDAY_NOON + timedelta(hours=1)
    with post.ctx.store.transaction() as tx:
        tx.run("update check_in set due_at = :at", {"at": int(later.timestamp())})
    post.send(MONDAY_NOON)
    assert post.row(message)["due_at"] == later.timestamp()
    post.send(later)
    assert len(sandbox.book.all()) == 1


def test_a_check_in_that_was_answered_meanwhile_is_dropped_but_not_cancelled(post: Post, sandbox: Sandbox) -> None:
    """The client's answer to a message in doubt proved that it came: what is queued again is not needed."""
    message = post.ask("Ana")
    with post.ctx.store.transaction() as tx:
        tx.run("update check_in set state = 'partly_answered', asked_at = due_at")
    post.send(MONDAY_NOON)
    assert post.state(message) == "skipped"
    assert post.practice.check_ins("Ana")[0].state == "partly_answered"


def test_our_own_people_are_told_whatever_the_hour_and_strangers_unless_they_said_stop(
    post: Post, sandbox: Sandbox
) -> None:
    """A number we don't know is answered within the practice's own hours, and may have opted out."""
    midnight = EVENING + timedelta(hours=4)
    to_theo = post.put("Theo", "alert_danger", midnight, urgency=URGENT)
    to_one, to_other = (post.put(f"+1202555019{n}", "unexpected", midnight) for n in (1, 2))
    with post.ctx.store.transaction() as tx:
        clients.stop(tx, post.practice.practice.id, "+12025550192", "reply", midnight)
    post.send(midnight)
    assert [post.state(message) for message in (to_theo, to_one, to_other)] == ["sent", "due", "skipped"]
    post.send(midnight + timedelta(hours=12))
    assert post.state(to_one) == "sent"


def test_before_a_practice_is_ready_nobody_is_asked_by_a_real_provider(post: Post) -> None:
    """Without a duty contact and the rest, check-ins wait; answers to clients go out all the same."""
    channel = Scripted()
    real = post.by(channel, twilio_api_url="https://api.twilio.com")
    asked, answer = real.ask("Ana"), real.put("Ben")
    real.send(MONDAY_NOON)
    assert (real.state(asked), real.state(answer)) == ("due", "sent")
    assert "attune doctor" in real.row(asked)["reason"]


def test_two_clients_with_one_mail_address_are_not_being_asked_at_the_same_moment(post: Post) -> None:
    """An answer could not be told apart. The second waits from when the first one's attempt is written down."""
    for name in ("Ana", "Ben"):
        with post.ctx.store.transaction() as tx:
            _change_to_mail(tx, post.practice.clients[name], "family@home.example")
    first, second = post.ask("Ana"), post.ask("Ben")
    channel = Scripted()
    claimed = post.by(channel).claim(MONDAY_NOON)

    def answer(outgoing: Outgoing) -> str:
        if len(channel.sent) == 1:
            sending.deliver(post.by(channel).ctx, claimed[1], MONDAY_NOON)
        return outgoing.attempt_id

    channel.answers = answer
    sending.deliver(post.by(channel).ctx, claimed[0], MONDAY_NOON)
    assert [post.state(each) for each in (first, second)] == ["sent", "due"]
    assert (len(channel.sent), post.row(second)["reason"]) == (1, "someone else is being asked")
    post.by(channel).send(MONDAY_NOON + SECOND)
    assert (len(channel.sent), post.row(second)["reason"]) == (1, "someone else is asked")


def test_two_clients_on_one_phone_are_asked_one_after_the_other(post: Post, sandbox: Sandbox) -> None:
    """The second waits until the first has answered or its time is over."""
    with post.ctx.store.transaction() as tx:
        _change_phone(tx, post.practice.clients["Ben"], PHONES["Ana"])
    first, second = post.ask("Ana"), post.ask("Ben")
    for minutes in (0, 1, 31):
        post.send(MONDAY_NOON + timedelta(minutes=minutes))
    states = sorted((post.state(first), post.state(second)))
    assert (states, len(sandbox.book.all())) == (["due", "sent"], 1)
