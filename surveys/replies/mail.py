"""The words a client wrote in a mail or text: without quotations, signatures, footers, notices and banners."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from surveys.phrases import fold_words
from surveys.replies.html import html_to_text
from surveys.replies.text import normalise, shorten
from surveys.vocabulary import Vocabulary

LONGEST_HTML = 300_000  # characters of source: styles alone can take a hundred thousand
UNDER_QUESTION = 0xE000  # plus the number of the quoted question that the next line stands under
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w")
_RULE = re.compile(r"^\s*_{5,}\s*$")
_DASHED = re.compile(r"^[-–—_*=\s]{2,}([^\n]{3,60}?)[-–—_*=\s]{2,}:?$")
_NAME = re.compile(r"^[-–—~]?\s?[^\W\d_a-z][\w'’-]*\.?(?: [^\W\d_a-z][\w'’-]*\.?){0,3}(?:, [A-Z][\w.-]{0,8})*,?$")
_DATE = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|\d{1,2}[/.-]\d{1,2}|\d{1,2} ?[月일日]")
_ASKED = re.compile(r"^(\d)\s?[).:\]]")
_HEADER = re.compile(r"^[>*\s]*([^\W\d_][^:：\d]{0,24}?)\s?\*?[:：]\s*\*?")
_CONTACT = re.compile(r"[\d@|/]|^\W*$")
_MOST_SIGNED = 8  # lines below a signature's mark
_LETTER = re.compile(r"[^\W\d_]")
_MOST_CARDS = 5  # name, practice, address, notice: each may stand in a paragraph of its own
_DASH_NAME = re.compile(r"(?:^|\s)[-–—~]\s?[A-ZÀ-Ý][\w'’-]{1,20}\.?$")
_PART = re.compile(r"^[(\[]?\d/\d[)\]:]\s*|\s*[(\[]\d/\d[)\]]$")


@dataclass(frozen=True)
class _Signs:
    """The layouts of `mail.toml`, ready to compare."""

    vocabulary: Vocabulary
    wrote: re.Pattern[str]
    opener: re.Pattern[str]
    header: tuple[frozenset[str], ...]  # names of the lines from, sent, to, subject
    starting: Mapping[str, tuple[str, ...]]  # what begins a footer, a legal notice, a banner

    def starts(self, part: str, line: str) -> bool:
        """Whether the line begins with one of the phrases of that part."""
        return line.strip(" *_>[").casefold().startswith(self.starting[part])


@lru_cache(maxsize=4)
def _signs(vocabulary: Vocabulary) -> _Signs:
    mail = vocabulary.mail
    wrote = "|".join(re.escape(w) for w in sorted(mail["wrote"], key=len, reverse=True))
    openers = "|".join(re.escape(w) for w in sorted(set(mail["openers"]), key=len, reverse=True))
    return _Signs(
        vocabulary=vocabulary,
        wrote=re.compile(rf"(?:{wrote})(?!\w)", re.IGNORECASE),
        opener=re.compile(rf"(?<!\w)(?:{openers})[ ,.:]{{1,2}}(?=(?:[^\s\d]{{1,14}}\s){{0,4}}[^\s\d]{{0,3}}\d)"),
        header=tuple(frozenset(w.casefold() for w in mail[part]) for part in ("from", "sent", "to", "subject")),
        starting={part: tuple(w.strip("[*") for w in mail[part]) for part in ("footers", "disclaimers", "banners")},
    )


def own_words(text: str, vocabulary: Vocabulary, headers: Mapping[str, str]) -> str:
    """What the client wrote in a mail's body, HTML or plain; "" when all of it is quoted or machine-made."""
    kind = _header(headers, "Content-Type").lower()
    if "html" in kind or ("plain" not in kind and _looks_like_html(text)):
        text = html_to_text(text[:LONGEST_HTML], vocabulary.mail["quote_classes"])
    text = normalise(shorten(text))
    signs = _signs(vocabulary)
    lines = _unquoted(text.split("\n"), signs)
    lines = _without_banner(lines, signs)
    lines = _without_notices(lines, signs)
    return "\n".join(_without_signature(lines, signs)).strip()


def own_text(text: str, vocabulary: Vocabulary) -> str:
    """What the client wrote in a text message: no quoted question, trailing name, device line or part marker."""
    signs = _signs(vocabulary)
    lines = [line for line in text.split("\n") if not line.lstrip().startswith(">")]
    lines = [_PART.sub("", line) for line in lines]
    lines = _without_notices([_without_device(line, signs) for line in lines], signs, only_footers=True)
    lines = _until_mark(lines)
    return "\n".join(_without_signature(lines, signs)).strip()


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def _looks_like_html(text: str) -> bool:
    return bool(re.match(r"\s*<(?:!doctype|html|head|body|div|p|table|meta)\b", text, re.IGNORECASE))


