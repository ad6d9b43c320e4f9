"""A load generator, a process of its own: sends requests made beforehand, at fixed times or as fast as they go.

    python -m tests.bench_load FILE PORT --rate 100 --seconds 30     (open loop)
    python -m tests.bench_load FILE PORT --clients 16 --seconds 5    (as fast as it goes)

In the open loop a request is due at its time whatever became of those before it, and its latency counts from then, so
that a server that falls behind can't hide it. Prints one line of JSON: seconds, answered, refused, and the latencies.
"""

import argparse
import json
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

BUSY_MOST = 64  # connections open at once
PATIENCE = 60.0  # seconds for what is under way at the end


class Line:
    """One connection, kept open from request to request as a provider does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due, self.request, self.got = 0.0, b"", b""

    def send(self, request: bytes, due: float) -> None:
        """Begin one request."""
        self.due, self.request, self.got = due, request, b""
        self.socket.sendall(request)

    def status(self) -> int | None:
        """What came back, once it is all there; 0 when the server hung up first."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionError:
            return 0
        self.got += piece
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not piece:
            return 0
        if not end or len(body) < _length(head):
            return None
        return int(head.split(b" ", 2)[1])


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


class Load:
    """The requests, the connections and what came of them."""

    def __init__(self, requests: Sequence[bytes], port: int) -> None:
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.requests, self.port = iter(requests), port
        self.selector = selectors.DefaultSelector()
        self.idle: list[Line] = []
        self.busy = 0
        self.took: list[float] = []
        self.refused = self.again = 0

    def open_loop(self, rate: float, seconds: float) -> None:
        """So many a second, at even distances."""
        began, sent, all_of_them = time.perf_counter(), 0, int(rate * seconds)
        while sent < all_of_them or self.busy or self.waiting:
            now = time.perf_counter()
            while sent < all_of_them and began + sent / rate <= now:
                self.waiting.append((began + sent / rate, next(self.requests)))
                sent += 1
            self._send(BUSY_MOST)
            next_at = began + sent / rate - time.perf_counter() if sent < all_of_them else 1.0
            self._receive(max(0.0, next_at))
            if now > began + seconds + PATIENCE:
                break

    def closed_loop(self, clients: int, seconds: float) -> None:
        """As many at once as there are clients, the next as soon as one is answered."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            while len(self.waiting) + self.busy < clients:
                self.waiting.append((time.perf_counter(), next(self.requests)))
            self._send(clients)
            self._receive(1.0)
        self.waiting.clear()
        done, stop = len(self.took), time.perf_counter() + PATIENCE
        while self.busy and time.perf_counter() < stop:
            self._receive(1.0)
        del self.took[done:]  # they came after the time was over

    def _send(self, most: int) -> None:
        while self.waiting and self.busy < most:
            due, request = self.waiting.popleft()
            line = self.idle.pop() if self.idle else self._new()
            try:
                line.send(request, due)
            except ConnectionError:  # closed while it was idle
                self._drop(line)
                line = self._new()
                line.send(request, due)
            self.busy += 1

    def _new(self) -> Line:
        line = Line(self.port)
        self.selector.register(line.socket, selectors.EVENT_READ, line)
        return line

    def _drop(self, line: Line) -> None:
        self.selector.unregister(line.socket)
        line.socket.close()

    def _receive(self, patience: float) -> None:
        for key, _ in self.selector.select(patience):
            self._take(key.data)

    def _take(self, line: Line) -> None:
        if line in self.idle:  # nothing was asked: the server has closed it
            self.idle.remove(line)
            self._drop(line)
            return
        status = line.status()
        if status is None:
            return
        self.busy -= 1
        if status == 0:
            self._drop(line)
            self.again += 1
            self.waiting.appendleft((line.due, line.request))
            return
        self.idle.append(line)
        self.refused += status != 200
        self.took.append(time.perf_counter() - line.due)


def main() -> None:
    """Send, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--first", type=int, default=0, help="the first request of the file to send")
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    chosen = parser.parse_args()
    requests = chosen.file.read_bytes().split(b"\0")[chosen.first :]
    load, began = Load(requests, chosen.port), time.perf_counter()
    try:
        if chosen.rate:
            load.open_loop(chosen.rate, chosen.seconds)
        else:
            load.closed_loop(chosen.clients, chosen.seconds)
    except StopIteration:
        raise SystemExit("too few texts were made for a machine as fast as this: raise --texts") from None
    found = {"seconds": time.perf_counter() - began, "answered": len(load.took), "refused": load.refused,
             "again": load.again, "unanswered": load.busy + len(load.waiting), "took": sorted(load.took)}  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
