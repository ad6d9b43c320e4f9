"""Where things are is written down, and stays true."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_flow_has_its_place_in_the_contributors_table() -> None:
    """A newcomer finds the story a file belongs to; a file that is gone isn't named."""
    text = ROOT.joinpath("CONTRIBUTING.md").read_text()
    table = text[text.index("| story |") : text.index("In `bot/web`")]
    named = set(
        re.findall(r"\b[a-z_]+\b", "".join(line.split("|")[2] for line in table.splitlines()[2:] if "|" in line))
    )
    there = {file.stem for file in ROOT.joinpath("bot/flows").glob("*.py")} - {"__init__", "context"}
    assert sorted(name for name in there - named if not name.startswith("accounts")) == []
    words = {"and", "the", "files", "that", "begin", "with", "it"}
    assert sorted(named - there - words) == []
