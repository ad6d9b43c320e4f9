"""A restore or a backup that dies at any sync, with or without the power, leaves the old database or the new one.

In a few of the eight ways at each sync; `python -m tests.faults.coming_back` goes through all of them.
"""

import random

from tests.faults import coming_back

SEED = random.SystemRandom().randrange(10**6)


def test_a_restore_or_a_backup_that_dies_leaves_the_old_or_the_new_and_never_half_of_one() -> None:
    """P11: over a database, over one with all of it in its log, and in an empty folder."""
    outcome = coming_back.run(SEED, each=1)
    assert outcome.violations == [], f"seed {SEED}"
    for found in ("the old one", "the new one", "none"):
        assert outcome.figures[f"found {found}"], f"seed {SEED}: it never came to that"


def test_a_sync_left_out_is_noticed() -> None:
    """Else the run above would show nothing."""
    assert coming_back.run(SEED, plant="unsynced", restores=False).violations, f"seed {SEED}"
