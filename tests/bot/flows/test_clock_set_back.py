"""A clock that is set back, or was ahead: nobody who must be told of danger waits until it shows that time again."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.flows import sending, settling
from bot.flows.context import Context
from bot.flows.rechecking import begin
from bot.flows.sending import Lane, Tempo
from bot.store.outbox import URGENT, Message
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.post import Post, Scripted

SECOND = timedelta(seconds=1)
MONTH = timedelta(days=30)


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice).by(Scripted())


def set_back(by: timedelta) -> Callable[[], datetime]:
    """A clock that is ahead by so much when it is first asked, and right from then on."""
    times = iter([MONDAY_NOON + by])
    return lambda: next(times, MONDAY_NOON)


def send(post: Post, lane: Lane, tell: Callable[[], datetime]) -> None:
    sending.send_next(post.ctx, "worker", lane, tell, Tempo(lambda: 0.0))


@pytest.mark.parametrize("jump", [timedelta(minutes=1), timedelta(hours=2), MONTH])
def test_danger_is_told_though_the_clock_is_set_back_before_the_call(post: Post, jump: timedelta) -> None:
    message = post.put("Theo", "alert_danger", urgency=URGENT)
    send(post, Lane("mail", True), set_back(jump))
    assert post.state(message) == "sent"


@pytest.mark.parametrize("jump", [timedelta(minutes=1), timedelta(hours=23)])
def test_a_clients_message_that_is_put_off_is_due_by_the_clock_as_it_is_now(post: Post, jump: timedelta) -> None:
    """Its hours were judged by another time; it doesn't wait for that to come."""
    message = post.put("Ana", "crisis", urgency=URGENT)
    send(post, Lane("sms", True), set_back(jump))
    row = post.row(message)
    assert (row["state"], row["attempts"], row["due_at"]) == ("due", 0, int(MONDAY_NOON.timestamp()))
    send(post, Lane("sms", True), lambda: MONDAY_NOON)
    assert post.state(message) == "sent"


def killed_in_its_call(post: Post, message: Message, at: datetime) -> None:
    """A worker whose clock showed that time."""
    (claimed,) = post.claim(at)
    with post.ctx.store.transaction() as tx:
        assert begin(post.ctx, tx, claimed, at)
    assert post.state(message) == "claimed"


def test_what_a_killed_worker_held_whose_clock_was_ahead_is_freed(post: Post) -> None:
    """Its lease would last for a month. Our own people are told after one look."""
    message = post.put("Theo", "alert_danger", urgency=URGENT)
    killed_in_its_call(post, message, MONDAY_NOON + MONTH)
    assert sending.free_abandoned(post.ctx, MONDAY_NOON) == 1
    assert post.state(message) == "in_doubt"
    later = MONDAY_NOON + timedelta(seconds=60)
    assert settling.look_up_due(post.ctx, later) == 1
    assert post.send(later) == 1
    assert post.state(message) == "sent"


def test_what_it_had_only_claimed_is_due_again(post: Post) -> None:
    message = post.put("Theo", "alert_danger", urgency=URGENT)
    post.claim(MONDAY_NOON + MONTH)
    assert sending.free_abandoned(post.ctx, MONDAY_NOON) == 1
    assert post.state(message) == "due"


def test_a_lease_of_a_clock_that_is_a_little_ahead_holds(post: Post) -> None:
    """Two machines never show quite the same time."""
    message = post.put("Theo", "alert_danger", urgency=URGENT)
    killed_in_its_call(post, message, MONDAY_NOON + 59 * SECOND)
    assert sending.free_abandoned(post.ctx, MONDAY_NOON) == 0
    assert sending.free_abandoned(post.ctx, MONDAY_NOON + 120 * SECOND) == 1
    assert post.state(message) == "in_doubt"
