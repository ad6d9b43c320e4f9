"""Reading a CSV file as people have them: with a byte-order mark, in UTF-16 or cp1252, with commas, semicolons or
tabs, with line breaks inside quotes, cut half-way."""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

DELIMITERS = ",;\t|"
LONGEST_CELL = 10_000  # beyond it, an open quotation mark has swallowed the rows that follow
BROKEN: list[str] = []
UNQUOTED = "can't be read: a quotation mark isn't closed, or stands inside a cell without being doubled"
CUT = "is where the file ends, in the middle of a row; export it again"


class BadTable(ValueError):
    """The file can't be read as a table at all; the message says why and where."""


@dataclass(frozen=True)
class TableRow:
    """One row: the line it begins on, and its cells by column. `fault`: what is wrong with the row as a whole."""

    line: int
    cells: dict[str, str]
    fault: str = ""


@dataclass(frozen=True)
class _Record:
    line: int
    end: int
    cells: Sequence[str]
    fault: str = ""


def rows(raw: bytes, columns: tuple[str, ...]) -> Iterator[TableRow]:
    """The rows of a CSV file with a header line. Raises BadTable where it isn't one, or a column is missing.

    Columns may stand in any order; unknown ones are passed over. A row that can't be read costs no other.
    """
    text, cut = _decoded(raw)
    lines = list(io.StringIO(text, newline=""))
    records = _filled(_records(lines, _delimiter(lines, columns)))
    top = next(records, _Record(1, 1, ()))
    header = [name.strip().lower() for name in top.cells]
    _check(header, columns, top.line)
    cut = cut or not text.endswith(("\n", "\r"))
    return (_row(record, header, columns, len(lines), cut) for record in records)


def _check(header: Sequence[str], columns: tuple[str, ...], line: int) -> None:
    expected = f"It must name these columns: {', '.join(columns)}."
    if missing := [name for name in columns if name not in header]:
        raise BadTable(f"Line {line}: the header lacks {', '.join(missing)}. {expected}")
    if twice := [name for name in columns if header.count(name) > 1]:
        raise BadTable(f"Line {line}: the header names {', '.join(twice)} more than once. {expected}")


def _row(record: _Record, header: Sequence[str], columns: tuple[str, ...], last: int, cut: bool) -> TableRow:
    """Some programs leave trailing empty cells out, so that fewer than the header are filled up; but not where the
    file just stops."""
    fault, surplus = record.fault, len(record.cells) - len(header)
    if not fault and record.end == last and cut and surplus < 0:
        fault = CUT
    if not fault and surplus > 0 and any(cell.strip() for cell in record.cells[len(header) :]):
        fault = f"has {surplus} cell{'s' if surplus > 1 else ''} more than the header; check its quotes"
    padded = [*record.cells, *[""] * max(0, -surplus)]
    found = dict(zip(header, padded, strict=False))
    return TableRow(record.line, {name: found[name] for name in columns}, fault)


def _decoded(raw: bytes) -> tuple[str, bool]:
    """The text, and whether the file stops in the middle of a character."""
    if raw.startswith(b"PK\x03\x04"):
        raise BadTable("The file is an Excel workbook; save it as CSV (UTF-8) and import that.")
    for encoding in _encodings(raw):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            text = decoder.decode(raw)
        except UnicodeDecodeError:
            continue
        return text, bool(decoder.getstate()[0])
    raise BadTable("The file is neither UTF-8 nor cp1252 text; save it again as CSV (UTF-8).")


def _encodings(raw: bytes) -> tuple[str, ...]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if b"\x00" in raw[:2]:
        return ("utf-16-be",) if raw[:1] == b"\x00" else ("utf-16-le",)
    return ("utf-8-sig", "cp1252")


def _delimiter(lines: list[str], columns: tuple[str, ...]) -> str:
    """Excel's `sep=;` line where there is one (it is made empty), else what cuts the header into most columns."""
    first = next((place for place, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return ","
    if named := re.fullmatch(r"sep=(.)", lines[first].strip("\r\n")):
        lines[first] = "\n"
        return named[1]
    known = {mark: {name.strip(' "\r\n').lower() for name in lines[first].split(mark)} for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: len(known[mark].intersection(columns)))


def _records(lines: Sequence[str], delimiter: str) -> Iterator[_Record]:
    """Every record. Where one can't be read, reading begins anew with the line after the one it begins on."""
    start: int | None = 0
    while start is not None:
        start = yield from _records_from(lines, start, delimiter)


def _records_from(lines: Sequence[str], start: int, delimiter: str) -> Generator[_Record, None, int | None]:
    """Records up to one that can't be read, and how many lines to pass over then; None at the end."""
    source = (lines[place] for place in range(start, len(lines)))
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = start + reader.line_num + 1
        cells = _next(reader)
        if cells is None:
            return None
        if cells is BROKEN or any(len(cell) > LONGEST_CELL for cell in cells):
            yield _Record(line, line, (), UNQUOTED)
            return line
        yield _Record(line, start + reader.line_num, cells)


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        return BROKEN


def _filled(records: Iterator[_Record]) -> Iterator[_Record]:
    return (each for each in records if each.fault or any(cell.strip() for cell in each.cells))
