"""Texts: which answer of the provider is a yes, which a no, and which leaves it open; and what a look-up finds."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from bot.channels import DeliveryFailed, InDoubt, Outgoing, SmsChannel, codes, sms
from bot.channels.codes import BAD_ADDRESS, BUSY, CODES, SET_UP, STOPPED, UNREACHABLE
from bot.config import Config
from tests.bot.channels.conftest import NOW, Wire


def request_of(connection: socket.socket) -> bytes:
    """One whole HTTP request."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-len")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(wire: Wire, status: int, body: object, *, headers: str = "", part: int | None = None) -> None:
    """Let the wire answer every request so; with `part`, break off after so many bytes of the body."""
    words = body if isinstance(body, str) else json.dumps(body)

    def talk(connection: socket.socket) -> None:
        wire.heard.append(request_of(connection))
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(words)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + words.encode()[:part])

    wire.talk = talk


def fields(wire: Wire) -> dict[str, str]:
    """What was posted."""
    body = wire.heard[-1].partition(b"\r\n\r\n")[2].decode()
    return {name: values[0] for name, values in parse_qs(body).items()}


@pytest.fixture
def channel(to_wire: Config) -> SmsChannel:
    return SmsChannel(to_wire)


def test_a_text_carries_its_words_its_validity_and_where_to_call_back(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing
) -> None:
    """201 with an id is a yes."""
    says(wire, 201, {"sid": "SM1"})
    assert channel.send(outgoing) == "SM1"
    assert fields(wire) == {
        "To": "+12025550101",
        "From": "+15005550006",
        "Body": outgoing.body,
        "ValidityPeriod": "3600",
        "StatusCallback": f"http://attune.example/webhooks/twilio/status?attempt={'a' * 32}",
    }


def test_a_messaging_service_takes_the_place_of_the_number(to_wire: Config, wire: Wire, outgoing: Outgoing) -> None:
    """And is the sender whose pace is kept."""
    service = "MG" + "1" * 32
    channel = SmsChannel(replace(to_wire, twilio_messaging_service_sid=service))
    says(wire, 201, {"sid": "SM1"})
    channel.send(outgoing)
    assert (fields(wire)["MessagingServiceSid"], "From" in fields(wire), channel.sender) == (service, False, service)


@pytest.mark.parametrize(("seconds", "sent"), [(0, "1"), (-5, "1"), (36_000, "36000"), (90_000, "36000")])
def test_the_validity_stays_within_what_the_provider_takes(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, seconds: int, sent: str
) -> None:
    """One second to ten hours."""
    says(wire, 201, {"sid": "SM1"})
    channel.send(replace(outgoing, valid_seconds=seconds))
    assert fields(wire)["ValidityPeriod"] == sent


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_the_table_is_a_definite_no_with_its_meaning(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, code: int
) -> None:
    """Permanent where trying again with this number can't help, and only there."""
    says(wire, 400, {"code": code, "message": "no", "status": 400})
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(outgoing)
    assert (failed.value.code, failed.value.meaning) == (str(code), CODES[code].meaning)
    assert failed.value.permanent == (CODES[code].meaning in (STOPPED, BAD_ADDRESS, UNREACHABLE))
    assert failed.value.reason == CODES[code].words


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(21610, STOPPED), (21211, BAD_ADDRESS), (21614, BAD_ADDRESS), (30003, UNREACHABLE), (30008, UNREACHABLE),
     (30034, SET_UP), (20429, BUSY), (30001, BUSY), (20003, SET_UP), (30005, BAD_ADDRESS)],
)  # fmt: skip
def test_the_codes_that_matter_most_mean_what_the_provider_says(code: int, meaning: str) -> None:
    """Spelt out here a second time, so that a slip in the table shows."""
    assert CODES[code].meaning == meaning


@pytest.mark.parametrize("status", [400, 409, 410, 422])
def test_an_unknown_refusal_is_a_definite_no_to_this_message(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, status: int
) -> None:
    """A code that isn't in the table yet, or none at all."""
    says(wire, status, {"code": 29999, "message": "no", "status": status})
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(outgoing)
    assert (failed.value.permanent, failed.value.meaning) == (True, UNREACHABLE)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407])
