"""Commands that live in files of their own, by subject; `bot.cli` puts them together."""

import click

ALL: tuple[click.Command, ...] = ()
