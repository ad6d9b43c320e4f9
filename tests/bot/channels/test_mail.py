"""Mail: which answer of the server is a yes, a no, a later, and which leaves it open; and what a mail looks like."""

import smtplib
import socket
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from bot.channels import DeliveryFailed, InDoubt, MailChannel, Outgoing, mail
from bot.channels.codes import BAD_ADDRESS, BUSY, SET_UP, UNREACHABLE
from bot.config import Config
from bot.sandbox import Sandbox
from tests.bot.channels.conftest import Wire

CUT = "cut"


@pytest.fixture
def letter(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, to="theo@riverside.example", subject="A note", body="Worth asking.\n")


@pytest.fixture
def channel(to_wire: Config) -> MailChannel:
    return MailChannel(to_wire)


def server(wire: Wire, **answers: str) -> None:
    """A mail server that says yes to everything but what is named: hello, EHLO, MAIL, RCPT, DATA, END."""
    usual = {"hello": "220 hi", "EHLO": "250 hi", "HELO": "250 hi", "MAIL": "250 ok", "RCPT": "250 ok",
             "DATA": "354 go on", "END": "250 taken", "QUIT": "221 bye"} | answers  # fmt: skip

    def talk(connection: socket.socket) -> None:
        lines = connection.makefile("rwb", buffering=0)

        def say(step: str) -> bool:
            if usual[step] == CUT:
                return False
            lines.write(usual[step].encode() + b"\r\n")
            return True

        going = say("hello")
        while going and (line := lines.readline()):
            verb = line.split()[0].decode().upper() if line.split() else ""
            going = say(verb)
            if verb == "DATA" and usual["DATA"].startswith("354"):
                content = b""
                while not content.endswith(b"\r\n.\r\n"):
                    content += lines.readline()
                wire.heard.append(content[:-5])
                going = say("END")

    wire.talk = talk


def test_a_mail_is_plain_text_neutral_and_says_that_a_robot_sent_it(
    config: Config, sandbox: Sandbox, letter: Outgoing
) -> None:
    """Vacation notes are kept off (RFC 3834); the id is made of the message's own, so that a repeat can be merged."""
    channel = MailChannel(replace(config, smtp_url=sandbox.environment["SMTP_URL"]))
    accepted = channel.send(replace(letter, html="<p>Worth <b>asking</b>.</p>"))
    [got] = sandbox.mailbox.all()
    assert (got.subject, got.text.strip(), got.recipients) == ("A note", "Worth asking.", ("theo@riverside.example",))
    assert "<b>asking</b>" in got.html
    headers = got.message
    assert headers["Message-ID"] == accepted == f"<{'m' * 32}@riverside.example>"
    assert (headers["Auto-Submitted"], headers["From"]) == ("auto-generated", "Riverside <notes@riverside.example>")
    assert channel.send(replace(letter, attempt_id="b" * 32)) == accepted


def test_accents_travel_over_servers_that_take_seven_bits(channel: MailChannel, wire: Wire, letter: Outgoing) -> None:
    """Every byte on the wire is ASCII, and the words come out whole."""
    server(wire)
    channel.send(replace(letter, subject="Une note", body="Ça va ? — Réponds « oui »\n.seul\n"))
    assert wire.heard[0].isascii()
    got = message_from_bytes(wire.heard[0], policy=policy.default)
    assert got.get_content().split("\n")[0] == "Ça va ? — Réponds « oui »"


@pytest.mark.parametrize(
    ("step", "status", "permanent", "meaning"),
    [
        ("RCPT", "550 no such user", True, BAD_ADDRESS),
        ("RCPT", "553 bad name", True, BAD_ADDRESS),
        ("RCPT", "450 greylisted, come back later", False, BUSY),
        ("RCPT", "421 shutting down", False, BUSY),
        ("MAIL", "550 sender refused", False, SET_UP),
        ("MAIL", "530 log in first", False, SET_UP),
        ("MAIL", "451 later", False, BUSY),
        ("DATA", "554 no", True, UNREACHABLE),
        ("DATA", "451 later", False, BUSY),
        ("END", "554 looks like spam", True, UNREACHABLE),
        ("END", "552 too big", True, UNREACHABLE),
        ("END", "451 greylisted", False, BUSY),
        ("hello", "421 too busy", False, BUSY),
    ],
)
def test_a_refusal_is_for_good_or_for_later_and_no_address_is_blamed_for_our_sender(
    channel: MailChannel, wire: Wire, letter: Outgoing, step: str, status: str, permanent: bool, meaning: str
) -> None:
    """5xx to the recipient or the mail is for good; to our own sender it is for whoever set us up."""
    server(wire, **{step: status})
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(letter)
    assert (failed.value.permanent, failed.value.meaning) == (permanent, meaning)


