"""Several messages that a thread sends together: what holds for one alone holds for each of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot import config as settings
from bot.channels import DeliveryFailed, InDoubt, Outgoing, codes
from bot.flows import context, outcomes, receiving, sending
from bot.flows.context import Context
from bot.flows.sending import AT_ONCE, ROOM, Lane, Tempo
from bot.store.inbox import Inbound
from bot.store.outbox import URGENT
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted

SECOND = timedelta(seconds=1)
NAMES = ("Ana", "Ben", "Chidi")


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def post(ctx: Context, practice: Riverside, channel: Scripted) -> Post:
    return Post(ctx, practice).by(channel)


def together(
    post: Post, now: datetime = MONDAY_NOON, tell: Callable[[], datetime] | None = None, urgent: bool = False
) -> int:
    """Send what is due as one batch; how many were claimed."""
    tempo = Tempo(lambda: 0.0)
    tempo.most = AT_ONCE
    return sending.send_next(post.ctx, "worker", Lane("sms", urgent), tell or (lambda: now), tempo)


def test_every_attempt_of_a_batch_is_on_disk_before_the_first_call(post: Post, channel: Scripted) -> None:
    """Who dies at any call leaves behind what the next worker must look up."""
    messages, seen = [post.put(name) for name in NAMES], []

    def answer(outgoing: Outgoing) -> str:
        assert post.ctx.store._local.outer is None
        seen.append(post.practice.rows("select count(*) as n from attempt where ended_at is null")[0]["n"])
        return f"SM{outgoing.attempt_id}"

    channel.answers = answer
    assert together(post) == 3
    assert seen == [3, 3, 3], "and what came of them is written down once all were called for"
    assert [post.state(message) for message in messages] == ["sent"] * 3


def die_at_the_second_call() -> None:
    """One worker process, killed while a batch is being called for."""
    channel = Scripted()

    def answer(outgoing: Outgoing) -> str:
        if len(channel.sent) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"SM{outgoing.attempt_id}"

    channel.answers = answer
    ctx = replace(context.build(settings.from_environment()), channels={"sms": channel})
    tempo = Tempo(lambda: 0.0)
    tempo.most = AT_ONCE
    sending.send_next(ctx, "killed", Lane("sms", False), lambda: MONDAY_NOON, tempo)


def test_a_worker_killed_within_a_batch_leaves_all_of_it_to_be_looked_up(post: Post, channel: Scripted) -> None:
    """The first was taken, the second perhaps, the third never: nobody knows which, so none goes again unasked."""
    messages, config = [post.put(name) for name in NAMES], post.ctx.config
    env = os.environ | {
        "DATABASE_URL": config.database_url, "PUBLIC_URL": config.public_url, "SECRET_KEY": config.secrets[0],
        "TWILIO_API_URL": "http://127.0.0.1:9", "SEND_PACE": "0",
    }  # fmt: skip
    command = [sys.executable, "-c", f"from {__name__} import die_at_the_second_call as die; die()"]
    killed = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [post.state(message) for message in messages] == ["claimed"] * 3
    later = MONDAY_NOON + 61 * SECOND
    assert sending.free_abandoned(post.ctx, later) == 3
    assert (together(post, later), channel.sent) == (0, [])
    assert [post.state(message) for message in messages] == ["in_doubt"] * 3


def test_a_batch_is_one_commit_before_its_calls_and_one_after(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    messages, turns = [post.put(name) for name in NAMES], []
    plain = type(post.ctx.store)._outermost
    monkeypatch.setattr(
        type(post.ctx.store), "_outermost", lambda self, *args: (turns.append(args), plain(self, *args))[1]
    )
    together(post)
    assert sum(write for write, *_ in turns) == 2
    assert [post.state(message) for message in messages] == ["sent"] * 3


def test_stop_during_a_call_keeps_back_what_stands_behind_it_for_more_than_a_second(
    post: Post, channel: Scripted
) -> None:
    """The look at consent is a second old at most at each call, wherever in the batch it stands."""
    first, second = post.ask("Ana"), post.ask("Ben")
    clock = [MONDAY_NOON]

    def answer(outgoing: Outgoing) -> str:
        receiving.receive(post.ctx, Inbound("sms", "SM1", PHONES["Ben"], "stop", ""), clock[0])
        clock[0] += 1.1 * SECOND
        return f"SM{outgoing.attempt_id}"

    channel.answers = answer
    together(post, tell=lambda: clock[0])
    assert ([out.to for out in channel.sent], post.state(first)) == ([PHONES["Ana"]], "sent")
    channel.answers = lambda outgoing: f"SM{outgoing.attempt_id}"
    for later in (0, 2):
        together(post, clock[0] + later * SECOND)
    assert post.state(second) == "skipped"
    assert [out.message_id for out in channel.sent if out.to == PHONES["Ben"]] == [
        message.id for message in post.messages("Ben") if message.kind == "stopped"
    ]


@pytest.mark.parametrize(
    ("fault", "others"),
    [
        (InDoubt("no answer"), "due"),
        (DeliveryFailed("too many requests", permanent=False, meaning=codes.BUSY), "due"),
        (DeliveryFailed("no such number", permanent=True, meaning=codes.BAD_ADDRESS), "sent"),
    ],
)
def test_once_a_provider_fails_the_others_go_back_unless_it_is_only_about_that_number(
    post: Post, channel: Scripted, fault: Exception, others: str
) -> None:
    messages = [post.put(name) for name in NAMES]

    def answer(outgoing: Outgoing) -> str:
        if len(channel.sent) == 1:
            raise fault
        return f"SM{outgoing.attempt_id}"

    channel.answers = answer
    together(post)
    assert [post.state(message) for message in messages[1:]] == [others] * 2
    assert len(channel.sent) == (3 if others == "sent" else 1)


def test_two_messages_to_one_number_are_not_under_way_in_one_batch(post: Post, channel: Scripted) -> None:
    """A look-up could not tell them apart."""
    first, second = post.put("Ana"), post.put("Ana")
    together(post)
    assert [post.state(first), post.state(second), len(channel.sent)] == ["sent", "due", 1]
    together(post, MONDAY_NOON + SECOND)
    assert post.state(second) == "sent"


def test_what_cannot_be_written_down_is_looked_up_and_takes_no_other_along(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One outcome fails: its lease ends, and it is in doubt, never sent again unasked."""
    first, second, third = (post.put(name) for name in NAMES)
    plain = outcomes.accepted

    def broken(tx: object, message: object, *args: object) -> object:
        done = plain(tx, message, *args)  # type: ignore[arg-type]
        if message.id == second.id:  # type: ignore[attr-defined]
            raise RuntimeError("boom")
        return done

    monkeypatch.setattr(outcomes, "accepted", broken)
    together(post)
    assert [post.state(each) for each in (first, second, third)] == ["sent", "claimed", "sent"]
    sending.free_abandoned(post.ctx, MONDAY_NOON + 61 * SECOND)
    assert post.state(second) == "in_doubt"


