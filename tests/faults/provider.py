"""A provider that keeps its own book and errs on purpose: it can kill the one who is sending at any step."""

import json
import random
import re
import socket
import struct
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TAKEN = ("ok", "kill_at", "kill_in", "kill_after", "lose", "taken_503", "half", "html")
NOT_TAKEN = ("kill_before", "refuse_503", "reset", "429")


@dataclass(frozen=True)
class Taken:
    """A text the provider took. `at`: by the shared clock (both times, if it was just being set); `asked`, `real`:
    by the machine's, as the request came and as it was taken. `attempt`: what the StatusCallback's address names."""

    sid: str
    to: str
    body: str
    validity: int
    attempt: str
    at: tuple[float, ...]
    asked: float
    real: float
    listed_from: float


@dataclass(frozen=True)
class Heard:
    """A client's text; `answered`: when the practice had it on disk, by the machine's clock."""

    number: str
    words: str
    answered: float


@dataclass
class Hooks:
    """What the provider may do to the world: end the sender in a slot, let a client text."""

    kill: Callable[[int], None] = lambda _slot: None
    step: Callable[[str, str, Taken | None], None] = lambda _step, _number, _taken: None


@dataclass
class Provider:
    """Serves Twilio's create and list calls at `{url}/w{slot}`. `fates`: share of each fate of a create call;
    `lag`: up to so many seconds a listing runs behind."""

    rng: random.Random
    clock: Callable[[], list[float]]
    fates: dict[str, float]
    lag: float = 0.0
    kill_at_listing: float = 0.0
    hooks: Hooks = field(default_factory=Hooks)
    book: list[Taken] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = Lock()
        provider = self

        class Handler(_Handler):
            def handle_call(self) -> None:
                provider.answer(self)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, call: "_Handler") -> None:
        slot = int(re.match(r"/w(\d+)/", call.path).group(1))  # type: ignore[union-attr]
        if call.command == "GET":
            self._list(call, slot)
        else:
            self._create(call, slot, {name: values[0] for name, values in parse_qs(call.sent).items()})

    def _fate(self) -> str:
        with self._lock:
            draw, fate = self.rng.random(), "ok"
            for name, share in self.fates.items():
                draw -= share
                if draw < 0:
                    fate = name
                    break
            self.met[fate] += 1
            return fate

    def _create(self, call: "_Handler", slot: int, fields: dict[str, str]) -> None:
        asked, fate = time.time(), self._fate()
        self.hooks.step("before", fields["To"], None)
        if fate in NOT_TAKEN:
            self._refuse(call, slot, fate)
            return
        taken = self._take(fields, asked)
        self.hooks.step("at", taken.to, taken)
        self._tell(call, slot, fate, taken)
        self.hooks.step("after", taken.to, taken)

    def _take(self, fields: dict[str, str], asked: float) -> Taken:
        attempt = re.search(r"attempt=([0-9a-f]+)", fields.get("StatusCallback", ""))
        with self._lock:
            real = time.time()
            taken = Taken(
                sid=f"SM{uuid.UUID(int=self.rng.getrandbits(128)).hex}", to=fields["To"], body=fields["Body"],
                validity=int(fields.get("ValidityPeriod", "36000")), attempt=attempt.group(1) if attempt else "",
                at=tuple(self.clock()), asked=asked, real=real, listed_from=real + self.rng.random() * self.lag,
            )  # fmt: skip
            self.book.append(taken)
        return taken

    def _refuse(self, call: "_Handler", slot: int, fate: str) -> None:
        if fate == "kill_before":
            self.hooks.kill(slot)
            call.cut()
        elif fate == "reset":
            call.cut()
        elif fate == "429":
            call.say(429, _error(20429, 429), {"Retry-After": "1"})
        else:
            call.say(503, _error(20503, 503))

    def _tell(self, call: "_Handler", slot: int, fate: str, taken: Taken) -> None:
        whole = json.dumps(_resource(taken))
        if fate == "kill_at":
            self.hooks.kill(slot)
            call.cut()
        elif fate in ("kill_in", "half"):
            call.say(201, whole, part=len(whole) // 2)
            if fate == "kill_in":
                self.hooks.kill(slot)
        elif fate == "lose":
            call.cut()
        elif fate == "taken_503":
            call.say(503, _error(20503, 503))
        elif fate == "html":
            call.say(201, "<html><body>Please wait</body></html>")
        else:
            call.say(201, whole)
            if fate == "kill_after":
                self.hooks.kill(slot)

    def _list(self, call: "_Handler", slot: int) -> None:
        to = parse_qs(urlsplit(call.path).query).get("To", [""])[0]
        with self._lock:
            dies = bool(to) and self.rng.random() < self.kill_at_listing  # a look-up, not the fetching of texts
            shown = [each for each in self.book if each.to == to and each.listed_from <= time.time()]
        if dies:
            self.met["kill_at_listing"] += 1
            self.hooks.kill(slot)
        call.say(200, json.dumps({"messages": [_resource(each) for each in reversed(shown)], "next_page_uri": None}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked is dead: nothing to say about it."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sent = ""

    def handle_call(self) -> None:
        raise NotImplementedError

    def do_POST(self) -> None:
        self.sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._guarded()

    def do_GET(self) -> None:
        self._guarded()

    def _guarded(self) -> None:
        try:
            self.handle_call()
        except OSError:  # whoever asked is dead
            self.close_connection = True

    def say(self, status: int, words: str, headers: dict[str, str] | None = None, part: int | None = None) -> None:
        """Answer; with `part`, break off after so many bytes."""
        body = words.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:part])
        self.wfile.flush()
        if part is not None:
            self.cut(hard=False)

    def cut(self, hard: bool = True) -> None:
        """Cut the connection; hard: the other side sees a reset."""
        if hard:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def _resource(taken: Taken) -> dict[str, Any]:
    created = format_datetime(datetime.fromtimestamp(int(taken.at[0]), UTC))
    return {"sid": taken.sid, "to": taken.to, "body": taken.body, "direction": "outbound-api", "status": "queued",
            "date_created": created, "date_updated": created, "num_segments": "1"}  # fmt: skip


def _error(code: int, status: int) -> str:
    return json.dumps({"code": code, "message": "no", "status": status, "more_info": ""})
