"""Several machines, and a network that is cut: the short form of `python -m tests.hosts.run`.

The hosts are network namespaces, which the kernel gives to root, and on most systems to anyone. That is the only way
to lose packets: a relay between two processes on one machine can break connections, but its own end goes on
acknowledging what it is sent, so that nobody ever has to notice a silence. Where there are no namespaces, the relay
is what is left: those tests run everywhere, and this file says aloud that the stronger ones didn't.
"""

import json
import random
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.store import PostgresEngine, Sealer, StoreError, system
from tests.hosts.lost_holder import LONGEST
from tests.hosts.proxy import Relay
from tests.hosts.server import Server
from tests.hosts.world import way_in
from tests.support.racers import SECRET

SEED = random.SystemRandom().randrange(10**6)
WEAKER = (
    "THIS MACHINE ALLOWS NO NETWORK NAMESPACES: hosts that are cut off were NOT tried, only connections that break. "
    "Run the tests as root, or allow users to make namespaces (sysctl kernel.unprivileged_userns_clone=1)."
)


def in_a_world(*command: str, at_most: float = 600) -> Mapping[str, Any]:
    """What a module says (its last line, JSON) that runs in a world of its own."""
    done = subprocess.run(
        [*way_in(), sys.executable, "-m", *command], capture_output=True, text=True, timeout=at_most, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_host_that_is_cut_off_while_it_writes_holds_nobody_up_for_long(tmp_path: Path) -> None:
    """The others get their turn before a provider gives its webhook up, and the lost one stores nothing."""
    if not way_in():
        warnings.warn(WEAKER, stacklevel=1)
        return breaks_in_the_middle(tmp_path)
    found = in_a_world("tests.hosts.lost_holder", str(tmp_path))
    assert found["written"]
    assert found["waited"] < 10, "seconds until another could write"
    assert found["held by"] == "another"
    assert "Nothing of what was being done was stored" in found["the lost one"]
    assert found["noticed"] < LONGEST, "seconds until the lost one noticed that it is alone"
    return None


def test_without_the_guards_it_would_hold_everybody_up(tmp_path: Path) -> None:
    """Its twin: where nobody asks whether the other end is still there, the test above fails."""
    if not way_in():
        warnings.warn(WEAKER, stacklevel=1)
        return breaks_in_the_middle(tmp_path)
    assert not in_a_world("tests.hosts.lost_holder", str(tmp_path), "deaf")["written"]
    return None


def test_two_web_and_two_worker_hosts_keep_every_promise_while_they_are_cut_off(tmp_path: Path) -> None:
    """Nothing twice, nothing lost, STOP holds; what was answered 200 is there; no webhook waits in vain."""
    if not way_in():
        warnings.warn(WEAKER, stacklevel=1)
        return breaks_in_the_middle(tmp_path)
    told = ("--rounds=1", "--kills=4", "--seconds=7", "--pause=3", "--patience=25", "--clients=40")
    found = in_a_world("tests.hosts.run", *told, f"--seed={SEED}", f"--inside={tmp_path}")
    assert found["broken"] == [], f"seed {SEED}: {found}"
    assert found["figures"]["check-ins due"] == found["figures"]["check-ins sent"] == 40
    refused = sum(n for answer, n in found["webhooks"].items() if not answer.endswith(" 200"))
    assert refused, "nobody was cut off"
    return None


def breaks_in_the_middle(folder: Path) -> None:
    """A connection that is reset in the middle of a transaction: nothing of it is stored, and others aren't held up."""
    server = Server(folder)
    server.start()
    relay = Relay(("127.0.0.1", server.port))
    try:
        database = server.fresh()
        lost = PostgresEngine(server.url(database, relay.address, relay.port), Sealer((SECRET,)))
        other = PostgresEngine(server.url(database), Sealer((SECRET,)))
        lost.migrate()

        def write() -> None:
            with lost.transaction() as tx:
                system.set_value(tx, "held by", "the lost one")
                relay.cut()
                with other.transaction(patience=10) as held:
                    system.set_value(held, "held by", "another")
                system.set_value(tx, "held by", "the lost one, again")

        with pytest.raises(StoreError, match="Nothing of what was being done was stored"):
            write()
        with pytest.raises(StoreError, match="can't be used"):
            lost.pending()
        relay.mend()
        with other.transaction(write=False) as tx:
            assert system.value(tx, "held by") == "another"
    finally:
        relay.close()
        server.stop()


def test_a_connection_that_breaks_in_the_middle_stores_nothing_and_holds_nobody_up(tmp_path: Path) -> None:
    """Over TCP, with a password, through a relay that is cut: everywhere, whatever the machine allows."""
    breaks_in_the_middle(tmp_path)
