"""What is done every so often is done once a turn, whatever the number of workers, and a fault costs one turn only."""

import threading
from datetime import datetime, timedelta

from bot.flows.chores import Chore, Chores
from bot.flows.context import Context
from tests.support.cast import MONDAY_NOON

HOUR = timedelta(hours=1)


def test_two_workers_share_the_turns(ctx: Context) -> None:
    """Whoever comes first does it, and it isn't due again before its time."""
    done: list[datetime] = []
    chore = Chore("sweep", HOUR, lambda _ctx, now: done.append(now) or 1)
    one, other = Chores(ctx, (chore,)), Chores(ctx, (chore,))
    assert one.due(MONDAY_NOON) == other.due(MONDAY_NOON) == 1
    assert [one.run_due(MONDAY_NOON), other.run_due(MONDAY_NOON)] == [1, 0]
    assert other.due(MONDAY_NOON + HOUR / 2) == 0
    assert other.run_due(MONDAY_NOON + HOUR) == 1
    assert done == [MONDAY_NOON, MONDAY_NOON + HOUR]


def test_a_clock_set_back_doesnt_stop_the_chores(ctx: Context) -> None:
    """A turn that lies further off than it can has come."""
    chores = Chores(ctx, (Chore("sweep", HOUR, lambda *_: 1),))
    chores.run_due(MONDAY_NOON + 100 * HOUR)
    assert chores.run_due(MONDAY_NOON) == 1


def test_a_fault_costs_one_turn(ctx: Context) -> None:
    """And no other chore."""

    def fail(_ctx: Context, _now: datetime) -> int:
        raise RuntimeError

    done: list[str] = []
    chores = Chores(ctx, (Chore("break", HOUR, fail), Chore("sweep", HOUR, lambda *_: done.append("swept") or 1)))
    assert chores.run_due(MONDAY_NOON) == 1
    assert done == ["swept"]
    assert chores.run_due(MONDAY_NOON + HOUR) == 1


def test_a_chore_that_still_runs_isnt_begun_again(ctx: Context) -> None:
    """However long it takes."""
    begun, end = threading.Event(), threading.Event()

    def long(_ctx: Context, _now: datetime) -> int:
        begun.set()
        return int(end.wait(10))

    chores = Chores(ctx, (Chore("learn", HOUR, long),))
    thread = threading.Thread(target=chores.run_due, args=(MONDAY_NOON,))
    thread.start()
    assert begun.wait(10)
    assert chores.due(MONDAY_NOON + 2 * HOUR) == chores.run_due(MONDAY_NOON + 2 * HOUR) == 0
    end.set()
    thread.join()
    assert chores.run_due(MONDAY_NOON + 2 * HOUR) == 1
