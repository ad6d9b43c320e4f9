"""Who may send a message, in what order and at what pace; nobody sends what another has."""

from datetime import timedelta

import pytest

from bot.channels import DeliveryFailed, InDoubt, Outgoing, codes
from bot.flows import sending
from bot.flows.context import Context
from bot.flows.sending import Lane
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.store import outbox, system
from bot.store.outbox import URGENT
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted, raising

SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=60)


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice)


@pytest.fixture
def paced(post: Post) -> Post:
    """One segment a second."""
    return post.by(Scripted(), pace=1.0)


# --- who may send


def test_two_workers_never_claim_the_same_message(post: Post) -> None:
    """What one has, the other doesn't get while the lease lasts."""
    messages = {post.put(name).id for name in PHONES}
    one, other = post.claim(MONDAY_NOON, "one"), post.claim(MONDAY_NOON, "other")
    assert ({message.id for message in one}, other) == (messages, [])


def test_what_was_claimed_but_never_begun_is_due_again_when_the_lease_ends(post: Post, sandbox: Sandbox) -> None:
    """A worker that died before its call has done nothing."""
    message = post.put("Ana")
    post.claim(MONDAY_NOON, "dead")
    assert post.send(MONDAY_NOON + LEASE) == 0
    assert post.send(MONDAY_NOON + LEASE + SECOND) == 1
    assert (post.state(message), len(sandbox.book.all())) == ("sent", 1)


def test_a_worker_that_wakes_after_its_lease_finds_its_claim_gone(post: Post, sandbox: Sandbox) -> None:
    """Another worker has it now; the first one's token is refused, whether or not anyone took it over."""
    post.put("Ana")
    [frozen] = post.claim(MONDAY_NOON, "frozen")
    later = MONDAY_NOON + LEASE + SECOND
    sending.deliver(post.ctx, frozen, later)
    assert sandbox.book.all() == []
    sending.free_abandoned(post.ctx, later)
    [claimed] = post.claim(later, "awake")
    sending.deliver(post.ctx, frozen, later)
    assert sandbox.book.all() == []
    sending.deliver(post.ctx, claimed, later)
    assert len(sandbox.book.all()) == 1


@pytest.mark.parametrize("moved", [timedelta(minutes=30), timedelta(days=-2)])
def test_a_worker_frozen_between_its_checks_and_the_call_looks_again(
    post: Post, sandbox: Sandbox, moved: timedelta
) -> None:
    """Whatever the clock shows on waking, the checks are stale: the message gets another turn."""
    message = post.ask("Ana")
    [claimed] = post.claim(MONDAY_NOON)
    sending.deliver(post.ctx, claimed, MONDAY_NOON, lambda: MONDAY_NOON + moved)
    assert (sandbox.book.all(), post.state(message)) == ([], "due")
    post.send(MONDAY_NOON + SECOND)
    assert len(sandbox.book.all()) == 1


def test_a_late_no_leaves_alone_what_another_worker_has_begun(post: Post) -> None:
    """The first worker's call fails long after its message went to another: that one's attempt stands."""
    message = post.put("Ana")
    later = MONDAY_NOON + LEASE + SECOND

    def slow_no(_: Outgoing) -> str:
        sending.free_abandoned(post.ctx, later)
        with post.ctx.store.transaction() as tx:  # found nowhere, so due again, and begun by another
            tx.run("update outbox set state = 'due', attempt_id = null, claim_token = null")
        other = post.by(Scripted(raising(InDoubt("lost"))))
        other.send(later)
        raise DeliveryFailed("no connection", permanent=False, meaning=codes.BUSY)

    post.by(Scripted(slow_no)).send(MONDAY_NOON)
    assert post.state(message) == "in_doubt"


def test_a_late_yes_stops_a_message_that_was_about_to_go_again(post: Post) -> None:
    """A worker that comes back with the provider's id has sent it, whatever was believed meanwhile."""
    message = post.put("Ana")

    def slow_yes(_: Outgoing) -> str:
        with post.ctx.store.transaction() as tx:
            tx.run("update outbox set state = 'due', attempt_id = null, claim_token = null")
        [claimed[:]] = [post.claim(MONDAY_NOON + LEASE)]
        return "SM1"

    claimed: list[outbox.Message] = []
    post.by(Scripted(slow_yes)).send(MONDAY_NOON)
    second = Scripted()
    sending.deliver(post.by(second).ctx, claimed[0], MONDAY_NOON + LEASE)
    assert (post.state(message), second.sent) == ("sent", [])


