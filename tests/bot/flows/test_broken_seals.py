"""A message whose seal is broken keeps back no other: those behind it go out, and it goes too once it opens again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.channels import InDoubt
from bot.flows import sending, settling
from bot.flows.context import Context
from bot.flows.sending import AT_ONCE, Lane, Tempo
from bot.store.outbox import URGENT, Message
from bot.store.sends import SHUT
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.post import Post, Scripted, raising

SETTLE = timedelta(seconds=600)
SECOND = timedelta(seconds=1)
ALERT: dict[str, Any] = {"kind": "alert_danger", "urgency": URGENT}


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice).by(Scripted())


def seal(post: Post, message: Message, body: str) -> None:
    with post.ctx.store.transaction() as tx:
        tx.run("update outbox set body_sealed = :b where id = :id", {"b": body, "id": message.id})


def break_seal(post: Post, message: Message) -> str:
    """Change the row as a bad disk might; what it was."""
    sealed = str(post.row(message)["body_sealed"])
    seal(post, message, f"{sealed[:-8]}AAAAAAA=")
    return sealed


@pytest.mark.parametrize(("lane", "to", "more"), [
    (Lane("sms", False), ("Ana", "Ben"), {}),
    (Lane("sms", True), ("Ana", "Ben"), {"kind": "crisis", "urgency": URGENT}),
    (Lane("mail", True), ("Theo", "Ines"), ALERT),
])  # fmt: skip
@pytest.mark.parametrize("most", [1, AT_ONCE])
def test_those_behind_it_go_out_at_once(
    post: Post, lane: Lane, to: tuple[str, str], more: dict[str, Any], most: int
) -> None:
    broken, other = (post.put(name, **more) for name in to)
    break_seal(post, broken)
    tempo = Tempo(lambda: 0.0)
    tempo.most = most
    assert sending.send_next(post.ctx, "worker", lane, lambda: MONDAY_NOON, tempo) == 1
    assert (post.state(broken), post.state(other)) == ("due", "sent")


def test_it_waits_says_why_and_goes_out_once_it_opens_again(post: Post) -> None:
    message = post.put("Theo", **ALERT)
    sealed = break_seal(post, message)
    for minutes in range(3):
        assert post.send(MONDAY_NOON + timedelta(minutes=minutes)) == 0
    row = post.row(message)
    assert (row["state"], row["attempts"], row["due_at"]) == ("due", 0, int((MONDAY_NOON + SHUT).timestamp()))
    assert "SECRET_KEY" in row["reason"]
    seal(post, message, sealed)
    assert post.send(MONDAY_NOON + SHUT) == 1
    assert post.state(message) == "sent"


def test_look_ups_of_others_go_on(post: Post) -> None:
    """Its own look comes later, again and again."""
    lost = post.by(Scripted(raising(InDoubt("no answer"))))
    broken, other = lost.put("Ana"), lost.put("Ben")
    lost.send(MONDAY_NOON)
    sealed = break_seal(lost, broken)
    first, second = MONDAY_NOON + 0.2 * SETTLE, MONDAY_NOON + SETTLE
    for now in (first, second):
        for _ in range(3):
            settling.look_up_due(lost.ctx, now, most=1)
    assert (lost.state(broken), lost.state(other)) == ("in_doubt", "due")
    seal(lost, broken, sealed)
    later = second + SHUT
    for now in (later, later + SETTLE):
        settling.look_up_due(lost.ctx, now)
    assert lost.state(broken) == "due"


def test_a_worker_sends_what_stands_behind_several_of_them(post: Post) -> None:
    """More of them than a thread takes together, in a lane that is paced as well."""
    for _ in range(AT_ONCE + 2):
        break_seal(post, post.put("Ana"))
    other = post.put("Ben")
    paced = replace(post, ctx=replace(post.ctx, config=replace(post.ctx.config, pace=1.0)))
    assert sending.send_next(paced.ctx, "worker", Lane("sms", False), lambda: MONDAY_NOON, Tempo(lambda: 0.0)) == 1
    assert post.state(other) == "sent"


@pytest.fixture
def lost(post: Post) -> Post:
    """A provider whose answers are lost."""
    return post.by(Scripted(raising(InDoubt("no answer"))))


def look(post: Post, *times: datetime) -> list[int]:
    """How many messages were looked up at each time."""
    return [settling.look_up_due(post.ctx, now) for now in times]


def test_its_own_look_waits_as_long_as_a_key_may_take_to_be_put_back(lost: Post) -> None:
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    break_seal(lost, message)
    first = MONDAY_NOON + 0.2 * SETTLE
    assert look(lost, first, first, first + SHUT - SECOND, first + SHUT, first + SHUT) == [1, 0, 0, 1, 0]
    assert lost.state(message) == "in_doubt"


def test_a_look_that_could_not_be_made_is_no_empty_look(lost: Post) -> None:
    """However often it didn't open: once it does, two empty looks come before it is sent again."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    sealed = break_seal(lost, message)
    first = MONDAY_NOON + 0.2 * SETTLE
    look(lost, *(first + times * SHUT for times in range(5)))
    seal(lost, message, sealed)
    opened = first + 5 * SHUT
    look(lost, opened)
    assert (lost.state(message), lost.send(opened)) == ("in_doubt", 0)
    look(lost, opened + SETTLE)
    assert lost.state(message) == "due"


def test_what_the_provider_took_is_found_once_it_opens_and_never_sent_again(lost: Post) -> None:
    channel = lost.ctx.channels["sms"]
    assert isinstance(channel, Scripted)
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    channel.listed.append("SM1")
    sealed = break_seal(lost, message)
    first = MONDAY_NOON + 0.2 * SETTLE
    for times in range(5):
        look(lost, first + times * SHUT)
        assert (lost.state(message), lost.send(first + times * SHUT)) == ("in_doubt", 0)
    seal(lost, message, sealed)
    look(lost, first + 5 * SHUT)
    assert (lost.state(message), lost.send(first + timedelta(days=2)), len(channel.sent)) == ("sent", 0, 1)


def test_the_log_names_what_does_not_open_and_nothing_that_is_in_it(
    lost: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    break_seal(lost, message)
    look(lost, MONDAY_NOON + 0.2 * SETTLE)
    said = "".join(capsys.readouterr())
    assert ("SealBroken" in said, message.id in said) == (True, True)
    assert message.body not in said
