"""SIGTERM: web and worker end in order, at once where nothing is under way, and lose nothing where something is."""

import random
import signal
import socket
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from tests.server.restarts import ENOUGH, lines, play
from tests.server.site import SMS, Door, a_site, signed, text, until
from tests.server.slow import endless_answer
from tests.support.cast import riverside

RESTARTS = 8


def test_restarts_at_random_moments_lose_no_text_and_send_nothing_twice(tmp_path: Path) -> None:
    """A short form of `python -m tests.server.restarts`."""
    seed = random.SystemRandom().randrange(10**6)
    outcome = play(RESTARTS, seed, tmp_path)
    assert outcome.violations == [], f"seed {seed}"
    assert outcome.told.restarts == RESTARTS
    assert len(outcome.told.taken) > ENOUGH, [f"seed {seed}", *lines(outcome)]
    assert outcome.sent > ENOUGH, [f"seed {seed}", *lines(outcome)]


def test_a_text_that_web_is_just_reading_when_it_is_told_to_stop_is_taken_and_answered(tmp_path: Path) -> None:
    with a_site(tmp_path) as site:
        ctx = site.context()
        riverside(ctx)
        web = site.serve()
        body, headers = signed(text(1, "+12025550101"), SMS)
        door = Door(site.port)
        door.connection.connect()
        head = f"POST {SMS} HTTP/1.1\r\nHost: attune\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        door.connection.sock.sendall(head.encode() + b"\r\n" + body[:10])
        assert until(lambda: _has_been_read(door.connection.sock)), "web never began to read"
        web.send_signal(signal.SIGTERM)
        assert until(lambda: not _lets_in(site.port)), "nobody new is let in"
        door.connection.sock.sendall(body[10:])
        assert door.connection.sock.recv(65536).startswith(b"HTTP/1.1 200")
        assert web.wait(60) == 0
        with ctx.store.transaction(write=False) as tx:
            assert len(tx.all("select id from inbox")) == 1


def _has_been_read(line: socket.socket) -> bool:
    """Whether the other end, on this machine, was accepted and has read all it was sent (proc_net_tcp)."""
    own, other = (f":{end[1]:04X}" for end in (line.getsockname(), line.getpeername()))
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, _, _, _, _, inode, *_ = row.split()
        if local.endswith(other) and remote.endswith(own):
            return inode != "0" and queues.endswith(":00000000")
    return False


def _lets_in(port: int) -> bool:
    with suppress(OSError, HTTPException):
        return Door(port, patience=1.0).ask("GET", "/healthz")[0] == 200
    return False


def test_a_worker_ends_at_once_while_it_still_waits_for_a_provider_that_hangs(tmp_path: Path) -> None:
    """It asks for missed texts before anything else; told to stop then, it needn't hear the answer."""
    with socket.create_server(("127.0.0.1", 0)) as provider, a_site(tmp_path) as site:
        riverside(site.context())
        site.run("tick")  # from then on there is something to ask for
        site.env["TWILIO_API_URL"] = f"http://127.0.0.1:{provider.getsockname()[1]}"
        called = endless_answer(provider)
        worker = site.start("worker")
        assert called.wait(60), site.log.read_text()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, "whoever waits for the answer never ends"
