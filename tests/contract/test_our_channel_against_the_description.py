"""The requests Attune itself makes, through a proxy that holds Twilio's own description."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels import codes
from bot.channels.base import DeliveryFailed, InDoubt, Outgoing
from bot.channels.sms import SmsChannel
from bot.config import Config
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.sandbox.server import ACCOUNT_SID, AUTH_TOKEN, MESSAGING_SERVICE_SID, SENDER

ANA = "+12025550144"


def channel(address: str, service: str = MESSAGING_SERVICE_SID, sender: str = "") -> SmsChannel:
    """Our channel with its provider at an address."""
    return SmsChannel(
        Config(
            public_url="http://127.0.0.1:9",
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_tokens=(AUTH_TOKEN,),
            twilio_api_url=address,
            twilio_messaging_service_sid=service,
            twilio_from=sender,
        )
    )


def text(to: str = ANA, body: str = "How was your visit?") -> Outgoing:
    return Outgoing(
        to=to,
        body=body,
        message_id="m1",
        attempt_id="0" * 32,
        valid_seconds=3600,
        now=datetime.now(UTC),
    )


@pytest.mark.parametrize(("service", "sender"), [(MESSAGING_SERVICE_SID, ""), ("", SENDER)])
def test_what_we_send_is_as_described_and_can_be_looked_up(
    proxy: str, sandbox: Sandbox, service: str, sender: str
) -> None:
    ours, words = channel(proxy, service, sender), f"To be looked up, from {service or sender}"
    sid = ours.send(text(body=words))
    kept = sandbox.book.get(sid)
    assert kept
    assert (kept.validity, kept.status_callback.endswith(f"?attempt={'0' * 32}")) == (3600, True)
    since = datetime.fromtimestamp(sandbox.clock.now(), UTC) - timedelta(hours=1)
    assert ours.find(ANA, words, since) == [sid]


@pytest.mark.parametrize(("to", "meaning"), [("+15005550001", codes.BAD_ADDRESS), ("+15005550004", codes.STOPPED)])
def test_we_understand_a_refusal_as_described(proxy: str, to: str, meaning: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        channel(proxy).send(text(to=to))
    assert (caught.value.permanent, caught.value.meaning) == (True, meaning)


def test_we_wait_as_long_as_a_busy_provider_says(proxy: str, sandbox: Sandbox) -> None:
    sandbox.faults.plan(Fault("429"))
    with pytest.raises(DeliveryFailed) as caught:
        channel(proxy).send(text())
    assert (caught.value.permanent, caught.value.retry_after) == (False, 1)


@pytest.mark.parametrize("kind", ["lose_answer", "accept_then_503", "reset"])
def test_a_lost_answer_leaves_us_in_doubt(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.plan(Fault(kind))
    with pytest.raises(InDoubt):
        channel(sandbox.url).send(text())
