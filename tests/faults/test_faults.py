"""A short form of `make faults`: kills and freezes at every step of a send, with the provider's book as the judge.

Beside it run its twins, each with one guard taken out: the same auditor must find what that guard prevents. The
seeds are printed when a test fails; `python -m tests.faults.run --seed N` plays one again.
"""

import random
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.faults.harness import Outcome, Plan, run
from tests.faults.plants import PLANTS
from tests.faults.practice import EDGE

SEED = random.SystemRandom().randrange(10**6)
KILLS = 200


def twin(plant: str, **changes: object) -> Plan:
    """A small run with one guard taken out and just the faults it stands against."""
    quiet: dict[str, object] = {
        "clients": 30, "late": 0, "kills": 0, "stops": 0, "callbacks": 0, "evening": False, "freeze": 0,
        "settle": 3, "lag": 2.0, "at_most": 10, "patience": 10, "workers": 2,
    }  # fmt: skip
    return Plan(SEED, plant=plant, **{**quiet, **changes})  # type: ignore[arg-type]


TWINS = {
    "begin_without_checking": ("P1", {"freeze": 0.2, "freeze_in": "_send", "frozen_whole": 0, "fates": {"lose": 0.4}}),
    "stale_checks": (
        "P1",
        {
            "freeze": 0.2,
            "freeze_in": "deliver",
            "frozen_for": 10,
            "frozen_whole": 0,
            "settle": 1,
            "lag": 0,
            "fates": {},
            "at_most": 20,
        },
    ),
    "retry_blindly": ("P1", {"fates": {"lose": 0.4}}),
    "one_look": ("P1", {"fates": {"lose": 0.4}}),
    "abandoned": ("P2", {"fates": {"kill_at": 0.3}, "at_most": 5, "patience": 4}),
    "no_hours_at_sending": ("P3", {"fates": {}, "clients": 0, "late": 20, "start": EDGE + timedelta(minutes=1)}),
    "deaf_to_stop": ("P4", {"fates": {"reset": 0.5}, "stops": 0.9}),
}


@pytest.fixture(scope="module")
def outcomes() -> Iterator[Mapping[str, "Future[Outcome]"]]:
    """All runs, a few at a time: most of each is waiting."""
    with ThreadPoolExecutor(4) as pool:
        whole = Plan(SEED, clients=260, late=20, kills=KILLS, random_kills=1.0)
        plans = {"": whole} | {plant: twin(plant, **changes) for plant, (_, changes) in TWINS.items()}
        yield {name: pool.submit(run, plan) for name, plan in plans.items()}


def test_no_promise_breaks_under_kills_freezes_lost_answers_and_a_clock_that_is_set(
    outcomes: Mapping[str, "Future[Outcome]"],
) -> None:
    """None twice (P1), none lost (P2), none outside the hours (P3), none after STOP (P4), in two hundred kills."""
    outcome = outcomes[""].result()
    assert outcome.findings.violations == [], f"seed {SEED}"
    assert outcome.kills >= KILLS
    assert outcome.findings.figures["check-ins due"] == 280


def test_the_run_met_every_fault_it_is_meant_to_meet(outcomes: Mapping[str, "Future[Outcome]"]) -> None:
    """A run that never lost an answer, or never froze a worker, would show nothing."""
    outcome = outcomes[""].result()
    steps = ("kill_before", "kill_at", "kill_in", "kill_after", "lose", "taken_503", "429", "reset", "half")
    assert all(outcome.met[step] > 0 for step in steps), f"seed {SEED}: {outcome.met}"
    assert outcome.findings.figures["clients who said STOP"] > 10


@pytest.mark.parametrize("plant", TWINS)
def test_the_auditor_notices_a_guard_taken_out(plant: str, outcomes: Mapping[str, "Future[Outcome]"]) -> None:
    """Each planted fault breaks the promise its guard stands for."""
    promise, _ = TWINS[plant]
    assert outcomes[plant].result().findings.of(promise), f"seed {SEED}"


def test_every_planted_fault_has_its_twin() -> None:
    """None is planted for nothing."""
    assert set(TWINS) == set(PLANTS)
