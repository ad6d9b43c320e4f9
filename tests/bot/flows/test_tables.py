"""CSV files as people have them: whatever wrote them, and wherever they were cut."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.flows.tables import CUT, LONGEST_CELL, UNQUOTED, BadTable, rows

COLUMNS = ("client_ref", "name", "email")
ANA = {"client_ref": "C-1", "name": "Ana", "email": "ana@clients.example"}
BEN = {"client_ref": "C-2", "name": "Ben", "email": "ben@clients.example"}
PLAIN = "client_ref,name,email\nC-1,Ana,ana@clients.example\nC-2,Ben,ben@clients.example\n"


def read(text: str | bytes, encoding: str = "utf-8") -> list[dict[str, str]]:
    """The cells of every row that has nothing wrong with it."""
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return [row.cells for row in rows(raw, COLUMNS) if not row.fault]


def faults(text: str | bytes) -> dict[int, str]:
    """What is wrong, by line."""
    raw = text if isinstance(text, bytes) else text.encode()
    return {row.line: row.fault for row in rows(raw, COLUMNS) if row.fault}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_is_read_whatever_wrote_it(encoding: str, mark: str, end: str) -> None:
    text = PLAIN.replace("Ana,", "Àña Núñez,").replace(",", mark).replace("\n", end)
    assert read(text, encoding) == [{**ANA, "name": "Àña Núñez"}, BEN]


def test_utf_16_with_a_mark_in_either_order_is_read() -> None:
    assert read(b"\xfe\xff" + PLAIN.encode("utf-16-be")) == read(b"\xff\xfe" + PLAIN.encode("utf-16-le")) == [ANA, BEN]


def test_a_comma_in_a_name_does_not_decide_what_separates_the_columns() -> None:
    text = 'client_ref;name;"email"\nC-1;"Ortiz, Ana, the elder, of York";a@clients.example\n'
    assert read(text)[0]["name"] == "Ortiz, Ana, the elder, of York"


def test_excels_line_that_names_the_separator_is_understood() -> None:
    text = "sep=;\n" + PLAIN.replace(",", ";")
    assert read(text) == [ANA, BEN]
    assert [row.line for row in rows(text.encode(), COLUMNS)] == [3, 4]


def test_columns_may_stand_in_any_order_beside_others_and_in_capitals() -> None:
    text = "Email , notes,NAME,client_ref\nana@clients.example,long story,Ana,C-1\n"
    assert read(text) == [ANA]


def test_blank_lines_and_rows_of_nothing_are_passed_over() -> None:
    text = "\n\n" + PLAIN.replace("C-2", "\n,,\n   \nC-2")
    assert read(text) == [ANA, BEN]
    assert [row.line for row in rows(text.encode(), COLUMNS)] == [4, 8]


def test_a_row_is_named_by_the_line_it_begins_on_whatever_line_breaks_are_quoted_in_it() -> None:
    text = 'client_ref,name,email\nC-1,"Ana\nof\r\nYork",a@b.example\n\nC-2,Ben,\nC-3,"Chi\ndi",c@d.example\n'
    found = list(rows(text.encode(), COLUMNS))
    assert [row.line for row in found] == [2, 6, 7]
    assert found[0].cells["name"] == "Ana\nof\r\nYork"


def test_trailing_empty_cells_may_be_left_out_and_more_may_be_empty() -> None:
    text = "client_ref,name,email\nC-1,Ana\nC-2,Ben,,,\n"
    assert read(text) == [{**ANA, "email": ""}, {**BEN, "email": ""}]


def test_cells_beyond_the_header_are_a_fault_since_one_may_have_been_split() -> None:
    assert faults("client_ref,name,email\nC-1,Ortiz, Ana,ana@clients.example\n")[2].startswith("has 1 cell more")


@pytest.mark.parametrize("length", range(len("client_ref,name,email\n"), len(PLAIN)))
def test_a_file_that_is_cut_anywhere_gives_only_rows_that_are_whole(length: int) -> None:
    """Only the very last cell can be cut without a trace, and this table can't know what was to be in it."""
    cut = PLAIN[:length]
    *whole, last = cut.split("\n")
    finished = last.count(",") == 2
    assert [row["name"] for row in read(cut)] == ["Ana", "Ben"][: len(whole) - 1 + finished]
    assert faults(cut) == ({} if finished or not last else {len(whole) + 1: CUT})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_cut_in_the_middle_of_a_character_spoils_no_other_row(encoding: str) -> None:
    """Else the whole file would be taken for cp1252, and every name with an accent be garbled."""
    raw = "client_ref,name,email\nC-1,José,jose@clients.example\nC-2,Zoë".encode(encoding)
    assert read(raw[:-1]) == [{"client_ref": "C-1", "name": "José", "email": "jose@clients.example"}]
    assert faults(raw[:-1]) == {3: CUT}


def test_a_file_cut_inside_quotes_gives_the_rows_before_it() -> None:
    text = PLAIN + 'C-3,"Chi'
    assert read(text) == [ANA, BEN]
    assert faults(text) == {4: UNQUOTED}


@pytest.mark.parametrize("broken", ['C-9,"Zed,z@clients.example', 'C-9,"Z"ed,z@clients.example', 'C-9,"Z" ed"",z'])
def test_a_stray_quotation_mark_costs_its_own_row_and_no_other(broken: str) -> None:
    text = PLAIN.replace("C-2", f"{broken}\nC-2") + 'C-3,"Chidi, jr",chidi@clients.example\n'
    assert [row["client_ref"] for row in read(text)] == ["C-1", "C-2", "C-3"]
    assert faults(text) == {3: UNQUOTED}


def test_an_open_quotation_mark_that_another_happens_to_close_swallows_nothing() -> None:
    many = "".join(f"C-{n},Name,n{n}@clients.example\n" for n in range(1000))
    text = f'client_ref,name,email\nC-x,"open,x@clients.example\n{many}C-y,also",y@clients.example\n'
    assert len(read(text)) >= 1000
    assert faults(text)[2] == UNQUOTED


def test_a_cell_of_enormous_length_is_a_fault() -> None:
    assert faults(f"client_ref,name,email\nC-1,{'a' * (LONGEST_CELL + 1)},x\nC-2,Ben,b\n") == {2: UNQUOTED}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Line 1: the header lacks client_ref, name, email"),
        ("client_ref,name\nC-1,Ana\n", "lacks email"),
        ("\nclient_ref,name,mail\n", "Line 2: the header lacks email"),
        ("client_ref,name,email,Name\n", "name more than once"),
        ("nothing like a table", "It must name these columns: client_ref, name, email"),
        (b"PK\x03\x04rest of a workbook", "is an Excel workbook; save it as CSV"),
        (b"client_ref,name\x81\x8d,email\n", "neither UTF-8 nor cp1252"),
    ],
)
def test_what_is_no_table_is_refused_in_words(text: str | bytes, words: str) -> None:
    with pytest.raises(BadTable, match=words):
        rows(text if isinstance(text, bytes) else text.encode(), COLUMNS)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example([("a", "b\r\nc", '"')], ";", "\r\n", "utf-8")
def test_whatever_a_spreadsheet_writes_is_read_back(
    table: Sequence[tuple[str, str, str]], mark: str, end: str, encoding: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([COLUMNS, *table])
    found = [tuple(row.cells.values()) for row in rows(out.getvalue().encode(encoding), COLUMNS)]
    assert found == [cells for cells in table if any(cell.strip() for cell in cells)]
