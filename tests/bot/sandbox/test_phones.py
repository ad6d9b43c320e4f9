"""Texts to and from the phones: callbacks, signatures, opt-out words, faults."""

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bot.sandbox import Sandbox
from bot.sandbox.phones import TWILIO_SAYS
from bot.sandbox.server import AUTH_TOKEN, MESSAGING_SERVICE_SID, SENDER
from bot.sandbox.twilio_errors import CODES

ANA = "+12025550111"
BEN = "+12025550122"
START = 1_770_000_000.0  # what the sandbox's clock shows at first


def settled(sandbox: Sandbox) -> None:
    """Wait until all callbacks have been posted."""
    sandbox.clock.report("test", version=10**9, busy=False, next_due=None)
    assert sandbox.clock.wait_idle(60)


def fault(sandbox: Sandbox, **given: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/sandbox/faults", json=given, timeout=60)


def book(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(requests.get(f"{sandbox.url}/sandbox/messages", timeout=60).json())


def test_the_callbacks_of_a_text_come_in_order_at_the_address_given(sandbox: Sandbox, webhooks: Any, send: Any) -> None:
    message = send(status_callback=f"{webhooks.url}/status?attempt=7&x=a%20b")
    settled(sandbox)
    assert webhooks.statuses() == ["queued", "sent", "delivered"]
    for url, fields, _ in webhooks.posts:
        assert url.endswith("/status?attempt=7&x=a%20b")
        assert fields["MessageSid"] == fields["SmsSid"] == message.sid
        assert fields["SmsStatus"] == fields["MessageStatus"]


def test_every_post_is_signed_as_twilio_signs(sandbox: Sandbox, webhooks: Any, send: Any, texts: Any) -> None:
    send(status_callback=f"{webhooks.url}/status?attempt=7")
    texts("5, 4 n 5 & 4 thx! 👍 ñ")
    settled(sandbox)
    assert len(webhooks.posts) == 4
    validator = RequestValidator(AUTH_TOKEN)
    assert all(validator.validate(url, fields, signature) for url, fields, signature in webhooks.posts)


def test_a_clients_text_is_posted_with_twilios_fields(sandbox: Sandbox, webhooks: Any, texts: Any) -> None:
    assert texts("4 5 4") == 200
    [(url, fields, _)] = webhooks.posts
    assert url == f"{webhooks.url}/webhooks/twilio/sms"
    [message] = sandbox.book.all()
    known = {
        "AccountSid": sandbox.environment["TWILIO_ACCOUNT_SID"],
        "MessagingServiceSid": MESSAGING_SERVICE_SID,
        "From": ANA,
        "To": SENDER,
        "Body": "4 5 4",
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "FromCountry": "US",
    }
    assert known.items() <= fields.items()
    assert {fields[name] for name in ("MessageSid", "SmsSid", "SmsMessageSid")} == {message.sid}
    assert "OptOutType" not in fields


def test_a_client_answers_the_line_that_wrote_last(webhooks: Any, send: Any, texts: Any) -> None:
    send()
    send(messaging_service_sid=None, from_="+15005550010")
    texts("4 5 4")
    fields = next(fields for _, fields, _ in webhooks.posts if "Body" in fields)
    assert fields["To"] == "+15005550010"
    assert "MessagingServiceSid" not in fields


def test_stop_is_obeyed_answered_by_twilio_and_still_posted(
    sandbox: Sandbox, webhooks: Any, refusal: Any, send: Any, texts: Any
) -> None:
    texts(" stop ")
    assert webhooks.posts[0][1]["OptOutType"] == "STOP"
    assert book(sandbox)[-1]["body"] == TWILIO_SAYS["STOP"]
    assert refusal() == 21610
    send(to=BEN)


def test_only_a_whole_word_is_an_opt_out_word(webhooks: Any, send: Any, texts: Any) -> None:
    texts("please stop by my office")
    texts("stop.")
    assert all("OptOutType" not in fields for _, fields, _ in webhooks.posts)
    assert send().sid


def test_start_lets_texts_through_again(webhooks: Any, send: Any, texts: Any) -> None:
    texts("STOP")
    texts("start")
    assert [fields["OptOutType"] for _, fields, _ in webhooks.posts] == ["STOP", "START"]
    assert send().sid


def test_twilio_says_nothing_to_a_second_stop_nor_to_help_after_it(sandbox: Sandbox, texts: Any) -> None:
    for word in ("STOP", "STOP", "HELP"):
        texts(word)
    assert [row["body"] for row in book(sandbox) if row["direction"] == "outbound-reply"] == [TWILIO_SAYS["STOP"]]


def test_twilios_own_replies_are_in_no_listing(sandbox: Sandbox, twilio: Any, texts: Any) -> None:
    texts("HELP")
    assert [row["direction"] for row in book(sandbox)] == ["inbound", "outbound-reply"]
    assert [message.direction for message in twilio.messages.list()] == ["inbound"]


def test_twilios_own_replies_can_be_switched_off(webhooks: Any) -> None:
    with Sandbox(webhooks.url, opt_out_replies=False) as quiet:
        requests.post(f"{quiet.url}/sandbox/text", json={"from": ANA, "body": "STOP"}, timeout=60)
        assert [message.direction for message in quiet.book.all()] == ["inbound"]
        assert webhooks.posts[0][1]["OptOutType"] == "STOP"


def test_a_webhook_that_fails_is_told_to_the_texter_and_not_tried_again(
    sandbox: Sandbox, webhooks: Any, texts: Any
) -> None:
    webhooks.status = 503
    assert texts("4 5 4") == 503
    assert len(webhooks.posts) == 1
    assert book(sandbox)[0]["answered"] == 503


def test_when_nobody_listens_the_text_is_in_the_book_all_the_same() -> None:
    with Sandbox("http://127.0.0.1:9") as lonely:
        answer = requests.post(f"{lonely.url}/sandbox/text", json={"from": ANA, "body": "hi"}, timeout=60)
        assert answer.json()["webhook"] == 0
        assert [message.body for message in lonely.book.all()] == ["hi"]


def test_half_an_emoji_arrives_as_a_replacement_mark(webhooks: Any, texts: Any) -> None:
    assert texts("4 5 4 \ud83d") == 200
    assert webhooks.texts() == ["4 5 4 \ufffd"]


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("503", 503), ("accept_then_503", 503)])
def test_a_fault_that_answers_does_so_once(sandbox: Sandbox, send: Any, kind: str, status: int) -> None:
    fault(sandbox, kind=kind)
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert caught.value.status == status
    assert len(sandbox.book.all()) == (1 if kind == "accept_then_503" else 0)
    assert send().sid