def _unquoted(lines: Sequence[str], signs: _Signs) -> list[str]:
    """The lines above, between and below quotations, up to an original that has no quote marks."""
    own: list[str] = []
    under = 0  # the question quoted last
    next_quotation = _NextQuotation(lines, signs)
    i = 0
    while i < len(lines):
        line = lines[i].strip()
        if line.startswith(">"):
            asked = _ASKED.match(line.lstrip("> "))
            under = int(asked[1]) if asked else (under if line.strip("> ") == "" else 0)
            i += 1
            continue
        if (line in ("--", "—") or _RULE.match(line)) and _is_signature(lines, i, next_quotation.after(i)):
            i = next_quotation.after(i)
            continue
        begins, before, length = _quotation(lines, i, signs)
        if begins:
            own += [before] if before else []
            i += length
            if not _quoted_next(lines, i):
                break
            continue
        if line and under:
            own.append(chr(UNDER_QUESTION + under) + line)
            under = 0
        else:
            own.append(lines[i].rstrip())
        i += 1
    return own


def _quotation(lines: Sequence[str], i: int, signs: _Signs) -> tuple[bool, str, int]:
    """Whether a quotation is announced at line `i`, the client's words before it, and how many lines announce it."""
    line = lines[i].strip()
    if not line:
        return False, "", 0
    dashed = _DASHED.match(line)
    if dashed and (dashed[1].strip().casefold() in signs.vocabulary.mail["original"] or _is_attribution(line, signs)):
        return True, "", 1
    if _is_header(lines, i, signs) or (_RULE.match(line) and _rule_begins(lines, i, signs)):
        return True, "", 1
    if line.rstrip(" :").casefold() in signs.vocabulary.mail["original"]:
        return True, "", 1
    for length in (1, 2, 3):
        part = [piece.strip() for piece in lines[i : i + length]]
        if len(part) < length or not part[-1]:
            break
        joined = " ".join(part)
        if _is_attribution(joined, signs):
            before = _before_attribution(joined, signs)
            if before is not None and (length == 1 or before or signs.opener.match(joined)):
                return True, before, length
    return False, "", 0


def _is_attribution(joined: str, signs: _Signs) -> bool:
    """A line such as "On <date>, <name> <address> wrote:" in any language."""
    if len(joined) > 400 or not joined.endswith((":", "：", "-", "—")) or not _LETTER.search(joined):
        return False
    tail = joined.rstrip(" :：-—")
    address, date = _ADDRESS.search(joined), _DATE.search(joined)
    if signs.wrote.search(joined):
        verb_last = any(found.end() >= len(tail) - 1 for found in signs.wrote.finditer(tail))
        return bool(address or (date and (verb_last or signs.opener.match(joined))))
    return bool(address and date)


def _before_attribution(joined: str, signs: _Signs) -> str | None:
    """The client's words before an attribution on the same line; None when it cannot be told where it begins."""
    clean = joined.lstrip("-–— ")
    found = list(signs.opener.finditer(clean))
    if not found or found[0].start() == 0:
        return ""
    starts = [f for f in found if _DATE.search(clean, f.end(), f.end() + 60)]
    return clean[: starts[0].start()].strip() if starts else ""


def _kind(line: str, signs: _Signs) -> int | None:
    """Which line of a mail header this is: 0 from, 1 sent, 2 to, 3 subject."""
    found = _HEADER.match(line)
    if not found:
        return None
    name = found[1].strip(" *").casefold()
    return next((kind for kind, names in enumerate(signs.header) if name in names), None)


def _is_header(lines: Sequence[str], i: int, signs: _Signs) -> bool:
    """A block of From / Sent / To / Subject lines, or all of them on one line."""
    if _kind(lines[i], signs) is None:
        return False
    kinds = {_kind(line, signs) for line in lines[i : i + 6]} - {None}
    if len(kinds) >= 3 and (0 in kinds or 3 in kinds):
        return True
    on_line = re.findall(r"(?:^|\s)\*?([^\W\d_]{1,12}):", lines[i])
    named = {kind for kind, names in enumerate(signs.header) for word in on_line if word.casefold() in names}
    return len(named) >= 3 or (len(kinds) == 2 and 0 in kinds and bool(_ADDRESS.search("\n".join(lines[i : i + 4]))))


