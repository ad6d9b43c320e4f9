"""The layouts of mail in `mail.toml`, ready to compare."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from surveys.vocabulary import Vocabulary


@dataclass(frozen=True)
class Signs:
    """How quotations, headers, footers, notices and banners begin."""

    vocabulary: Vocabulary
    wrote: re.Pattern[str]
    opener: re.Pattern[str]
    addressed: re.Pattern[str]  # how a mail names whom it is for, in a header or a greeting
    pronouns: re.Pattern[str]  # in brackets behind a name
    header: tuple[frozenset[str], ...]  # names of the lines from, sent, to, subject
    starting: Mapping[str, tuple[str, ...]]  # what begins a footer, a legal notice, a banner

    def starts(self, part: str, line: str) -> bool:
        """Whether the line begins with one of the phrases of that part."""
        return line.strip(" *_>[").casefold().startswith(self.starting[part])


@lru_cache(maxsize=4)
def signs_of(vocabulary: Vocabulary) -> Signs:
    """The layouts of a vocabulary."""
    mail = vocabulary.mail
    wrote, openers, to, greetings, pronouns = (
        _any_of(mail[part]) for part in ("wrote", "openers", "to", "greetings", "pronouns")
    )
    return Signs(
        vocabulary=vocabulary,
        wrote=re.compile(rf"(?:{wrote})(?!\w)", re.IGNORECASE),
        opener=re.compile(rf"(?<!\w)(?:{openers})[ ,.:]{{1,2}}(?=(?:[^\s\d]{{1,14}}\s){{0,4}}[^\s\d]{{0,3}}\d)"),
        addressed=re.compile(
            rf"^[> *]{{0,12}}(?:(?:{to})\*? ?:\*?[ \t]*\"?([^\W\d_][\w.'’ -]{{1,60}}?)\"? *[</(]"
            rf"|(?:{greetings}) ([^\W\d_][\w'’-]{{1,30}}),?$)|^>[> ]{{0,6}}([^\W\d_][\w'’-]{{1,30}}), [^\W\d_]",
            re.MULTILINE,
        ),
        pronouns=re.compile(rf"\s*\((?:{pronouns})\b[^()]{{0,20}}\)$", re.IGNORECASE),
        header=tuple(frozenset(w.casefold() for w in mail[part]) for part in ("from", "sent", "to", "subject")),
        starting={part: tuple(w.strip("[*") for w in mail[part]) for part in ("footers", "disclaimers", "banners")},
    )


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))
