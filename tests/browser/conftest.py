"""The real application on loopback and a real Chromium, for the pages people read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.flows.links import alert_link
from bot.sandbox import Sandbox
from bot.sandbox.mailbox import Mail
from bot.store.alerts import Alert
from bot.web import create_app
from tests.support.cast import Riverside, riverside
from tests.support.weeks import At, send

CHROMIUM = "/usr/bin/chromium"
SCHEMES = ("light", "dark")
WIDTHS = (1280, 375, 320)
PATIENCE = 60_000  # milliseconds; on a busy machine a page takes many seconds, and nothing that holds waits that long
expect.set_options(timeout=PATIENCE)


class _Quiet(WSGIRequestHandler):
    def log(self, *args: object) -> None:
        """The test's own output says enough."""


@dataclass
class Served:
    """Riverside behind a real address, at a time that can be moved."""

    url: str
    practice: Riverside
    app: Flask
    clock: list[datetime] = field(default_factory=list)
    sandbox: Sandbox | None = None

    @property
    def now(self) -> datetime:
        return self.clock[0]

    def at(self, now: datetime) -> None:
        """It is this time now."""
        self.clock[:] = [now]

    def work(self) -> None:
        """What the worker does at this time; mails and texts go to the sandbox."""
        send(self.practice, self.now)

    def mails_to(self, email: str) -> list[Mail]:
        """What somebody's mailbox holds, oldest first."""
        assert self.sandbox
        return [mail for mail in self.sandbox.mailbox.all() if email in mail.recipients]

    def link(self, alert: Alert, name: str, now: datetime) -> str:
        """One person's link, with the clock put to when they follow it."""
        self.clock[:] = [now]
        ctx = self.practice.ctx
        return alert_link(ctx.config, self.practice.practice.id, alert.id, self.practice.staff[name], now)


@dataclass
class Opened:
    """A page, with everything the browser complained about and everything it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)


class _Clock:
    def __init__(self, at: list[datetime]) -> None:
        self.at = at

    def now(self) -> datetime:
        return At(self.at[0]).now()

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for us."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=2 * PATIENCE)
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """A page in a window of its own; `width`, `scheme`, `script` as wanted."""
    contexts = []

    def open_(url: str, width: int = 1280, scheme: str = "light", script: bool = True) -> Opened:
        window = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
        )
        contexts.append(window)
        window.set_default_timeout(PATIENCE)
        found = Opened(window.new_page())
        found.watch()
        found.page.goto(url)
        return found

    yield open_
    for window in contexts:
        window.close()


@pytest.fixture
def served(config: Config) -> Iterator[Served]:
    """Riverside's pages; nothing is sent."""
    with serve(config) as running:
        yield running


@pytest.fixture
def posted(config: Config, sandbox: Sandbox) -> Iterator[Served]:
    """Riverside's pages, with a real mail server and a provider of texts; `Served.work` is the worker."""
    sending = replace(config, twilio_api_url=sandbox.url, smtp_url=sandbox.environment["SMTP_URL"])
    with serve(sending) as running:
        running.sandbox = sandbox
        yield running


@contextmanager
def serve(config: Config, host: str = "127.0.0.1") -> Iterator[Served]:
    """The application on a port of its own, with the cast; its address is known once the port is open."""
    clock: list[datetime] = []
    server = make_server("127.0.0.1", 0, _nothing, threaded=True, request_handler=_Quiet)
    url = f"http://{host}:{server.server_port}"
    ctx: Context = context.build(replace(config, public_url=url))
    ctx.store.migrate()
    app = create_app(ctx, _Clock(clock))
    server.app = app
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield Served(url, riverside(ctx), app, clock)
    _stop(server)


def _nothing(_environ: object, _start: object) -> list[bytes]:
    return []


def _stop(server: BaseWSGIServer) -> None:
    server.shutdown()
    server.server_close()
