"""Signatures below a client's words: a sign-off and a name, a name card, what a mail program puts below every mail.

A name is told from a word by the words that replies are read with: capitals that none of those knows.
"""

import re
from collections.abc import Container, Sequence

from surveys.phrases import fold, fold_words
from surveys.replies.layouts import Signs

_NAME = re.compile(r"^[-–—~]?\s?[^\W\d_a-z][\w'’-]*\.?(?: [^\W\d_a-z][\w'’-]*\.?){0,3}(?:, [A-Z][\w.-]{0,8})*,?$")
_DASH_NAME = re.compile(r"(?:^|\s)[-–—~]\s?[A-ZÀ-Ý][\w'’-]{1,20}\.?$")
_TO_REACH = re.compile(
    r"(?:\w{1,8}[.:]?\s)?(?:[+(]?\d[\d ().-]{6,20}\d(?:\s*(?:x|ext\.?)\s*\d{1,6})?|[\w.+-]{1,64}@[\w.-]{3,80})"
)
_TELEPHONE = re.compile(r"\d[\d ().-]{5,}\d")
_NO_SENTENCE = re.compile(r"[\d@|/]|^\W*$")
_SCORED = re.compile(r"(?:([^\W\d_]+)\s?[:=-]?\s?)?[1-5](?:[\s,./-]+[1-5]){0,6}")
_SCORE = re.compile(r"(?<![\w/-])[1-5]{1,7}(?:/5)?(?![\w/-])")
_MOTTO = "\"'“«"  # what one begins with
_MARKS = ("--", "—", "__", "___")
_MOST_LINES = 9  # of a block or card below a mail
_LONG_LINE = 90
_MOST_CARDS = 5  # name, practice, address, notice: each may stand in a paragraph of its own


def until_mark(lines: list[str]) -> list[str]:
    """The lines above the first mark of a signature that has no more than 60 characters below it."""
    below, cut = 0, len(lines)
    for i in range(len(lines) - 1, 0, -1):
        if lines[i].strip() in _MARKS:
            cut = i
        below += len(lines[i])
        if below > 60:
            break
    return lines[:cut]


def addressed(text: str, signs: Signs) -> frozenset[str]:
    """The names by which our own mail, quoted below, addresses the client: "To: Ana Lima <...>", "Dear Ana,"."""
    found = (name for at in signs.addressed.finditer(text) for name in (at[1] or at[2] or at[3]).split())
    return frozenset(name for name in found if len(name) > 1)


def without_block(lines: list[str], names: Container[str], signs: Signs) -> list[str]:
    """Without what a mail program puts below every mail of a person at work: from the client's own name on, or a last
    paragraph of capitals and a telephone number."""
    filled = [i for i, line in enumerate(lines) if re.search(r"\w", line)]
    given = max((i for i in filled if _gives_scores(lines[i], signs)), default=-1)
    for i in (i for i in filled[-_MOST_LINES:] if i > given and (i == filled[0] or not lines[i - 1].strip())):
        block = [line for line in lines[i:] if re.search(r"\w", line)]
        if not all(map(_is_written_large, block)):
            continue
        first = next((word for word in block[0].strip(" -–—,").split() if not word.endswith(".")), "")
        named = first in names and (len(block) > 1 or (i > filled[0] and " " in block[0].strip()))
        if named and not _SCORE.search(block[0]):
            return lines[:i]
        if i > filled[0] and any(map(_holds_telephone, block)) and not _speaks(block[0], signs):
            return lines[:i]
    return lines


def _holds_telephone(line: str) -> bool:
    """Whether a line holds a telephone number, of seven digits or more."""
    return any(sum(map(str.isdigit, number)) > 6 for number in _TELEPHONE.findall(line))


def _speaks(line: str, signs: Signs) -> bool:
    """Whether a line begins with a word that replies are read with: "Please call 555 0100"."""
    first = re.search(r"[^\W\d_]{2,}", line)
    return first is not None and signs.vocabulary.knows(fold(first[0]))


def _is_written_large(line: str) -> bool:
    """Whether most words of a line are names or addresses."""
    if _TO_REACH.fullmatch(line.strip()):
        return True
    words = [word for word in re.findall(r"[^\s|,·•/]+", line) if not word[0].isdigit()]
    large = [word for word in words if word[0].isupper() or "@" in word or "." in word[1:-1] or not word[0].isalpha()]
    if line.isupper() and len(words) > 1:
        return False  # somebody shouts
    return len(line) <= _LONG_LINE and 3 * len(large) >= 2 * len(words) and not line.rstrip().endswith(("?", "!"))


