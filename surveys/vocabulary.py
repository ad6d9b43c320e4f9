"""The words that replies are read with, as data by language in `surveys/instruments/words/`.

`xx.toml` holds a language's scores, courtesies and requests; `flags_xx.toml` its wishes to stop and its words of
danger, also for languages that are read for these only; `mail.toml` the layouts of mail. A clinician or a translator
can read and extend them; `load` checks that each has every part. The signs of a pattern are told in `surveys.phrases`,
those of a rule in `surveys.concepts`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from surveys.concepts import SIGNS, BadRule, Rule, Rules
from surveys.phrases import BadPattern, Phrases, fold, fold_words
from surveys.plain import Plain
from surveys.spelling import Spelling

LANGUAGES = ("en", "es", "fr")  # read in full
FLAGGED = (*LANGUAGES, "pt", "de", "it", "more")  # read for opt-out and danger at least
FILES = (*LANGUAGES, *(f"flags_{language}" for language in FLAGGED), "mail")
FEELINGS = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen", "change")

# section -> its parts, each a list of patterns; the group in the tree is "section.part"
LISTS: Mapping[str, tuple[str, ...]] = {
    "scores": (
        *("beyond", "tens", "all", "except", "correction", "not", "hedge", "near", "half", "or", "to"),
        *("between", "out_of", "scale", "percent", "stars", "minus", "skip", "and"),
    ),
    "around": ("filler", "frame", "greeting", "thanks"),
    "counts": (
        "after",
        "before",
        "loose",
        "single",
        "rating",
        "month",
        "alone",
        "pointing",
        "singular",
        "describing",
        "idiom",
    ),
    "code": ("says",),
    "talk": ("call", "help", "optin", "skip", "wrong_person", "request", "done"),
    "machine": ("says",),
}
# section -> what its keys may be; each key has a list of patterns; the group is the section
TABLES: Mapping[str, tuple[str, ...]] = {
    "numbers": ("1", "2", "3", "4", "5"),
    "choices": ("1", "2", "3", "4", "5"),
    "plurals": ("1", "2", "3", "4", "5"),
    "feelings": FEELINGS,
    "places": (
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "last",
        "first_two",
        "last_two",
        "first_three",
        "last_three",
        "rest",
        "#",
    ),
}
FLAGS: Mapping[str, tuple[str, ...]] = {
    "optout": ("says", "not", "stay", "polite"),
    "danger": ("not", "denied", "unsaid", "past", "tense", "present", "now"),
}
FILLERS = "left out"  # the list in `plain` of words that change nothing
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
        "help_signs",
        "banner_signs",
        "notice_signs",
        "forwards",
        "device_endings",
        "greetings",
        "pronouns",
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
    rules: Rules
    keywords: frozenset[str]  # opt out when they are the whole message, folded and without spaces
    spelling: Spelling
    plain: Plain
    accented: frozenset[str]  # words that mean something else without their accents
    mail: Mapping[str, tuple[str, ...]]
    compact: Mapping[str, str]  # feelings by their words, for "heard5"
    initials: frozenset[str]  # of the three feelings always asked, in each language: "hru"

    def offers_help(self, line: str) -> bool:
        """Whether a line is one that only notices have, of help in a crisis or of mailing lists."""
        return bool(_words_of(self.mail["help_signs"]).search(line.casefold()))

    def knows(self, word: str) -> bool:
        """Whether a folded word occurs in any pattern or list."""
        return word in self.phrases.vocabulary or self.spelling.is_ordinary(word)


@cache
def load() -> Vocabulary:
    """The packaged words, read and checked once; BadVocabulary names file, key and reason."""
    folder = files("surveys") / "instruments" / "words"
    return build({name: (folder / f"{name}.toml").read_text("utf8") for name in FILES})


def build(texts: Mapping[str, str]) -> Vocabulary:
    """The vocabulary in the given TOML texts, by file name without `.toml`: `en`, `flags_en`, `mail` ..."""
    tables = {name: _read(f"{name}.toml", text) for name, text in texts.items()}
    mail = _mail(tables.pop("mail", {}))
    phrases, rules = Phrases(), list[Rule]()
    for name, table in tables.items():
        flags = name.startswith("flags_")
        (_check_flags if flags else _check)(f"{name}.toml", table)
        _add_all(f"{name}.toml", table, phrases, FLAGS if flags else LISTS)
        if flags:
            rules += _rules(f"{name}.toml", table, name.removeprefix("flags_"))
    full = {name: table for name, table in tables.items() if not name.startswith("flags_")}
    made = Vocabulary(
        phrases=phrases,
        rules=Rules(rules),
        keywords=frozenset(_compact(word) for table in tables.values() for word in table.get("keywords", ())),
        spelling=_spelling(tables, phrases),
        plain=_plain(tables),
        accented=frozenset(word for table in full.values() for word in table["accented"]),
        mail=mail,
        initials=frozenset(_initials(table["feelings"]) for table in full.values()),
        compact={fold(p): f for t in full.values() for f, ps in t["feelings"].items() for p in ps if p.isalpha()},
    )
    # what was read goes first: it takes as much room as what is made of it
    tables.clear()
    full.clear()
    phrases.forget()
    return made


def _read(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadVocabulary(file, "the file", f"is not TOML ({error})") from None


def _check(file: str, table: Mapping[str, Any]) -> None:
    """Refuse a language's file that lacks a part, or has one that is no list of phrases."""
    _check_lists(file, table, LISTS)
    for section, keys in TABLES.items():
        if not isinstance(table.get(section), dict):
            raise BadVocabulary(file, section, "is missing")
        for key in table[section]:
            if key not in keys:
                raise BadVocabulary(file, f"{section}.{key}", f"is none of {', '.join(keys)}")
            _strings(file, table[section], key, f"{section}.{key}")
    for part in ("ordinary", "accented"):
        _strings(file, table, part, part)
    missing = [feeling for feeling in FEELINGS if feeling not in table["feelings"]]
    if missing:
        raise BadVocabulary(file, f"feelings.{missing[0]}", "is missing")


