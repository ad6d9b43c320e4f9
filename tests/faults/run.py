"""`python -m tests.faults.run`: the full numbers of every promise under faults; prints seeds, figures, what broke.

Its parts, which `--only` picks: `sending` (kills, power cuts, lost answers at every step of a send), `replies` (power
cuts and kills of web servers), `server` and `server-sending` (those of a PostgreSQL server, under replies and under
sending), `upgrades` (dying at every sync), `restores`
(at random moments), `coming-back` (dying at every sync of a restore or a backup), `twins` (each guard taken out, which
must be noticed).
"""

import argparse
import random
import sys
import time
from collections.abc import Iterable, Mapping

from bot import log
from tests.faults import coming_back, harness, replies, server_cuts, server_sending, upgrades
from tests.faults.twins import TWINS, restore

PARTS = 10  # practices that share the replies: an audit reads all texts of one
SERVERS = 2  # and those on a PostgreSQL server


def main() -> None:
    """Exit 1 if any promise was broken, or a twin not noticed."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    asked.add_argument("--only", choices=list(_PARTS), action="append", help="one part, or several")
    asked.add_argument("--share", type=float, default=1.0, help="of the full numbers; 0.1 takes some minutes")
    asked.add_argument("--seed", type=int, default=None, help="play a run again")
    asked.add_argument("--plant", default="", help="sending and replies: take a guard out (a name of plants.py)")
    given = asked.parse_args()
    log.set_up("faults")
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}, {given.share:g} of the full numbers", flush=True)
    broken = sum(_PARTS[part](seed, given.share, given.plant) for part in given.only or _PARTS)
    print("every promise held" if not broken else f"PROMISES BROKEN {broken} times")
    sys.exit(1 if broken else 0)


def _send(seed: int, share: float, plant: str) -> int:
    kills, cuts = int(2000 * share), int(100 * share)
    plan = harness.Plan(seed, clients=max(40, kills * 2), late=20, kills=kills, cuts=cuts, at_most=5400, plant=plant)
    outcome = harness.run(plan)
    faults = {"kills": outcome.kills, "power cuts": outcome.cuts, "freezes past the lease": outcome.freezes}
    faults["threads frozen past it"] = outcome.frozen_threads
    calls = {f"calls {fate}": n for fate, n in sorted(outcome.met.items())}
    figures = faults | calls | outcome.findings.figures
    return _tell("sending", figures, outcome.findings.violations, outcome.seconds)


def _serve_senders(seed: int, share: float, plant: str) -> int:
    kills, cuts = int(200 * share), int(100 * share)
    plan = harness.Plan(seed, clients=max(40, kills * 4), late=20, kills=kills, cuts=cuts, at_most=5400, plant=plant)
    outcome = server_sending.run(plan)
    faults = {"kills of workers": outcome.kills, "power cuts of the server": outcome.cuts, "freezes": outcome.freezes}
    return _tell("server-sending", faults | outcome.findings.figures, outcome.findings.violations, outcome.seconds)


def _reply(seed: int, share: float, plant: str) -> int:
    plan = replies.Plan(seed, *(int(n * share) for n in (200, 500, 50_000)), plant=plant)
    return _tell_parts("replies", replies.run_in_parts(plan, PARTS), PARTS)


def _serve(seed: int, share: float, plant: str) -> int:
    plan = replies.Plan(seed, *(int(n * share) for n in (100, 100, 5_000)), plant=plant)
    return _tell_parts("server", replies.run_in_parts(plan, SERVERS, server_cuts.run), SERVERS)


def _tell_parts(what: str, parts: Iterable[replies.Outcome], of: int) -> int:
    began, total, broken = time.monotonic(), replies.Outcome(), 0
    for part, outcome in enumerate(parts, 1):
        total.figures += outcome.figures
        broken += _tell(f"{what}, {part} of {of} practices", total.figures, outcome.violations, _since(began))
    return broken


def _upgrade(seed: int, _share: float, plant: str) -> int:
    began, outcome = time.monotonic(), upgrades.run(seed, plant)
    return _tell("upgrades", outcome.figures, outcome.violations, _since(began))


def _restore(seed: int, share: float, plant: str) -> int:
    began = time.monotonic()
    violations, figures = restore(seed, int(50 * share), plant)
    return _tell("restores", figures, violations, _since(began))


def _come_back(seed: int, _share: float, _plant: str) -> int:
    began, outcome = time.monotonic(), coming_back.run(seed)
    return _tell("restores and backups that die", outcome.figures, outcome.violations, _since(began))


def _twins(seed: int, _share: float, _plant: str) -> int:
    began = time.monotonic()
    unnoticed = [f"{plant} went unnoticed" for plant, find in TWINS.items() if not find(seed)]
    return _tell("twins", {"guards taken out": len(TWINS)}, unnoticed, _since(began))


def _tell(what: str, figures: Mapping[str, int], violations: Iterable[str], seconds: float) -> int:
    """Print figures and violations; how many of these there are."""
    wrong = list(violations)
    print(f"--- {what}, after {seconds:.0f} s")
    print(", ".join(f"{name}: {figure}" for name, figure in figures.items()))
    for violation in wrong[:20]:
        print(f"BROKEN {violation}")
    sys.stdout.flush()
    return len(wrong)


def _since(began: float) -> float:
    return time.monotonic() - began


_PARTS = {
    "sending": _send,
    "replies": _reply,
    "server": _serve,
    "server-sending": _serve_senders,
    "upgrades": _upgrade,
    "restores": _restore,
    "coming-back": _come_back,
    "twins": _twins,
}


if __name__ == "__main__":
    main()
