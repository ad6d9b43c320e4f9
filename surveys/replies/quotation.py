"""Quotations in a mail: where one is announced, where it ends, and which lines between are the client's own."""

import re
from collections.abc import Sequence
from itertools import islice

from surveys.replies.layouts import Signs

UNDER_QUESTION = 0xE000  # plus the number of the quoted question that the next line stands under
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w")
_RULE = re.compile(r"^\s*_{5,}\s*$")
_DASHED = re.compile(r"^[-–—_*=\s]{2,}([^\n]{3,60}?)[-–—_*=\s]{2,}:?$")
_SCORES = re.compile(r"[1-5](?:[\s,./-]+[1-5]){0,6}\.?")
_DATE = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|\d{1,2}[/.-]\d{1,2}|\d{1,2} ?[月일日]")
_RUN_ON = re.compile(
    r"([^\n]{10,300}?<[^<>\s]{3,100}>[^\n<>]{0,40}:)\s{2,}\S"
)  # Yahoo: the quoted text begins on its line
_OURS = re.compile(r"[1-5].*(?:STOP|ALTO|ARR|BAJA|[Uu]nsubscribe|988)|^\s*1\s?[).:=]", re.DOTALL | re.MULTILINE)
_ASKED = re.compile(r"^(\d)\s?[).:\]]")
_HEADER = re.compile(r"^[>*\s]*([^\W\d_][^:：\d]{0,24}?)\s?\*?[:：]\s*\*?")
_NAME = re.compile(r"(?:(?:[^\W\d_a-z][\w'’&-]*|&)(?: |$)){1,5}")  # words that begin large, and nothing else
_ENDS = (":", "：", "-", "—")
_LONG_RULE = 200  # characters
_LONG_NAME = 80
_MOST_SIGNED = 8  # lines below a signature's mark
_LETTER = re.compile(r"[^\W\d_]")


def unquoted(lines: Sequence[str], signs: Signs) -> tuple[list[str], list[str]]:
    """The lines above, between and below quotations, up to an original that has no quote marks; and what was
    left out that may be theirs: signatures, and an original that is no check-in."""
    own, signed = list[str](), list[str]()
    under = 0  # the question quoted last
    next_quotation = _NextQuotation(lines, signs)
    i = 0
    while i < len(lines):
        line = lines[i].strip()
        if line.startswith(">>>") and line.endswith(">>>") and len(line) > len(">>>>>>"):
            break  # GroupWise: the original follows without marks
        if line.startswith(">"):
            asked = _ASKED.match(line.lstrip("> "))
            under = int(asked[1]) if asked else (under if line.strip("> ") == "" else 0)
            i += 1
            continue
        if (line in ("--", "—") or _RULE.match(line)) and _is_signature(lines, i, next_quotation.after(i)):
            signed += lines[i + 1 : next_quotation.after(i)]
            i = next_quotation.after(i)
            continue
        begins, before, length = _quotation(lines, i, signs)
        if begins:
            own += [before] if before else []
            announced = length == 1 and not before and line.endswith(_ENDS)
            signed += [lines[i]] if announced else []  # danger is heard in what announces one, too
            i += length
            if not _quoted_next(lines, i):
                signed += [] if _OURS.search("\n".join(lines[i:])) else lines[i:]
                break
            continue
        if line and under:
            own.append(chr(UNDER_QUESTION + under) + line)
            under = 0
        else:
            own.append(lines[i].rstrip())
        i += 1
    return own, signed


def _quotation(lines: Sequence[str], i: int, signs: Signs) -> tuple[bool, str, int]:
    """Whether a quotation is announced at line `i`, the client's words before it, and how many lines announce it."""
    line = lines[i].strip()
    if not line:
        return False, "", 0
    dashed = _DASHED.match(line) if len(line) < _LONG_RULE else None
    if dashed and (dashed[1].strip().casefold() in signs.vocabulary.mail["original"] or _is_attribution(line, signs)):
        return True, "", 1
    if _is_header(lines, i, signs) or (_RULE.match(line) and _rule_begins(lines, i, signs)):
        return True, "", 1
    if line.rstrip(" :").casefold() in signs.vocabulary.mail["original"]:
        return True, "", 1
    if (run_on := _RUN_ON.match(line)) and _is_attribution(run_on[1], signs):
        return True, _before_attribution(run_on[1], signs) or "", 1
    for length in (1, 2, 3):
        part = [piece.strip() for piece in lines[i : i + length]]
        if len(part) < length or not part[-1]:
            break
        joined = " ".join(part)
        if not joined.endswith(_ENDS):
            continue
        short = length == 1 and _is_short_attribution(joined, signs)
        if _is_attribution(joined, signs) or (short and _quoted_next(lines, i + 1)):
            before = "" if short else _before_attribution(joined, signs)
            begun = bool(length == 1 or before or signs.opener.match(joined))
            begun = begun or bool(_ADDRESS.search(part[0]) and _quoted_next(lines, i + length))
            if before is not None and begun:
                return True, before, length
    return False, "", 0


