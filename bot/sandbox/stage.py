"""Where a story is played: the sandbox, and Attune's web and worker beside it, in one folder."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import requests

from bot.sandbox.parts import Owner
from bot.sandbox.processes import PATIENCE, FailedToStart, Kept, environment, free_port
from bot.sandbox.server import Sandbox

SECRET = "only-for-a-pretend-practice-in-a-sandbox"  # noqa: S105 - it seals a pretend practice


class Stuck(Exception):
    """Web or worker didn't come to rest."""


class Stage:
    """A practice's installation, with a sandbox for the outside world. A context manager: it runs inside the block.

    `port` is the sandbox's (0: any free one); `settings` are added to Attune's environment.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start_at: float,
        held: bool,
        port: int = 0,
        owners: Mapping[str, Owner] | None = None,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        web_port = free_port()
        self.public_url = f"http://127.0.0.1:{web_port}"
        self.sandbox = Sandbox(self.public_url, port=port, start_at=start_at, held=held, owners=owners)
        self.clock = self.sandbox.clock
        self._own = {
            "DATABASE_URL": f"sqlite:///{folder.resolve()}/attune.db",
            "PUBLIC_URL": self.public_url,
            "PORT": str(web_port),
            "SECRET_KEY": SECRET,
            "MAIL_FROM": "Riverside Counseling <notes@riverside.example>",
        } | dict(settings or {})
        self._folder, self._say = folder, say
        self._open = ExitStack()
        self._web = requests.Session()
        self._web.trust_env = False  # a proxy of the machine's has no business between two local servers

    def __enter__(self) -> "Stage":
        with ExitStack() as opening:
            opening.enter_context(self.sandbox)
            self._own |= self.sandbox.environment
            self.attune("migrate")
            self.web, self.worker = (Kept(name, self._own, self._folder, self._say) for name in ("web", "worker"))
            for process in (self.web, self.worker):
                opening.callback(process.stop)
                process.start()
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def attune(self, *arguments: str, given: str = "") -> str:
        """Run a command of `attune`, with `given` on its standard input; what it printed.

        Raises FailedToStart with what it said when it didn't succeed.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "bot", *arguments],
            env=environment(self._own),
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise FailedToStart(f"`attune {' '.join(arguments)}` failed:\n{done.stdout}{done.stderr}".strip())
        return done.stdout.strip()

    def wait_until_ready(self) -> None:
        """Until web answers and a worker has reported. Raises FailedToStart."""
        self.web.wait_until(self._web_answers)
        self.worker.wait_until(lambda: bool(self.clock.workers()))

    def tell_appointments(self, token: str, rows: Sequence[Mapping[str, str]]) -> None:
        """What a practice's own system does: POST /api/v1/appointments. Raises requests.RequestException."""
        with self.clock.under_way():  # so that nobody counts as idle who hasn't looked since
            headers = {"Authorization": f"Bearer {token}"}
            url = f"{self.public_url}/api/v1/appointments"
            self._web.post(url, json=list(rows), headers=headers, timeout=PATIENCE).raise_for_status()

    def get(self, url: str) -> requests.Response:
        """Open a page as a browser does. Raises requests.RequestException."""
        with self.clock.under_way():
            answer = self._web.get(url, timeout=PATIENCE)
        answer.raise_for_status()
        return answer

    def post(self, url: str, form: Mapping[str, str]) -> requests.Response:
        """Send a page's form as a browser does. Raises requests.RequestException."""
        with self.clock.under_way():
            answer = self._web.post(url, data=dict(form), timeout=PATIENCE)
        answer.raise_for_status()
        return answer

    def settle(self) -> None:
        """Wait until web and worker have nothing left to do at this moment. Raises Stuck or FailedToStart."""
        deadline = time.monotonic() + PATIENCE
        while not self.clock.wait_idle(0.2):
            self._forget_the_dead()
            self.web.check()
            self.worker.check()
            if time.monotonic() > deadline:
                raise Stuck(f"After {PATIENCE:.0f} s still {self.clock.waiting_for()}")

    def _forget_the_dead(self) -> None:
        """A worker that was killed reports no more; its name holds its process id."""
        for who in self.clock.workers():
            if who.split("-")[-2:-1] != [str(self.worker.pid)]:
                self.clock.forget(who)

    def _web_answers(self) -> bool:
        try:
            return self._web.get(f"{self.public_url}/healthz", timeout=5).status_code < 500
        except requests.RequestException:
            return False
