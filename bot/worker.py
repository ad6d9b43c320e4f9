"""The worker: an alarm clock that calls the flows. All that is to be done stands in rows; any number of workers
may run, and one that is killed loses nothing.

What talks to a provider runs beside the clock, in lanes with a few threads each: a mail server that hangs holds up
other mails, but no text, no urgent mail, no look-up, and no alert's next step.
"""

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.blocking import BlockingScheduler

from bot import log
from bot.clock import Clock
from bot.flows import (
    alerting,
    asking,
    digests,
    erasing,
    fetching,
    groups,
    import_preview,
    learning,
    mail_poll,
    older_copy,
    planning,
    replaying,
    sending,
    settling,
)
from bot.flows import signal as signal_flow
from bot.flows.chores import Chore, Chores
from bot.flows.context import Context
from bot.flows.sending import Lane
from bot.store import alerts, check_ins, outbox, system

TICK_SECONDS = 0.5  # a reply's answer goes out within a second or two
FOLLOWED_TICK_SECONDS = 0.05  # by the sandbox's clock a day passes in a moment
BEAT = timedelta(seconds=30)
FORGET = timedelta(days=2)
THREADS = 4  # a lane: so many providers' time-outs may run at once


def _look_over(ctx: Context, _now: datetime) -> int:
    ctx.store.analyze()
    return 0


CHORES = (
    Chore("fetch missed texts", fetching.EVERY, fetching.fetch_missed),
    Chore("fetch mails", mail_poll.EVERY, mail_poll.poll),
    Chore("letters by the calendar", digests.EVERY, digests.send_due),
    Chore("finish planning", timedelta(minutes=1), planning.plan_marked),
    Chore("finish replaying", timedelta(minutes=1), replaying.replay_marked),
    Chore("mark the database", older_copy.EVERY, older_copy.advance),
    Chore("count months that are over", groups.EVERY, groups.close_months),
    Chore("drop files never confirmed", import_preview.EVERY, import_preview.forget_old),
    Chore("look again at very low answers", signal_flow.LOOK_AGAIN, signal_flow.look_again),
    Chore("learn at night", learning.EVERY, learning.learn_due),
    Chore("look over the tables", timedelta(days=1), _look_over),
)
GOODBYE = 30.0  # seconds that calls under way get when the worker is told to stop


class Hands:
    """Up to THREADS threads that do one kind of work, piece by piece, until nothing is left of it.

    `work` does one piece and says how many things were done. Threads end when idle, with their connection to the
    database.
    """

    def __init__(self, ctx: Context, name: str, work: Callable[[], int]) -> None:
        self._ctx, self._name, self._work = ctx, name, work
        self._changed = threading.Condition()
        self._running = self._done = 0
        self._stopping = False

    def wake(self, pieces: int) -> None:
        """There are so many pieces of work: put as many threads to it as there may be."""
        with self._changed:
            for _ in range(0 if self._stopping else min(pieces, THREADS - self._running)):
                if not self._start():
                    return

    def _start(self) -> bool:
        """False where the machine has no thread to give; the next pass asks for one again."""
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            log.get().error("fault", what=self._name, error=error.__class__.__name__)
            return False
        self._running += 1  # nobody else counts until we let go of the lock
        return True

    def take_done(self) -> int:
        """How many things were done since the last time this was asked; work under way counts as one."""
        with self._changed:
            done, self._done = self._done + self._running, 0
            return done

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all threads have ended."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, seconds)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True

    def _run(self) -> None:
        try:
            while not self._stopping and (done := self._work()):
                with self._changed:
                    self._done += done
        except Exception as error:
            log.get().error("fault", what=self._name, error=error.__class__.__name__)
        finally:
            try:
                self._ctx.store.close()
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()