def _check_flags(file: str, table: Mapping[str, Any]) -> None:
    """The same for a file of wishes to stop and words of danger."""
    _check_lists(file, table, FLAGS)
    for part in ("keywords", "often_misspelt", "masked", "ordinary"):
        _strings(file, table, part, part)
    for section in ("respelt", "concepts", "together", "signs", "danger"):
        if not isinstance(table.get(section), dict):
            raise BadVocabulary(file, section, "is missing")
        for key in table[section]:
            _strings(file, table[section], key, f"{section}.{key}")
    for key in table.get("plain", {}):  # a language may do without
        _strings(file, table["plain"], key, f"plain.{key}")


def _check_lists(file: str, table: Mapping[str, Any], wanted: Mapping[str, Sequence[str]]) -> None:
    for section, parts in wanted.items():
        for part in parts:
            _strings(file, table.get(section, {}), part, f"{section}.{part}")


def _strings(file: str, table: Mapping[str, Any], part: str, key: str) -> None:
    if part not in table:
        raise BadVocabulary(file, key, "is missing")
    value = table[part]
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise BadVocabulary(file, key, "must be a list of phrases in quotes")


def _patterns(
    table: Mapping[str, Any], wanted: Mapping[str, Sequence[str]], language: str
) -> Iterator[tuple[str, str, str, str]]:
    """(group, value, key in the file, pattern) of every pattern in a file."""
    for section, parts in wanted.items():
        for part in parts:
            yield from ((f"{section}.{part}", "", f"{section}.{part}", p) for p in table[section][part])
    for section in TABLES:
        for value, patterns in table.get(section, {}).items():
            yield from ((section, value, f"{section}.{value}", p) for p in patterns)
    for part, patterns in table.get("danger", {}).items():
        if part not in FLAGS["danger"]:
            yield from (("danger.says", part, f"danger.{part}", p) for p in patterns)
    for name, patterns in table.get("concepts", {}).items():
        yield from ((f"concept.{language}", name, f"concepts.{name}", p) for p in patterns)


