"""A short form of `make faults`: kills, power cuts and freezes at every step, with books of our own as the judges.

Beside it run its twins, each with one guard taken out: the same auditors must find what that guard prevents. The
seeds are printed when a test fails; `python -m tests.faults.run --seed N` plays one again.
"""

import random
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.faults import harness, replies, server_cuts, server_sending, upgrades
from tests.faults.harness import Plan
from tests.faults.plants import PLANTS
from tests.faults.twins import TWINS, restore

SEED = random.SystemRandom().randrange(10**6)
KILLS, CUTS = 200, 6


@pytest.fixture(scope="module")
def sending() -> Iterator["Future[harness.Outcome]"]:
    """The long run of the senders, under way while the others run: most of it is waiting."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(harness.run, Plan(SEED, clients=260, late=20, kills=KILLS, cuts=CUTS, random_kills=1.0))


@pytest.fixture(scope="module")
def caught(sending: "Future[harness.Outcome]") -> Iterator[Mapping[str, "Future[list[str]]"]]:
    """What the auditors find with each guard taken out; a few runs at a time."""
    with ThreadPoolExecutor(3) as pool:
        yield {plant: pool.submit(TWINS[plant], SEED) for plant in TWINS}


@pytest.mark.parametrize("plant", TWINS)
def test_the_auditors_notice_a_guard_taken_out(plant: str, caught: Mapping[str, "Future[list[str]]"]) -> None:
    """Each planted fault breaks the promise its guard stands for."""
    assert caught[plant].result(), f"seed {SEED}"


def test_every_planted_fault_has_its_twin() -> None:
    """None is planted for nothing."""
    assert set(TWINS) == set(PLANTS)


def test_no_promise_breaks_under_kills_freezes_lost_answers_and_a_clock_that_is_set(
    sending: "Future[harness.Outcome]",
) -> None:
    """None twice (P1), none lost (P2), none outside the hours (P3), none after STOP (P4), in two hundred kills."""
    outcome = sending.result()
    assert outcome.findings.violations == [], f"seed {SEED}"
    assert outcome.kills >= KILLS
    assert outcome.cuts >= CUTS
    assert outcome.findings.figures["check-ins due"] == 280


def test_the_run_met_every_fault_it_is_meant_to_meet(sending: "Future[harness.Outcome]") -> None:
    """A run that never lost an answer, or never froze a worker, would show nothing."""
    outcome = sending.result()
    steps = ("kill_before", "kill_at", "kill_in", "kill_after", "lose", "taken_503", "429", "reset", "half")
    assert all(outcome.met[step] > 0 for step in steps), f"seed {SEED}: {outcome.met}"
    assert outcome.frozen_threads > 0, "nobody froze as they looked at the clock"
    assert outcome.findings.figures["clients who said STOP"] > 10
    assert outcome.findings.figures["check-ins sent"] > 150, "most must be sent for this to mean anything"


@pytest.mark.parametrize(("journal", "cuts", "kills"), [("wal", 18, 54), ("delete", 3, 6)])
def test_a_reply_answered_with_200_survives_power_cuts_and_kills_and_counts_once(
    journal: str, cuts: int, kills: int
) -> None:
    """Real web servers, struck many times at the very moment of a sync; the file stays whole (P5)."""
    outcome = replies.run(replies.Plan(SEED, cuts=cuts, kills=kills, replies=20 * (cuts + kills), journal=journal))
    assert outcome.violations == [], f"seed {SEED}"
    assert (outcome.figures["cuts"], outcome.figures["kills"]) == (cuts, kills)
    assert outcome.figures["texts answered 200"] >= 20 * (cuts + kills)


def test_on_postgresql_too_a_reply_answered_with_200_survives_power_cuts_and_kills() -> None:
    """A real server on the disk that forgets: cut off, killed, its processes struck at a sync; web servers that die
    with it and web servers that outlive it (P5, P7)."""
    outcome = server_cuts.run(replies.Plan(SEED, cuts=3, kills=3, replies=100))
    assert outcome.violations == [], f"seed {SEED}"
    assert (outcome.figures["cuts"], outcome.figures["kills"]) == (3, 3)
    assert outcome.figures["texts answered 200"] >= 100


def test_on_postgresql_too_no_promise_breaks_as_workers_and_the_servers_power_fail() -> None:
    """Workers that die with the server's machine and workers that outlive it, its files on the disk that forgets (P1
    to P4)."""
    plan = Plan(SEED, clients=40, late=4, kills=10, cuts=3, settle=3, patience=120)
    outcome = server_sending.run(plan)
    assert outcome.findings.violations == [], f"seed {SEED}"
    assert outcome.kills >= 10
    assert outcome.cuts >= 3
    assert outcome.findings.figures["check-ins due"] == 44
    assert outcome.findings.figures["check-ins sent"] > 20


def test_a_server_that_forgets_what_it_was_told_is_noticed_by_what_is_sent_twice() -> None:
    """The twin of the run above: the server answers before its disk has it."""
    plan = Plan(SEED, clients=40, late=0, kills=4, cuts=6, evening=False, patience=30, plant="unhurried_server")
    runs = (server_sending.run(replace(plan, seed=SEED + n)) for n in range(4))
    assert any(run.findings.of("P1") or run.findings.of("P2") for run in runs), f"seed {SEED}"


def test_an_upgrade_that_dies_at_any_sync_is_as_if_it_had_not_begun_or_done() -> None:
    """Before and after each one, killed and with the power gone, from nothing and from every release (P12)."""
    outcome = upgrades.run(SEED)
    assert outcome.violations == [], f"seed {SEED}"
    assert outcome.figures["kills"] * 3 == outcome.figures["power cuts"] >= 60
    assert min(outcome.figures["found untouched"], outcome.figures["found finished"]) > 0


def test_a_restore_at_any_moment_sends_nothing_again() -> None:
    """Also where a copy was put back by hand, and where it was backed up before any worker saw it (P11)."""
    violations, figures = restore(SEED, 8)
    assert violations == [], f"seed {SEED}"
    assert figures["texts before a restore"] > 0
    assert figures["texts after a restore"] > 0
