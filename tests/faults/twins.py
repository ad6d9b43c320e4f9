"""Each guard's twin: a small run with that guard taken out and just the faults it stands against.

A harness that doesn't notice would show nothing by staying silent with the guard in its place.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults import harness, replies, server_cuts, upgrades
from tests.faults.clock import LAST_LOOK
from tests.faults.harness import Plan
from tests.faults.practice import EDGE

_STALE = {"freeze": 0.1, "freeze_in": LAST_LOOK, "frozen_for": 8, "frozen_whole": 0, "settle": 1, "at_most": 20}
_CLAIMS = {"freeze": 0.2, "freeze_in": "send_next", "frozen_whole": 0}
_SENDING: Mapping[str, tuple[str, dict[str, Any]]] = {
    "begin_without_checking": ("P1", {**_CLAIMS, "fates": {"lose": 0.4}}),
    "stale_checks": ("P1", {**_STALE, "lag": 0, "fates": {}}),
    "retry_blindly": ("P1", {"fates": {"lose": 0.4}}),
    "one_look": ("P1", {"fates": {"lose": 0.4}}),
    "settle_too_short": ("P1", {"fates": {"lose": 0.4}, "lag": 6.0}),
    "abandoned": ("P2", {"fates": {"kill_at": 0.3}, "at_most": 5, "patience": 4}),
    "no_hours_at_sending": ("P3", {"fates": {}, "clients": 0, "late": 20, "start": EDGE + timedelta(minutes=1)}),
    "deaf_to_stop": ("P4", {"fates": {"reset": 0.5}, "stops": 0.9}),
}


def restore(seed: int, restores: int, plant: str = "") -> tuple[list[str], dict[str, int]]:
    """`tests.faults.restores` in a process of its own, which a plant may spoil: what was violated, and the figures."""
    command = [sys.executable, "-m", "tests.faults.restores", "--seed", str(seed), "--restores", str(restores)]
    command += ["--plant", plant] if plant else []
    root = Path(__file__).parents[2]
    told = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    outcome = json.loads(told.stdout.splitlines()[-1])
    return outcome["violations"], outcome["figures"]


def _send(plant: str, seed: int) -> list[str]:
    promise, changes = _SENDING[plant]
    quiet = {
        "clients": 30, "late": 0, "kills": 0, "stops": 0, "callbacks": 0, "evening": False, "freeze": 0,
        "settle": 3, "lag": 2.0, "at_most": 10, "patience": 10, "workers": 2,
    }  # fmt: skip
    for slower in (1, 2, 4):  # on a busy machine a short run may end before the fault comes round
        plan = {**quiet, **changes}
        times = {name: plan[name] * slower for name in ("at_most", "patience", "frozen_for") if name in plan}
        outcome = harness.run(Plan(seed, plant=plant, **plan | times))
        if found := outcome.findings.of(promise):
            return found
    if plan["freeze"] and not outcome.frozen_threads:
        raise AssertionError(f"nobody froze: does `{plan['freeze_in']}` look at the clock any more?")
    return []


def _reply(plant: str, seed: int) -> list[str]:
    return replies.run(replies.Plan(seed, cuts=3, kills=6, replies=200, plant=plant)).violations


def _serve(plant: str, seed: int) -> list[str]:
    return server_cuts.run(replies.Plan(seed, cuts=3, kills=0, replies=60, plant=plant)).violations


def _upgrade(plant: str, seed: int) -> list[str]:
    return upgrades.run(seed, plant).violations


def _restore(plant: str, seed: int) -> list[str]:
    for further in range(5):  # three restores in four have something on its way; now and then all of four have nothing
        if found := restore(seed + further, 4, plant)[0]:
            return found
    return []


TWINS: Mapping[str, Callable[[int], list[str]]] = {
    **{plant: partial(_send, plant) for plant in _SENDING},
    "relaxed_disk": partial(_reply, "relaxed_disk"),
    "unhurried_server": partial(_serve, "unhurried_server"),
    "forgetful_server": partial(_serve, "forgetful_server"),
    "remembered_first": partial(_reply, "remembered_first"),
    "upgraded_bit_by_bit": partial(_upgrade, "upgraded_bit_by_bit"),
    "restored_without_doubt": partial(_restore, "restored_without_doubt"),
}
"""By the name of the plant: what the auditors find in a short run with it."""
