"""The order of channels: the second only once the first has failed, or in place of the reminder. Never both at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.channels import DeliveryFailed
from bot.channels.base import Outgoing
from bot.channels.codes import BAD_ADDRESS, UNREACHABLE
from bot.flows import asking, delivery
from bot.flows.context import Context
from bot.flows.delivery import Status
from bot.store import clients
from tests.support.cast import PHONES, Riverside
from tests.support.mails import by_mail
from tests.support.post import Post, Scripted
from tests.support.talk import Talk, at

NOON = at("09-07 12:00")


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    """Ana can be reached by phone and by mail; her own channel is the phone."""
    by_mail(practice, phone=PHONES["Ana"], channel="sms")
    return Post(ctx, practice)


def order(post: Post, channels: str) -> None:
    post.practice.set_rule(channels=channels)


def sent(post: Post) -> list[tuple[str, str, str]]:
    return [(message.kind, message.channel, message.state) for message in post.messages("Ana")]


def refuses(*channels: str, meaning: str = BAD_ADDRESS) -> Callable[[Outgoing], str]:
    """Numbers, or mail addresses, are refused for good."""

    def answer(message: Outgoing) -> str:
        if ("mail" if "@" in message.to else "sms") in channels:
            raise DeliveryFailed("no such number", permanent=True, code="21211", meaning=meaning)
        return f"id-{message.attempt_id}"

    return answer


def test_without_an_order_a_client_is_asked_by_their_own_channel(post: Post) -> None:
    post.ask("Ana", NOON)
    assert sent(post) == [("check_in", "sms", "due")]


@pytest.mark.parametrize("channels", ["sms", "mail", "sms,mail", "mail,sms"])
def test_the_first_channel_of_the_order_asks(post: Post, channels: str) -> None:
    order(post, channels)
    post.ask("Ana", NOON)
    assert sent(post) == [("check_in", channels.split(",")[0], "due")]


@pytest.mark.parametrize(("channels", "first", "second"), [("sms,mail", "sms", "mail"), ("mail,sms", "mail", "sms")])
def test_a_question_refused_for_good_goes_by_the_second(post: Post, channels: str, first: str, second: str) -> None:
    order(post, channels)
    post.ask("Ana", NOON)
    broken = post.by(Scripted(refuses(first)))
    broken.send(NOON)
    assert sent(post) == [("check_in", first, "refused"), ("check_in", second, "due")]
    broken.send(NOON + timedelta(seconds=5))
    assert sent(post)[-1] == ("check_in", second, "sent")
    assert [c.state for c in post.practice.check_ins("Ana")] == ["asked"]


def test_where_both_refuse_the_check_in_has_failed_and_nothing_goes_round_in_circles(post: Post) -> None:
    order(post, "sms,mail")
    post.ask("Ana", NOON)
    broken = post.by(Scripted(refuses("sms", "mail")))
    for seconds in range(0, 60, 5):
        broken.send(NOON + timedelta(seconds=seconds))
        asking.ask_due(broken.ctx, NOON + timedelta(seconds=seconds))
    assert sent(post) == [("check_in", "sms", "refused"), ("check_in", "mail", "refused")]
    assert [c.state for c in post.practice.check_ins("Ana")] == ["failed"]


def test_a_welcome_refused_goes_by_the_second_and_the_question_follows_it(post: Post) -> None:
    order(post, "sms,mail")
    post.practice.visit("Ana", NOON - timedelta(hours=2))
    broken = post.by(Scripted(refuses("sms")))
    for seconds in range(0, 60, 5):
        asking.ask_due(broken.ctx, NOON + timedelta(seconds=seconds))
        broken.send(NOON + timedelta(seconds=seconds))
    assert sent(post) == [("welcome", "sms", "refused"), ("welcome", "mail", "sent"), ("check_in", "mail", "sent")]


def test_a_text_that_was_taken_but_never_arrived_is_asked_by_mail(post: Post) -> None:
    """The carrier says so minutes later; the check-in stays open all the while."""
    order(post, "sms,mail")
    text = post.ask("Ana", NOON)
    post.send(NOON)
    later = NOON + timedelta(minutes=3)
    provider_id = post.row(text)["provider_id"]
    for _ in range(2):
        delivery.report(post.ctx, Status("", str(provider_id), "undelivered", 30003), later)
    post.send(later)
    assert sent(post) == [("check_in", "sms", "sent"), ("check_in", "mail", "sent")]
    assert [c.state for c in post.practice.check_ins("Ana")] == ["asked"]


def test_what_was_answered_meanwhile_is_not_asked_again(post: Post) -> None:
    order(post, "sms,mail")
    text = post.ask("Ana", NOON)
    post.send(NOON)
    talk = Talk(post.ctx, post.practice)
    talk.text("Ana", " ".join("5454"[: len(talk.last("Ana").feelings)]), NOON)
    delivery.report(post.ctx, Status("", str(post.row(text)["provider_id"]), "undelivered", 30003), NOON)
    assert [kind for kind, channel, _ in sent(post) if channel == "mail"] == []


def test_the_second_channel_reminds_instead_of_the_first(post: Post) -> None:
    order(post, "sms,mail")
    post.ask("Ana", NOON)
    post.send(NOON)
    tomorrow = NOON + timedelta(hours=24)
    asking.remind_due(post.ctx, tomorrow)
    post.send(tomorrow)
    assert sent(post) == [("check_in", "sms", "sent"), ("reminder", "mail", "sent")]


def test_someone_who_said_stop_is_asked_by_neither(post: Post) -> None:
    order(post, "sms,mail")
    post.ask("Ana", NOON)
    with post.ctx.store.transaction() as tx:
        clients.stop(tx, post.practice.practice.id, PHONES["Ana"], "reply", NOON)
    broken = post.by(Scripted(refuses("sms", meaning=UNREACHABLE)))
    broken.send(NOON)
    assert [state for _, _, state in sent(post)] == ["skipped"]


def test_a_number_known_to_be_wrong_comes_last_and_is_tried_where_there_is_nothing_else(post: Post) -> None:
    order(post, "sms,mail")
    post.ask("Ana", NOON)
    post.by(Scripted(refuses("sms"))).send(NOON)
    next_week = NOON + timedelta(days=7)
    post.ask("Ana", next_week)
    assert sent(post)[-1] == ("check_in", "mail", "due")
    order(post, "sms")
    post.ask("Ana", next_week + timedelta(days=7))
    assert sent(post)[-1] == ("check_in", "sms", "due")
