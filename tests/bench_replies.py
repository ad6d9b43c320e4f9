"""Replies to open check-ins, through the server that the Procfile starts: how many a second, and how long each takes.

    python -m tests.bench_replies [--seconds 5] [--minutes 0.2]

Beside them, in the same run: a bare Flask handler (signature, one row, one sync a request) under the same server and
behind the same writer's gate. The generator is a process of its own on the same processors.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bot import cli
from bot.config import Config
from bot.flows import context
from bot.sandbox.processes import free_port
from tests import bench_rows
from tests.bench_goals import Goals
from tests.bench_rows import Someone
from tests.support.cast import ALWAYS_OPEN, Riverside, riverside

URL, TOKEN, SID = "http://attune.example", "bench-token", "AC" + "0" * 31 + "1"
SECRET = "a-secret-for-the-bench-that-is-long-enough"
HISTORY = 100_000  # answers stored before
AT_ONCE = 24  # texts on their way at the same moment, where they come as fast as they are answered
SLOW_SYNC = 0.005  # seconds
OPEN_LOOPS = ((100, 100), (200, 250))  # texts a second, and the most milliseconds that 99 % of them may take
WARM_UP = 2  # seconds of texts before anything counts: both processes are up, and their statements ready
START = 240  # seconds a server may take to start, on a busy machine
ROUNDS = 3


@dataclass(frozen=True)
class Found:
    """What the generator saw. `took`: seconds from when each was due, sorted."""

    rate: float
    took: Sequence[float]
    refused: int
    missing: int

    def share(self, part: float) -> float:
        """What this part of the requests stayed under, in milliseconds."""
        return self.took[min(len(self.took) - 1, int(part * len(self.took)))] * 1000 if self.took else float("nan")


class Town:
    """A practice on disk with many clients, each with an open check-in, and the texts they will write."""

    def __init__(
        self,
        folder: Path,
        texts: int,
        history: int = HISTORY,
        public_url: str = URL,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings`: what differs in the environment of its servers."""
        self.folder, self.used, self._settings = folder, 0, {"PUBLIC_URL": public_url, **(settings or {})}
        self.config = Config(
            database_url=f"sqlite:///{folder}/attune.db", public_url=public_url, secrets=(SECRET,),
            twilio_account_sid=SID, twilio_auth_tokens=(TOKEN,), twilio_from="+15005550006", pace=0,
        )  # fmt: skip
        self.ctx = context.build(self.config)
        self.ctx.store.migrate()
        self.practice: Riverside = riverside(self.ctx, **ALWAYS_OPEN)
        now = datetime.now(UTC)
        everyone = bench_rows.answered(self.practice, history, now)
        self.whose = [*everyone, *bench_rows.clients(self.practice, max(0, texts - len(everyone)))]
        bench_rows.opened(self.practice, self.whose, now)
        self.ctx.store.analyze()
        self.ctx.store.close()
        self.file = folder / "texts"
        self.file.write_bytes(b"\0".join(requests_of(self.whose)))

    @property
    def environment(self) -> dict[str, str]:
        """What its servers run with."""
        return {
            **os.environ, "DATABASE_URL": self.config.database_url, "SECRET_KEY": SECRET,
            "TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": "+15005550006",
            "TWILIO_API_URL": "http://127.0.0.1:9", "SEND_PACE": "0", "PYTHONDONTWRITEBYTECODE": "1",
            **self._settings,
        }  # fmt: skip

    def load(self, port: int, *, rate: float = 0, seconds: float) -> Found:
        """Let clients answer who haven't yet."""
        first = self.used % len(self.whose)
        found = generated(self.file, port, first, rate, seconds)
        self.used += len(found.took) + found.missing + AT_ONCE
        if self.used > len(self.whose):
            raise SystemExit("too few clients were made for a machine as fast as this: raise --texts")
        return found

    def answers(self) -> int:
        """How many check-ins are answered."""
        with self.ctx.store.transaction(write=False) as tx:
            row = tx.one("select count(*) as n from check_in where state = 'answered'")
        self.ctx.store.close()
        return int(row["n"]) if row else 0


