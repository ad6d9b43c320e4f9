"""What reaches a practice besides its workers: texts and callbacks, taken in by a process that dies like the others.

The harness itself never opens the database while a run goes on: after a power cut it would go on with what is lost.
"""

import json
import socket
import socketserver
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

from bot.flows import delivery, receiving
from bot.flows.context import Context
from bot.flows.delivery import Status
from bot.store.inbox import Inbound

WAITING = (
    "select (select count(*) from outbox where state in ('due', 'claimed', 'in_doubt')) + "
    "(select count(*) from check_in where state = 'planned' and due_at < :now) as n"
)


class Desk:
    """Asks the process at the desk, again and again until it answers, as a provider delivers its webhooks."""

    def __init__(self, path: Path) -> None:
        self._path, self._over = path, Event()

    def close(self) -> None:
        """Whoever still waits for an answer gives up."""
        self._over.set()

    def text(self, text_id: str, number: str, words: str, now: float) -> bool:
        """A client's text; False when the desk closed before it was taken."""
        return self._ask({"text": [text_id, number, words], "now": now}) is not None

    def call_back(self, attempt: str, sid: str, status: str, now: float) -> None:
        """What became of a text of ours."""
        self._ask({"status": [attempt, sid, status], "now": now})

    def waiting(self, now: float) -> int:
        """How many messages are due, claimed or in doubt, and how many check-ins still to be asked."""
        answer = self._ask({"waiting": [], "now": now})
        return 0 if answer is None else int(answer)

    def _ask(self, order: dict[str, Any]) -> Any:
        while not self._over.is_set():
            try:
                with socket.socket(socket.AF_UNIX) as line:
                    line.settimeout(30)
                    line.connect(str(self._path))
                    line.sendall(json.dumps(order).encode() + b"\n")
                    if answer := line.makefile().readline():
                        return json.loads(answer)
            except OSError:
                pass
            time.sleep(0.05)
        return None


def serve(ctx: Context, path: Path) -> NoReturn:
    """Until it is killed."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            order = json.loads(self.rfile.readline())
            now = datetime.fromtimestamp(order.pop("now"), UTC)
            ((what, given),) = order.items()
            try:
                self.wfile.write(json.dumps(_DO[what](ctx, given, now)).encode() + b"\n")
            finally:
                ctx.store.close()

    path.unlink(missing_ok=True)
    with _Server(str(path), Handler) as server:
        server.serve_forever()
    raise SystemExit


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 50


def _text(ctx: Context, given: list[str], now: datetime) -> bool:
    text_id, number, words = given
    return receiving.receive(ctx, Inbound("sms", text_id, number, words, ""), now)


def _status(ctx: Context, given: list[str], now: datetime) -> bool:
    delivery.report(ctx, Status(*given), now)
    return True


def _waiting(ctx: Context, _given: list[str], now: datetime) -> int:
    with ctx.store.transaction(write=False) as tx:
        row = tx.one(WAITING, {"now": int(now.timestamp())})
    return int(row["n"]) if row else 0


_DO = {"text": _text, "status": _status, "waiting": _waiting}