@pytest.mark.parametrize(("kind", "taken"), [("reset", 0), ("lose_answer", 1)])
def test_a_fault_that_cuts_the_connection_leaves_no_answer(sandbox: Sandbox, send: Any, kind: str, taken: int) -> None:
    fault(sandbox, kind=kind, next=1)
    with pytest.raises(requests.ConnectionError):
        send()
    assert len(sandbox.book.all()) == taken


def test_a_slow_provider_has_taken_what_it_answers_late(sandbox: Sandbox, twilio: Client, send: Any) -> None:
    fault(sandbox, kind="slow", seconds=60)
    twilio.http_client.timeout, version = 1, sandbox.clock.version
    with pytest.raises(requests.Timeout):
        send()
    sandbox.clock.wait_beyond(version, 60)
    assert len(sandbox.book.all()) == 1


def test_an_undelivered_text_says_why(sandbox: Sandbox, webhooks: Any, send: Any) -> None:
    fault(sandbox, kind="undelivered", code=30005)
    send(status_callback=f"{webhooks.url}/status")
    settled(sandbox)
    assert webhooks.statuses() == ["queued", "sent", "undelivered"]
    assert webhooks.posts[-1][1]["ErrorCode"] == "30005"


def test_twice_means_twice(sandbox: Sandbox, webhooks: Any, texts: Any) -> None:
    fault(sandbox, kind="inbound_twice")
    texts("4 5 4")
    assert [fields["MessageSid"] for _, fields, _ in webhooks.posts] == [sandbox.book.all()[0].sid] * 2


def test_a_lost_text_is_only_listed(sandbox: Sandbox, webhooks: Any, twilio: Any, texts: Any) -> None:
    fault(sandbox, kind="inbound_lost")
    assert texts("4 5 4") == 0
    assert webhooks.posts == []
    assert [message.body for message in twilio.messages.list(from_=ANA)] == ["4 5 4"]


def test_a_lagging_list_leaves_out_what_is_young(sandbox: Sandbox, twilio: Any, send: Any) -> None:
    fault(sandbox, kind="list_lag", seconds=30, next=2)
    send()
    assert twilio.messages.list(to=ANA) == []
    sandbox.clock.jump(START + 31)
    assert len(twilio.messages.list(to=ANA)) == 1


def test_an_unknown_fault_is_refused_with_the_known_ones(sandbox: Sandbox) -> None:
    answer = fault(sandbox, kind="flood")
    assert answer.status_code == 400
    assert "accept_then_503" in answer.json()["error"]


def test_a_fault_with_a_number_that_is_none_is_refused(sandbox: Sandbox) -> None:
    assert fault(sandbox, kind="slow", seconds="long").status_code == 400


def test_every_error_says_what_is_wrong() -> None:
    assert all(words for _, words in CODES.values())
