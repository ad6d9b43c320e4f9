"""What every flow behind a manager's page begins with, and how it says that something can't be done."""

from collections.abc import Mapping

from bot.flows.access import Me, NotHere
from bot.store.practices import Practice


class Refused(Exception):
    """What was typed can't be taken. `problems`: what is wrong, by field; under "" what concerns the whole."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def practice_of(me: Me) -> Practice:
    """The practice this person manages. Raises NotHere for anyone who doesn't."""
    if "manager" not in me.roles:
        raise NotHere
    return me.practice


def sentence(text: str) -> str:
    """A problem as a cell's check words it ("is empty; ..."), made to stand by itself at a field."""
    text = text.removesuffix(".")
    return f"{text[:1].upper()}{text[1:]}."
