"""A relay of connections that can be cut: one place's way to another. What is cut off is reset, and refused anew."""

import contextlib
import socket
import struct
from threading import Lock, Thread

ABRUPT = struct.pack("ii", 1, 0)


class Relay:
    """Passes what comes to `address` on to `target`, while it is whole."""

    def __init__(self, target: tuple[str, int], address: str = "127.0.0.1") -> None:
        self._target, self._whole, self._lock = target, True, Lock()
        self._ends: list[socket.socket] = []
        self._door = socket.create_server((address, 0))
        self.address, self.port = self._door.getsockname()[:2]
        Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Break every connection in the middle of what it says, and let no new one through."""
        with self._lock:
            self._whole, ends, self._ends = False, self._ends, []
        for end in ends:
            _break(end)

    def mend(self) -> None:
        """Let connections through again."""
        with self._lock:
            self._whole = True

    def close(self) -> None:
        """Cut, and end."""
        self.cut()
        self._door.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._door.accept()
                self._join(here)

    def _join(self, here: socket.socket) -> None:
        try:
            there = socket.create_connection(self._target, timeout=5)
        except OSError:
            _break(here)
            return
        there.settimeout(None)
        for end in (here, there):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._ends += [here, there]
            whole = self._whole
        if not whole:
            _break(here)
            _break(there)
            return
        for one, other in ((here, there), (there, here)):
            Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := one.recv(65536):
            other.sendall(some)
        other.shutdown(socket.SHUT_WR)


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPT)
        end.shutdown(socket.SHUT_RDWR)
    end.close()
