"""The clock: the machine's, or the sandbox's where a setting names one."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import FollowedClock, SystemClock, clock_for
from bot.config import BadConfig
from bot.sandbox import Sandbox


def test_without_a_setting_it_is_the_machines_clock() -> None:
    """Aware and in UTC."""
    clock = clock_for("")
    assert isinstance(clock, SystemClock)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.now().tzinfo is UTC
    clock.report("worker", busy=False, next_due=None)


def test_a_followed_clock_shows_the_sandboxs_time(sandbox: Sandbox) -> None:
    """Web and worker see the same moment as the sandbox."""
    clock = clock_for(sandbox.environment["ATTUNE_CLOCK_URL"])
    assert isinstance(clock, FollowedClock)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("path", ["/no-such-clock", "/"])
def test_an_address_without_a_clock_is_told_in_words(sandbox: Sandbox, path: str) -> None:
    """Somebody answers there, but no clock."""
    with pytest.raises(BadConfig, match=r"ATTUNE_CLOCK_URL names no clock.*start the sandbox"):
        clock_for(f"{sandbox.url}{path}").now()


def test_a_clock_that_is_gone_is_told_in_words(sandbox: Sandbox) -> None:
    """Nobody answers any more: a command says so instead of showing a trace."""
    with pytest.raises(BadConfig, match=r"ATTUNE_CLOCK_URL names no clock.*unset it"):
        clock_for("http://127.0.0.1:9/clock").now()
