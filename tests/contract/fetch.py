"""Fetch what Twilio publishes about itself into node_modules, which git ignores. Run by the tests in this folder.

From npm: Twilio's own packages (signatures, segments), Prism (a proxy that checks traffic against an OpenAPI
description), and that description, packed inside one more of Twilio's packages. What is there is kept.
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE / "node_modules"
DESCRIPTION = CACHE / "twilio-description.json"
STAMP = CACHE / ".fetched"
PACKED = "@twilio-alpha/mcp@0.7.0"
PACKED_SHA512 = "YsUde1pMXwqHm8Cvq9JdtsyvclVCC/f/V+FmxTNN04u5Qt5aapkbQgcfqBYQ0xcmvATBNswgPDo3MPVaCtZK8Q=="
PACKED_FILE = "package/twilio-oai/spec/json/twilio_api_v2010.json"
PATIENCE = 120  # seconds for one try: npm hangs once in many
TRIES = 2


class FetchError(Exception):
    """A sentence for the person who runs the tests."""


def fetch() -> None:
    """Fetch all that isn't there yet. Raises FetchError."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        raise FetchError(
            f"The tests in tests/contract need {' and '.join(missing)}: install Debian's packages nodejs and npm."
        )
    with _alone():
        if STAMP.exists() and STAMP.read_text() == _wanted():
            return
        _npm("ci")
        DESCRIPTION.write_text(json.dumps(_description()))
        STAMP.write_text(_wanted())


@contextmanager
def _alone() -> Iterator[None]:
    """Tests may run in several processes; only one of them fetches."""
    folder = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _wanted() -> str:
    """What has to be there, as one word: it changes with the lock file and with this script."""
    return hashlib.sha256((HERE / "package-lock.json").read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _npm(*arguments: str) -> None:
    said = ""
    for _ in range(TRIES):
        try:
            run = subprocess.run(
                [str(shutil.which("npm")), *arguments],
                cwd=HERE,
                timeout=PATIENCE,
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired:
            said = f"no end after {PATIENCE} seconds"
            continue
        if run.returncode == 0:
            return
        said = run.stderr.strip()
    raise FetchError(f"`npm {' '.join(arguments)}` failed {TRIES} times in {HERE.name}: {said[-1500:]}")


def _description() -> dict[str, Any]:
    """The part of Twilio's OpenAPI description that is about messages, with one mistake of it put right.

    It says that the addresses of pages are whole ("uri") while its own examples, like the real answers, have
    them without a host ("uri-reference").
    """
    _npm("pack", "--silent", "--pack-destination", str(CACHE), PACKED)
    [packed] = CACHE.glob("twilio-alpha-mcp-*.tgz")
    if base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() != PACKED_SHA512:
        raise FetchError(f"{PACKED} is not the package it was when its hash was noted in fetch.py.")
    with tarfile.open(packed) as archive:
        member = archive.extractfile(PACKED_FILE)
        described: dict[str, Any] = json.load(member) if member else {}
    packed.unlink()
    described["paths"] = {path: about for path, about in described["paths"].items() if "/Messages" in path}
    listing = described["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["responses"]["200"]
    for name, field in listing["content"]["application/json"]["schema"]["properties"].items():
        if name.endswith("uri"):
            field["format"] = "uri-reference"
    return described


if __name__ == "__main__":
    try:
        fetch()
    except FetchError as error:
        sys.exit(str(error))
