"""Each hazard in docs/hazards.md names tests that are there (P18)."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def rows() -> list[list[str]]:
    """The cells of each hazard."""
    lines = ROOT.joinpath("docs/hazards.md").read_text().splitlines()
    table = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in cells] for cells in table[2:]]


def test_every_hazard_has_a_cause_a_control_and_a_test_that_is_there() -> None:
    """A control without a test that tries to break it is a hope."""
    text = "\n".join(file.read_text() for file in ROOT.joinpath("tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", text))
    found = rows()
    assert len(found) >= 15
    for cells in found:
        hazard, *_, tests = cells
        assert len(cells) == 4, hazard
        assert all(cells), hazard
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, hazard
        assert [name for name in named if name not in there] == [], hazard
