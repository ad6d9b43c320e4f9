"""Whose mail it is: told by the signed address it went to, or the mail it answers; by its sender only without them."""

import re
from dataclasses import replace

import pytest

from bot.flows import erasing, receiving
from bot.flows.context import Context
from bot.flows.links import read_reply_part, reply_address, stop_link
from bot.flows.mail_in import read_mail
from bot.sandbox import Sandbox
from bot.store import check_ins
from bot.store.outbox import Message
from tests.support.cast import Riverside
from tests.support.mails import ANA, OURS, by_mail, mime
from tests.support.managing import manager
from tests.support.post import Post
from tests.support.talk import Talk, at

NOON = at("09-07 12:00")
FULL = {"heard": 5, "respected": 4, "understood": 5}


@pytest.fixture
def asked(ctx: Context, practice: Riverside) -> Message:
    """The check-in mail that Ana has got."""
    by_mail(practice)
    post = Post(ctx, practice)
    post.ask("Ana", NOON)
    assert post.send(NOON) == 1
    return post.messages("Ana")[-1]


@pytest.fixture
def talk(ctx: Context, practice: Riverside, asked: Message) -> Talk:
    return Talk(ctx, practice)


def take(talk: Talk, raw: bytes) -> None:
    assert receiving.receive(talk.ctx, read_mail(raw), NOON)


def signed(talk: Talk, check_in_id: str | None = None) -> str:
    return reply_address(talk.ctx.config, check_in_id or talk.last("Ana").id)


def core(talk: Talk) -> str:
    """As many numbers as were asked for."""
    return " ".join("5454"[: len(talk.last("Ana").feelings)])


def forged(address: str) -> str:
    """The same with one letter of the signature changed."""
    at_sign = address.index("@")
    last = address[at_sign - 2]
    return address[: at_sign - 2] + ("a" if last != "a" else "b") + address[at_sign - 1 :]


def test_the_mail_goes_out_with_a_way_back_a_way_out_and_the_name_clients_know(
    talk: Talk, asked: Message, sandbox: Sandbox
) -> None:
    """RFC 8058 and RFC 3834, in the mail that really arrives."""
    [mail] = sandbox.mailbox.all()
    head = mail.message
    assert (head["From"], head["Reply-To"]) == ("Riverside <notes@riverside.example>", signed(talk))
    assert head["Message-ID"] == f"<{asked.id}@riverside.example>"
    assert (head["Auto-Submitted"], head["Subject"]) == ("auto-generated", "About your visit")
    assert head["List-Unsubscribe"] == f"<{stop_link(talk.ctx.config, asked.id)}>"
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail.sender, mail.recipients) == ("notes@riverside.example", (ANA,))
    for part in (mail.text, mail.html):
        assert "How heard did you feel?" in part
        assert not re.search(r"\bAna\b", part), "a word: three letters stand in a token by chance"
        assert "Theo" not in part


def test_a_reply_to_the_signed_address_answers_its_check_in_from_whichever_address(talk: Talk) -> None:
    take(talk, mime(core(talk), to=f'"Riverside" <{signed(talk)}>', sender="ana.private@elsewhere.example"))
    assert talk.last("Ana").state == "answered"


@pytest.mark.parametrize("header", ["Delivered_To", "X_Original_To", "Envelope_To", "Cc"])
def test_the_address_is_found_in_whichever_header_servers_keep_it(talk: Talk, header: str) -> None:
    take(talk, mime(core(talk), to="undisclosed-recipients:;", sender="x@y.example", **{header: signed(talk).upper()}))
    assert talk.last("Ana").state == "answered"


def test_a_forged_address_makes_it_nobodys_answer_though_the_sender_is_known(talk: Talk) -> None:
    take(talk, mime(core(talk), to=forged(signed(talk))))
    take(talk, mime(core(talk), to="notes+anything@riverside.example"))
    assert talk.answers("Ana") == {}
    assert talk.kept("Ana") == []


def test_words_of_danger_to_a_forged_address_alert_all_the_same(talk: Talk) -> None:
    take(talk, mime("I want to kill myself", to=forged(signed(talk))))
    assert [kind for kind, _ in talk.alerts()] == ["danger_unknown"]