def test_a_wrong_address_or_account_is_no_clients_fault(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, status: int
) -> None:
    """It is tried again once the operator has put it right; no check-in fails for it."""
    says(wire, status, "<html>Not here</html>")
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(outgoing)
    assert (failed.value.permanent, failed.value.meaning) == (False, SET_UP)


def test_a_refusal_in_the_newer_shape_of_errors_is_understood(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing
) -> None:
    """RFC 9457: type, title, status, code."""
    says(wire, 400, {"type": "x", "title": "Unsubscribed", "status": 400, "code": 21610})
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(outgoing)
    assert failed.value.meaning == STOPPED


@pytest.mark.parametrize(("header", "wait"), [("Retry-After: 7\r\n", 7), ("Retry-After: soon\r\n", None), ("", None)])
def test_too_many_requests_is_for_later(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, header: str, wait: int | None
) -> None:
    """With the time the provider names, if it names one."""
    says(wire, 429, {"code": 20429, "message": "no", "status": 429}, headers=header)
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(outgoing)
    assert (failed.value.permanent, failed.value.meaning, failed.value.retry_after) == (False, BUSY, wait)


@pytest.mark.parametrize(
    ("status", "body", "part"),
    [
        (500, "{}", None),
        (502, "<html>Bad gateway</html>", None),
        (503, {"code": 20503, "message": "no", "status": 503}, None),
        (504, "", None),
        (408, {"code": 20408, "message": "no", "status": 408}, None),
        (302, "", None),
        (201, "<html>Please sign in to the hotel's network</html>", None),
        (201, "", None),
        (201, {"status": "queued"}, None),
        (201, [1, 2], None),
        (201, "null", None),
        (201, {"sid": "SM1", "body": "x" * 500}, 100),
    ],
)
def test_an_answer_that_is_no_answer_leaves_it_open(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, status: int, body: object, part: int | None
) -> None:
    """5xx, nonsense, half an answer: the provider may have it all the same."""
    says(wire, status, body, part=part)
    with pytest.raises(InDoubt):
        channel.send(outgoing)
    assert wire.connections == 1, "it must never try again by itself"


@pytest.mark.parametrize("reads", [True, False])
def test_a_connection_that_is_cut_leaves_it_open(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, reads: bool
) -> None:
    """Before an answer, whether or not the request was read."""
    wire.talk = (lambda connection: (request_of(connection), None)[1]) if reads else (lambda connection: None)
    with pytest.raises(InDoubt):
        channel.send(outgoing)
    assert wire.connections == 1


