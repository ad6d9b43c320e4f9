"""Worker processes, quickly: a process that has everything imported and forks a worker for each line it reads.

It speaks lines: `start SLOT GENERATION` and `desk` answer the new process's id; `bury PID` waits for one that has
ended.
"""

import ctypes
import gc
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from bot import log
from bot.config import Config
from bot.flows import context, older_copy
from bot.flows.context import Context
from bot.store import models
from bot.worker import Worker
from tests.faults import desk
from tests.faults.clock import FreezingClock
from tests.faults.plants import PLANTS

DIE_WITH_PARENT = 1  # prctl: a signal for when the parent has died


def main() -> None:
    """Serve until standard input closes."""
    order = json.loads(sys.argv[1])
    log.set_up("worker")
    if order["plant"]:
        PLANTS[order["plant"]]()
    contexts: dict[int, Context] = {}
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "bury":
            os.waitpid(int(rest[0]), 0)
            print("buried", flush=True)
            continue
        slot, generation = (int(number) for number in rest or (0, 0))
        if slot not in contexts:
            contexts[slot] = _context(order, slot)
        pid = os.fork()
        if pid == 0:
            _leave_the_line()
            if verb == "desk":
                desk.serve(contexts[slot], Path(order["desk"]))
            _work(contexts[slot], order, f"{order['seed']}-{slot}-{generation}")
        print(pid, flush=True)


def _context(order: dict[str, Any], slot: int) -> Context:
    """What takes long to make, so that each worker has it from its birth."""
    config = Config.read(order["env"] | {"TWILIO_API_URL": f"{order['provider']}/w{slot}"})
    ctx = context.build(config)
    assert models.shipped()
    return ctx


def _leave_the_line() -> None:
    """What is said on it isn't meant for us; but we end with whoever speaks there."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    gc.freeze()


def _work(ctx: Context, order: dict[str, Any], seed: str) -> NoReturn:
    """One worker, as `attune worker` starts it, until it is killed."""
    clock = FreezingClock(Path(order["clock"]), random.Random(seed), *order["freeze"])
    clock.spoil_leases()
    older_copy.guard(ctx, clock.now())
    Worker(ctx, clock).run()
    os._exit(0)


if __name__ == "__main__":
    main()
