"""What the tests of replies share: the packaged words, and short ways to read a reply."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from surveys import vocabulary
from surveys.replies import Reply, parse
from surveys.replies.decide import Instruments

CORE = ("heard", "respected", "understood")
INSTRUMENTS = cast("Instruments", SimpleNamespace(vocabulary=vocabulary.load()))


def read(text: str, *asked: str, headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    """A text message's reading; the three core questions unless others are named."""
    channel = "sms" if headers is None else "email"
    return parse(text, asked=asked or CORE, instruments=INSTRUMENTS, channel=channel, headers=headers, **more)


def scores(text: str, *asked: str) -> list[int | None]:
    """Only the scores."""
    return list(read(text, *asked).scores)
