"""The words that replies are read with: `surveys/instruments/words/*.toml`, one file a language, and one for mail.

The files are data that a clinician or a translator can read and extend; `load` checks that each has every part.
What the signs in a pattern mean is told in `surveys.phrases`.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from surveys.phrases import BadPattern, Phrases, fold, fold_words
from surveys.spelling import Spelling

LANGUAGES = ("en", "es", "fr")
FEELINGS = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen", "change")

# section -> its parts, each a list of patterns; the group in the tree is "section.part"
LISTS: Mapping[str, tuple[str, ...]] = {
    "scores": (
        *("beyond", "tens", "all", "except", "correction", "not", "hedge", "near", "half", "or", "to"),
        *("between", "out_of", "percent", "stars", "minus", "skip", "and"),
    ),
    "around": ("filler", "frame", "greeting", "thanks"),
    "counts": ("after", "before", "rating", "month", "alone", "singular", "describing", "idiom"),
    "code": ("says",),
    "optout": ("says", "not", "stay", "polite"),
    "danger": ("not", "denied", "past", "now"),
    "talk": ("call", "help", "optin", "skip", "wrong_person", "request", "done"),
    "machine": ("says",),
}
# section -> what its keys may be; each key has a list of patterns; the group is the section
TABLES: Mapping[str, tuple[str, ...]] = {
    "numbers": ("1", "2", "3", "4", "5"),
    "choices": ("1", "2", "3", "4", "5"),
    "plurals": ("1", "2", "3", "4", "5"),
    "feelings": FEELINGS,
    "places": ("1", "2", "3", "4", "5", "6", "7", "last", "first_two", "last_two", "rest", "#"),
}
WORDS = ("ordinary", "keywords", "often_misspelt")
MAIL = (
    *("wrote", "openers", "from", "sent", "to", "subject", "original", "footers", "devices", "disclaimers"),
    *(
        "banners",
        "sign_offs",
        "quote_classes",
        "auto_subjects",
        "auto_senders",
        "bounce_starts",
        "reactions",
        "code_signs",
    ),
)


class BadVocabulary(ValueError):
    """A words file that cannot be used: which file, which key, and why."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}")
        self.file, self.key, self.reason = file, key, reason


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Everything the reader of replies knows about words, in all languages at once."""

    phrases: Phrases
    keywords: frozenset[str]  # opt out when they are the whole message, folded and without spaces
    spelling: Spelling
    accented: frozenset[str]  # words that mean something else without their accents
    mail: Mapping[str, tuple[str, ...]]
    compact: Mapping[str, str]  # feelings by their words, for "heard5"

    def knows(self, word: str) -> bool:
        """Whether a folded word occurs in any pattern or list."""
        return word in self.phrases.vocabulary or self.spelling.is_ordinary(word)


@cache
def load() -> Vocabulary:
    """The packaged words, read and checked once; BadVocabulary names file, key and reason."""
    folder = files("surveys") / "instruments" / "words"
    return build({name: (folder / f"{name}.toml").read_text("utf8") for name in (*LANGUAGES, "mail")})


def build(texts: Mapping[str, str]) -> Vocabulary:
    """The vocabulary in the given TOML texts, by file name without `.toml` (`mail` is the mail layouts)."""
    tables = {name: _read(f"{name}.toml", text) for name, text in texts.items()}
    mail = _mail(tables.pop("mail", {}))
    phrases = Phrases()
    for name, table in tables.items():
        _check(f"{name}.toml", table)
        _add_all(f"{name}.toml", table, phrases)
    phrases.forget()
    keywords = frozenset(_compact(word) for table in tables.values() for word in table["keywords"])
    return Vocabulary(
        phrases=phrases,
        keywords=keywords,
        spelling=_spelling(tables, phrases),
        accented=frozenset(word for table in tables.values() for word in table["accented"]),
        mail=mail,
        compact={fold(p): f for t in tables.values() for f, ps in t["feelings"].items() for p in ps if p.isalpha()},
    )


def _read(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadVocabulary(file, "the file", f"is not TOML ({error})") from None


def _check(file: str, table: Mapping[str, Any]) -> None:
    for section, parts in LISTS.items():
        for part in parts:
            _strings(file, table.get(section, {}), part, f"{section}.{part}")
    for section, keys in TABLES.items():
        if not isinstance(table.get(section), dict):
            raise BadVocabulary(file, section, "is missing")
        for key in table[section]:
            if key not in keys:
                raise BadVocabulary(file, f"{section}.{key}", f"is none of {', '.join(keys)}")
            _strings(file, table[section], key, f"{section}.{key}")
    for part in (*WORDS, "accented"):
        _strings(file, table, part, part)
    missing = [feeling for feeling in FEELINGS if feeling not in table["feelings"]]
    if missing:
        raise BadVocabulary(file, f"feelings.{missing[0]}", "is missing")


def _strings(file: str, table: Mapping[str, Any], part: str, key: str) -> None:
    if part not in table:
        raise BadVocabulary(file, key, "is missing")
    value = table[part]
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise BadVocabulary(file, key, "must be a list of phrases in quotes")


def _patterns(table: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """(group, value, key in the file, pattern) of every pattern in a language."""
    for section, parts in LISTS.items():
        for part in parts:
            yield from ((f"{section}.{part}", "", f"{section}.{part}", p) for p in table[section][part])
    for section in TABLES:
        for value, patterns in table[section].items():
            yield from ((section, value, f"{section}.{value}", p) for p in patterns)
    for part, patterns in table["danger"].items():
        if part not in LISTS["danger"]:
            yield from (("danger.says", part, f"danger.{part}", p) for p in patterns)


def _add_all(file: str, table: Mapping[str, Any], phrases: Phrases) -> None:
    lists: Mapping[str, Sequence[str]] = table.get("lists", {})
    for group, value, key, pattern in _patterns(table):
        try:
            phrases.add(group, value, pattern, lists)
        except BadPattern as error:
            raise BadVocabulary(file, key, str(error)) from None


def _spelling(tables: Mapping[str, Mapping[str, Any]], phrases: Phrases) -> Spelling:
    wanted: dict[str, int] = {}
    for table in tables.values():
        for section, least in (("numbers", 4), ("choices", 4), ("feelings", 5)):
            for patterns in table[section].values():
                wanted |= {fold(p): least for p in patterns if p.isalpha() and len(p) >= least}
        wanted |= {fold(word): 4 for word in (*table["keywords"], *table["often_misspelt"]) if len(word) >= 4}
    ordinary = {fold(w) for table in tables.values() for text in table["ordinary"] for w in text.split()}
    ordinary |= {word for table in tables.values() for word in table["accented"]}
    return Spelling(frozenset(w for w in wanted if w.isalpha()), frozenset(ordinary | phrases.vocabulary))


def _compact(keyword: str) -> str:
    return "".join(part for word in keyword.split() for part in fold_words(word)).replace("-", "")


def _mail(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    for part in MAIL:
        _strings("mail.toml", table, part, part)
    return {part: tuple(table[part]) for part in MAIL}
