"""Reading a CSV file as people have them: with a byte-order mark or in cp1252, with commas, semicolons or tabs,
with line breaks inside quotes."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DELIMITERS = ",;\t|"
LONGEST_CELL = 10_000


class BadTable(ValueError):
    """The file can't be read as a table at all; the message says why and where."""


@dataclass(frozen=True)
class TableRow:
    """One row: the line it begins on, and its cells by column; extra cells are counted in `surplus`."""

    line: int
    cells: dict[str, str]
    surplus: int = 0


def rows(raw: bytes, columns: tuple[str, ...]) -> Iterator[TableRow]:
    """The rows of a CSV file with a header line. Raises BadTable where it isn't one, or a column is missing.

    Columns may stand in any order; unknown ones are passed over.
    """
    text = _decoded(raw)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header = [name.strip().lower() for name in _next(reader) or []]
    missing = [name for name in columns if name not in header]
    if missing:
        raise BadTable(
            f"Line 1: the header lacks {', '.join(missing)}. It must name these columns: {', '.join(columns)}."
        )
    while True:
        line = reader.line_num + 1
        cells = _next(reader)
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            padded = cells + [""] * (len(header) - len(cells))
            found = dict(zip(header, padded, strict=False))
            yield TableRow(line, {name: found[name] for name in columns}, max(0, len(cells) - len(header)))


def _decoded(raw: bytes) -> str:
    marked_16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked_16 else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable("The file is neither UTF-8 nor cp1252 text; save it again as CSV (UTF-8).")


def _delimiter(text: str) -> str:
    """The delimiter that the header line holds most of."""
    header = text.lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def _next(reader: Any) -> list[str] | None:
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise BadTable(
            f"Line {line}: the file is cut or a quotation mark isn't closed ({error}). Rows before it were read."
        ) from None
