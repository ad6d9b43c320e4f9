"""One spelling for what can be written in many ways: digits of any script, spaces, invisible marks."""

import re
import unicodedata

LONGEST = 9_000  # characters of a reply that are read; the head, and the tail where a comment may end
_TAIL = 2_250
_INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff\u00ad\u061c\u180e\ufe0e\ufe0f\u20e3\x00"
)
_PRIVATE = range(0xE000, 0xF900)  # the readers mark places with these
_DROPPED = {ord(c): None for c in _INVISIBLE} | dict.fromkeys(_PRIVATE)
_NEGATIVE_CIRCLES = {0x2776 + i: str(i + 1) for i in range(10)} | {0x24F5 + i: str(i + 1) for i in range(10)}
_SANS_CIRCLES = {0x2780 + i: str(i + 1) for i in range(10)} | {0x278A + i: str(i + 1) for i in range(10)}
_OTHER = {
    ord("🔟"): "10",
    ord("\r"): "\n",
    0x2028: "\n",
    0x2029: "\n",
    0x85: "\n",
    ord("⁄"): "/",
    0x0B: "\n",
    0x0C: "\n",
}
_TABLE = _DROPPED | _NEGATIVE_CIRCLES | _SANS_CIRCLES | _OTHER
_HALVES = re.compile(r"[¼½¾⅐-⅞↉]")
_ORDINAL_MARKS = re.compile(r"(?<=\d)[ºª°]")
_SPACES = re.compile(r"[^\S\n]")
_DIGIT = re.compile(r"(?![0-9])\d")


def shorten(text: str) -> str:
    """At most LONGEST characters: the head and the tail, so that the cost of reading has a bound."""
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST - _TAIL] + "\n\n" + text[-_TAIL:]


def normalise(text: str) -> str:
    """NFKC, decimal digits of any script as 0-9, no invisible marks, every kind of space a space.

    Logical order is kept. A vulgar fraction becomes " 1/2 ", so that it stays a half and not part of a number.
    """
    if text.isascii():
        return text.replace("\r\n", "\n").translate(_TABLE).replace("\t", " ")
    text = _HALVES.sub(" 1/2 ", text.replace("\r\n", "\n"))
    text = _ORDINAL_MARKS.sub("o", text)
    text = unicodedata.normalize("NFKC", text.translate(_TABLE)).translate(_TABLE)
    text = _SPACES.sub(" ", text)
    return shorten(_DIGIT.sub(_decimal, text))


def _decimal(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found[0]))
