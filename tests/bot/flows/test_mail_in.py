"""Clients' mails: their own words count, quotations don't, machines aren't answered, and nothing is lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.flows import client_page, receiving
from bot.flows.context import Context
from bot.flows.mail_in import NOBODY, read_mail
from bot.store import clients
from bot.store.clients import Entry
from tests.support.cast import Riverside
from tests.support.talk import Talk, at
from tests.support.therapist import me_of
from tests.support.timing import takes_at_most

NOON = at("09-07 12:00")
ANA = "ana@clients.example"
QUOTE = """

On Mon, Sep 7, 2026 at 12:00 PM Riverside <notes@riverside.example> wrote:

> How heard did you feel? 1 not at all ... 5 completely
> Reply STOP to get no more of these.
"""
OUT_OF_OFFICE = "Auto-Submitted: auto-replied\n", "I am away until 5 October. 5 4 5"


@pytest.fixture
def talk(ctx: Context, practice: Riverside) -> Talk:
    """Ana is asked by mail, and waits to answer."""
    entry = Entry(
        "C-Ana", "Ana", "", ANA, "en", "America/New_York", "mail", at("08-01 12:00"), practice.staff["Theo"]
    )  # fmt: skip
    with ctx.store.transaction() as tx:
        clients.save(tx, practice.practice.id, entry, NOON)
    talk = Talk(ctx, practice)
    talk.asked("Ana", NOON)
    return talk


def mail(body: str, head: str = "", *, name: str = "<1@mail.clients.example>", sender: str = f"Ana <{ANA}>") -> bytes:
    """A plain mail as a mail program sends it."""
    top = f"From: {sender}\nTo: notes@riverside.example\nMessage-ID: {name}\nMIME-Version: 1.0\n{head}"
    kind = "" if "Content-Type" in head else "Content-Type: text/plain; charset=utf-8\n"
    return f"{top}{kind}\n{body}".replace("\n", "\r\n").encode()


def parts(kind: str, *bodies: tuple[str, str]) -> bytes:
    """A mail of several parts, each with its headers."""
    inside = "".join(f"--cut\n{head}\n\n{body}\n" for head, body in bodies)
    return mail(f"{inside}--cut--\n", f"Content-Type: multipart/{kind}; boundary=cut\n")


PLAIN, HTML = "Content-Type: text/plain; charset=utf-8", "Content-Type: text/html; charset=utf-8"


def take(talk: Talk, raw: bytes) -> bool:
    return receiving.receive(talk.ctx, read_mail(raw), NOON)


def said(talk: Talk) -> list[tuple[str, str]]:
    """Kind and address of what waits to go out."""
    return [(str(row["kind"]), str(row["channel"])) for row in talk.practice.rows("select * from outbox")]


# ---------------------------------------------------------------------------------- people


def test_a_quoted_reply_gives_its_three_answers_and_is_thanked_by_mail(talk: Talk) -> None:
    html = f'<div dir="ltr">5 4 5</div><div class="gmail_quote"><blockquote>{QUOTE}</blockquote></div>'
    take(talk, parts("alternative", (PLAIN, f"5 4 5{QUOTE}"), (HTML, html)))
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert said(talk) == [("thanks", "mail")]
    assert [message.address for message in talk.messages(ANA)] == [ANA]


def test_a_wish_to_stop_in_their_own_words_is_honoured(talk: Talk) -> None:
    take(talk, mail(f"Please stop these mails, I don't want them.{QUOTE}"))
    assert talk.practice.client("Ana").stopped
    assert said(talk) == [("stopped", "mail")]


def test_words_of_danger_below_a_name_raise_the_alarm_and_are_shown_to_the_therapist(talk: Talk) -> None:
    """What stands where a signature does is not shown else; here it may be the very words."""
    take(talk, mail(f"5 5 4\n\nThanks\nAna\nI want to die{QUOTE}"))
    found = client_page.page(talk.ctx, me_of(talk.practice), talk.practice.clients["Ana"], NOON)
    assert found.reason.kind == "danger"
    assert "I want to die" in found.replies[0].words
    assert talk.answers("Ana") == {"heard": 5, "respected": 5, "understood": 4}


def test_stop_in_the_quotation_alone_stops_nothing(talk: Talk) -> None:
    take(talk, mail(f"5 5 5{QUOTE}"))
    assert not talk.practice.client("Ana").stopped
    assert talk.answers("Ana") == {"heard": 5, "respected": 5, "understood": 5}


@pytest.mark.parametrize(
    "empty",
    [
        mail("", "Subject: STOP\n"),
        parts("alternative", (PLAIN, ""), (HTML, '<div dir="ltr"><br></div>')).replace(b"To:", b"Subject: STOP\nTo:"),
    ],
    ids=["plain", "as Gmail sends it"],
)
def test_the_subject_of_an_empty_mail_counts(talk: Talk, empty: bytes) -> None:
    take(talk, empty)
    assert talk.practice.client("Ana").stopped


def test_the_subject_of_a_mail_that_says_something_does_not_count(talk: Talk) -> None:
    take(talk, mail("5 4 5", "Subject: STOP\n"))
    assert not talk.practice.client("Ana").stopped
    assert len(talk.answers("Ana")) == 3


def test_words_of_danger_in_a_mail_are_heeded(talk: Talk) -> None:
    take(talk, mail("1 1 1, I want to kill myself"))
    assert talk.alerts() == [("danger", "Ana")]


def test_the_same_mail_twice_counts_once(talk: Talk) -> None:
    assert [take(talk, mail("5 4 5")), take(talk, mail("5 4 5", "Received: by another way\n"))] == [True, False]
    assert len(talk.kept("Ana")) == 1
    assert len(said(talk)) == 1


def test_mails_without_a_message_id_are_told_apart_by_all_of_them() -> None:
    first, second = (mail(body).replace(b"Message-ID", b"X-Nothing") for body in ("5 4 5", "5 4 4"))
    assert read_mail(first).provider_id == read_mail(first).provider_id != read_mail(second).provider_id


def test_one_message_id_from_two_senders_is_two_mails(talk: Talk) -> None:
    """A program that numbers from one again must not swallow someone else's words."""
    assert [take(talk, mail("5 4 5")), take(talk, mail("5 4 5", sender="ben@clients.example"))] == [True, True]


