"""What someone else says: Twilio's packages behind a line protocol, and a proxy that checks our traffic."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.sandbox import Sandbox
from bot.sandbox.processes import free_port

HERE = Path(__file__).parent
PRISM = HERE / "node_modules/@stoplight/prism-cli/dist/index.js"
DESCRIPTION = HERE / "node_modules/twilio-description.json"
PATIENCE = 120  # seconds a program of node's may take to begin or to end, on a slow or busy machine


class Oracle:
    """Twilio's own packages for node, asked a line at a time."""

    def __init__(self) -> None:
        command = ["node", str(HERE / "oracle.js")]
        self._node = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE, encoding="utf-8"
        )

    def ask(self, what: str, **about: Any) -> Any:
        """What the package says."""
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(json.dumps({"what": what, **about}) + "\n")
        self._node.stdin.flush()
        return json.loads(self._node.stdout.readline())

    def close(self) -> None:
        self._node.terminate()
        self._node.wait(PATIENCE)


@pytest.fixture(scope="session")
def fetched() -> None:
    """Everything from npm is there; if it can't be had, the test fails and says what to do."""
    run = subprocess.run([sys.executable, str(HERE / "fetch.py")], capture_output=True, text=True)
    if run.returncode:
        pytest.fail(run.stderr.strip(), pytrace=False)


@pytest.fixture(scope="session")
def oracle(fetched: None) -> Iterator[Oracle]:
    asked = Oracle()
    yield asked
    asked.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose webhooks nobody answers."""
    with Sandbox("http://127.0.0.1:9", held=True) as running:
        yield running


@pytest.fixture(scope="session")
def proxy(fetched: None, sandbox: Sandbox) -> Iterator[str]:
    """The address of a proxy before the sandbox: 422 for a request, 500 for an answer that isn't as described."""
    port = free_port()
    where = ["-h", "127.0.0.1", "-p", str(port), str(DESCRIPTION), sandbox.url]
    command = ["node", str(PRISM), "proxy", "--errors", *where]
    prism = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    _wait_for(address, prism)
    yield address
    prism.terminate()
    prism.wait(PATIENCE)


def _wait_for(address: str, prism: "subprocess.Popen[bytes]") -> None:
    """Until it answers anything. Its first answer takes longest: it only then reads the whole description."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            requests.get(address, timeout=PATIENCE)
            return
        except requests.RequestException:
            assert prism.poll() is None, "the checking proxy ended by itself"
            assert time.monotonic() < until, f"the checking proxy isn't there after {PATIENCE} seconds"
            time.sleep(0.1)
