"""What docs/conversation.md shows of the tables in `surveys`, drawn from them."""

from surveys.conversation import MOVES, OPEN, State
from surveys.instrument import load_all
from surveys.wording import Say, Voice, write

FEELINGS = ("heard", "respected", "understood")


def diagram() -> str:
    """The states of a check-in as a Mermaid diagram."""
    lines = ["stateDiagram-v2", "    [*] --> planned"]
    for state, moves in MOVES.items():
        lines += [f"    {state} --> {after}: {event.replace('_', ' ')}" for event, after in moves.items()]
    lines += [f"    {state} --> [*]" for state in MOVES if state not in OPEN and state is not State.PLANNED]
    return "\n".join(lines)


def example(kind: str) -> str:
    """A text as a client of Riverside gets it, about three questions of which two were understood."""
    asked = FEELINGS[2:] if kind == "ask_rest" else FEELINGS
    say = Say(kind, asked, understood=(("heard", 5), ("respected", 4)))
    return write(say, Voice("Riverside", "en"), load_all()).text
