"""Worker processes, quickly: a process that has everything imported and forks a worker for each line it reads.

It speaks lines: `start SLOT GENERATION` answers the new process's id; `bury PID` waits for one that has ended.
"""

import gc
import json
import os
import random
import sys
from pathlib import Path
from typing import Any, NoReturn

from bot import log
from bot.config import Config
from bot.flows import context
from bot.flows.context import Context
from bot.store import models
from bot.worker import Worker
from tests.faults.clock import FreezingClock
from tests.faults.plants import PLANTS


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
        slot, generation = (int(number) for number in rest)
        if slot not in contexts:
            contexts[slot] = _context(order, slot)
        pid = os.fork()
        if pid == 0:
            _work(contexts[slot], order, f"{order['seed']}-{slot}-{generation}")
        print(pid, flush=True)


def _context(order: dict[str, Any], slot: int) -> Context:
    """What takes long to make, so that each worker has it from its birth."""
    config = Config.read(order["env"] | {"TWILIO_API_URL": f"{order['provider']}/w{slot}"})
    ctx = context.build(config)
    assert models.shipped()
    return ctx


def _work(ctx: Context, order: dict[str, Any], seed: str) -> NoReturn:
    """One worker, until it is killed."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    gc.freeze()
    clock = FreezingClock(Path(order["clock"]), random.Random(seed), *order["freeze"])
    Worker(ctx, clock).run()
    os._exit(0)


if __name__ == "__main__":
    main()
