"""`make run` as a newcomer meets it: one address, and buttons that make things happen for real."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from bot.sandbox.sample import ANA, BEN

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0  # seconds, on a slow or busy machine


@dataclass
class Running:
    """A `make run` under way, seen through its pages."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    def page(self, path: str = "/") -> BeautifulSoup:
        return BeautifulSoup(requests.get(self.url + path, timeout=PATIENCE).text, "html.parser")

    def press(self, what: str, phone: str = "") -> None:
        """A button, once what the last one set going has ended: until then a press counts for nothing."""
        until(lambda: not self.page().select(".busy"), "what was begun doesn't end")
        requests.post(f"{self.url}/play", {"what": what, "phone": phone}, timeout=PATIENCE).raise_for_status()

    def bubbles(self, phone: str) -> list[str]:
        return [bubble.get_text() for bubble in self.page(f"/phone/{phone}").select(".bubble")]

    def step(self) -> str:
        """The step to take now."""
        now = self.page().select_one(".steps [aria-current=step] h3")
        return now.find(string=True).strip() if now else "all done"  # type: ignore[union-attr]

    def mails(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/sandbox/mails", timeout=PATIENCE).json())

    def notes(self) -> list[dict[str, Any]]:
        """The mails that lead to a note."""
        return [mail for mail in self.mails() if "/a/" in mail["text"]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Started in an empty folder, with any port, and ended as Ctrl-C ends it."""
    folder = tmp_path_factory.mktemp("run")
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PORT": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.sandbox.run"], cwd=folder, env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    for line in process.stdout:
        if found := re.search(r"Open (http://127\.0\.0\.1:\d+) ", line):
            break
    else:
        pytest.fail("make run printed no address")
    yield Running(process, found[1], folder)
    if process.poll() is None:
        process.kill()


def until(true: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.2)


def test_a_newcomer_is_led_from_a_text_to_an_alert(running: Running) -> None:
    """Text, reply, decline, alert: each step's button or link does what it says, through the real parts."""
    assert running.step() == "A text arrives"
    running.press("visit")
    until(lambda: any("did you feel heard" in bubble for bubble in running.bubbles(ANA.phone)), "no question came")

    assert running.step() == "The client replies"
    requests.post(f"{running.url}/phone/{ANA.phone}", {"body": "5, 4 n 5 and 4 thx!"}, timeout=PATIENCE)
    until(lambda: "Thank you" in running.bubbles(ANA.phone)[-1], "no thanks came")

    until(lambda: running.step() == "Rapport declines", "the reply was never answered")
    running.press("weeks")
    until(running.notes, "no mail came")
    until(lambda: running.step() == "all done", "the mail leads to no end")


def test_the_mail_leads_to_a_note_that_can_be_taken_on(running: Running) -> None:
    [mail] = running.notes()
    assert mail["to"] == ["theo@riverside.example"]
    link = re.search(r"http://\S+/a/\S+", mail["text"])
    assert link
    note = requests.get(link[0], timeout=PATIENCE)
    assert note.status_code == 200
    assert ANA.ref in note.text
    assert "<svg" in note.text
    taken_on = requests.post(link[0], {"note": "I'll ask Ana"}, timeout=PATIENCE).text
    assert "I'll ask Ana" in taken_on.replace("&#39;", "'")


def test_another_phone_can_be_tried_in_its_own_language(running: Running) -> None:
    running.press("visit", BEN.phone)
    until(lambda: any("su visita" in bubble for bubble in running.bubbles(BEN.phone)), "no question came in Spanish")


def test_ctrl_c_ends_everything_and_keeps_nothing(running: Running) -> None:
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(PATIENCE) == 0
    assert list((running.folder / "var").iterdir()) == []
