"""A pytest plugin for the run on PostgreSQL (`-p tests.hosts.reached`): which functions of the store asked that server
anything. One that none of the tests led to fails the run, by name: its SQL was never tried on this engine.

With xdist each worker process tells the first one what it saw.
"""

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STORE = Path(__file__).parents[2] / "bot" / "store"
# The engines themselves, and what is about both of them at once (`tests/bot/flows/test_copying.py`).
NOT_ASKED = {"engine", "sqlite", "gate", "together", "upgrades", "tx", "postgres", "postgres_link", "copying"}
reached: set[str] = set()


def wanted() -> set[str]:
    """Every function of the store that is given a transaction and asks it for something, as `module.function`."""
    found = set()
    for path in STORE.glob("*.py"):
        for node in ast.parse(path.read_text()).body if path.stem not in NOT_ASKED else ():
            if isinstance(node, ast.FunctionDef) and _asks(node):
                found.add(f"{path.stem}.{node.name}")
    return found


def _asks(function: ast.FunctionDef) -> bool:
    """For more than the keys."""
    nodes = list(ast.walk(function))
    keys = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr == "sealer"}
    return any(isinstance(node, ast.Name) and node.id == "tx" and id(node) not in keys for node in nodes) and any(
        each.arg == "tx" for each in function.args.args
    )


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("ATTUNE_TEST_ENGINE") != "postgresql":
        raise pytest.UsageError("tests.hosts.reached is for ATTUNE_TEST_ENGINE=postgresql")
    from bot.store.postgres import PostgresTx

    for name in ("all", "run", "run_many", "seal", "open"):
        setattr(PostgresTx, name, _watched(getattr(PostgresTx, name)))
    config.pluginmanager.register(_Teller(), "reached-teller")


def _watched(method: Any) -> Any:
    def ask(*given: Any, **named: Any) -> Any:
        reached.update(_asking())
        return method(*given, **named)

    return ask


def _asking() -> Iterator[str]:
    """The functions of the store on the way here."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(str(STORE)):
        yield f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]


class _Teller:
    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker process of xdist has ended."""
        reached.update(node.workeroutput.get("reached", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["reached"] = sorted(reached)
        elif _missed() and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(f"{len(wanted() & reached)} of {len(wanted())} functions of the store were tried")
        for each in sorted(_missed()):
            terminalreporter.write_line(f"NEVER TRIED ON POSTGRESQL: bot.store.{each}")


def _missed() -> set[str]:
    return wanted() - reached
