"""What Twilio's client asks and what our sandbox answers, through a proxy that holds Twilio's own description."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bot.sandbox import Sandbox, phones, twilio_api
from bot.sandbox.faults import Fault
from bot.sandbox.server import ACCOUNT_SID, AUTH_TOKEN, MESSAGING_SERVICE_SID, SENDER
from bot.sandbox.twilio_errors import MAGIC_FROM, MAGIC_TO

PATIENCE = 120  # seconds
ANA, BEN = "+12025550111", "+12025550122"
DESCRIPTION = Path(__file__).parent / "node_modules/twilio-description.json"


class Through(TwilioHttpClient):  # type: ignore[misc]  # twilio has no types
    """Twilio's own client, led through the proxy."""

    def __init__(self, address: str) -> None:
        super().__init__(timeout=PATIENCE, max_retries=0)
        self.address = address

    def request(self, method: str, uri: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, uri.replace("https://api.twilio.com", self.address), *args, **kwargs)


@pytest.fixture
def twilio(proxy: str) -> Client:
    return Client(ACCOUNT_SID, AUTH_TOKEN, http_client=Through(proxy))


def delivered(sandbox: Sandbox) -> None:
    """Wait until nothing is on its way any more."""
    sandbox.clock.report("test", version=10**9, busy=False, next_due=None)
    assert sandbox.clock.wait_idle(PATIENCE)


def send(twilio: Client, **changes: Any) -> Any:
    usual = {"to": ANA, "messaging_service_sid": MESSAGING_SERVICE_SID, "body": "How was your visit? é 👍"}
    return twilio.messages.create(**(usual | changes))


def test_sending_through_a_messaging_service_is_as_described(twilio: Client) -> None:
    message = send(twilio, validity_period=3600, status_callback="http://127.0.0.1:9/status?attempt=1")
    assert message.status == "accepted"


def test_sending_from_a_number_is_as_described(twilio: Client) -> None:
    message = twilio.messages.create(to=ANA, from_=SENDER, body="x" * 1600)
    assert (message.status, message.num_segments) == ("queued", "11")


def test_fetching_is_as_described_before_and_after_delivery(twilio: Client, sandbox: Sandbox) -> None:
    sid = send(twilio).sid
    assert twilio.messages(sid).fetch().sid == sid
    delivered(sandbox)
    assert twilio.messages(sid).fetch().status == "delivered"


def test_an_undelivered_text_is_as_described(twilio: Client, sandbox: Sandbox) -> None:
    sandbox.faults.plan(Fault("undelivered", code=30003))
    sid = send(twilio).sid
    delivered(sandbox)
    message = twilio.messages(sid).fetch()
    assert (message.status, message.error_code) == ("undelivered", 30003)


def test_listing_with_filters_and_pages_is_as_described(twilio: Client, sandbox: Sandbox) -> None:
    sent = [send(twilio, to=BEN, body=f"text {n}").sid for n in range(5)]
    phones.text(sandbox.parts, BEN, "5 4 5")
    delivered(sandbox)
    since = datetime.fromtimestamp(sandbox.clock.now(), UTC) - timedelta(hours=1)
    outbound = twilio.messages.list(to=BEN, date_sent_after=since, page_size=2)
    assert [message.sid for message in outbound] == sent[::-1]
    inbound = twilio.messages.list(from_=BEN, to=SENDER, date_sent_after=since)
    assert [message.body for message in inbound] == ["5 4 5"]
    assert twilio.messages.list(to=BEN, date_sent_before=since) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"to": to}, code) for to, code in MAGIC_TO.items()]
    + [({"from_": sender, "messaging_service_sid": None}, code) for sender, code in MAGIC_FROM.items()]
    + [({"body": ""}, 21602), ({"validity_period": 36001}, 21624), ({"body": "x" * 1601}, 21617)],
)
def test_error_answers_come_through_with_their_codes(twilio: Client, changes: dict[str, Any], code: int) -> None:
    usual = {"to": ANA, "messaging_service_sid": MESSAGING_SERVICE_SID, "body": "Hi"} | changes
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages.create(**{name: value for name, value in usual.items() if value is not None})
    assert caught.value.code == code


def test_an_opted_out_client_is_refused_as_described(twilio: Client, sandbox: Sandbox) -> None:
    chidi = "+12025550133"
    send(twilio, to=chidi)
    phones.text(sandbox.parts, chidi, "STOP")
    with pytest.raises(TwilioRestException) as caught:
        send(twilio, to=chidi)
    assert caught.value.code == 21610


def test_a_wrong_token_and_a_wrong_message_are_refused_as_described(proxy: str, twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        Client(ACCOUNT_SID, "wrong", http_client=Through(proxy)).messages("SM" + "0" * 32).fetch()
    assert caught.value.code == 20003
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages("SM" + "0" * 32).fetch()
    assert caught.value.code == 20404


def test_too_many_requests_is_told_as_described(twilio: Client, sandbox: Sandbox) -> None:
    sandbox.faults.plan(Fault("429"))
    with pytest.raises(TwilioRestException) as caught:
        send(twilio)
    assert (caught.value.status, caught.value.code) == (429, 20429)


def test_the_proxy_would_catch_a_request_that_is_not_as_described(proxy: str) -> None:
    url = f"{proxy}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    wrong = {"To": ANA, "From": SENDER, "Body": "Hi", "ValidityPeriod": "soon"}
    assert requests.post(url, wrong, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=PATIENCE).status_code == 422


def test_the_proxy_would_catch_an_answer_that_is_not_as_described(
    twilio: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = twilio_api.as_resource
    monkeypatch.setattr(twilio_api, "as_resource", lambda *given: right(*given) | {"status": "thrown away"})
    with pytest.raises(TwilioRestException) as caught:
        send(twilio)
    assert caught.value.status == 500


@pytest.mark.usefixtures("fetched")
def test_the_one_thing_put_right_in_the_description_is_what_its_own_examples_say() -> None:
    listing = json.loads(DESCRIPTION.read_text())["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]
    examples = listing["responses"]["200"]["content"]["application/json"]["examples"].values()
    assert examples
    assert all(example["value"]["first_page_uri"].startswith("/2010-04-01/") for example in examples)