def _add_all(file: str, table: Mapping[str, Any], phrases: Phrases, wanted: Mapping[str, Sequence[str]]) -> None:
    lists: Mapping[str, Sequence[str]] = table.get("lists", {})
    language = file.removesuffix(".toml").removeprefix("flags_")
    for group, value, key, pattern in _patterns(table, wanted, language):
        try:
            phrases.add(group, value, pattern, lists)
        except BadPattern as error:
            raise BadVocabulary(file, key, str(error)) from None


def _rules(file: str, table: Mapping[str, Any], language: str) -> Iterator[Rule]:
    """The rules of a file: those of `together` named `optout` are wishes to stop, the others a kind of danger; `signs`
    are signs of danger by their weight."""
    for section in ("together", "signs"):
        for kind, texts in table[section].items():
            if section == "signs" and kind not in SIGNS:
                raise BadVocabulary(file, f"signs.{kind}", f"is none of {', '.join(SIGNS)}")
            group = "danger.sign" if section == "signs" else "optout.says" if kind == "optout" else "danger.says"
            for text in texts:
                try:
                    yield Rule.of(text, group, kind, language, table["concepts"])
                except BadRule as error:
                    raise BadVocabulary(file, f"{section}.{kind}", str(error)) from None


def _spelling(tables: Mapping[str, Mapping[str, Any]], phrases: Phrases) -> Spelling:
    wanted: dict[str, str] = {}
    for table in tables.values():
        words = (*table.get("keywords", ()), *table.get("often_misspelt", ()))
        wanted |= {fold(word): fold(word) for word in words if len(word) >= 4}
    for table in tables.values():
        for section, least in (("numbers", 4), ("choices", 4), ("feelings", 5)):
            for value, patterns in table.get(section, {}).items():
                wanted |= {fold(p): f"{section}.{value}" for p in patterns if p.isalpha() and len(p) >= least}
    ordinary = {fold(w) for table in tables.values() for text in table["ordinary"] for w in text.split()}
    ordinary |= {word for table in tables.values() for word in table.get("accented", ())}
    plain = [said for t in tables.values() for others in t.get("plain", {}).values() for said in others]
    ordinary |= {part for said in plain for word in said.split() for part in fold_words(word)}
    grave = {fold(word) for table in tables.values() for word in table.get("masked", ())}
    return Spelling(
        {word: value for word, value in wanted.items() if word.isalpha()},
        frozenset(ordinary | phrases.vocabulary),
        {fold(w): fold(right) for t in tables.values() for right, wrong in t.get("respelt", {}).items() for w in wrong},
        frozenset(grave),
    )


def _plain(tables: Mapping[str, Mapping[str, Any]]) -> Plain:
    parts = [(said, others) for t in tables.values() for said, others in t.get("plain", {}).items()]
    same = {said: others for said, others in parts if said != FILLERS}
    return Plain([word for said, others in parts if said == FILLERS for word in others], same)


@cache
def _words_of(signs: tuple[str, ...]) -> re.Pattern[str]:
    """Any of some signs, each as whole words."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(sign) for sign in signs)})(?!\w)")


def _initials(feelings: Mapping[str, Sequence[str]]) -> str:
    return "".join(fold(feelings[feeling][0])[0] for feeling in FEELINGS[:3])


def _compact(keyword: str) -> str:
    return "".join(part for word in keyword.split() for part in fold_words(word)).replace("-", "")


def _mail(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    for part in MAIL:
        _strings("mail.toml", table, part, part)
    return {part: tuple(table[part]) for part in MAIL}
