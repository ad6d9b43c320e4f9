"""The processes of a run: workers, and one at the desk. They are killed, frozen, cut off from power, and replaced."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Lock, Thread

from tests.faults.disk import AFTER, BEFORE, POWER, Disk, with_disk

DESK = -1
PATIENCE = 90.0  # seconds that a process may take to end on a busy machine


class Power:
    """What fails where workers and database are on one machine."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    def env(self) -> Mapping[str, str] | None:
        """What processes are started with; None: what we have ourselves."""
        return with_disk(os.environ, self.disk)

    def fail(self, rng: random.Random) -> bool:
        """It fails; whether the workers outlive that."""
        self.disk.power_off()
        return False

    def come_back(self, rng: random.Random) -> None:
        """Whoever did not outlive it is dead by now."""
        self.disk.cut(rng)


class Crew:
    """The worker processes, by slot, and the one at the desk. Whoever is killed is replaced; whoever froze is let go
    on after a while."""

    def __init__(
        self, workers: int, frozen_for: float, order: dict[str, object], log: Path, power: Power | None
    ) -> None:
        self._workers, self._frozen_for, self._power = workers, frozen_for, power
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery", json.dumps(order)],
            env=power.env() if power else None,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log.open("ab"), text=True,
        )  # fmt: skip
        self._lock = Lock()
        self._pids: dict[int, int] = {}
        self._frozen: dict[int, float] = {}
        self._ended = Event()
        self.killed = self.cuts = self.freezes = 0

    def start(self) -> None:
        self._start_all()
        Thread(target=self._watch, daemon=True).start()

    def kill(self, slot: int) -> None:
        """kill -9, and another in its place."""
        with self._lock:
            if not self._ended.is_set():
                self._replace(slot)

    def cut(self, rng: random.Random) -> None:
        """The power fails, now or at somebody's sync, and comes back."""
        assert self._power is not None
        if rng.random() < 0.5:
            disk = self._power.disk
            disk.die_at(disk.syncs() + rng.randrange(1, 8), rng.choice((BEFORE, AFTER)) | POWER)
            time.sleep(rng.random())
        with self._lock:
            dead = [DESK] if self._power.fail(rng) else list(self._pids)
            for slot in dead:
                self._bury(self._pids.pop(slot))
            self._power.come_back(rng)
            self.cuts += 1
            for slot in dead:
                self._start(slot)

    def end(self) -> None:
        """End them all."""
        with self._lock:
            self._ended.set()
            self._bury_all()
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait(PATIENCE)

    def _start_all(self) -> None:
        for slot in (DESK, *range(self._workers)):
            self._start(slot)

    def _start(self, slot: int) -> None:
        generation = self.killed + self.cuts
        self._pids[slot] = self._ask("desk" if slot == DESK else f"start {slot} {generation}")

    def _replace(self, slot: int) -> None:
        self._bury(self._pids[slot])
        self.killed += 1
        self._start(slot)

    def _bury_all(self) -> None:
        for pid in self._pids.values():
            self._bury(pid)

    def _bury(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self._ask(f"bury {pid}")

    def _ask(self, line: str) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"{line}\n")
        self._nursery.stdin.flush()
        answer = self._nursery.stdout.readline().strip()
        return int(answer) if answer.isdigit() else 0

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                for slot, pid in list(self._pids.items()) if not self._ended.is_set() else ():
                    self._look_after(slot, pid)

    def _look_after(self, slot: int, pid: int) -> None:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        off = self._power is not None and self._power.disk.is_off()
        if state == "Z" and not off:  # it died at a sync
            self._replace(slot)
        elif state != "T":
            self._frozen.pop(pid, None)
        elif time.monotonic() - self._frozen.setdefault(pid, time.monotonic()) > self._frozen_for:
            self._frozen.pop(pid)
            self.freezes += 1
            os.kill(pid, signal.SIGCONT)
