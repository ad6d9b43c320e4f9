"""Replies that no person wrote: reactions to a message, bounces, out-of-office notes, receipts, invitations."""

import re
from collections.abc import Mapping

from surveys.phrases import fold
from surveys.vocabulary import Vocabulary

_OPEN, _CLOSE = "“\"«„‟”‘'「『”", "”\"»“’'」』"
_QUOTE = re.compile(rf"^(?P<before>[^{_OPEN}]{{0,60}}?)\s*[{_OPEN}](?P<quoted>.*)$", re.DOTALL)
_EMOJI_TO = re.compile(r"^\W+\s?(?:to|a|à|на|zu|auf|op|till|til|para|su|do)\s*$", re.IGNORECASE)
_REPEATED = re.compile(rf"[{_OPEN}][^{_OPEN}{_CLOSE}]{{50,1500}}[{_CLOSE}]")
_CHECK_IN_SIGNS = re.compile(r"1\s?[).(=].*2\s?[).(=]|1 .{2,30} 5 ", re.DOTALL)
_AUTOMATIC = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-failed-recipients", "x-auto-reply", "list-id"}
)
_SIGNED = re.compile(r"STOP|ALTO|ARR[EÊ]T")  # as only our own texts write it
_CHECK_IN = re.compile(r"1.*5|STOP|ALTO|ARR", re.DOTALL)


def reaction(text: str, vocabulary: Vocabulary) -> str | None:
    """What is left of a text beside a phone's account of a reaction (mostly ""); None when it is no reaction."""
    found = _QUOTE.match(text.strip())
    if not found:
        return None
    before, quoted = found["before"].strip(), found["quoted"]
    named = bool(before) and _is_reaction(before, vocabulary)
    sign = bool(_EMOJI_TO.match(before))
    after = _after_quotation(quoted)
    if sign or (named and (len(quoted) > 12 or after == "")):
        return after.strip()
    trailing = after.strip()
    if trailing and len(trailing) < 60 and _CHECK_IN.search(quoted) and _is_reaction(trailing, vocabulary):
        return ""
    return None


def without_check_in(text: str, vocabulary: Vocabulary) -> str:
    """The text without our own question where it is repeated between quotation marks, or passed on as it is."""
    if (
        text.lstrip().lower().startswith(vocabulary.mail["forwards"])
        and _CHECK_IN.search(text)
        and _SIGNED.search(text)
    ):
        return ""
    return _REPEATED.sub(lambda found: " " if _CHECK_IN_SIGNS.search(found[0]) else found[0], text)


def _is_reaction(words: str, vocabulary: Vocabulary) -> bool:
    plain = " ".join(fold(word) for word in words.split())
    return any(
        plain == fold(r) or plain.startswith(fold(r) + " ") for r in vocabulary.mail["reactions"]
    ) and not re.search(r"\d", words)


def _after_quotation(quoted: str) -> str:
    end = max(quoted.rfind(mark) for mark in _CLOSE)
    return quoted[end + 1 :] if end >= 0 else ""


def is_automatic(headers: Mapping[str, str], vocabulary: Vocabulary) -> bool:
    """Whether a mail's headers say that a machine wrote it (RFC 3834 and what servers do besides)."""
    head = {key.lower(): str(value).strip().lower() for key, value in headers.items()}
    if head.get("auto-submitted", "no").split(";")[0].strip() not in ("", "no"):
        return True
    if not _AUTOMATIC.isdisjoint(head):
        return True
    if (
        head.get("precedence") in ("bulk", "auto_reply", "auto-reply", "junk", "list")
        or head.get("return-path") == "<>"
    ):
        return True
    kind = head.get("content-type", "")
    if kind.startswith(("multipart/report", "text/calendar", "message/delivery-status")) or "report-type" in kind:
        return True
    sender, subject = head.get("from", ""), head.get("subject", "")
    if any(name in sender for name in vocabulary.mail["auto_senders"]):
        return True
    return any(subject.startswith(start) for start in vocabulary.mail["auto_subjects"])