def test_silence_leaves_it_open(
    channel: SmsChannel, wire: Wire, outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time-out, which is explicit."""
    monkeypatch.setattr(channel._http, "timeout", (sms.CONNECT_SECONDS, 0.1))
    wire.talk = lambda connection: (request_of(connection), connection.recv(1))[0:0] and None
    with pytest.raises(InDoubt, match="Timeout"):
        channel.send(outgoing)


def test_the_time_outs_are_explicit_and_nothing_is_retried(channel: SmsChannel) -> None:
    """A client library's own retry would be a second text."""
    assert channel._http.timeout == (sms.CONNECT_SECONDS, sms.READ_SECONDS)
    assert channel._http.session is None, "no kept connections: a stale one looks like a lost answer"


def test_where_nobody_listens_nothing_was_sent(channel: SmsChannel, wire: Wire, outgoing: Outgoing) -> None:
    """Connection refused is a definite no, for later."""
    wire.close()
    channel._client.api.base_url = "http://127.0.0.1:9"
    with pytest.raises(DeliveryFailed) as failed:
        channel.send(outgoing)
    assert (failed.value.permanent, failed.value.meaning) == (False, BUSY)


def test_a_name_that_does_not_resolve_is_a_definite_no(channel: SmsChannel, outgoing: Outgoing) -> None:
    """The request never left."""
    channel._client.api.base_url = "http://nowhere.invalid"
    with pytest.raises(DeliveryFailed):
        channel.send(outgoing)


# --- looking up


def listing(wire: Wire, *found: dict[str, Any]) -> None:
    usual = {"direction": "outbound-api", "date_created": format_datetime(NOW), "status": "queued"}
    says(wire, 200, {"messages": [{**usual, **each} for each in found], "next_page_uri": None})


def test_a_look_up_finds_the_same_words_to_the_same_number(channel: SmsChannel, wire: Wire) -> None:
    """Newest first, as the provider lists them."""
    listing(wire, {"sid": "SM2", "body": "Same"}, {"sid": "SM9", "body": "Other"}, {"sid": "SM1", "body": "Same"})
    assert channel.find("+12025550101", "Same", NOW) == ["SM2", "SM1"]
    assert b"To=%2B12025550101" in wire.heard[-1]


@pytest.mark.parametrize(("created", "found"), [(-86_399, ["SM1"]), (-86_401, []), (0, ["SM1"]), (3600, ["SM1"])])
def test_what_was_sent_before_the_attempt_is_not_it(
    channel: SmsChannel, wire: Wire, created: int, found: list[str]
) -> None:
    """But for a day by which a wrongly set clock may differ; what is ours and older is known by its id."""
    at: datetime = NOW + timedelta(seconds=created)
    listing(wire, {"sid": "SM1", "body": "Same", "date_created": format_datetime(at)})
    assert channel.find("+12025550101", "Same", NOW) == found


def test_a_clients_own_words_are_never_taken_for_ours(channel: SmsChannel, wire: Wire) -> None:
    """Even if they sent our text back."""
    listing(wire, {"sid": "SM1", "body": "Same", "direction": "inbound"})
    assert channel.find("+12025550101", "Same", NOW) == []


@pytest.mark.parametrize(
    "kept",
    [
        "  Riverside: ¿Cómo te sentiste? Responde con 3 números ",
        "Riverside: Como te sentiste? Responde con 3 numeros",
        "Sent from your Twilio trial account - Riverside: ¿Cómo te sentiste? Responde con 3 números",
        "Riverside: ¿Co\u0301mo te sentiste? Responde con 3 nu\u0301meros",
    ],
)
def test_words_that_the_provider_trimmed_or_made_plain_are_still_ours(
    channel: SmsChannel, wire: Wire, kept: str
) -> None:
    """Otherwise a look-up would find nothing, and the client would get them again."""
    listing(wire, {"sid": "SM1", "body": kept})
    assert channel.find("+12025550101", "Riverside: ¿Cómo te sentiste? Responde con 3 números", NOW) == ["SM1"]


def test_words_without_a_date_are_taken_for_ours(channel: SmsChannel, wire: Wire) -> None:
    """Late is better than twice."""
    listing(wire, {"sid": "SM1", "body": "Same", "date_created": "yesterday"})
    assert channel.find("+12025550101", "Same", NOW) == ["SM1"]


def _refuses(wire: Wire) -> None:
    says(wire, 401, {"code": 20003, "message": "no", "status": 401})


def _nonsense(wire: Wire) -> None:
    says(wire, 200, "<html></html>")


def _cut(wire: Wire) -> None:
    wire.talk = lambda connection: None


@pytest.mark.parametrize("answer", [_refuses, _nonsense, _cut])
def test_a_look_up_without_a_sound_answer_settles_nothing(
    channel: SmsChannel, wire: Wire, answer: Callable[[Wire], None]
) -> None:
    """An error must never pass for "not found"."""
    answer(wire)
    with pytest.raises(InDoubt):
        channel.find("+12025550101", "Same", NOW)


def test_every_code_has_a_known_meaning() -> None:
    """The table speaks the words the flows know."""
    assert {code.meaning for code in CODES.values()} <= {STOPPED, BAD_ADDRESS, UNREACHABLE, SET_UP, BUSY}
    assert codes.code(None, 429).meaning == BUSY
