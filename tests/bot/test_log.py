"""Logs: ids only, whatever a log call is given, and never in the way."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog

from bot import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@dataclass
class Client:
    """A slip: an object where an id belongs."""

    name: str = "Ana Nightjar"


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    found: dict[str, object] = json.loads(written)
    return found


def test_a_line_says_when_what_and_about_which_row(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, marked with the kind of process."""
    log.set_up("worker")
    log.get().info("sent", message="0123456789abcdef0123456789abcdef", kind="check_in", count=2)
    found = line(capsys)
    assert str(found.pop("timestamp")).endswith("Z")
    assert found == {
        "event": "sent", "level": "info", "process": "worker", "message": "0123456789abcdef0123456789abcdef",
        "kind": "check_in", "count": 2,
    }  # fmt: skip


def test_fields_that_are_not_listed_are_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in a log call can't leak; that there was one shows, and what was allowed stays."""
    log.set_up("web")
    log.get().info("received", inbox="abc", what="sms", phone="+12025550188", body="zebrafinch", name="Ana")
    found = line(capsys)
    assert (found["inbox"], found["what"], found["left_out"]) == ("abc", "sms", 3)
    assert not {"phone", "body", "name"} & set(found)


@pytest.mark.parametrize("value", [Client(), {"name": "Ana Nightjar"}, ["Ana Nightjar"], ValueError("Ana Nightjar")])
def test_only_plain_values_are_written(capsys: pytest.CaptureFixture[str], value: object) -> None:
    """An object under an allowed name would show its repr, with whatever is in it."""
    log.set_up("web")
    log.get().info("received", client=value, error=value)
    found = line(capsys)
    assert "Nightjar" not in str(found)
    assert found["left_out"] == 2


def test_an_exception_handed_to_the_log_shows_none_of_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """`exception()` adds the trace, and traces quote values."""
    log.set_up("web")
    try:
        raise ValueError("bad number +12025550188 of Ana Nightjar")
    except ValueError:
        log.get().exception("fault", error="ValueError")
    found = line(capsys)
    assert "Nightjar" not in str(found)
    assert "2025550188" not in str(found)
    assert found["error"] == "ValueError"


@pytest.mark.parametrize(
    "slip", ["+12025550188", "+1 (202) 555-0188", "ana@nightjar.example", "<ana@nightjar.example>"]
)
def test_numbers_and_addresses_are_blotted_out_of_texts(capsys: pytest.CaptureFixture[str], slip: str) -> None:
    """The second net, for a text put together with one; ids and times stay as they are."""
    log.set_up("web")
    log.get().info(f"no route to {slip} now", what=f"to {slip}", alert="2026090716000000aaaaaaaa12025550")
    written = str(line(capsys))
    assert "0188" not in written
    assert "nightjar" not in written
    assert "[address]" in written
    assert "2026090716000000aaaaaaaa12025550" in written


def test_a_library_that_logs_shows_who_and_what_kind_and_none_of_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """APScheduler, Werkzeug and SMTP servers log addresses, tokens and traces."""
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        log.set_up("worker")
        try:
            raise KeyError("Ana Nightjar +12025550188")
        except KeyError:
            logging.getLogger("apscheduler").error("job for %s failed", "Ana Nightjar", exc_info=True)
        logging.getLogger("urllib3").warning("retrying http://user:hunter2@host")
    finally:
        root.handlers = kept
    assert capsys.readouterr().err == "apscheduler ERROR KeyError\n"


@pytest.mark.parametrize("fault", ["full disk", "closed"])
def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The reply is stored, the text is sent: that the log's disk is full must not undo or repeat either."""
    stream = io.StringIO() if fault == "closed" else open("/dev/full", "w")  # noqa: SIM115
    if fault == "closed":
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    log.set_up("worker")
    log.get().info("sent", message="abc")
    log.get().error("fault", error="ValueError")
    if fault != "closed":
        with pytest.raises(OSError, match="No space left"):
            stream.close()


def test_half_a_surrogate_pair_is_written_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """It can't be encoded; the line still comes."""
    log.set_up("web")
    log.get().info("received", what="\ud83d")
    assert line(capsys)["what"] == "\ud83d"