def test_urgent_messages_are_sent_one_by_one(post: Post, channel: Scripted) -> None:
    """None of them waits for another's call."""
    for name in NAMES:
        post.put(name, "crisis", urgency=URGENT)
    assert [together(post, urgent=True) for _ in range(4)] == [1, 1, 1, 0]


def test_mails_are_sent_one_by_one(post: Post) -> None:
    """A mail can't be looked up: after a kill, one that was never called for would wait for a person."""
    messages = [post.put(name, channel="mail", address=f"{name}@home.example") for name in NAMES]
    tempo = Tempo(lambda: 0.0)
    for left in (2, 1, 0):
        tempo.most = AT_ONCE
        assert sending.send_next(post.ctx, "worker", Lane("mail", False), lambda: MONDAY_NOON, tempo) == 1
        assert [post.state(message) for message in messages].count("due") == left


def test_a_thread_takes_more_together_while_its_provider_is_fast_and_takes_all() -> None:
    """Twice as many each time, as far as their calls fit; one again as soon as a call is slow or isn't taken."""
    tempo, taken = Tempo(lambda: 0.0), []
    for _ in range(5):
        tempo.note(tempo.most, True, tempo.most * ROOM / 20)
        taken.append(tempo.most)
    assert taken == [2, 4, 8, AT_ONCE, AT_ONCE]
    tempo.note(AT_ONCE, True, AT_ONCE * ROOM / 4)
    assert tempo.most == 4
    tempo.note(4, False, 4 * ROOM / 20)
    assert tempo.most == 1
    tempo.note(1, True, 2 * ROOM)
    assert tempo.most == 1