def _is_attribution(joined: str, signs: Signs) -> bool:
    """A line such as "On <date>, <name> <address> wrote:" in any language."""
    if len(joined) > 400 or not joined.endswith(_ENDS) or not _LETTER.search(joined):
        return False
    tail = joined.rstrip(" :：-—")
    address, date = _ADDRESS.search(joined), _DATE.search(joined)
    if signs.wrote.search(joined):
        verb_last = any(found.end() >= len(tail) - 1 for found in signs.wrote.finditer(tail))
        return bool(address or (date and (verb_last or signs.opener.match(joined))))
    return bool(address and date)


def _is_short_attribution(joined: str, signs: Signs) -> bool:
    """ "Oak Counseling wrote:", which is one where quoted lines follow; but not "He hit me and wrote:"."""
    clean = joined[:_LONG_NAME].rstrip(" :：")
    verbs = [found for found in signs.wrote.finditer(clean) if found.end() == len(clean)]
    return len(joined) < _LONG_NAME and bool(verbs) and bool(_NAME.fullmatch(clean[: verbs[0].start()].strip()))


def _before_attribution(joined: str, signs: Signs) -> str | None:
    """The client's words before an attribution on the same line; None when it cannot be told where it begins."""
    clean = joined.lstrip("-–— ")
    found = list(signs.opener.finditer(clean))
    if not found or found[0].start() == 0:
        return ""
    starts = [f for f in found if _DATE.search(clean, f.end(), f.end() + 60)]
    return clean[: starts[0].start()].strip() if starts else ""


def _kind(line: str, signs: Signs) -> int | None:
    """Which line of a mail header this is: 0 from, 1 sent, 2 to, 3 subject."""
    found = _HEADER.match(line)
    if not found:
        return None
    name = found[1].strip(" *").casefold()
    return next((kind for kind, names in enumerate(signs.header) if name in names), None)


def _is_header(lines: Sequence[str], i: int, signs: Signs) -> bool:
    """A block of From / Sent / To / Subject lines, or all of them on one line."""
    if _kind(lines[i], signs) is None:
        return False
    kinds = {_kind(line, signs) for line in lines[i : i + 6]} - {None}
    if len(kinds) >= 3 and (0 in kinds or 3 in kinds):
        return True
    on_line = re.findall(r"(?:^|\s)\*?([^\W\d_]{1,12}):", lines[i])
    named = {kind for kind, names in enumerate(signs.header) for word in on_line if word.casefold() in names}
    return len(named) >= 3 or (len(kinds) == 2 and 0 in kinds and bool(_ADDRESS.search("\n".join(lines[i : i + 4]))))


def _rule_begins(lines: Sequence[str], i: int, signs: Signs) -> bool:
    following = [j for j in range(i + 1, min(i + 4, len(lines))) if lines[j].strip()]
    return not following or _is_header(lines, following[0], signs) or "_" * 20 in lines[i]


def _quoted_next(lines: Sequence[str], i: int) -> bool:
    following = next((lines[at].strip() for at in range(i, len(lines)) if lines[at].strip()), "")
    return following.startswith(">")


def _is_signature(lines: Sequence[str], i: int, end: int) -> bool:
    """After "-- " anything is a signature; after a bare "--" or a short rule only a few short lines up to `end` are.
    Scores are none."""
    filled = (lines[at] for at in range(i + 1, end) if lines[at].strip())
    block = list(islice(filled, _MOST_SIGNED + 1))
    if block and _SCORES.fullmatch(block[0].strip()):
        return False
    return lines[i] == "-- " or (len(block) <= _MOST_SIGNED and all(len(line) <= 70 for line in block))


class _NextQuotation:
    """Where the next quotation begins; each line is looked at once, however often it is asked for."""

    def __init__(self, lines: Sequence[str], signs: Signs) -> None:
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
