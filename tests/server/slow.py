"""Clients, and a provider, that say what they have to say a few bytes at a time, and keep the other end waiting."""

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
    lines = [_begun(port, certificate, number) for number in range(how_many)]
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


def endless_answer(provider: socket.socket) -> Event:
    """The first call to this socket is answered and never comes to an end of it; set once somebody called."""
    called = Event()
    Thread(target=_answer, args=(provider, called), daemon=True).start()
    return called


def _answer(provider: socket.socket, called: Event) -> None:
    with suppress(OSError), provider.accept()[0] as line:  # closed by whoever called, or with the test
        line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        called.set()
        while not Event().wait(PAUSE):
            line.sendall(b"a")


def _begun(port: int, certificate: Path | None, number: int) -> socket.socket:
    """One that has said its first words: a server doesn't wait for them as long as all the others take to connect."""
    line = _connected(port, certificate)
    line.sendall((HEAD + ("X-Slow: " if number % 2 else "Content-Length: 5000\r\n\r\nB")).encode())
    return line


def _connected(port: int, certificate: Path | None) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), 30)
    if certificate is None:
        return line
    return ssl.create_default_context(cafile=str(certificate)).wrap_socket(line, server_hostname=NAME)
