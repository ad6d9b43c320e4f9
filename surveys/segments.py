"""How many SMS segments a text takes.

Rules: 3GPP TS 23.038 (the GSM 7-bit default alphabet and its extension table) and TS 23.040 (long
messages): one message holds 160 GSM-7 units or 70 UCS-2 units, each part of a long one 153 or 67. A character
of the extension table takes two units (escape and code), as does a character outside the Basic Multilingual
Plane in UCS-2; neither is ever split over two parts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}  # alone, and as a part of several


@dataclass(frozen=True)
class Segments:
    """What a text takes on air: its encoding ("GSM-7" or "UCS-2"), messages billed, and units in all."""

    encoding: str
    count: int
    units: int


def segments(text: str) -> Segments:
    """Encoding, number of segments and units of a text. An empty text counts as one message; never raises."""
    encoding = "UCS-2" if outside_gsm(text) else "GSM-7"
    widths = [_width(char, encoding) for char in text]
    alone, part = _LIMITS[encoding]
    count = 1 if sum(widths) <= alone else _parts(widths, part)
    return Segments(encoding, count, sum(widths))


def outside_gsm(text: str) -> str:
    """The characters of a text that GSM-7 can't write, each once, in order; empty when it can write all."""
    return "".join(dict.fromkeys(char for char in text if char not in _BASIC and char not in _EXTENSION))


def _width(char: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return 2 if char in _EXTENSION else 1
    return 2 if ord(char) > 0xFFFF else 1


def _parts(widths: Iterable[int], limit: int) -> int:
    """How many parts are filled when each character goes whole into the current part or opens the next."""
    count, used = 1, 0
    for width in widths:
        if used + width > limit:
            count, used = count + 1, 0
        used += width
    return count