class Worker:
    """One worker process."""

    def __init__(self, ctx: Context, clock: Clock) -> None:
        self.ctx, self.clock = ctx, clock
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._beaten: datetime | None = None
        self._caught_up = ""
        self._stopping = threading.Event()
        self._lanes = {lane: Hands(ctx, f"send-{lane.channel}", partial(self._send, lane)) for lane in
                       sending.lanes_of(ctx)}  # fmt: skip
        self._tempos = {lane: sending.Tempo(time.monotonic) for lane in self._lanes}
        self._looks = Hands(ctx, "look-up", self._look_up)
        self._chores = Chores(ctx, CHORES)
        self._rounds = Hands(ctx, "chores", self._do_chore)

    def run(self) -> None:
        """Tick until told to stop (SIGTERM, SIGINT); what is under way is finished first."""
        seconds = FOLLOWED_TICK_SECONDS if self.ctx.config.clock_url else TICK_SECONDS
        scheduler = BlockingScheduler(timezone="UTC")
        scheduler.add_job(self._guarded, "interval", seconds=seconds, coalesce=True, max_instances=1,
                          misfire_grace_time=None, next_run_time=datetime.now(scheduler.timezone))  # fmt: skip
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop(scheduler))
        self._beside(self._begin)
        if not self._stopping.is_set():
            scheduler.start()
        self._say_goodbye()
        log.get().info("worker stopped", worker=self.id)

    def _beside(self, step: Callable[[], None]) -> bool:
        """Beside this thread: a provider who hangs can't keep a worker that is told to stop. Whether it was done."""
        beside = threading.Thread(target=step, name="beginning", daemon=True)
        beside.start()
        while beside.is_alive() and not self._stopping.is_set():
            beside.join(0.1)
        return not beside.is_alive()

    def _begin(self) -> None:
        self._catch_up()
        log.get().info("worker started", worker=self.id)
        self._try(partial(erasing.at_start, self.ctx), self.clock.now())
        self.ctx.store.close()

    def _catch_up(self) -> None:
        """What was answered while nobody listened counts before anything is closed as unanswered or asked anew."""
        self._try(partial(fetching.fetch_missed, self.ctx), self.clock.now())
        self.ctx.store.close()

    def _look_again(self, now: datetime) -> bool:
        """A server put back under us lacks what was answered since. It is fetched first, but asked for only once, as
        the list may fail. Whether the pass may go on."""
        owed = older_copy.look_again(self.ctx, now)
        if not owed or owed == self._caught_up:
            return True
        done = self._beside(self._catch_up)
        self._caught_up = owed
        return done

    def _say_goodbye(self) -> None:
        """Calls under way get GOODBYE seconds in all; what takes longer is in doubt, and looked up by the next one."""
        until = time.monotonic() + GOODBYE
        for hands in self._hands():
            hands.wait(max(0.0, until - time.monotonic()))

    def tick(self) -> int:
        """One pass over everything that is due, calls to providers included; how many things were done."""
        done = self._pass()
        for hands in self._hands():
            hands.wait()
        return done + sum(hands.take_done() for hands in self._hands())

    def _pass(self) -> int:
        """One pass over what is due here; calls to providers are only begun."""
        now = self.clock.now()
        if not self._look_again(now):
            return 0
        self._try(self._beat, now)
        flows = (asking.expire_due, asking.ask_due, asking.remind_due, alerting.climb_due)
        done = sum(self._try(partial(flow, self.ctx), now) for flow in flows)
        # by the time as it is: after a long pass, leases given meanwhile would seem to come from a clock that was ahead
        done += self._try(partial(sending.free_abandoned, self.ctx), self.clock.now())
        self._try(self._wake, now)
        return done + self._try(partial(signal_flow.assess_marked, self.ctx), now)

    def _wake(self, now: datetime) -> int:
        for lane, due in sending.due_by_lane(self.ctx, now).items():
            self._lanes[lane].wake(due)
        self._looks.wake(settling.due_count(self.ctx, now))
        self._rounds.wake(self._chores.due(now))
        return 0

    def _send(self, lane: Lane) -> int:
        """Send the next messages of a lane; 0 when none may go now."""
        claimed = sending.send_next(self.ctx, self.id, lane, self.clock.now, self._tempos[lane])
        return claimed or self._wait_for_pace(lane, self.clock.now())

    def _wait_for_pace(self, lane: Lane, now: datetime) -> int:
        """By the machine's clock, wait out the pace, so that it is kept to the second; 1 if it was worth it."""
        wait = sending.pause(self.ctx, lane, now)
        if self.ctx.config.clock_url or not timedelta() < wait <= timedelta(seconds=5):
            return 0
        return 0 if self._stopping.wait(wait.total_seconds()) else 1

    def _look_up(self) -> int:
        return settling.look_up_due(self.ctx, self.clock.now(), most=1)

    def _do_chore(self) -> int:
        return self._chores.run_due(self.clock.now())

    def _try(self, step: Callable[[datetime], int], now: datetime) -> int:
        """A fault in one story must not stop the others: danger climbs whatever the signal does."""
        try:
            return step(now)
        except Exception as error:
            what = getattr(step, "func", step).__module__
            log.get().error("fault", what=what, error=error.__class__.__name__)
            return 0

    def _guarded(self) -> None:
        try:
            done = self._pass() + sum(hands.take_done() for hands in self._hands())
            self.clock.report(self.id, busy=done > 0, next_due=self._next_due())
        except Exception as error:
            log.get().error("fault", what="tick", error=error.__class__.__name__)

    def _hands(self) -> list[Hands]:
        return [*self._lanes.values(), self._looks, self._rounds]

    def _beat(self, now: datetime) -> int:
        if self._beaten is None or abs(now - self._beaten) >= BEAT:
            with self.ctx.store.transaction() as tx:
                system.beat(tx, self.id, now)
                system.forget_workers(tx, now - FORGET)
            self._beaten = now
        return 0

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
        for hands in self._hands():
            hands.stop()
        # shutdown waits for the pass under way, and a signal handler runs in the scheduler's own thread
        threading.Thread(target=_shut_down, args=(scheduler,), daemon=True).start()


def _shut_down(scheduler: BlockingScheduler) -> None:
    """End it, also when it is told so just before it starts."""
    while True:
        with suppress(SchedulerNotRunningError):
            scheduler.shutdown(wait=True)
            return
        time.sleep(0.01)


def tick_once(ctx: Context, clock: Clock) -> int:
    """Passes of a worker until nothing is left to do at this moment; how many things were done."""
    worker = Worker(ctx, clock)
    total = 0
    while done := worker.tick():
        total += done
    return total
