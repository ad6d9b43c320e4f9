"""The words a client wrote in a mail or text: without quotations, signatures, footers, notices and banners."""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from surveys.phrases import fold, fold_words
from surveys.replies.html import html_to_text
from surveys.replies.layouts import Signs, signs_of
from surveys.replies.quotation import unquoted
from surveys.replies.text import normalise, shorten
from surveys.vocabulary import Vocabulary

LONGEST_HTML = 300_000  # characters of source: styles alone can take a hundred thousand
_NAME = re.compile(r"^[-–—~]?\s?[^\W\d_a-z][\w'’-]*\.?(?: [^\W\d_a-z][\w'’-]*\.?){0,3}(?:, [A-Z][\w.-]{0,8})*,?$")
_REACHED = re.compile(
    r"(?:\w{1,8}[.:]?\s)?(?:\+?\d[\d ().-]{6,20}\d(?:\s*(?:x|ext\.?)\s*\d{1,6})?|[\w.+-]{1,64}@[\w.-]{3,80})"
)
_PRONOUNS = re.compile(r"\s*\((?:she|he|they|ella|él|elle|il|elles?|iel)\b[^()]{0,20}\)$", re.IGNORECASE)
_CONTACT = re.compile(r"[\d@|/]|^\W*$")
_TO = re.compile(
    r"^[> *]{0,12}(?:(?:To|A|À|Para|An|Till|Aan)\*? ?:\*?[ \t]*\"?([^\W\d_][\w.'’ -]{1,60}?)\"? *[</(]"
    r"|(?:Hi|Hello|Dear|Hola|Bonjour|Cher|Chère|Estimad[oa]|Querid[oa]|Hallo) ([^\W\d_][\w'’-]{1,30}),?$)",
    re.MULTILINE,
)
_NUMBER = re.compile(r"\d[\d ().-]{5,}\d")
_MOST_BLOCK = 9  # lines of a block below a mail
_LONG_LINE = 90
_MOST_CARDS = 5  # name, practice, address, notice: each may stand in a paragraph of its own
_DASH_NAME = re.compile(r"(?:^|\s)[-–—~]\s?[A-ZÀ-Ý][\w'’-]{1,20}\.?$")
_PART = re.compile(r"^[(\[]?\d/\d[)\]:]|[(\[]\d/\d[)\]]$")
_SCORED = re.compile(r"(?:([^\W\d_]+)\s?[:=-]?\s?)?[1-5](?:[\s,./-]+[1-5]){0,6}")


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
    lines = _without_notices(_without_banner(whole, signs), signs)
    kept = _without_signature(_without_block(lines, _addressed(text), signs), signs)
    return Own(_joined(kept), _joined([*_left(whole, kept), *signed]), _joined(_left(lines, kept)))


def own_text(text: str, vocabulary: Vocabulary) -> Own:
    """What the client wrote in a text message: no quoted question, trailing name, device line or part marker."""
    signs = signs_of(vocabulary)
    whole = [_without_part(line) for line in text.split("\n") if not line.lstrip().startswith(">")]
    lines = _without_notices([_without_device(line, signs) for line in whole], signs, only_footers=True)
    kept = _without_signature(_until_mark(lines), signs)
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
    """Without device lines, a mail server's banner below the words, and a legal notice with what follows it."""
    kept: list[str] = []
    in_banner = False
    for line in lines:
        in_banner = not only_footers and bool(line.strip()) and (in_banner or _is_banner(line, signs))
        if in_banner or _is_footer(line, signs):
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
    """A text's line without a device line at its end."""
    low = line.casefold()
    for start in ("sent from my ", "enviado desde mi ", "envoyé de mon "):
        at = low.rfind(start)
        if at > 0 and len(line) - at < 40 and _is_footer(line[at:], signs):
            return line[:at].rstrip()
    return line


def _without_part(line: str) -> str:
    """A text's line without the mark of a part: (1/2)."""
    return _PART.sub("", line.strip(" ")) if "/" in line else line


def _until_mark(lines: list[str]) -> list[str]:
    """The lines above the first mark of a signature that has no more than 60 characters below it."""
    below, cut = 0, len(lines)
    for i in range(len(lines) - 1, 0, -1):
        if lines[i].strip() in ("--", "—", "__", "___"):
            cut = i
        below += len(lines[i])
        if below > 60:
            break
    return lines[:cut]


def _addressed(text: str) -> frozenset[str]:
    """The names by which our own mail, quoted below, addresses the client: "To: Ana Lima <...>", "Dear Ana,"."""
    return frozenset(name for found in _TO.finditer(text) for name in (found[1] or found[2]).split() if len(name) > 1)