def requests_of(whose: Sequence[Someone]) -> Iterator[bytes]:
    """The reply of each, signed, as it goes over the wire."""
    validator = RequestValidator(TOKEN)
    for number, who in enumerate(whose):
        form = {
            "AccountSid": SID, "MessageSid": f"SM{number:032x}", "From": who.phone, "To": "+15005550006",
            "Body": "5 4 5 4", "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }  # fmt: skip
        signature = validator.compute_signature(f"{URL}/webhooks/twilio/sms", form)
        body = urlencode(form).encode()
        head = (
            f"POST /webhooks/twilio/sms HTTP/1.1\r\nHost: attune.example\r\nX-Twilio-Signature: {signature}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def generated(file: Path, port: int, first: int, rate: float, seconds: float) -> Found:
    """Run the generator, at a rate or as fast as it goes."""
    how = ["--rate", str(rate)] if rate else ["--clients", str(AT_ONCE)]
    command = [sys.executable, "-m", "tests.bench_load", str(file), str(port), "--first", str(first), *how]
    done = subprocess.run([*command, "--seconds", str(seconds)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the generator failed: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    return Found(found["answered"] / seconds, found["took"], found["refused"], found["unanswered"])


def command(application: str, environment: Mapping[str, str]) -> list[str]:
    """What `attune web` runs, with another application in its place (empty: its own)."""
    with mock.patch.dict(os.environ, environment, clear=True), mock.patch("os.execv") as run:
        assert cli.web.callback
        cli.web.callback()
    own: list[str] = run.call_args.args[1]
    return [*own[:-1], application or own[-1]]


@contextlib.contextmanager
def served(town: Town, application: str = "", port: int = 0) -> Iterator[int]:
    """A server as the Procfile starts it; its port (0: any). Gone afterwards."""
    port = port or free_port()
    environment = {**town.environment, "PORT": str(port)}
    server = subprocess.Popen(
        command(application, environment), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            with contextlib.suppress(urllib.error.HTTPError):  # 503: it answers, and misses its worker
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
            return
        time.sleep(0.1)
    code = server.poll()
    raise SystemExit(f"the server didn't start: {'too slow' if code is None else f'it ended with {code}'}")


def measure(folder: Path, goals: Goals, seconds: float, minutes: float, texts: int) -> None:
    """Print the figures beside their goals. `texts`: how many are made beside those of the open loops."""
    town = Town(folder, texts + int(minutes * 60 * sum(rate for rate, _ in OPEN_LOOPS)))
    _throughput(town, goals, seconds)
    _slow_disk(town, goals, seconds)
    with served(town) as port:
        town.load(port, seconds=WARM_UP)
        for rate, goal in OPEN_LOOPS:
            found = town.load(port, rate=rate, seconds=minutes * 60)
            goals.whole("replies refused or unanswered", found.refused + found.missing)
            what = f"replies at {rate}/s for {minutes:g} min, from when each was due: median {found.share(0.5):.0f} ms"
            goals.at_most(f"{what}, 99 %", found.share(0.99), goal, "ms")


def _throughput(town: Town, goals: Goals, seconds: float) -> None:
    """Ours and the bare handler by turns, so that what else the machine does falls on both."""
    bare, ours = [], []
    with served(town) as our_port, served(town, "tests.bench_served:bare()") as bare_port:
        share = len(town.whose) // (ROUNDS + 1)  # of the texts, which the bare handler takes once each, too
        generated(town.file, bare_port, ROUNDS * share, 0, WARM_UP)
        town.load(our_port, seconds=WARM_UP)
        before = town.answers()
        for number in range(ROUNDS):
            found = generated(town.file, bare_port, number * share, 0, seconds / ROUNDS)
            bare.append(found.rate)
            ours.append(town.load(our_port, seconds=seconds / ROUNDS))
    rate = sum(found.rate for found in ours) / ROUNDS
    goals.plain("bare handler: signature, one row, one sync", sum(bare) / ROUNDS, "/s")
    goals.at_least("replies to open check-ins through the whole path", rate, 400, "/s")
    goals.at_least("  beside the bare handler", rate / (sum(bare) / ROUNDS), 0.5)
    answered = sum(len(found.took) for found in ours)
    goals.whole("replies answered 200 and not stored", max(0, answered - (town.answers() - before)))


def _slow_disk(town: Town, goals: Goals, seconds: float) -> None:
    """With 5 ms more for each sync: requests that share one, beside one each."""
    rates = {}
    for shared in (True, False):
        counts = town.folder / f"syncs-{shared}"
        counts.touch()
        application = f"tests.bench_served:attune({SLOW_SYNC}, {shared}, {str(counts)!r})"
        with served(town, application) as port:
            town.load(port, seconds=WARM_UP)
            before = counts.stat().st_size
            found = town.load(port, seconds=seconds)
        syncs = (counts.stat().st_size - before) / max(1, len(found.took))
        goals.plain(
            f"5 ms more a sync, {'shared' if shared else 'one each'}: {syncs:.2f} syncs a reply", found.rate, "/s"
        )
        rates[shared] = found.rate
    goals.at_least("  shared beside one each", rates[True] / rates[False], 2)


def main() -> None:
    """Measure alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--minutes", type=float, default=0.25)
    parser.add_argument("--texts", type=int, default=40_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        goals = Goals()
        measure(Path(folder), goals, chosen.seconds, chosen.minutes, chosen.texts)
    sys.exit(goals.missed > 0)


if __name__ == "__main__":
    main()
