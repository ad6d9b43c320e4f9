"""The demo's transcript: who wrote what to whom, at which local time."""

import textwrap
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

import click

from bot.sandbox.sample import ZONE

WIDTH = 108
MARGIN = " " * 30
BEGINNING = WIDTH - len(MARGIN)


class Transcript:
    """Writes to every stream as things happen; colour only where the stream is a terminal."""

    def __init__(self, now: Callable[[], float], *streams: TextIO) -> None:
        self._now, self._streams = now, streams
        self._week = 0
        self._shown: set[str] = set()

    def week(self, number: int) -> None:
        """A heading, once for each week."""
        if number != self._week:
            self._week = number
            self._write(f"\nWeek {number}", bold=True)

    def text_to(self, name: str, words: str) -> None:
        """Attune texts a client; words that were shown before are cut to their beginning."""
        known = words in self._shown
        self._shown.add(words)
        self._entry(f"to {name}", textwrap.shorten(words, BEGINNING, placeholder=" ...") if known else words, fg="cyan")

    def text_from(self, name: str, words: str) -> None:
        """A client texts."""
        self._entry(name, words, fg="green")

    def event(self, who: str, words: str) -> None:
        """Something that is no text."""
        self._entry(who, words, fg=None)

    def visit(self, name: str) -> None:
        """A visit has ended."""
        self._entry(name, "(a visit ends)", fg="bright_black")

    def mail(self, to: str, subject: str, words: str) -> None:
        """A mail has come; one that was shown before is cut to its beginning."""
        known = f"{to}\n{words}" in self._shown
        self._shown.add(f"{to}\n{words}")
        shown = textwrap.shorten(words, BEGINNING, placeholder=" ...") if known else words
        self._entry(f"mail to {to}", f"{subject}\n{shown}", fg="yellow")

    def aside(self, words: str) -> None:
        """What happens behind the stage."""
        self._entry("*", words, fg="magenta")

    def plain(self, words: str, *, fg: str | None = None, bold: bool = False) -> None:
        """A line of the summary."""
        self._write(words, fg=fg, bold=bold)

    def _entry(self, who: str, words: str, fg: str | None) -> None:
        at = datetime.fromtimestamp(self._now(), ZONE)
        lead = f"  {at:%a %d %b %H:%M}  {who}".ljust(len(MARGIN) - 1) + " "
        lines = [_wrapped(part, MARGIN) for part in words.splitlines() if part.strip()]
        lines[0] = lead + lines[0].lstrip()
        self._write("\n".join(lines), fg=fg)

    def _write(self, line: str, *, fg: str | None = None, bold: bool = False) -> None:
        for stream in self._streams:
            click.echo(click.style(line, fg=fg, bold=bold), file=stream)  # click drops colour off a terminal
            stream.flush()


def _wrapped(words: str, margin: str) -> str:
    return textwrap.fill(
        words,
        WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
