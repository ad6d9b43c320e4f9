"""Mails that came back: the address is marked, the question goes another way or is closed, and a person is told."""

from datetime import timedelta
from email import message_from_bytes

import pytest

from bot.flows import asking, receiving
from bot.flows.bounces import failures
from bot.flows.context import Context
from bot.flows.mail_in import read_mail
from bot.store import check_ins, undeliverable
from bot.store.outbox import Message
from tests.support.cast import PHONES, Riverside
from tests.support.letters import letters
from tests.support.mails import ANA, by_mail, mime, report
from tests.support.post import Post
from tests.support.talk import Talk, at
from tests.support.weeks import climb

NOON = at("09-07 12:00")


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    by_mail(practice)
    return Post(ctx, practice)


@pytest.fixture
def asked(post: Post) -> Message:
    """The check-in mail that went to Ana."""
    post.ask("Ana", NOON)
    post.send(NOON)
    return post.messages("Ana")[-1]


@pytest.fixture
def talk(ctx: Context, practice: Riverside, asked: Message) -> Talk:
    return Talk(ctx, practice)


def take(talk: Talk, raw: bytes) -> bool:
    return receiving.receive(talk.ctx, read_mail(raw), NOON)


def is_marked(talk: Talk, days: int = 0) -> bool:
    with talk.ctx.store.transaction(write=False) as tx:
        return undeliverable.is_marked(tx, talk.id, ANA, NOON + timedelta(days=days))


@pytest.mark.parametrize("inner", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize("status", ["5.1.1", "5.2.1", "5.1.10"])
def test_a_report_marks_the_address_closes_the_check_in_and_tells_the_manager(
    talk: Talk, asked: Message, inner: str, status: str
) -> None:
    take(talk, report(asked.id, status, inner=inner))
    assert (talk.last("Ana").state, talk.last("Ana").reason) == ("failed", f"the mail came back ({status})")
    assert is_marked(talk)
    assert [(letter.kind, letter.address) for letter in letters(talk.practice)] == [
        ("notice", "dana@riverside.example")
    ]
    assert talk.answers("Ana") == {}
    assert talk.said(ANA) == ["check_in"]


def test_the_same_report_twice_and_another_for_the_same_mail_change_nothing_more(talk: Talk, asked: Message) -> None:
    raw = report(asked.id)
    assert take(talk, raw)
    assert not take(talk, raw)
    assert take(talk, report(asked.id, "5.2.1"))
    assert len(letters(talk.practice)) == 1


def test_a_full_mailbox_closes_the_check_in_but_blames_no_address(talk: Talk, asked: Message) -> None:
    take(talk, report(asked.id, "5.2.2"))
    assert talk.last("Ana").state == "failed"
    assert not is_marked(talk)


def test_a_delay_is_no_failure(talk: Talk, asked: Message) -> None:
    take(talk, report(asked.id, "4.4.1", action="delayed"))
    take(talk, report(asked.id, "5.1.1", action="relayed"))
    assert talk.last("Ana").state == "asked"


@pytest.mark.parametrize("state", ["reminded", "partly_answered", "answered"])
def test_what_comes_back_late_closes_nothing_that_has_gone_on_since(talk: Talk, asked: Message, state: str) -> None:
    """A reminder went by another way, or answers came: the question got there after all."""
    with talk.ctx.store.transaction() as tx:
        check_ins.set_state(tx, talk.id, talk.last("Ana").id, state, NOON)
    take(talk, report(asked.id))
    assert talk.last("Ana").state == state
    assert is_marked(talk), "the address is wrong all the same"


def test_whoever_invents_a_report_marks_nobody(talk: Talk) -> None:
    """Only who got the mail knows its id."""
    take(talk, report("0" * 32))
    take(talk, report("not ours at all"))
    assert (talk.last("Ana").state, is_marked(talk)) == ("asked", False)


def test_a_report_about_an_alert_tells_the_managers_that_it_did_not_get_there(talk: Talk) -> None:
    talk.text("Ben", "I want to kill myself", NOON)
    climb(talk.practice, NOON)
    Post(talk.ctx, talk.practice).send(NOON)
    alert = next(letter for letter in letters(talk.practice) if letter.kind == "alert_danger")
    take(talk, report(alert.id))
    assert [letter.kind for letter in letters(talk.practice)][-1] == "notice"


def test_the_mark_ends_when_somebody_writes_from_there_or_after_a_month(talk: Talk, asked: Message) -> None:
    take(talk, report(asked.id))
    assert is_marked(talk, 29)
    assert not is_marked(talk, 31)
    take(talk, mime("I'm back"))
    assert not is_marked(talk)


def test_a_marked_address_is_not_written_to_and_the_check_in_says_why(talk: Talk, asked: Message, post: Post) -> None:
    take(talk, report(asked.id))
    later = at("09-14 12:00")
    talk.practice.visit("Ana", later - timedelta(hours=2))
    post.send(later)
    asking.ask_due(talk.ctx, later)
    latest = talk.practice.check_ins("Ana")[-1]
    assert (latest.state, latest.reason) == ("cancelled", "the client has no number or address that works")


def test_the_question_goes_by_text_where_the_rule_says_so(ctx: Context, practice: Riverside) -> None:
    """The check-in stays open, and what is texted back counts."""
    by_mail(practice, phone=PHONES["Ana"], channels="mail,sms")
    post, talk = Post(ctx, practice), Talk(ctx, practice)
    post.ask("Ana", NOON)
    post.send(NOON)
    [first] = post.messages("Ana")
    take(talk, report(first.id))
    assert talk.last("Ana").state == "asked"
    soon = NOON + timedelta(minutes=1)
    post.send(soon)
    assert [(m.kind, m.channel, m.state) for m in post.messages("Ana")] == [
        ("check_in", "mail", "sent"),
        ("check_in", "sms", "sent"),
    ]
    numbers = " ".join("5454"[: len(talk.last("Ana").feelings)])
    talk.text("Ana", numbers, soon + timedelta(minutes=5))
    assert talk.last("Ana").state == "answered"


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x--",
        b"Content-Type: multipart/report\r\n\r\nno parts",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n\xff",
        report("a" * 32).replace(b"Status:", b"Statu:"),
        report("a" * 32).replace(b"Message-ID: <a", b"Message-ID: a"),
        report("a" * 32)[:400],
        mime("5.1.1 failed"),
    ],
)
def test_what_is_no_whole_report_reports_nothing(raw: bytes) -> None:
    assert failures(message_from_bytes(raw)) == ()
