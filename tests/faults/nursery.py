"""Worker processes, quickly: a process that has everything imported and forks a worker for each line it reads.

It speaks lines: `start SLOT GENERATION` answers the new process's id; `bury PID` waits for one that has ended.
"""

import json
import os
import random
import sys
from pathlib import Path

from bot import log
from bot.config import Config
from bot.flows import context
from bot.worker import Worker
from surveys import instrument
from tests.faults.clock import FreezingClock
from tests.faults.plants import PLANTS


def main() -> None:
    """Serve until standard input closes."""
    order = json.loads(sys.argv[1])
    instrument.load_all()
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "start":
            pid = os.fork()
            if pid == 0:
                _work(order, int(rest[0]), int(rest[1]))
            print(pid, flush=True)
        else:
            os.waitpid(int(rest[0]), 0)
            print("buried", flush=True)


def _work(order: dict[str, object], slot: int, generation: int) -> None:
    """One worker, until it is killed."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    env = dict(order["env"])  # type: ignore[call-overload]
    env["TWILIO_API_URL"] = f"{order['provider']}/w{slot}"
    ctx = context.build(Config.read(env))
    log.set_up("worker")
    if order["plant"]:
        PLANTS[str(order["plant"])]()
    rng = random.Random(f"{order['seed']}-{slot}-{generation}")
    clock = FreezingClock(Path(str(order["clock"])), rng, float(str(order["freeze"])), str(order["freeze_in"]))
    Worker(ctx, clock).run()
    os._exit(0)


if __name__ == "__main__":
    main()
