"""Sending under power cuts and kills of a PostgreSQL server, whose files are on a disk that forgets (P1 to P4, P11).

The workers are killed and frozen as on SQLite (`harness.py`); they die with the server's machine, or are on another one
that stays up and goes on with what the server remembers.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.faults import harness
from tests.faults.auditor import Findings
from tests.faults.crew import Power
from tests.faults.harness import Outcome, Plan
from tests.faults.served import NoServer, Served


def run(plan: Plan) -> Outcome:
    """Play the plan and have it audited; a server that doesn't come back breaks P5."""
    with tempfile.TemporaryDirectory(prefix="attune-power-") as folder:
        return _Run(plan, Path(folder)).play()


class _Run(harness.Run):
    def play(self) -> Outcome:
        self.deaths = 0
        try:
            outcome = super().play()
        except NoServer as error:
            outcome = Outcome(Findings([f"P5 {error}"]), self.crew.killed, self.crew.cuts, 0, 0, Counter(), 0.0)
        finally:
            self.server.strike()
        outcome.findings.figures["deaths of a server's process at a sync"] = self.deaths
        return outcome

    def _database(self, folder: Path) -> str:
        self.server = Served(folder)
        return self.server.url

    def _power(self, folder: Path) -> Power:
        self.server.put_on_disk()
        return _ServersPower(self.server)

    def _strike(self) -> None:
        if self.disk and self.disk.died():
            self.deaths += 1
            self.disk.die_at(0)
        self.server.mend()  # struck again and again as it recovers, it would never be there
        super()._strike()

    def _calm(self) -> None:
        self.server.mend()
        super()._calm()


class _ServersPower(Power):
    """That of the server's machine."""

    def __init__(self, server: Served) -> None:
        super().__init__(server.disk)
        self._server = server

    def env(self) -> Mapping[str, str] | None:
        return None

    def fail(self, rng: random.Random) -> bool:
        self.disk.power_off()
        self._server.strike()
        return rng.random() < 0.5

    def come_back(self, rng: random.Random) -> None:
        self._server.cut(rng)
        self._server.start()
