"""Web servers, quickly: a process that has everything imported and forks `attune web` for each line it reads.

It speaks lines: `start` answers the server's process group; `kill N` ends one of its worker processes with -9, the
N-th; `end` ends the whole group with -9 and answers when all of it is gone. With `migrate`, an `attune migrate` runs in
a process of its own; the answer is its exit code, negative for a signal.
"""

import ctypes
import gc
import json
import os
import signal
import sys
import time
from contextlib import suppress
from typing import NoReturn

from gunicorn.app.wsgiapp import WSGIApplication

import bot.web.app
from bot import cli, log
from bot.config import Config
from bot.flows import context
from bot.store import sqlite
from tests.faults.plants import PLANTS

SUBREAPER = 36  # prctl: orphans below us become our children, so that we see them end
DIE_WITH_PARENT = 1  # prctl: a signal for when the parent has died


def main() -> None:
    """Serve until standard input closes."""
    order = json.loads(sys.argv[1])
    os.environ.update(order["env"])
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    log.set_up("web")
    assert bot.web.create_app
    context.build(Config.read(order["env"]))
    if order.get("journal") == "delete":
        sqlite.wal_is_safe = lambda _version: False
    if order["plant"]:
        PLANTS[order["plant"]]()
    gc.freeze()
    group = 0
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "start":
            group = _fork(_serve)
            print(group, flush=True)
        elif verb == "kill":
            print(_kill_one(group, int(rest[0])), flush=True)
        elif verb == "end":
            _end(group)
            print("ended", flush=True)
        elif verb == "migrate":
            print(_upgrade(int(rest[0])), flush=True)
    if group:
        _end(group)


def _fork(work: object) -> int:
    pid = os.fork()
    if pid == 0:
        os.setsid()
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        work()  # type: ignore[operator]
    return pid


def _serve() -> NoReturn:
    """`attune web`, with what it would exec run in this process, which has imported it all."""

    def here(_program: str, command: list[str]) -> NoReturn:
        sys.argv = command[2:]
        WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()
        os._exit(0)

    os.execv = here  # type: ignore[assignment]
    assert cli.web.callback
    cli.web.callback()
    os._exit(1)


def _migrate() -> NoReturn:
    code = 1
    try:
        code = cli.main(["migrate"], standalone_mode=False) or 0
    except BaseException as error:
        print(f"migrate: {error.__class__.__name__}: {error}", file=sys.stderr)
    os._exit(code)


def _upgrade(how_many: int) -> str:
    """So many upgrades at once; their exit codes."""
    pids = [_fork(_migrate) for _ in range(how_many)]
    return " ".join(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) for pid in pids)


def _kill_one(master: int, which: int) -> int:
    """kill -9 one worker of the server; its master starts another. 0: there was none just then."""
    with open(f"/proc/{master}/task/{master}/children") as file:
        workers = file.read().split()
    if not workers:
        return 0
    pid = int(workers[which % len(workers)])
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return pid


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                time.sleep(0.002)


if __name__ == "__main__":
    main()
