"""`python -m tests.faults.run`: many kills at every step of a send; prints the seed, the figures, and what broke."""

import argparse
import random
import sys

from bot import log
from tests.faults.harness import Outcome, Plan, run


def main() -> None:
    """Exit 1 if any promise was broken."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    asked.add_argument("--kills", type=int, default=2000, help="kill -9 at least so often")
    asked.add_argument("--seed", type=int, default=None, help="play a run again")
    asked.add_argument("--plant", default="", help="take a guard out (a name of tests/faults/plants.py)")
    given = asked.parse_args()
    log.set_up("faults")
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}: at least {given.kills} kills", flush=True)
    clients = max(40, given.kills * 2)
    outcome = run(Plan(seed=seed, kills=given.kills, clients=clients, late=20, at_most=3600, plant=given.plant))
    tell(outcome)
    sys.exit(1 if outcome.findings.violations else 0)


def tell(outcome: Outcome) -> None:
    """Print figures and violations."""
    print(f"{outcome.kills} kills, {outcome.freezes} freezes past the lease, {outcome.seconds:.0f} s")
    print("calls: " + ", ".join(f"{fate} {n}" for fate, n in sorted(outcome.met.items())))
    for name, figure in outcome.findings.figures.items():
        print(f"{name}: {figure}")
    for violation in outcome.findings.violations[:20]:
        print(f"BROKEN {violation}")
    print(
        "every promise held"
        if not outcome.findings.violations
        else f"PROMISES BROKEN {len(outcome.findings.violations)} times"
    )


if __name__ == "__main__":
    main()
