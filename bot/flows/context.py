"""What a flow works with: the store, the channels, the words. Put together once a process."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.channels import MailChannel, Outgoing, Received, SmsChannel
from bot.config import Config
from bot.store import Store, open_store
from surveys import instrument
from surveys.instrument import Instruments


class Channel(Protocol):
    """A way to reach someone."""

    @property
    def sender(self) -> str: ...

    def send(self, message: Outgoing) -> str: ...


@runtime_checkable
class Finder(Protocol):
    """A channel that can be asked later what became of a message."""

    def find(self, to: str, body: str, since: datetime) -> list[str]: ...


@runtime_checkable
class Listing(Protocol):
    """A channel that keeps what came in, and can be asked for it."""

    def received(self, since: datetime, most: int) -> list[Received]: ...


@dataclass(frozen=True)
class Context:
    """Everything but the time, which is always an argument."""

    config: Config
    store: Store
    instruments: Instruments
    channels: Mapping[str, Channel]


def build(config: Config) -> Context:
    """The context of one process. Channels exist where their settings do."""
    channels: dict[str, Channel] = {}
    if config.sends_texts:
        channels["sms"] = SmsChannel(config)
    if config.sends_mail:
        channels["mail"] = MailChannel(config)
    store = open_store(config.database_url, config.secrets)
    return Context(config, store, instrument.load_all(), channels)