def _without_block(lines: list[str], names: Container[str], signs: Signs) -> list[str]:
    """Without what a mail program puts below every mail of a person at work: from the client's own name on, or a last
    paragraph of capitals and a telephone number."""
    filled = [i for i, line in enumerate(lines) if line.strip()]
    given = max((i for i in filled if _gives_scores(lines[i], signs)), default=-1)
    for i in (i for i in filled[-_MOST_BLOCK:] if i > given and (i == filled[0] or not lines[i - 1].strip())):
        block = [line for line in lines[i:] if line.strip()]
        if not all(map(_is_written_large, block)):
            continue
        first = block[0].strip(" -–—,").split()[:1]
        named = bool(first) and first[0] in names and (len(block) > 1 or (i > filled[0] and " " in block[0].strip()))
        if named and not re.search(r"\d", block[0]):
            return lines[:i]
        if i > filled[0] and any(map(_is_reached, block)) and not _speaks(block[0], signs):
            return lines[:i]
    return lines


def _is_reached(line: str) -> bool:
    """Whether a line holds a telephone number, of seven digits or more."""
    return any(sum(map(str.isdigit, number)) > 6 for number in _NUMBER.findall(line))


def _speaks(line: str, signs: Signs) -> bool:
    """Whether a line begins with a word that replies are read with: "Please call 555 0100"."""
    first = re.search(r"[^\W\d_]{2,}", line)
    return first is not None and signs.vocabulary.knows(fold(first[0]))


def _is_written_large(line: str) -> bool:
    """Whether most words of a line are names or addresses."""
    words = [word for word in re.findall(r"[^\s|,·•/]+", line) if not word[0].isdigit()]
    large = [word for word in words if word[0].isupper() or "@" in word or "." in word[1:-1] or not word[0].isalpha()]
    if line.isupper() and len(words) > 1:
        return False  # somebody shouts
    return len(line) <= _LONG_LINE and 3 * len(large) >= 2 * len(words) and not line.rstrip().endswith(("?", "!"))


def _without_signature(lines: list[str], signs: Signs) -> list[str]:
    """Without a sign-off and the name below it, a dashed name, or last paragraphs that are name cards."""
    for _ in range(_MOST_CARDS):
        shorter = _without_card(lines, signs)
        if len(shorter) == len(lines) and shorter == lines:
            break
        lines = shorter
    return lines


def _without_card(lines: list[str], signs: Signs) -> list[str]:
    filled = len(lines)
    while filled and not lines[filled - 1].strip():
        filled -= 1
    lines = lines[:filled]
    for i in range(max(0, len(lines) - 9), len(lines)):
        if lines[i].strip(" ,.!-–—").casefold() in signs.vocabulary.mail["sign_offs"] and _is_card(
            lines[i + 1 :], signs
        ):
            return lines[:i]
    if len(lines) > 1 and _DASH_NAME.match(lines[-1].strip()) and _is_name(lines[-1].strip(), signs):
        return lines[:-1]
    start = max((i for i, line in enumerate(lines) if not line.strip()), default=-1)
    if start > 0 and " " in lines[start + 1].strip() and _is_card(lines[start + 1 :], signs):
        return lines[:start]
    if start > 0 and _NAME.match(lines[start + 1].strip()) and _has_contact(lines[start + 2 :]):
        return lines[:start]
    found = _DASH_NAME.search(lines[-1]) if lines else None
    if found and found.start() > 0 and _is_name(found[0].strip(), signs):
        return [*lines[:-1], lines[-1][: found.start()]]
    return lines


def _is_card(lines: Sequence[str], signs: Signs) -> bool:
    """A name and perhaps a few lines of how to reach the person; no lines at all count as one."""
    filled = [line.strip() for line in lines if line.strip()]
    if not filled:
        return True
    if any(_gives_scores(line, signs) for line in filled):
        return False
    rest = all(len(line) <= 70 and (_CONTACT.search(line) or len(line.split()) <= 6) for line in filled[1:])
    return len(filled) <= 7 and rest and _is_name(filled[0], signs)


def _gives_scores(line: str, signs: Signs) -> bool:
    """Whether a line holds nothing but scores, perhaps with a feeling: "4 5 3", "Heard: 4"."""
    found = _SCORED.fullmatch(line.strip())
    return found is not None and (not found[1] or fold(found[1]) in signs.vocabulary.compact)


def _has_contact(lines: Sequence[str]) -> bool:
    """Whether one of some lines is a telephone number or a mail address and little else."""
    return any(_REACHED.fullmatch(line.strip()) for line in lines)


def _is_name(line: str, signs: Signs) -> bool:
    """One to four capitalised words that are no words we know, pronouns in brackets after them."""
    line = _PRONOUNS.sub("", line)
    if not _NAME.match(line) or len(line) > 50:
        return False
    words = [part for word in re.findall(r"[^\W\d_]+", line.split(",")[0]) for part in fold_words(word)]
    return bool(words) and not any(signs.vocabulary.knows(word) for word in words if len(word) > 1)