@pytest.mark.parametrize("step", ["hello", "EHLO", "MAIL", "RCPT"])
def test_a_server_that_hangs_up_before_the_mail_has_nothing(
    channel: MailChannel, wire: Wire, letter: Outgoing, step: str
) -> None:
    """Definitely not taken: for later."""
    server(wire, **{step: CUT})
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(letter)
    assert not failed.value.permanent


@pytest.mark.parametrize("answer", [CUT, "garbage", "25"])
def test_no_answer_after_the_mail_leaves_it_open(
    channel: MailChannel, wire: Wire, letter: Outgoing, answer: str
) -> None:
    """The server may have it."""
    server(wire, END=answer)
    with pytest.raises(InDoubt):
        channel.send(letter)


def test_silence_after_the_mail_leaves_it_open(
    channel: MailChannel, wire: Wire, letter: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time-out, which is short once the mail is out."""
    send = smtplib.SMTP.send

    def sent(self: smtplib.SMTP, words: bytes | str) -> None:
        send(self, words)
        if isinstance(words, bytes) and words.endswith(b"\r\n.\r\n"):
            assert self.sock
            assert self.sock.gettimeout() == mail.TIMEOUT_SECONDS
            self.sock.settimeout(0.05)

    monkeypatch.setattr(smtplib.SMTP, "send", sent)

    def talk(connection: socket.socket) -> None:
        lines = connection.makefile("rwb", buffering=0)
        lines.write(b"220 hi\r\n")
        for answer in (b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            lines.readline()
            lines.write(answer)
        while lines.readline():
            pass

    wire.talk = talk
    with pytest.raises(InDoubt):
        channel.send(letter)


def test_a_goodbye_that_fails_does_not_undo_a_yes(channel: MailChannel, wire: Wire, letter: Outgoing) -> None:
    """Once the mail was taken nothing that follows matters, and nobody waits for it."""
    server(wire, QUIT=CUT)
    assert channel.send(letter).endswith("@riverside.example>")


def test_where_nobody_listens_nothing_was_sent(config: Config, letter: Outgoing) -> None:
    """Connection refused is a definite no, for later."""
    with pytest.raises(DeliveryFailed) as failed:
        MailChannel(replace(config, smtp_url="smtp://127.0.0.1:9")).send(letter)
    assert (failed.value.permanent, failed.value.meaning) == (False, BUSY)


def test_an_old_server_without_ehlo_will_do(channel: MailChannel, wire: Wire, letter: Outgoing) -> None:
    """HELO is enough for a mail of seven bits."""
    server(wire, EHLO="502 what?")
    assert channel.send(letter)


def _line_break(letter: Outgoing) -> Outgoing:
    return replace(letter, to="theo@riverside.example\r\nBcc: everyone@example.org")


def _accented(letter: Outgoing) -> Outgoing:
    return replace(letter, to="théo@riverside.example")


@pytest.mark.parametrize("spoil", [_line_break, _accented])
def test_an_address_no_mail_can_go_to_is_refused_before_any_call(
    channel: MailChannel, wire: Wire, letter: Outgoing, spoil: Callable[[Outgoing], Outgoing]
) -> None:
    """A header can't be smuggled in, and one bad row doesn't hold up the others for ever."""
    server(wire)
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(spoil(letter))
    assert (failed.value.permanent, wire.connections) == (True, 0)


def test_a_subject_stays_on_one_line(channel: MailChannel, wire: Wire, letter: Outgoing) -> None:
    """Whatever a template held."""
    server(wire)
    channel.send(replace(letter, subject="A note\r\nBcc: everyone@example.org"))
    got = message_from_bytes(wire.heard[0], policy=policy.default)
    assert (got["Subject"], got["Bcc"]) == ("A note Bcc: everyone@example.org", None)