def _rule_begins(lines: Sequence[str], i: int, signs: _Signs) -> bool:
    following = [j for j in range(i + 1, min(i + 4, len(lines))) if lines[j].strip()]
    return not following or _is_header(lines, following[0], signs) or "_" * 20 in lines[i]


def _quoted_next(lines: Sequence[str], i: int) -> bool:
    following = next((line.strip() for line in lines[i:] if line.strip()), "")
    return following.startswith(">")


def _is_signature(lines: Sequence[str], i: int, end: int) -> bool:
    """After "-- " anything is a signature; after a bare "--" or a short rule only a few short lines up to `end` are."""
    if lines[i].rstrip("\n") == "-- ":
        return True
    filled = (lines[at] for at in range(i + 1, end) if lines[at].strip())
    block = list(islice(filled, _MOST_SIGNED + 1))
    return len(block) <= _MOST_SIGNED and all(len(line) <= 70 for line in block)


class _NextQuotation:
    """Where the next quotation begins; each line is looked at once, however often it is asked for."""

    def __init__(self, lines: Sequence[str], signs: _Signs) -> None:
        self._lines, self._signs = lines, signs
        self._from = self._found = -1

    def after(self, i: int) -> int:
        """The first line after `i` that begins a quotation, or the end; `i` only grows from call to call."""
        if not self._from <= i + 1 <= self._found:
            at = i + 1
            while at < len(self._lines) and not self._begins(at):
                at += 1
            self._from, self._found = i + 1, at
        return self._found

    def _begins(self, at: int) -> bool:
        return self._lines[at].lstrip().startswith(">") or _quotation(self._lines, at, self._signs)[0]


def _without_banner(lines: list[str], signs: _Signs) -> list[str]:
    """Without the paragraphs a mail server put above the client's words."""
    start = 0
    while start < len(lines):
        while start < len(lines) and not lines[start].strip():
            start += 1
        if start >= len(lines) or not signs.starts("banners", lines[start]):
            break
        while start < len(lines) and lines[start].strip():
            start += 1
    return lines[start:]


def _without_notices(lines: list[str], signs: _Signs, *, only_footers: bool = False) -> list[str]:
    """Without device lines, and without a legal notice and what follows it."""
    kept: list[str] = []
    for line in lines:
        if _is_footer(line, signs):
            continue
        if not only_footers and signs.starts("disclaimers", line):
            break
        kept.append(line)
    return kept


def _is_footer(line: str, signs: _Signs) -> bool:
    """ "Sent from my iPhone", but not "Sent from my heart"."""
    if not line.strip() or len(line) > 120 or not signs.starts("footers", line):
        return False
    words = set(re.findall(r"[\w&.+-]+", line.casefold()))
    return any(
        device in words or any(w.startswith(device) for w in words if len(device) > 3)
        for device in signs.vocabulary.mail["devices"]
    )


def _without_device(line: str, signs: _Signs) -> str:
    """A text's line without a device line at its end."""
    low = line.casefold()
    for start in ("sent from my ", "enviado desde mi ", "envoyé de mon "):
        at = low.rfind(start)
        if at > 0 and len(line) - at < 40 and _is_footer(line[at:], signs):
            return line[:at].rstrip()
    return line


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


def _without_signature(lines: list[str], signs: _Signs) -> list[str]:
    """Without a sign-off and the name below it, a dashed name, or last paragraphs that are name cards."""
    for _ in range(_MOST_CARDS):
        shorter = _without_card(lines, signs)
        if len(shorter) == len(lines) and shorter == lines:
            break
        lines = shorter
    return lines


def _without_card(lines: list[str], signs: _Signs) -> list[str]:
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
    found = _DASH_NAME.search(lines[-1]) if lines else None
    if found and found.start() > 0 and _is_name(found[0].strip(), signs):
        return [*lines[:-1], lines[-1][: found.start()]]
    return lines


def _is_card(lines: Sequence[str], signs: _Signs) -> bool:
    """A name and perhaps a few lines of how to reach the person; no lines at all count as one."""
    filled = [line.strip() for line in lines if line.strip()]
    if not filled:
        return True
    rest = all(len(line) <= 70 and (_CONTACT.search(line) or len(line.split()) <= 6) for line in filled[1:])
    return len(filled) <= 7 and rest and _is_name(filled[0], signs)


def _is_name(line: str, signs: _Signs) -> bool:
    """One to four capitalised words that are no words we know."""
    if not _NAME.match(line) or len(line) > 50:
        return False
    words = [part for word in re.findall(r"[^\W\d_]+", line) for part in fold_words(word)]
    return bool(words) and not any(signs.vocabulary.knows(word) for word in words if len(word) > 1)
