"""Struck threads cost nobody a turn, and a commit without WAL outlives a power cut; the twins lack each guard."""

import random

import pytest

from tests.faults.turns import PLANTS, TWINS, cut, strike

SEED = random.SystemRandom().randrange(10**6)


def test_threads_struck_at_any_moment_keep_nobody_waiting_and_what_is_told_is_so() -> None:
    """Stored where that was said, not stored where that was said; by exceptions that come at any moment for real."""
    violations, figures = strike(SEED, 300)
    assert violations == [], f"seed {SEED}"
    assert figures["strikes"] >= 300
    assert figures["told stored"] > 100


def test_a_commit_in_the_rollback_journal_outlives_a_power_cut() -> None:
    """The journal's removal is on the disk before anybody is told."""
    violations, figures = cut(SEED, 12)
    assert violations == [], f"seed {SEED}"
    assert figures["commits told"] > 50


@pytest.mark.parametrize("plant", TWINS)
def test_a_guard_taken_out_is_noticed(plant: str) -> None:
    """Else the runs above would show nothing."""
    assert TWINS[plant](SEED)[0], f"seed {SEED}"


def test_every_planted_fault_has_its_twin() -> None:
    """None is planted for nothing."""
    assert set(TWINS) == set(PLANTS)
