"""Databases of released versions open in this one, with everything in them (P12)."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config import Config
from bot.flows import asking, context, receiving
from bot.store import appointments, check_ins, clients, practices
from bot.store.inbox import Inbound
from tests.support.cast import MONDAY_NOON, PHONES

RELEASED = sorted(Path(__file__).parent.joinpath("data/databases").glob("*.sql"))
# Every database was made by its release's own program, under this key: Ana had answered, Ben had said STOP, Chidi had
# written of danger.
SECRET = "a-secret-for-tests-that-is-long-enough"
LOAD = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())"


@pytest.fixture(params=RELEASED, ids=lambda dump: dump.stem)
def upgraded(request: pytest.FixtureRequest, tmp_path: Path, config: Config) -> context.Context:
    """The database of a release, upgraded. Another process loads it: two SQLite libraries don't mix in one."""
    file = tmp_path / "released.db"
    subprocess.run([sys.executable, "-c", LOAD, str(file), str(request.param)], check=True)
    ctx = context.build(Config(**{**config.__dict__, "database_url": f"sqlite:///{file}", "secrets": (SECRET,)}))
    assert ctx.store.migrate()
    ctx.store.check_ready()
    return ctx


def test_a_released_database_keeps_everything(upgraded: context.Context) -> None:
    """Names open, answers are there, STOP holds, danger waits."""
    with upgraded.store.transaction(write=False) as tx:
        practice = practices.every(tx)[0]
        ana, ben, chidi = (clients.by_address(tx, PHONES[name])[0] for name in ("Ana", "Ben", "Chidi"))
        answers = check_ins.answers_of(tx, practice.id, ana.id, ana.therapist_id or "")
        assert [list(each.values()) for each in answers.values()] == [[4, 4, 5]]
        assert (ben.stopped, chidi.halted, ana.name) == (True, True, "Ana")
        assert len(appointments.of_clients(tx, practice.id, [ana.id])[ana.id]) == 1
        assert tx.one("select count(*) as n from alert where kind like 'danger%'") == {"n": 1}


def test_an_upgraded_database_goes_on(upgraded: context.Context) -> None:
    """A repeated delivery is still known, a new reply is taken, and nothing is asked twice."""
    again = Inbound("sms", f"SM{0:032x}", PHONES["Ana"], "4 4 5")
    assert not receiving.receive(upgraded, again, MONDAY_NOON + timedelta(hours=1))
    new = Inbound("sms", f"SM{9:032x}", PHONES["Ana"], "thank you for asking")
    assert receiving.receive(upgraded, new, MONDAY_NOON + timedelta(hours=1))
    assert asking.ask_due(upgraded, MONDAY_NOON + timedelta(minutes=1)) == 0
