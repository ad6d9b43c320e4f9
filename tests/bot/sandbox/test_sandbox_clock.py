"""The clock that web and worker can follow."""

import time
from threading import Timer
from typing import Any

import pytest
import requests

from bot.sandbox import Sandbox
from bot.sandbox.clock import SandboxClock

START = 1_770_000_000.0  # what the sandbox's clock shows at first


def held() -> SandboxClock:
    return SandboxClock(START, held=True)


def done(clock: SandboxClock, who: str = "worker", due: float | None = None) -> None:
    """A worker makes a pass and finds nothing to do."""
    clock.report(who, version=clock.version, busy=False, next_due=due)


def test_a_held_clock_stands_still_until_it_jumps() -> None:
    clock = held()
    time.sleep(0.02)
    assert clock.now() == START
    clock.jump(START + 86400)
    assert clock.now() == START + 86400


def test_a_running_clock_goes_on_and_may_jump() -> None:
    clock = SandboxClock()
    assert clock.now() == pytest.approx(time.time(), abs=60)
    clock.jump(clock.now() + 3600)
    assert clock.now() == pytest.approx(time.time() + 3600, abs=60)


def test_the_clock_never_goes_back() -> None:
    clock = held()
    with pytest.raises(ValueError, match="only goes forward"):
        clock.jump(START - 1)


def test_nobody_is_idle_before_a_worker_has_reported() -> None:
    assert held().waiting_for() == "no worker has reported yet"


def test_a_worker_that_made_a_whole_pass_is_idle() -> None:
    clock = held()
    done(clock)
    assert clock.idle()


@pytest.mark.parametrize("event", ["happened", "end"])
def test_after_an_event_everyone_has_to_look_again(event: str) -> None:
    clock = held()
    clock.begin()
    done(clock)
    getattr(clock, event)()
    assert not clock.idle()


def test_a_pass_that_began_before_the_event_does_not_count() -> None:
    clock = held()
    read_at_the_start = clock.version
    clock.happened()
    clock.report("worker", version=read_at_the_start, busy=False, next_due=None)
    assert clock.waiting_for() == "not through yet: worker"


def test_a_busy_worker_is_waited_for() -> None:
    clock = held()
    done(clock)
    clock.report("other", version=clock.version, busy=True, next_due=None)
    assert clock.waiting_for() == "not through yet: other"


def test_while_a_post_is_under_way_nobody_is_idle() -> None:
    clock = held()
    with clock.under_way():
        done(clock)
        assert not clock.idle()
    done(clock)
    assert clock.idle()


def test_a_worker_that_was_ended_is_not_waited_for() -> None:
    clock = held()
    done(clock, "killed")
    clock.happened()
    done(clock, "alive")
    clock.forget("killed")
    assert clock.idle()


def test_what_comes_next_is_the_earliest_of_all_workers() -> None:
    clock = held()
    assert clock.next_due() is None
    done(clock, "one", START + 50)
    done(clock, "two", START + 20)
    assert clock.next_due() == START + 20


def test_web_and_worker_read_and_report_over_http(sandbox: Sandbox) -> None:
    clock = sandbox.environment["ATTUNE_CLOCK_URL"]
    told = requests.get(clock, timeout=60).json()
    assert told["now"] == START
    report = {"who": "worker", "version": told["version"], "busy": False, "next_due": START + 60}
    assert requests.post(f"{clock}/report", json=report, timeout=60).status_code == 204
    state = requests.get(f"{clock}/idle", timeout=60).json()
    assert (state["idle"], state["next_due"]) == (True, START + 60)
    assert requests.post(f"{clock}/jump", json={"to": START + 60}, timeout=60).json()["now"] == START + 60
    assert requests.get(f"{clock}/idle", timeout=60).json()["waiting_for"] == "not through yet: worker"
    assert requests.post(f"{clock}/forget", json={"who": "worker"}, timeout=60).status_code == 204


def test_a_worker_can_wait_for_the_next_event(sandbox: Sandbox) -> None:
    version = sandbox.clock.version
    Timer(0.1, sandbox.clock.happened).start()
    told = requests.get(f"{sandbox.url}/clock", params={"after": version, "wait": 30}, timeout=60).json()
    assert told["version"] > version


@pytest.mark.parametrize("body", [{}, {"to": START - 1}, {"to": "tomorrow"}, [1]])
def test_a_jump_that_makes_no_sense_is_refused(sandbox: Sandbox, body: Any) -> None:
    assert requests.post(f"{sandbox.url}/clock/jump", json=body, timeout=60).status_code == 400
    assert sandbox.clock.now() == START


def test_a_text_and_its_callbacks_keep_everyone_waiting_until_they_are_answered(
    sandbox: Sandbox, webhooks: Any, send: Any
) -> None:
    done(sandbox.clock)
    assert sandbox.clock.idle()
    send(status_callback=f"{webhooks.url}/status")
    assert not sandbox.clock.idle()
    while "on their way" in sandbox.clock.waiting_for():
        time.sleep(0.01)
    assert webhooks.statuses() == ["queued", "sent", "delivered"]
    assert sandbox.clock.waiting_for() == "not through yet: worker"