def without_cards(lines: list[str], signs: Signs) -> list[str]:
    """Without a sign-off and the name below it, a dashed name, or last paragraphs that are name cards."""
    for _ in range(_MOST_CARDS):
        shorter = _without_card(_filled_to_the_end(lines), signs)
        if shorter == lines:
            break
        lines = shorter
    return lines


def _filled_to_the_end(lines: list[str]) -> list[str]:
    return lines[: max((i + 1 for i, line in enumerate(lines) if line.strip()), default=0)]


def _without_card(lines: list[str], signs: Signs) -> list[str]:
    starts = (_sign_off(lines, signs), _dashed_name(lines, signs), _last_card(lines, signs))
    start = next((at for at in starts if at is not None), None)
    if start is not None:
        return lines[:start]
    found = _DASH_NAME.search(lines[-1]) if lines else None
    if found and found.start() > 0 and _is_name(found[0].strip(), signs):
        return [*lines[:-1], lines[-1][: found.start()]]
    return lines


def _sign_off(lines: list[str], signs: Signs) -> int | None:
    """The line of "Kind regards" with nothing but a card below it."""
    for i in range(max(0, len(lines) - _MOST_LINES), len(lines)):
        said = lines[i].strip(" ,.!-–—").casefold()
        if said in signs.vocabulary.mail["sign_offs"] and _is_card(lines[i + 1 :], signs):
            return i
    return None


def _dashed_name(lines: list[str], signs: Signs) -> int | None:
    """The last line, where it is "- Ana"."""
    last = lines[-1].strip() if len(lines) > 1 else ""
    return len(lines) - 1 if _DASH_NAME.match(last) and _is_name(last, signs) else None


def _last_card(lines: list[str], signs: Signs) -> int | None:
    """The empty line above a last paragraph that is a card, or begins with a name and says how to reach it."""
    start = max((i for i, line in enumerate(lines) if not line.strip()), default=-1)
    if start <= 0:
        return None
    first, below = lines[start + 1].strip(), lines[start + 2 :]
    card = " " in first and _is_card(lines[start + 1 :], signs)
    named = _NAME.match(first) and not _speaks(first, signs)
    reached = named and any(_TO_REACH.fullmatch(line.strip()) for line in below)
    return start if card or reached else None


def _is_card(lines: Sequence[str], signs: Signs) -> bool:
    """A name and perhaps a few lines of how to reach the person; no lines at all count as one."""
    filled = [line.strip() for line in lines if line.strip()]
    if not filled:
        return True
    if any(_gives_scores(line, signs) for line in filled):
        return False
    rest = all(_is_of_a_card(line, signs) for line in filled[1:])
    return len(filled) <= 7 and rest and _is_name(filled[0], signs)


def _is_of_a_card(line: str, signs: Signs) -> bool:
    """A few words, or how to reach somebody; but not "He listened to me" or "Please call me 555-0101"."""
    words = [fold(word) for word in re.findall(r"[^\W\d_]+", line)]
    plain = line.lstrip()[0] not in _MOTTO and not _is_written_large(line)
    said = plain and len(words) > 2 and all(map(signs.vocabulary.knows, words))
    return len(line) <= 70 and not said and bool(_NO_SENTENCE.search(line) or len(line.split()) <= 6)


def _gives_scores(line: str, signs: Signs) -> bool:
    """Whether a line holds nothing but scores, perhaps with a feeling: "4 5 3", "Heard: 4"."""
    found = _SCORED.fullmatch(line.strip())
    return found is not None and (not found[1] or fold(found[1]) in signs.vocabulary.compact)


def _is_name(line: str, signs: Signs) -> bool:
    """One to four capitalised words that are no words we know, pronouns in brackets after them."""
    line = signs.pronouns.sub("", line)
    if not _NAME.match(line) or len(line) > 50:
        return False
    words = [part for word in re.findall(r"[^\W\d_]+", line.split(",")[0]) for part in fold_words(word)]
    return bool(words) and not any(signs.vocabulary.knows(word) for word in words if len(word) > 1)
