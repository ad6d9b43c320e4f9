"""Web and worker as processes of their own, kept alive the way an init system does."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread

from bot.config import SETTINGS

PATIENCE = 60.0  # seconds a process may take to be ready, on a slow or busy machine
ENDING = 10.0  # seconds it may take to end
TRIES = 3  # times a process may fail by itself before it is given up
TOLD = 2_000  # characters of its log that are shown
_kept_free: list[socket.socket] = []


class FailedToStart(Exception):
    """A process of ours doesn't run; the message holds the end of its log."""


def free_port() -> int:
    """A port of this machine that nobody listens on. On Linux it is given to nobody else who asks for any port
    as long as this process runs; a server that is told its number, and sets SO_REUSEADDR as servers do, may listen
    there."""
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    port = int(keeper.getsockname()[1])
    if sys.platform == "linux":  # elsewhere nobody could listen beside it
        _kept_free.append(keeper)
    else:
        keeper.close()
    return port


def port_wanted(env: Mapping[str, str]) -> int:
    """PORT, where the pages shall be; 0, any free one, where it isn't set. Raises FailedToStart."""
    given = env.get("PORT", "").strip() or "0"
    if not given.isdigit() or int(given) > 65535:
        raise FailedToStart(f"PORT must be a number up to 65535; it is {given!r}.")
    return int(given)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What a process of ours starts with: this process's environment, with these settings in place of any it had."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(settings)


class Kept:
    """One process that is started again whenever it dies, and says so."""

    def __init__(self, name: str, settings: Mapping[str, str], folder: Path, say: Callable[[str], None]) -> None:
        """`name` is a command of `attune`; its log goes to `folder`."""
        self.name, self._settings, self._say = name, settings, say
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping, self._failures = Event(), 0
        self._thread = Thread(target=self._keep, name=f"keeper of {name}", daemon=True)

    @property
    def pid(self) -> int:
        """The process as it runs now; 0 while there is none."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self) -> None:
        self._run()
        self._thread.start()

    def kill(self) -> None:
        """End it as a power cut would: no signal handler runs."""
        if self._process and self._process.poll() is None:
            self._process.kill()

    def check(self) -> None:
        """Raises FailedToStart when it was given up."""
        if self._failures >= TRIES:
            raise FailedToStart(f"Attune's {self.name} doesn't run. The end of its log:\n{self._tail()}")

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready`. Raises FailedToStart with its log when that doesn't come."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise FailedToStart(f"Attune's {self.name} isn't ready after {PATIENCE:.0f} s:\n{self._tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and end it where that takes too long."""
        self._stopping.set()
        if self._process:
            _end(self._process)
        if self._thread.is_alive():
            self._thread.join()  # it may just have started the process again: then it ends that one, too

    def _keep(self) -> None:
        while self._process is not None:
            code = self._process.wait()
            if self._stopping.is_set():
                return
            # a kill from outside is no fault of its own
            self._failures = 0 if code == -signal.SIGKILL else self._failures + 1
            if self._failures >= TRIES:
                return
            self._run()
            self._say(f"The {self.name} died ({_reason(code)}) and was started again.")

    def _run(self) -> None:
        with self.log.open("ab") as log:
            # a session of its own: Ctrl-C in the terminal reaches us alone, and we end everything in order
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "bot", self.name],
                env=environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self._stopping.is_set():
            _end(self._process)

    def _tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-TOLD:].strip() or "(it is empty)"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
