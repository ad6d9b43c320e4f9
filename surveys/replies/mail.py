"""The words a client wrote in a mail or text: without quotations, signatures, footers, notices and banners."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surveys.replies.html import html_to_text
from surveys.replies.layouts import Signs, signs_of
from surveys.replies.quotation import unquoted
from surveys.replies.signature import addressed, until_mark, without_block, without_cards
from surveys.replies.text import normalise, shorten
from surveys.vocabulary import Vocabulary

LONGEST_HTML = 300_000  # characters of source: styles alone can take a hundred thousand
_LINK = re.compile(r"\s*<?https?://\S+>?\s*")
_PART = re.compile(r"^[(\[]?\d/\d[)\]:]|[(\[]\d/\d[)\]]$")


@dataclass(frozen=True)
class Own:
    """The client's own words, and what was left out beside quotations: signatures, footers, notices and banners; `card`
    is the part of that below a sign-off or a name."""

    text: str
    left: str = ""
    card: str = ""


def own_words(text: str, vocabulary: Vocabulary, headers: Mapping[str, str]) -> Own:
    """What the client wrote in a mail's body, HTML or plain; "" when all of it is quoted or machine-made."""
    kind = _header(headers, "Content-Type").lower()
    if "html" in kind or ("plain" not in kind and _looks_like_html(text)):
        text = html_to_text(text[:LONGEST_HTML], vocabulary.mail["quote_classes"])
    text = normalise(shorten(text))
    signs = signs_of(vocabulary)
    whole, signed = unquoted(text.split("\n"), signs)
    lines = _without_notices([_without_device(line, signs) for line in _without_banner(whole, signs)], signs)
    kept = without_cards(without_block(lines, addressed(text, signs), signs), signs)
    return Own(_joined(kept), _joined([*_left(whole, kept), *signed]), _joined(_left(lines, kept)))


def own_text(text: str, vocabulary: Vocabulary) -> Own:
    """What the client wrote in a text message: no quoted question, trailing name, device line or part marker."""
    signs = signs_of(vocabulary)
    whole = [_without_part(line) for line in text.split("\n") if not line.lstrip().startswith(">")]
    lines = _without_notices([_without_device(line, signs) for line in whole], signs, only_footers=True)
    kept = without_cards(until_mark(lines), signs)
    return Own(_joined(kept), _joined(_left(whole, kept)), _joined(_left(lines, kept)))


def _left(whole: Sequence[str], kept: Sequence[str]) -> list[str]:
    """What of some lines was not kept: lines, and the ends of lines ("5 5 5 sent from my phone")."""
    left, at = list[str](), 0
    for line in whole:
        if at < len(kept) and line.startswith(kept[at]) and (kept[at].strip() or not line.strip()):
            left.append(line[len(kept[at]) :])
            at += 1
        else:
            left.append(line)
    return [line for line in left if line.strip()]


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip()


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def _looks_like_html(text: str) -> bool:
    return bool(re.match(r"\s*<(?:!doctype|html|head|body|div|p|table|meta)\b", text, re.IGNORECASE))


def _without_banner(lines: list[str], signs: Signs) -> list[str]:
    """Without the paragraphs a mail server put above the client's words."""
    start = 0
    while start < len(lines):
        while start < len(lines) and not lines[start].strip():
            start += 1
        if start >= len(lines) or not _is_banner(lines[start], signs):
            break
        while start < len(lines) and lines[start].strip():
            start += 1
    return lines[start:]


def _is_banner(line: str, signs: Signs) -> bool:
    """Whether a mail server's warning begins here, and nothing of the client's: "Caution: external sender"."""
    low = line.casefold()
    return signs.starts("banners", line) and any(sign in low for sign in signs.vocabulary.mail["banner_signs"])


def _without_notices(lines: list[str], signs: Signs, *, only_footers: bool = False) -> list[str]:
    """Without device lines and the link below one, a mail server's banner below the words, and a legal notice with what
    follows it."""
    kept: list[str] = []
    in_banner = below_footer = False
    for line in lines:
        in_banner = not only_footers and bool(line.strip()) and (in_banner or _is_banner(line, signs))
        below_footer = _is_footer(line, signs) or bool(_LINK.fullmatch(line) and (below_footer or "<" in line))
        if in_banner or below_footer:
            continue
        if not only_footers and _is_notice(line, signs):
            break
        kept.append(line)
    return kept


def _is_notice(line: str, signs: Signs) -> bool:
    """Whether a legal notice begins here, however it does: it says two things that only one says."""
    low = line.casefold()
    return signs.starts("disclaimers", line) or sum(s in low for s in signs.vocabulary.mail["notice_signs"]) > 1


def _is_footer(line: str, signs: Signs) -> bool:
    """ "Sent from my iPhone", but not "Sent from my heart"."""
    line = line.strip("~*-–—_ ")
    if not line or len(line) > 120 or not signs.starts("footers", line):
        return False
    words = set(re.findall(r"[\w&.+-]+", line.casefold()))
    return any(
        device in words or any(w.startswith(device) for w in words if len(device) > 3)
        for device in signs.vocabulary.mail["devices"]
    )


def _without_device(line: str, signs: Signs) -> str:
    """A line without a device line at its end: "4 5 3 Sent from my iPhone"."""
    low = line.casefold()
    for start in signs.vocabulary.mail["device_endings"]:
        at = low.rfind(f"{start} ")
        if at > 0 and len(line) - at < 40 and _is_footer(line[at:], signs):
            return line[:at].rstrip()
    return line


def _without_part(line: str) -> str:
    """A text's line without the mark of a part: (1/2)."""
    return _PART.sub("", line.strip(" ")) if "/" in line else line
