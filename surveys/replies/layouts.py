"""The layouts of mail in `mail.toml`, ready to compare."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from surveys.vocabulary import Vocabulary


@dataclass(frozen=True)
class Signs:
    """How quotations, headers, footers, notices and banners begin."""

    vocabulary: Vocabulary
    wrote: re.Pattern[str]
    opener: re.Pattern[str]
    header: tuple[frozenset[str], ...]  # names of the lines from, sent, to, subject
    starting: Mapping[str, tuple[str, ...]]  # what begins a footer, a legal notice, a banner

    def starts(self, part: str, line: str) -> bool:
        """Whether the line begins with one of the phrases of that part."""
        return line.strip(" *_>[").casefold().startswith(self.starting[part])


@lru_cache(maxsize=4)
def signs_of(vocabulary: Vocabulary) -> Signs:
    """The layouts of a vocabulary."""
    mail = vocabulary.mail
    wrote = "|".join(re.escape(w) for w in sorted(mail["wrote"], key=len, reverse=True))
    openers = "|".join(re.escape(w) for w in sorted(set(mail["openers"]), key=len, reverse=True))
    return Signs(
        vocabulary=vocabulary,
        wrote=re.compile(rf"(?:{wrote})(?!\w)", re.IGNORECASE),
        opener=re.compile(rf"(?<!\w)(?:{openers})[ ,.:]{{1,2}}(?=(?:[^\s\d]{{1,14}}\s){{0,4}}[^\s\d]{{0,3}}\d)"),
        header=tuple(frozenset(w.casefold() for w in mail[part]) for part in ("from", "sent", "to", "subject")),
        starting={part: tuple(w.strip("[*") for w in mail[part]) for part in ("footers", "disclaimers", "banners")},
    )
