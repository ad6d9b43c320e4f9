"""Figures beside their goals, printed as they are found."""


class Goals:
    """What was measured, and how many goals were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def plain(self, what: str, figure: float, unit: str = "") -> None:
        """A figure that no goal is set for."""
        print(f"{what}: {figure:,.2f} {unit}".rstrip(), flush=True)

    def at_least(self, what: str, figure: float, goal: float, unit: str = "") -> None:
        """A figure that should be no less than its goal."""
        self._judge(what, figure, f"goal: at least {goal:,g}", figure >= goal, unit)

    def at_most(self, what: str, figure: float, goal: float, unit: str = "") -> None:
        """A figure that should be no more than its goal."""
        self._judge(what, figure, f"goal: at most {goal:,g}", figure <= goal, unit)

    def whole(self, what: str, figure: int) -> None:
        """Something that must not happen."""
        if figure:
            self._judge(what, figure, "goal: none", False, "")

    def _judge(self, what: str, figure: float, goal: str, reached: bool, unit: str) -> None:
        self.missed += not reached
        unit = f" {unit}" if unit else ""
        words = "reached" if reached else "NOT REACHED"
        print(f"{what}: {figure:,.2f}{unit} ({goal}{unit}: {words})", flush=True)
