"""A sandbox on real ports, and a stand-in for Attune's web that remembers what was posted to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
import requests
from flask import Flask, Response, request
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.serving import make_server

from bot.sandbox import Sandbox
from bot.sandbox.server import ACCOUNT_SID, AUTH_TOKEN, MESSAGING_SERVICE_SID

START = 1_770_000_000.0
ANA, BEN = "+12025550111", "+12025550122"


@dataclass
class Webhooks:
    """What the sandbox posted: path with query, form fields, signature. Answers with `status`."""

    url: str = ""
    status: int = 200
    posts: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def statuses(self) -> list[str]:
        return [fields["MessageStatus"] for _, fields, _ in self.posts if "MessageStatus" in fields]

    def texts(self) -> list[str]:
        return [fields["Body"] for _, fields, _ in self.posts if "Body" in fields]


class AtAddress(TwilioHttpClient):  # type: ignore[misc]  # twilio has no types
    """Twilio's own client, led to the sandbox."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=60, max_retries=0)
        self.url = url

    def request(self, method: str, uri: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, uri.replace("https://api.twilio.com", self.url), *args, **kwargs)


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    memory = Webhooks()
    app = Flask(__name__)

    @app.post("/<path:path>")
    def take(path: str) -> Response:
        signature = request.headers["X-Twilio-Signature"]
        memory.posts.append((request.url, request.form.to_dict(), signature))
        return Response(status=memory.status)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    memory.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield memory
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandbox(webhooks: Webhooks) -> Iterator[Sandbox]:
    with Sandbox(webhooks.url, start_at=START, held=True) as running:
        yield running


@pytest.fixture
def twilio(sandbox: Sandbox) -> Client:
    return Client(ACCOUNT_SID, AUTH_TOKEN, http_client=AtAddress(sandbox.url))


@pytest.fixture
def send(twilio: Client) -> Any:
    """Send a text to Ana as the practice does, with anything changed by name."""

    def send(**changes: Any) -> Any:
        usual = {"to": ANA, "messaging_service_sid": MESSAGING_SERVICE_SID, "body": "How was your visit?"}
        return twilio.messages.create(**{name: value for name, value in (usual | changes).items() if value})

    return send


@pytest.fixture
def refusal(send: Any) -> Any:
    """The code with which a text is refused."""

    def refusal(**changes: Any) -> int:
        with pytest.raises(TwilioRestException) as caught:
            send(**changes)
        return int(caught.value.code)

    return refusal


@pytest.fixture
def texts(sandbox: Sandbox) -> Any:
    """A client texts; what the webhook answered."""

    def texts(words: str, number: str = ANA) -> int:
        answer = requests.post(f"{sandbox.url}/sandbox/text", json={"from": number, "body": words}, timeout=60)
        return int(answer.json()["webhook"])

    return texts