def test_the_address_of_another_clients_check_in_is_that_clients(talk: Talk) -> None:
    """The key decides, not who the mail says it is from: Ana can't answer for Ben by her own address alone."""
    bens = talk.asked("Ben", NOON)
    take(talk, mime("5 4 5", to=signed(talk, bens.id)))
    assert talk.answers("Ben") == FULL
    assert talk.answers("Ana") == {}


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_where_the_plus_was_lost_the_mail_that_is_answered_tells(talk: Talk, asked: Message, header: str) -> None:
    ours = f"<older@elsewhere.example> <{asked.id}@riverside.example>"
    take(talk, mime(core(talk), sender="ana.private@elsewhere.example", **{header: ours}))
    assert talk.last("Ana").state == "answered"


def test_without_either_the_sender_tells_as_it_did(talk: Talk) -> None:
    take(talk, mime(core(talk)))
    assert talk.last("Ana").state == "answered"


def test_a_stranger_without_either_answers_nothing(talk: Talk) -> None:
    take(talk, mime(core(talk), sender="someone@elsewhere.example", In_Reply_To="<" + "0" * 32 + "@riverside.example>"))
    assert talk.answers("Ana") == {}


def test_a_late_reply_to_last_weeks_mail_answers_nothing_of_this_week(talk: Talk, asked: Message) -> None:
    """Each key fits one check-in."""
    old = talk.last("Ana").id
    with talk.ctx.store.transaction() as tx:
        check_ins.set_state(tx, talk.id, old, "expired", NOON)
    talk.asked("Ana", at("09-14 12:00"))
    take(talk, mime("5 4 5", to=signed(talk, old)))
    assert talk.answers("Ana") == {}
    take(talk, mime("5 4 5", In_Reply_To=f"<{asked.id}@riverside.example>"))
    assert talk.answers("Ana") == {}


def test_an_old_key_still_fits_after_the_secret_was_changed(talk: Talk) -> None:
    address = signed(talk)
    part = re.search(r"\+(.*)@", address)
    assert part
    rotated = replace(talk.ctx.config, secrets=("a-new-secret-that-is-long-enough-too", *talk.ctx.config.secrets))
    assert read_reply_part(rotated, part[1]) == talk.last("Ana").id
    assert read_reply_part(replace(rotated, secrets=rotated.secrets[:1]), part[1]) is None


@pytest.mark.parametrize("words", ["5 4 5 4", "I want to kill myself"])
def test_a_mail_to_the_address_of_somebody_who_was_erased_is_nobodys(talk: Talk, asked: Message, words: str) -> None:
    """No row of theirs fills up again; words of danger are a stranger's, who may still need help."""
    address, client_id = signed(talk), talk.practice.clients["Ana"]
    dana = manager(talk.ctx, talk.practice.practice, talk.practice.staff["Dana"])
    erasing.erase(talk.ctx, dana, client_id, "C-Ana", NOON)
    take(talk, mime(words, to=address))
    take(talk, mime(words, sender="x@y.example", In_Reply_To=f"<{asked.id}@riverside.example>"))
    rows = talk.practice.rows("select client_id, check_in_id from inbox")
    assert rows == [{"client_id": None, "check_in_id": None}] * 2
    assert talk.practice.rows("select 1 from answer") == []
    assert {kind for kind, _ in talk.alerts()} == ({"danger_unknown"} if "kill" in words else set())


@pytest.mark.parametrize("part", ["", "a", "é", "=" * 42, "a" * 42, "z" * 64, "1" * 42, "\x00"])
def test_what_is_no_key_is_none(talk: Talk, part: str) -> None:
    assert read_reply_part(talk.ctx.config, part) is None


def test_a_sender_too_long_for_a_signature_keeps_its_plain_address(talk: Talk) -> None:
    """64 letters are what a mail server must take before the @ (RFC 5321)."""
    config = replace(talk.ctx.config, mail_from="Riverside <questions-about-your-visit@riverside.example>")
    assert reply_address(config, "0" * 32) == "questions-about-your-visit@riverside.example"
    assert len(reply_address(replace(config, mail_from=OURS), "0" * 32).partition("@")[0]) <= 64


def test_one_answer_by_mail_a_day_is_enough(talk: Talk) -> None:
    """Two machines that answer each other come to an end; what confirms a STOP, or answers danger, still goes."""
    for words in ("What is this?", "And who are you, please?", "Hello, is anyone there?"):
        take(talk, mime(words))
    automatic = [message.kind for message in talk.messages(ANA) if message.kind != "check_in"]
    assert len(automatic) == 1
    take(talk, mime("STOP"))
    assert talk.messages(ANA)[-1].kind == "stopped"
