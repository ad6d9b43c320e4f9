"""`python -m tests.hosts.lost_holder FOLDER [PLANT]`: a host that has begun to write is cut off; how long until
another may write, and what the lost one finds when it is back. Prints one JSON object."""

import json
import subprocess
import sys
import time
from pathlib import Path

from bot.store import PostgresEngine, Sealer, StoreError, system
from tests.hosts.server import Server
from tests.hosts.world import World

LONGEST = 15.0  # seconds in which the provider still waits for the answer to its call


def main() -> None:
    """Play it."""
    folder, *plants = sys.argv[1:]
    world = World()
    db, lost = world.add("db"), world.add("lost")
    server = Server(Path(folder), 5432, db.inside, db.address)
    server.start()
    url = server.url(server.fresh())
    engine = PostgresEngine(url, Sealer(("a-secret-for-tests-that-is-long-enough",)))
    engine.migrate()
    holder = subprocess.Popen(
        [*lost.inside, sys.executable, "-m", "tests.hosts.hold", url, *plants],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with world.lost(*world.cut("lost", "db")):
        began = time.monotonic()
        written = _write(engine)
        waited = time.monotonic() - began
        lost_says, _ = ("", "") if plants else holder.communicate("go on\n", timeout=60)
    with engine.transaction(write=False) as tx:
        held_by = system.value(tx, "held by")
    print(json.dumps({"written": written, "waited": waited, "held by": held_by, "the lost one": lost_says.strip(),
                      "noticed": time.monotonic() - began - waited}))  # fmt: skip


def _write(engine: PostgresEngine) -> bool:
    try:
        with engine.transaction(patience=LONGEST) as tx:
            system.set_value(tx, "held by", "another")
    except StoreError:
        return False
    return True


if __name__ == "__main__":
    main()
