"""Commands that live in files of their own, by subject; `bot.cli` puts them together."""

import click

from bot.commands import accounts, copying, signal

ALL: tuple[click.Command, ...] = (
    *accounts.ALL,
    *copying.ALL,
    *signal.ALL,
)
