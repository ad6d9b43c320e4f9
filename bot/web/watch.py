"""Beside the requests, each web process looks every half minute whether a worker is alive."""

import threading

from bot import log
from bot.clock import Clock, SystemClock
from bot.flows import watching
from bot.flows.context import Context

EVERY = 30.0  # seconds


def start(ctx: Context, clock: Clock) -> threading.Thread | None:
    """Begin looking, until the process ends. Not by the sandbox's clock: its days pass between two beats."""
    if not isinstance(clock, SystemClock):
        return None
    thread = threading.Thread(target=_look, args=(ctx, clock), name="watch", daemon=True)
    thread.start()
    return thread


def _look(ctx: Context, clock: Clock) -> None:
    pause = threading.Event()
    while not pause.wait(EVERY):
        try:
            watching.look(ctx, clock.now())
        except Exception as error:  # the next look may fare better
            log.get().error("fault", what="watch", error=error.__class__.__name__)
