"""A mail to the practice's own people, as plain text and as HTML. Both say the same, neither loads anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.flows import mail_html

TREND = "trend"  # the one picture a letter may hold, named by `cid:` and attached when the letter is sent
SHOWS_TREND = f'src="cid:{TREND}"'


@dataclass(frozen=True)
class Button:
    """A way on: its words, and the address it leads to."""

    label: str
    link: str


@dataclass(frozen=True)
class Part:
    """A part with a heading of its own: lines, or figures with what they are."""

    heading: str
    lines: Sequence[str] = ()
    figures: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Letter:
    """All that one letter says. `sender` stands on top, as `language` says it is read out.

    `about`: whom it is about, where the practice chose that mails may say so. `trend`: what the picture of a trend
    shows, in words; empty for no picture. The first of the `buttons` is the one that is meant.
    """

    sender: str
    language: str
    subject: str
    lead: str
    about: str = ""
    buttons: Sequence[Button] = ()
    trend: str = ""
    parts: Sequence[Part] = ()
    small: Sequence[str] = ()
    urgent: bool = False


def written(letter: Letter) -> tuple[str, str]:
    """The letter as plain text and as HTML with its styles inlined."""
    return _plain(letter), mail_html.render("letter.html", letter=letter)


def _plain(letter: Letter) -> str:
    said = [letter.about, letter.lead, *(f"{button.label}:\n{button.link}" for button in letter.buttons), letter.trend]
    said += [_plain_part(part) for part in letter.parts]
    return "\n\n".join(filter(None, [*said, *letter.small, letter.sender])) + "\n"


def _plain_part(part: Part) -> str:
    lines = [f"- {line}" for line in part.lines] + [f"- {name}: {value}" for name, value in part.figures]
    return "\n".join([f"{part.heading}:", *lines])
