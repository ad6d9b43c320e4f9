"""Clients that say what they have to say a few bytes at a time, so as to keep a server waiting."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from tests.server.site import NAME, SMS

HEAD = f"POST {SMS} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
PAUSE = 0.5  # seconds between two pieces


@contextmanager
def slow_clients(how_many: int, port: int, certificate: Path | None) -> Iterator[list[socket.socket]]:
    """So many connections, open and dribbling while the block lasts: half of them headers, half of them a body."""
    ended = Event()
    lines = [_connected(port, certificate) for _ in range(how_many)]
    for number, line in enumerate(lines):
        line.sendall((HEAD + ("X-Slow: " if number % 2 else "Content-Length: 5000\r\n\r\nB")).encode())
    dribbling = Thread(target=_dribble, args=(lines, ended), daemon=True)
    dribbling.start()
    try:
        yield lines
    finally:
        ended.set()
        dribbling.join()
        for line in lines:
            line.close()


def _dribble(lines: list[socket.socket], ended: Event) -> None:
    while not ended.wait(PAUSE):
        for line in lines:
            with suppress(OSError):  # it was cut off, which is its own affair
                line.sendall(b"a")


def _connected(port: int, certificate: Path | None) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), 30)
    if certificate is None:
        return line
    return ssl.create_default_context(cafile=str(certificate)).wrap_socket(line, server_hostname=NAME)
