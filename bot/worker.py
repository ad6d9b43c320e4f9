"""The worker: an alarm clock that calls the flows. All that is to be done stands in rows; any number of workers
may run, and one that is killed loses nothing."""

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.blocking import BlockingScheduler

from bot import log
from bot.clock import Clock
from bot.flows import alerting, asking, sending, settling
from bot.flows import signal as signal_flow
from bot.flows.context import Context
from bot.store import alerts, check_ins, outbox, system

TICK_SECONDS = 0.5  # a reply's answer goes out within a second or two
FOLLOWED_TICK_SECONDS = 0.05  # by the sandbox's clock a day passes in a moment
BEAT = timedelta(seconds=30)
FORGET = timedelta(days=2)


class Worker:
    """One worker process."""

    def __init__(self, ctx: Context, clock: Clock) -> None:
        self.ctx, self.clock = ctx, clock
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._beaten: datetime | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        """Tick until told to stop (SIGTERM, SIGINT); the tick under way is finished first."""
        seconds = FOLLOWED_TICK_SECONDS if self.ctx.config.clock_url else TICK_SECONDS
        scheduler = BlockingScheduler(timezone="UTC")
        scheduler.add_job(self._guarded, "interval", seconds=seconds, coalesce=True, max_instances=1,
                          misfire_grace_time=None, next_run_time=datetime.now(scheduler.timezone))  # fmt: skip
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop(scheduler))
        log.get().info("worker started", worker=self.id)
        scheduler.start()
        log.get().info("worker stopped", worker=self.id)

    def tick(self) -> int:
        """One pass over everything that is due; how many things were done."""
        now = self.clock.now()
        self._beat(now)
        done = 0
        for step in (asking.expire_due, asking.ask_due, asking.remind_due, alerting.climb_due):
            done += self._try(step, now)
        done += self._send(now)
        done += self._try(settling.look_up_due, now)
        done += self._try(signal_flow.assess_marked, now)
        return done

    def _send(self, now: datetime) -> int:
        claimed = sending.claim(self.ctx, self.id, now)
        for message in claimed:
            if self._stopping.is_set():
                break  # unattempted claims fall due again when their lease ends
            sending.deliver(self.ctx, message, self.clock.now())
        return len(claimed)

    def _try(self, step: Callable[[Context, datetime], int], now: datetime) -> int:
        """A fault in one story must not stop the others: danger climbs whatever the signal does."""
        try:
            return step(self.ctx, now)
        except Exception as error:
            log.get().error("fault", what=step.__module__, error=error.__class__.__name__)
            return 0

    def _guarded(self) -> None:
        try:
            done = self.tick()
            self.clock.report(self.id, busy=done > 0, next_due=self._next_due())
        except Exception as error:
            log.get().error("fault", what="tick", error=error.__class__.__name__)

    def _beat(self, now: datetime) -> None:
        if self._beaten is None or abs(now - self._beaten) >= BEAT:
            with self.ctx.store.transaction() as tx:
                system.beat(tx, self.id, now)
                system.forget_workers(tx, now - FORGET)
            self._beaten = now

    def _next_due(self) -> int | None:
        """When something next falls due, for a clock that waits for us."""
        if not self.ctx.config.clock_url:
            return None
        with self.ctx.store.transaction(write=False) as tx:
            found = [outbox.next_due(tx), check_ins.next_due(tx), alerts.next_due(tx)]
            pace = system.busy_until(tx)
        times = [int(at.timestamp()) for at in found if at is not None]
        return max(min(times), pace) if times else None

    def _stop(self, scheduler: BlockingScheduler) -> None:
        self._stopping.set()
        # shutdown waits for the tick under way, and a signal handler runs in the scheduler's own thread
        threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}).start()


def tick_once(ctx: Context, clock: Clock) -> int:
    """One pass of a worker, until nothing is left to do at this moment; how many things were done."""
    worker = Worker(ctx, clock)
    total = 0
    while done := worker.tick():
        total += done
    return total