def test_one_number_has_one_live_attempt_but_for_urgent_messages(post: Post, sandbox: Sandbox) -> None:
    """A look-up couldn't tell two apart; a crisis reply doesn't wait for that, and others wait their turn."""
    sandbox.faults.plan(Fault("lose_answer"))
    doubtful = post.put("Ana")
    post.send(MONDAY_NOON)
    waiting, crisis = post.put("Ana", "help"), post.put("Ana", "crisis", urgency=URGENT)
    elsewhere = post.put("Ben")
    post.send(MONDAY_NOON + SECOND)
    states = [post.state(message) for message in (doubtful, waiting, crisis, elsewhere)]
    assert states == ["in_doubt", "due", "sent", "sent"]
    assert sandbox.book.all()[-2].body == crisis.body


# --- pace


def test_the_pace_is_one_segment_a_second(paced: Post) -> None:
    """A text of two segments takes two seconds; both workers share the pace."""
    for name, segments, before in (("Ana", 2, 3), ("Ben", 1, 2), ("Chidi", 1, 1)):
        paced.put(name, at=MONDAY_NOON - before * SECOND, segments=segments)
    sent_at = {at: paced.send(MONDAY_NOON + timedelta(seconds=at)) for at in (0, 1, 1.9, 2, 2.5, 3)}
    assert sent_at == {0: 1, 1: 0, 1.9: 0, 2: 1, 2.5: 0, 3: 1}


def test_urgent_messages_go_first_and_wait_for_no_pace(paced: Post) -> None:
    """They use it up all the same: what is not urgent comes after."""
    ordinary = paced.put("Ana", "help")
    crises = [paced.put(name, "crisis", urgency=URGENT) for name in ("Ben", "Chidi")]
    paced.send(MONDAY_NOON)
    assert [paced.state(message) for message in (*crises, ordinary)] == ["sent", "sent", "due"]
    paced.send(MONDAY_NOON + timedelta(seconds=2))
    assert paced.state(ordinary) == "sent"


def test_answers_to_clients_go_before_questions(paced: Post) -> None:
    """Someone who wrote to us is waiting."""
    asked, answer = paced.ask("Ana"), paced.put("Ben", at=MONDAY_NOON)
    paced.send(MONDAY_NOON)
    assert (paced.state(asked), paced.state(answer)) == ("due", "sent")


def test_a_message_that_is_not_sent_gives_its_share_of_the_pace_back(paced: Post) -> None:
    """A night's worth of waiting messages must not use up the morning."""
    with paced.ctx.store.transaction() as tx:
        tx.run("update client set stopped_at = 1 where client_ref = 'C-Ana'")
    paced.put("Ana", segments=3)
    other = paced.put("Ben", at=MONDAY_NOON + SECOND)
    paced.send(MONDAY_NOON + SECOND)
    paced.send(MONDAY_NOON + SECOND)
    assert paced.state(other) == "sent"


def test_a_clock_that_went_back_does_not_stop_the_sender(paced: Post) -> None:
    """A pace used up until tomorrow, by the clock of yesterday, is no pace."""
    with paced.ctx.store.transaction() as tx:
        tomorrow = MONDAY_NOON + timedelta(days=1)
        system.set_free_at(tx, "+15005550006", int(tomorrow.timestamp() * 1000))
    message = paced.put("Ana")
    paced.send(MONDAY_NOON)
    assert paced.state(message) == "sent"


def test_mail_has_no_pace(paced: Post) -> None:
    """The pace is the text sender's."""
    for _ in range(3):
        paced.put("Theo", "alert_rapport")
    assert paced.send(MONDAY_NOON) == 3


def test_a_lane_that_must_wait_for_the_pace_says_how_long(paced: Post) -> None:
    """So that a worker by the machine's clock can be back to the second."""
    lane = Lane("sms", urgent=False)
    for name in ("Ana", "Ben"):
        paced.put(name)
    paced.send(MONDAY_NOON)
    now = MONDAY_NOON + timedelta(milliseconds=300)
    assert sending.pause(paced.ctx, lane, now) == timedelta(milliseconds=700)
    assert lane not in sending.due_by_lane(paced.ctx, now)
