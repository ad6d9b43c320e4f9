"""Ten weeks of three clients: what each writes, how long after a text arrives, and in what form.

Ana stays well, with the ups and downs that everyone has. Ben is well for six weeks, then feels less and less heard
and understood, until Theo asks about it. Chidi says STOP in week 3 and goes on coming.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WEEKS = 10
LAST_WELL = 6  # Ben's last good week
STOP_WEEK = 3  # Chidi's

Feelings = Sequence[str]


@dataclass(frozen=True)
class Turn:
    """What a client does with one text: `write` gives the words for the feelings asked, after so many minutes."""

    minutes: int
    write: Callable[[Feelings], str]


Week = tuple[Turn | None, ...]  # one for each text in turn, None where it is left unanswered; then nothing more


def plain(digits: Sequence[str]) -> str:
    """5 4 5"""
    return " ".join(digits)


def together(digits: Sequence[str]) -> str:
    """545"""
    return "".join(digits)


def commas(digits: Sequence[str]) -> str:
    """5, 4, 5"""
    return ", ".join(digits)


def messy(digits: Sequence[str]) -> str:
    """5, 4 n 5 and 4 thx!"""
    first, second, *rest = digits
    return f"{first}, {second} n {' and '.join(rest)} thx!"


def gives(
    minutes: int, heard: int, respected: int, understood: int, other: int = 4, form: Callable[..., str] = plain
) -> Turn:
    """A full answer; `other` is for whichever fourth feeling is asked."""
    scores = {"heard": heard, "respected": respected, "understood": understood}
    return Turn(minutes, lambda asked: form([str(scores.get(feeling, other)) for feeling in asked]))


def says(minutes: int, words: str) -> Turn:
    """Words as they are."""
    return Turn(minutes, lambda _asked: words)


ANAS: tuple[Week, ...] = (
    (gives(12, 5, 4, 5, 4, messy),),
    (gives(7, 5, 5, 4),),
    (gives(3, 4, 5, 4, 4, commas),),
    (gives(26, 5, 5, 5, 5), says(4, "the breathing exercise helped a lot this week")),
    (says(9, "5 and 4"), says(2, "5 4")),
    (None, None),  # away: neither the check-in nor the reminder is answered
    (gives(15, 5, 5, 4, 4, messy),),
    (gives(5, 4, 5, 5, 5, together),),
    (gives(8, 5, 4, 4, 4),),
    (gives(31, 5, 5, 5, 4),),
)

BENS_WELL: tuple[Week, ...] = (
    (gives(18, 4, 5, 4),),
    (gives(325, 5, 5, 5, 5),),  # in the evening, after the practice's hours
    (gives(11, 4, 4, 4, 5, commas),),
    (None, gives(40, 5, 5, 4, 5)),  # only after the reminder
    (gives(9, 4, 5, 5, 4),),
    (gives(14, 5, 5, 4, 5, messy),),
)
BENS_DECLINE: tuple[Week, ...] = (
    (gives(16, 3, 5, 3, 4),),
    (gives(45, 2, 4, 1, 3),),
    (gives(52, 1, 3, 1, 2),),
    (gives(70, 1, 3, 1, 2),),
)
BENS_MENDING: tuple[Week, ...] = (
    (gives(10, 4, 5, 4, 4), says(3, "good that we talked about it")),
    (gives(8, 5, 5, 4, 5),),
)

CHIDIS: tuple[Week, ...] = (
    (gives(22, 5, 4, 4),),
    (gives(6, 4, 4, 5, 4),),
    (says(13, "STOP"),),
)


def ana(week: int) -> Week:
    """What Ana does in a week, from 1."""
    return _at(ANAS, week)


def ben(week: int, *, helped: int = 0, declines: bool = True) -> Week:
    """What Ben does in a week; `helped` counts the visits since Theo asked how the two of them were doing."""
    if helped:
        return _at(BENS_MENDING, min(helped, len(BENS_MENDING)))
    if week > LAST_WELL and declines:
        return _at(BENS_DECLINE, week - LAST_WELL)
    return _at(BENS_WELL, (week - 1) % LAST_WELL + 1)


def chidi(week: int) -> Week:
    """What Chidi does in a week."""
    return _at(CHIDIS, week)


def _at(weeks: Sequence[Week], week: int) -> Week:
    return weeks[week - 1] if 0 < week <= len(weeks) else ()
