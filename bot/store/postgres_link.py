"""A connection to a PostgreSQL server that notices when the other end is gone, and those that wait to be used again."""

import contextlib
import os
import time
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.numeric import FloatLoader

from bot.store.forks import IN_THE_MIDDLE
from bot.store.tx import Row

LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)
KEPT = 4  # so many connections wait in a process for the next thread that needs one

# A cable that is cut says nothing: each side asks after a silence of three seconds whether the other is still there,
# and gives it up after six. What DATABASE_URL says itself stands.
SILENCE = {
    "connect_timeout": 4,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 6_000,
}
SESSION = b"""set synchronous_commit = on; set time zone 'UTC'; set tcp_keepalives_idle = 3;
    set tcp_keepalives_interval = 1; set tcp_keepalives_count = 3; set tcp_user_timeout = 6000"""
REST = 1.0  # seconds for which a server that couldn't be reached isn't tried again


class Connection(psycopg.Connection[Row]):
    """A connection on which nobody waits for ever, not even for a server that is frozen on a host that answers.

    `longest`: seconds that one question may take. What comes of a longer one is an OperationalError, and then the
    connection is good for nothing but to be closed.
    """

    longest = 10.0
    made = 0.0  # when, by the monotonic clock
    maker: int | None = None  # the process that may use it

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if self.maker not in (None, os.getpid()):
            raise RuntimeError(IN_THE_MIDDLE)
        return super().wait(gen, interval, self.longest if timeout is None else timeout)

    @property
    def idle(self) -> bool:
        """Whether it is sound, as far as is known here, and in no transaction."""
        return not self.closed and self.info.transaction_status == TransactionStatus.IDLE


def connect(url: str) -> Connection:
    """A new connection; what it commits is on disk. Raises psycopg.OperationalError."""
    # Parameters are put in on our side: the server then guesses their types as it does for literals, and no prepared
    # statements get in the way of a pooler in between.
    asked: dict[str, Any] = SILENCE | conninfo_to_dict(url)
    conn = Connection.connect(autocommit=True, row_factory=dict_row, cursor_factory=psycopg.ClientCursor, **asked)
    conn.maker = os.getpid()
    conn.adapters.register_loader("numeric", FloatLoader)
    conn.execute(SESSION)
    conn.made = time.monotonic()
    return conn


class Link:
    """The way to one server: how its connections in this process are made, kept for the next thread, and given up.

    A worker's threads come and go, and a new connection costs ten times what a transaction does. None goes on to a
    child process.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._conns: list[Connection] = []
        self._pid = os.getpid()
        self._lost_at = self._away_until = 0.0

    def connection(self, mine: Connection | None) -> Connection:
        """This thread's own, one that another left, or a new one. Raises psycopg.OperationalError, at once where a
        moment ago the server couldn't be reached."""
        while conn := mine or self._take():
            # one that is in a transaction was left by a thread that was struck as it ended it
            if conn.idle and conn.made > self._lost_at:
                return conn
            conn.close()
            mine = None
        if time.monotonic() < self._away_until:
            raise psycopg.OperationalError("the server could not be reached a moment ago")
        try:
            return connect(self._url)
        except psycopg.OperationalError:
            self._away_until = time.monotonic() + REST
            raise

    def leave(self, conn: Connection) -> None:
        """Keep it for others, or close it."""
        if conn.idle and len(self._of_process()) < KEPT:
            self._conns.append(conn)
        else:
            conn.close()

    def lost(self) -> None:
        """A connection broke. It is seldom the only one, and each would be waited for anew: use none of the others."""
        self._lost_at = time.monotonic()

    def _take(self) -> Connection | None:
        with contextlib.suppress(IndexError):
            return self._of_process().pop()
        return None

    def _of_process(self) -> list[Connection]:
        if self._pid != os.getpid():
            self._conns, self._pid = [], os.getpid()
        return self._conns
