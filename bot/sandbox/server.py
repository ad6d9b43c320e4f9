"""The whole sandbox in one object: a web server, a mail server and a clock, on this machine only."""

import logging
import re
from collections.abc import Mapping
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from bot.config import is_twilio
from bot.sandbox.admin import admin
from bot.sandbox.book import Book, Line
from bot.sandbox.clock import SandboxClock
from bot.sandbox.colleagues import colleagues
from bot.sandbox.deliveries import Deliveries
from bot.sandbox.faults import Faults
from bot.sandbox.mailbox import Mailbox, MailServer
from bot.sandbox.pages import pages
from bot.sandbox.parts import Account, Owner, Parts
from bot.sandbox.twilio_api import api

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "sandbox-token"  # noqa: S105 - no secret: it opens nothing but a sandbox on this machine
MESSAGING_SERVICE_SID = "MG" + "0" * 32
SENDER = "+15005550006"  # the number Twilio documents as a good sender in tests
LARGEST_REQUEST = 1_000_000
STOP_CHECK = 0.02  # seconds between looks at whether to stop


class Sandbox:
    """A local Twilio with phones, a mailbox, and a clock that web and worker can follow.

    `public_url` is where Attune's web answers. `auth_token` may be a comma list: all are taken, the first
    signs. Port 0 takes any that is free. Used as a context manager it runs inside the block.
    """

    def __init__(
        self,
        public_url: str,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        port: int = 0,
        smtp_port: int = 0,
        *,
        host: str = "127.0.0.1",
        start_at: float | None = None,
        held: bool = False,
        opt_out_replies: bool = True,
        line: Line | None = None,
        owners: Mapping[str, Owner] | None = None,
    ) -> None:
        tokens = tuple(token.strip() for token in auth_token.split(",") if token.strip())
        line = line or Line(SENDER, MESSAGING_SERVICE_SID)
        self._account = Account(account_sid, tokens, line, opt_out_replies)
        self.clock, self.faults = SandboxClock(start_at, held=held), Faults()
        self.book = Book(self.clock.now, line)
        self.mailbox = Mailbox(self.clock.now, self.clock.happened, self.faults)
        deliveries = Deliveries(public_url, account_sid, tokens[0], self.book, self.clock, self.faults)
        self.parts = Parts(
            self._account, self.clock, self.book, self.faults, deliveries, self.mailbox, dict(owners or {})
        )
        self.app = create_app(self.parts)
        self._host, self._port, self._smtp_port = host, port, smtp_port
        self._web: BaseWSGIServer | None = None
        self._mail: MailServer | None = None

    def start(self) -> None:
        """Open both ports. Raises OSError when one is taken."""
        self._web = make_server(self._host, self._port, self.app, threaded=True, request_handler=_Quiet)
        self._port = self._web.server_port
        Thread(target=self._web.serve_forever, args=(STOP_CHECK,), name="sandbox", daemon=True).start()
        self._mail = MailServer(self.mailbox, self._host, self._smtp_port)
        self._mail.start()
        self._smtp_port = self._mail.port

    def stop(self) -> None:
        """Close both ports, once what is under way has ended."""
        self.parts.deliveries.stop()
        if self._mail:
            self._mail.stop()
        if self._web:
            self._web.shutdown()
            self._web.server_close()

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the guide is, and TWILIO_API_URL."""
        return f"http://{self._host}:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which web and worker use this sandbox."""
        return {
            "TWILIO_ACCOUNT_SID": self._account.sid,
            "TWILIO_AUTH_TOKEN": ",".join(self._account.tokens),
            "TWILIO_MESSAGING_SERVICE_SID": self._account.line.messaging_service_sid or "",
            "TWILIO_FROM": "" if self._account.line.messaging_service_sid else self._account.line.sender,
            "TWILIO_API_URL": self.url,
            "SMTP_URL": f"smtp://{self._host}:{self._smtp_port}",
            "ATTUNE_CLOCK_URL": f"{self.url}/clock",
        }


def create_app(parts: Parts) -> Flask:
    """The sandbox's web application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.extensions["sandbox"] = parts
    for blueprint in (api, admin, pages, colleagues):
        app.register_blueprint(blueprint)
    return app


def why_not(env: Mapping[str, str]) -> str:
    """Why the sandbox must not run in this environment, in a sentence; empty if it may."""
    sid, address = env.get("TWILIO_ACCOUNT_SID", ""), env.get("TWILIO_API_URL", "")
    looks_real = re.fullmatch(r"AC[0-9a-fA-F]{32}", sid) is not None and sid != ACCOUNT_SID
    if looks_real and (not address or is_twilio(address)):
        return (
            "TWILIO_ACCOUNT_SID is a real account and TWILIO_API_URL doesn't lead to a sandbox, so texts "
            "could reach real phones. Unset TWILIO_ACCOUNT_SID, or set TWILIO_API_URL to the sandbox's address."
        )
    return ""


class _Quiet(WSGIRequestHandler):
    """Logs no requests: they carry numbers."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:  # noqa: ARG002
        return

    def log_error(self, format: str, *args: Any) -> None:
        logging.getLogger("attune.sandbox").error(format, *args)
