"""`python -m tests.hosts.hold URL [PLANT]`: begins to write, says so, and goes on when it is told to on standard
input; prints what came of it. PLANT takes out what would let the server or us notice a cut cable."""

import os
import signal
import sys
from datetime import UTC, datetime

from bot.flows.copying import copy_database
from bot.store import (
    PostgresEngine,
    Sealer,
    StoreError,
    Tx,
    copying,
    open_store,
    postgres,
    postgres_link,
    readiness,
    system,
)
from bot.store.postgres_link import Connection


def main() -> None:
    """Hold the writers' turn."""
    url, *plants = sys.argv[1:]
    if plants:
        deaf()
    engine = PostgresEngine(url, Sealer(("a-secret-for-tests-that-is-long-enough",)))
    try:
        with engine.transaction() as tx:
            system.set_value(tx, "held by", "the lost one")
            print("held", flush=True)
            sys.stdin.readline()
            system.set_value(tx, "held by", "the lost one, again")
        print("stored", flush=True)
    except StoreError as error:
        print(error, flush=True)


def die_while_copying(source: str, target: str, secret: str) -> None:
    """End this process with -9 when half of the tables were copied."""
    copied = copying._copy_table
    tables = copying.tables()

    def copy_or_die(read: Tx, write: Tx, table: str) -> copying.Copied:
        if table == tables[len(tables) // 2]:
            os.kill(os.getpid(), signal.SIGKILL)
        return copied(read, write, table)

    copying._copy_table = copy_or_die
    copy_database(source, target, (secret,), datetime.now(UTC))


def gives_up(source: str, secret: str) -> bool:
    """Whether a database refuses to be used, since it is being copied."""
    with open_store(source, (secret,)).transaction(write=False) as tx:
        return system.value(tx, readiness.MOVED) is not None


def die_handing_over(source: str, target: str, secret: str, kept: bool) -> None:
    """End this process with -9 once the source was given up: as the target's commit begins, or (`kept`) has ended."""
    commit = PostgresEngine._commit

    def commit_or_die(self: PostgresEngine, conn: Connection) -> None:
        last = gives_up(source, secret)
        if kept or not last:
            commit(self, conn)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    PostgresEngine._commit = commit_or_die  # type: ignore[method-assign]
    copy_database(source, target, (secret,), datetime.now(UTC))


def deaf() -> None:
    """Nobody asks whether the other end is still there."""
    turn = postgres._turn
    postgres._turn = lambda patience: turn(patience).replace("idle_in_transaction_session_timeout", "deadlock_timeout")
    postgres_link.SESSION = b"set synchronous_commit = on"
    postgres_link.SILENCE = {}


if __name__ == "__main__":
    main()