# ---------------------------------------------------------------------------------- machines


@pytest.mark.parametrize(
    ("head", "body"),
    [
        OUT_OF_OFFICE,
        ("Return-Path: <>\n", "5 4 5"),
        ("Precedence: bulk\n", "5 4 5"),
        ("Precedence: list\n", "STOP"),
        ("Precedence: junk\n", "I want to kill myself"),
        ("List-Id: <friends.clients.example>\n", "5 4 5"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=cut\n", "--cut\n\n5 4 5\n--cut--"),
    ],
    ids=["out of office", "null sender", "bulk", "list", "junk", "list by its id", "report"],
)
def test_what_a_machine_wrote_is_kept_and_not_answered(talk: Talk, head: str, body: str) -> None:
    take(talk, mail(body, head))
    assert [each.kind for each in talk.kept("Ana")] == ["autoreply"]
    assert (talk.answers("Ana"), said(talk), talk.alerts()) == ({}, [], [])
    assert not talk.practice.client("Ana").stopped


def test_our_own_mail_coming_back_starts_no_loop(talk: Talk) -> None:
    take(talk, mail("5 4 5", "Auto-Submitted: auto-generated\n", sender="notes@riverside.example"))
    assert said(talk) == []


@pytest.mark.parametrize("sender", ["", "MAILER-DAEMON", "<>", "@", "undisclosed:;"])
def test_a_mail_from_nobody_is_kept_and_not_answered(talk: Talk, sender: str) -> None:
    assert take(talk, mail("5 4 5", sender=sender))
    assert len(talk.practice.rows("select 1 from inbox")) == 1
    assert said(talk) == []


# ---------------------------------------------------------------------------------- forms of mail


@pytest.mark.parametrize(
    "raw",
    [
        parts("alternative", (PLAIN, " "), (HTML, "<p>5 4 5</p>")),
        parts("mixed", (PLAIN, "5 4"), ("Content-Type: image/png\nContent-Disposition: inline", "x"), (PLAIN, "5")),
        parts("mixed", (HTML, "<p>5 4 5</p>"), (PLAIN, "-- \nSent by a mail server")),
        parts("mixed", (PLAIN, "5 4 5"), (f"{PLAIN}\nContent-Disposition: attachment; filename=a.txt", "1 1 1")),
        parts("mixed", (PLAIN, "5 4 5"), ("Content-Type: message/rfc822", "From: someone@else.example\n\nSTOP")),
        mail("<html><body><p>5 4 5</p></body></html>", "Content-Type: text/html\n"),
        mail("NSA0IDU=", "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n"),
        mail("=35 =34 =35", "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n"),
        mail("5 4 5", "Content-Type: text/plain; charset=no-such\n"),
        mail("5 4 5", "Content-Type: text/plain; charset=punycode\n"),
        mail("5 4 5", "Content-Type: multipart/mixed; boundary=missing\n"),
        mail("5 4 5", sender=f"=?utf-8?q?A=3Ca?= <{ANA.upper()}>"),
        mail("5 4 5", sender=f'"Ana" Broken <<{ANA}>'),
    ],
    ids=[
        *("empty plain part", "around a picture", "footer after HTML", "attachment", "mail within", "HTML", "base64"),
        *("quoted-printable", "no such charset", "slow charset", "no parts", "encoded name", "broken From"),
    ],
)
def test_mails_of_every_form_give_their_answers(talk: Talk, raw: bytes) -> None:
    take(talk, raw)
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}


