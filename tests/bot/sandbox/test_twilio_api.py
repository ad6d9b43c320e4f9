"""The sandbox's REST API, through Twilio's own client."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from bot.sandbox import Sandbox
from bot.sandbox.server import ACCOUNT_SID, AUTH_TOKEN, MESSAGING_SERVICE_SID, SENDER

ANA = "+12025550111"
BEN = "+12025550122"
START = 1_770_000_000.0  # what the sandbox's clock shows at first


def settled(sandbox: Sandbox) -> None:
    """Wait until all callbacks have been posted."""
    sandbox.clock.report("test", version=10**9, busy=False, next_due=None)
    assert sandbox.clock.wait_idle(60)


def test_a_text_sent_through_a_messaging_service_is_accepted_first(send: Any) -> None:
    message = send()
    assert (message.status, message.num_segments, message.from_) == ("accepted", "0", None)
    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert message.messaging_service_sid == MESSAGING_SERVICE_SID


def test_a_text_sent_from_a_number_is_queued_with_its_segments(send: Any) -> None:
    message = send(messaging_service_sid=None, from_=SENDER)
    assert (message.status, message.num_segments, message.from_) == ("queued", "1", SENDER)


def test_a_text_is_delivered_and_can_be_fetched_with_its_dates_and_price(
    sandbox: Sandbox, twilio: Client, send: Any
) -> None:
    sid = send().sid
    settled(sandbox)
    message = twilio.messages(sid).fetch()
    assert message.status == "delivered"
    assert message.date_sent == message.date_created == datetime.fromtimestamp(START, UTC)
    assert (message.price, message.price_unit, message.error_code) == ("-0.00790", "USD", None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"to": "555"}, 21211),
        ({"from_": "+15005550000"}, 21606),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+15005550007"}, 21606),
        ({"from_": "+15005550008"}, 21611),
        ({"from_": ANA}, 21266),
        ({"messaging_service_sid": None}, 21603),
        ({"messaging_service_sid": "MGnone"}, 21701),
        ({"body": None}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"validity_period": 36001}, 21624),
        ({"status_callback": "nowhere"}, 21609),
        ({"status_callback": "http://[half"}, 21609),
    ],
)
def test_a_request_that_twilio_refuses_is_refused_with_its_code(
    sandbox: Sandbox, refusal: Any, changes: dict[str, Any], code: int
) -> None:
    assert refusal(**changes) == code
    assert sandbox.book.all() == []


def test_a_text_to_nobody_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    answer = requests.post(url, {"Body": "Hi", "From": SENDER}, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (400, 21604)
    assert set(answer.json()) == {"code", "message", "more_info", "status"}


def test_the_validity_period_is_kept_in_the_book(sandbox: Sandbox, send: Any) -> None:
    send(validity_period=600)
    assert [message.validity for message in sandbox.book.all()] == [600]


def test_a_wrong_token_is_told_so_and_nothing_more(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    for auth in ((ACCOUNT_SID, "wrong"), ("AC1", AUTH_TOKEN), None):
        answer = requests.get(url, auth=auth, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_a_message_nobody_sent_is_not_found(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_another_account_is_not_found(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/2010-04-01/Accounts/AC{'1' * 32}/Messages.json"
    answer = requests.get(url, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_a_listing_is_newest_first_and_filtered_by_number(twilio: Client, send: Any) -> None:
    first, second, _ = send(body="one"), send(body="two"), send(to=BEN)
    assert [message.sid for message in twilio.messages.list(to=ANA)] == [second.sid, first.sid]


def test_a_listing_of_what_came_in_names_the_client_as_sender(twilio: Client, texts: Any) -> None:
    texts("4 5 4")
    texts("5 5 5", BEN)
    assert [(m.body, m.direction, m.status) for m in twilio.messages.list(from_=ANA)] == [
        ("4 5 4", "inbound", "received")
    ]


def test_a_long_listing_comes_in_pages(twilio: Client, send: Any) -> None:
    sent = [send(body=f"text {n}").sid for n in range(7)]
    assert [message.sid for message in twilio.messages.list(page_size=3)] == sent[::-1]


def test_a_listing_can_start_at_a_moment(sandbox: Sandbox, twilio: Client, send: Any) -> None:
    send(body="early")
    settled(sandbox)
    sandbox.clock.jump(START + 3600)
    send(body="late")
    settled(sandbox)
    from_half_past = datetime.fromtimestamp(START + 1800, UTC)
    assert [m.body for m in twilio.messages.list(date_sent_after=from_half_past)] == ["late"]
    assert [m.body for m in twilio.messages.list(date_sent_before=from_half_past)] == ["early"]


def test_a_listing_of_a_day_holds_that_day_only(sandbox: Sandbox, twilio: Client, send: Any) -> None:
    send()
    settled(sandbox)
    day = datetime.fromtimestamp(START, UTC).date()
    assert len(twilio.messages.list(date_sent=day)) == 1
    assert twilio.messages.list(date_sent=date(2020, 1, 1)) == []
