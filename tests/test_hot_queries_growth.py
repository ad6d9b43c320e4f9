"""A reply costs as much with a hundred thousand answers stored as with a thousand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median

from bot.config import Config
from bot.flows import context, receiving
from bot.store import SqliteEngine
from bot.store.inbox import Inbound
from tests import bench_rows
from tests.bench_rows import Someone
from tests.support.cast import ALWAYS_OPEN, MONDAY_NOON, Riverside, riverside

FEW, MANY = 1_000, 100_000
MOST = 1.5  # times the steps; what walks through a table takes a hundred times as many


def steps_of(town: Riverside, whose: Sequence[Someone]) -> list[int]:
    """How many steps SQLite's machine takes for the reply of each. No clock, so nothing else on the machine counts."""
    store, counted = town.ctx.store, [0]
    assert isinstance(store, SqliteEngine)

    def count_one() -> int:
        counted[0] += 1
        return 0

    store._database().conn.set_progress_handler(count_one, 1)
    found = []
    for who in whose:
        before = counted[0]
        text = Inbound(channel="sms", provider_id=f"SM{who.id}", sender=who.phone, body="5 4 5 4")
        assert receiving.receive(town.ctx, text, MONDAY_NOON + timedelta(minutes=1))
        found.append(counted[0] - before)
    store._database().conn.set_progress_handler(None, 1)
    return found


def typical(town: Riverside) -> float:
    """The steps of a typical reply of somebody who was just asked."""
    whose = bench_rows.clients(town, 20)
    bench_rows.opened(town, whose, MONDAY_NOON)
    return median(steps_of(town, whose))


def test_a_reply_costs_the_same_however_many_answers_are_stored(config: Config, tmp_path: Path) -> None:
    """Before SQLite has looked at how rows are spread, and after."""
    ctx = context.build(replace(config, database_url=f"sqlite:///{tmp_path}/attune.db"))
    ctx.store.migrate()
    town = riverside(ctx, **ALWAYS_OPEN)
    bench_rows.answered(town, FEW, MONDAY_NOON)
    few = typical(town)
    bench_rows.answered(town, MANY - FEW, MONDAY_NOON)
    assert typical(town) <= MOST * few
    ctx.store.analyze()
    assert typical(town) <= MOST * few
