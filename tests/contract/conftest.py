"""What someone else says: Twilio's packages behind a line protocol, and a proxy that checks our traffic."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.sandbox import Sandbox

HERE = Path(__file__).parent
PRISM = HERE / "node_modules/@stoplight/prism-cli/dist/index.js"
DESCRIPTION = HERE / "node_modules/twilio-description.json"
START_UP = 30  # seconds the proxy may take to listen


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
        self._node.wait(10)


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
    port = _free_port()
    where = ["-h", "127.0.0.1", "-p", str(port), str(DESCRIPTION), sandbox.url]
    command = ["node", str(PRISM), "proxy", "--errors", *where]
    prism = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    _wait_for(address)
    yield address
    prism.terminate()
    prism.wait(10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(address: str) -> None:
    until = time.monotonic() + START_UP
    while True:
        try:
            requests.get(address, timeout=2)
            return
        except requests.ConnectionError:
            assert time.monotonic() < until, f"the checking proxy isn't there after {START_UP} seconds"
            time.sleep(0.1)
