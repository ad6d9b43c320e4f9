"""One instrument file: asked for what it must hold, and refused with its name, the key and the reason."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Formatter
from typing import Any, TypeVar

T = TypeVar("T")

LANGUAGES = ("en", "es", "fr")


class BadInstrument(Exception):
    """An instrument file that can't be used: which file, which key, and why."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}, {key}: {reason}")
        self.file, self.key, self.reason = file, key, reason


@dataclass(frozen=True)
class InstrumentFile:
    """One parsed file; every getter either returns what was asked for or raises BadInstrument."""

    name: str
    data: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Traversable | Path, name: str) -> "InstrumentFile":
        try:
            return cls(name, tomllib.loads((folder / name).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise BadInstrument(name, "file", "is missing") from None
        except UnicodeDecodeError as error:
            raise BadInstrument(name, f"byte {error.start}", "is not UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            reason, _, place = str(error).partition(" (at ")
            raise BadInstrument(name, place.rstrip(")") or "syntax", reason) from None

    def fault(self, path: str | Iterable[str], reason: str) -> BadInstrument:
        return BadInstrument(self.name, path if isinstance(path, str) else ".".join(path), reason)

    def value(self, kind: type[T], *path: str) -> T:
        """What stands at a path, of one type."""
        found: Any = self.data
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is None:
            raise self.fault(path, "is missing")
        if not isinstance(found, kind) or isinstance(found, bool):
            raise self.fault(path, f"must be {_NAMES[kind]}")
        return found

    def text(self, *path: str) -> str:
        text = self.value(str, *path)
        if not text.strip():
            raise self.fault(path, "is empty")
        return text

    def list(self, *path: str, length: int | None = None) -> tuple[str, ...]:
        items = self.value(list, *path)
        if not items or not all(isinstance(item, str) and item.strip() for item in items):
            raise self.fault(path, "must be a list of texts, none of them empty")
        if length is not None and len(items) != length:
            raise self.fault(path, f"must have {length} entries, not {len(items)}")
        return tuple(items)

    def by_language(self, *path: str) -> dict[str, str]:
        self.only(LANGUAGES, *path)
        return {language: self.text(*path, language) for language in LANGUAGES}

    def only(self, known: Collection[str], *path: str) -> None:
        """Refuse keys that nobody would read: mostly a typing error in a key that is then missing."""
        for key in self.value(dict, *path) if path else self.data:
            if key not in known:
                raise self.fault((*path, key), f"is not known here; known are {', '.join(known)}")

    def templates(self, allowed: Mapping[str, str], *path: str) -> dict[str, str]:
        """The texts of a table: key -> the places it may have filled in, separated by spaces."""
        texts = {key: self.text(*path, key) for key in allowed}
        self.only(allowed, *path)
        for key, text in texts.items():
            try:
                unknown = sorted(places(text) - set(allowed[key].split()))
            except ValueError as error:
                raise self.fault((*path, key), f"has a wrong brace: {error}") from None
            if unknown:
                known = allowed[key] or "none"
                raise self.fault((*path, key), f"unknown placeholder {{{unknown[0]}}}; known here: {known}")
        return texts


_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    dict: "a table",
    list: "a list",
    date: "a date",
}


def places(template: str) -> set[str]:
    """The places of a template. ValueError for a stray brace or anything but a plain name in it."""
    places = set()
    for _, name, form, conversion in Formatter().parse(template):
        if form or conversion:
            raise ValueError(f"{{{name}}} must be a plain name")
        if name is not None:
            places.add(name)
    return places