@pytest.mark.parametrize("charset", ["", "; charset=us-ascii", "; charset=iso-8859-1", "; charset=utf-8"])
def test_accents_survive_a_missing_or_wrong_character_set(charset: str) -> None:
    way = "latin-1" if "8859" in charset else "utf-8"
    raw = mail("", f"Content-Type: text/plain{charset}\n") + "écoutée".encode(way)
    assert read_mail(raw).body == "écoutée"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400))
def test_a_broken_mail_is_read_as_far_as_it_can_be(noise: bytes, cut: int) -> None:
    good = parts("alternative", (PLAIN, "5 4 5"), (HTML, "<p>5 4 5</p>"))
    for raw in (noise, noise + good, good[:cut] + noise + good[cut:], good[:cut]):
        inbound = read_mail(raw)
        assert inbound.channel == "mail"
        assert inbound.sender == NOBODY or "@" in inbound.sender
        assert "\x00" not in inbound.body


def test_noise_is_stored_by_a_real_database(talk: Talk) -> None:
    noise = [bytes(range(256)), b"\xff\xfe", b"From: \xff@\xff\n\n\xed\xa0\xbd", b"\n\n5 4 5", b"From: a@b\xed\xa0\x80"]
    assert [take(talk, raw) for raw in noise] == [True] * len(noise)
    assert said(talk) == [] or {kind for kind, _ in said(talk)} == {"unexpected"}


def nested() -> bytes:
    heads = (f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(3_000))
    return f"From: {ANA}\n".encode() + "".join(heads).encode() + b"\n5 4 5"


@pytest.mark.parametrize(
    "make",
    [
        nested,
        lambda: f"From: {ANA}\nSubject: ".encode() + b"=?utf-8?q?a?= " * 100_000 + b"\n\n5 4 5",
        lambda: b"From: " + b"(" * 1_000_000 + b"\n\n5 4 5",
        lambda: b"From: " + b"a " * 500_000 + b"\n\n5 4 5",
        lambda: f"From: {ANA}\nContent-Type: text/plain;".encode() + b" a=b;" * 200_000 + b"\n\n5 4 5",
        lambda: f"From: {ANA}\nContent-Type: multipart/mixed; boundary=b\n\n".encode() + b"--b\n\nx\n" * 50_000,
    ],
    ids=["nested", "encoded words", "brackets", "words", "parameters", "many parts"],
)
def test_a_mail_made_to_be_slow_is_not(make: Callable[[], bytes]) -> None:
    raw = make()
    assert read_mail(raw).sender in (ANA, NOBODY)
    assert takes_at_most(5, lambda: read_mail(raw))


def test_headers_are_read_and_not_stored(talk: Talk) -> None:
    inbound = read_mail(mail("5 4 5", "Subject: about the zebrafinch\n"))
    assert inbound.headers["Subject"] == "about the zebrafinch"
    receiving.receive(talk.ctx, inbound, NOON)
    assert hash(inbound) == hash(replace(inbound, headers={}))
    with talk.ctx.store.transaction(write=False) as tx:
        row = tx.all("select * from inbox")[0]
        assert "zebrafinch" not in str(row) + str([each.reading for each in talk.kept("Ana")])
