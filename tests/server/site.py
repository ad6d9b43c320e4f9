"""Attune as it stands on a server: the commands of the Procfile as processes, and a client that speaks HTTP."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil
from twilio.request_validator import RequestValidator

from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.sandbox.processes import environment, free_port

NAME = "attune.riverside.example"
TOKEN = "a-token-for-tests"
SMS, STATUS = "/webhooks/twilio/sms", "/webhooks/twilio/status"
PATIENCE = 60.0  # seconds a process may take to be ready or to end, on a busy machine
WEBS = 2  # processes that serve, beside the first


@dataclass
class Site:
    """An installation in a folder: its settings, its migrated database, and its processes, which end with it."""

    folder: Path
    changes: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.env = {
            "DATABASE_URL": f"sqlite:///{self.folder}/attune.db",
            "PUBLIC_URL": f"https://{NAME}",
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": "+15005550006",
            "MAIL_WEBHOOK_SECRET": TOKEN,
            "TWILIO_API_URL": "http://127.0.0.1:9",  # nobody
            "PORT": str(self.port),
        } | dict(self.changes)
        self.log = self.folder / "log"

    def inside(self) -> Context:
        """The same installation from inside."""
        return context.build(Config.read(self.env))

    def context(self) -> Context:
        """The same, its database made or upgraded."""
        ctx = self.inside()
        ctx.store.migrate()
        return ctx

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        """`web` or `worker`, as the Procfile starts it; not waited for."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", command], env=environment(self.env), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """A command of `attune`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bot", *command], env=environment(self.env), capture_output=True, text=True,
            timeout=PATIENCE * 5, check=check,
        )  # fmt: skip

    def serve(self) -> "subprocess.Popen[bytes]":
        """Web, once it answers and every process of it is at work: one that has only just parted hears no SIGTERM."""
        process = self.start("web")
        ready = until(lambda: process.poll() is not None or (self.healthy() and all_at_work(process.pid)))
        assert ready, self.log.read_text()[-2000:]
        assert process.poll() is None, self.log.read_text()[-2000:]
        return process

    def healthy(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return Door(self.port).ask("GET", "/healthz")[0] == 200
        return False

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def all_at_work(web: int) -> bool:
    """Whether each process of web is there and has begun a thread of its own, which is the last it does to be ready."""
    with suppress(psutil.NoSuchProcess):
        there = psutil.Process(web).children()
        return len(there) == WEBS and all(each.num_threads() > 1 for each in there)
    return False


@contextmanager
def a_site(folder: Path, **changes: str) -> Iterator[Site]:
    """An installation whose processes end with the block."""
    site = Site(folder, changes)
    try:
        yield site
    finally:
        site.end()


class _Connection(http.client.HTTPConnection):
    """To 127.0.0.1, whatever the name; with TLS where an authority is given."""

    def __init__(self, port: int, authority: Path | None, patience: float) -> None:
        super().__init__(NAME, port, timeout=patience)
        self._authority = authority

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        if self._authority:
            trust = ssl.create_default_context(cafile=str(self._authority))
            self.sock = trust.wrap_socket(self.sock, server_hostname=NAME)


class Door:
    """One client of a port: asks, and keeps its connection where the server lets it."""

    def __init__(self, port: int, authority: Path | None = None, patience: float = 30.0) -> None:
        self.connection = _Connection(port, authority, patience)

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by their small names, body. Raises OSError or HTTPException where nobody answers."""
        try:
            self.connection.request(method, path, body or None, {"Host": NAME, **(headers or {})})
            answer = self.connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def post_text(self, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> int:
        """A text as Twilio posts it; the status."""
        return self.ask("POST", SMS, *signed(form, SMS, headers))[0]

    def close(self) -> None:
        self.connection.close()


def text(number: int, sender: str = "+12025550199", body: str = "hello") -> dict[str, str]:
    """The fields of a text; `number` makes its id."""
    sid = f"SM{number:032x}"
    return {"MessageSid": sid, "SmsSid": sid, "From": sender, "To": "+15005550006", "Body": body}


def signed(
    form: Mapping[str, str], path: str, headers: Mapping[str, str] | None = None
) -> tuple[bytes, dict[str, str]]:
    """A body and its headers, signed for the public address as Twilio does."""
    signature = RequestValidator(TOKEN).compute_signature(f"https://{NAME}{path}", dict(form))
    kind = "application/x-www-form-urlencoded"
    return urlencode(form).encode(), {"Content-Type": kind, "X-Twilio-Signature": signature, **(headers or {})}


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait for something to come true, by the machine's clock."""
    end = time.monotonic() + seconds
    while not (now := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return now
