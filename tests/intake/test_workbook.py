"""Workbooks: what a sender sees is what is read, no row gets lost on the way, and none can take the memory."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.datavalidation import DataValidation
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from tests.intake.files import csv_of, deliver, places, pupil, rules, setup_sheets, table, values, warned, xlsx_bytes
from tests.intake.test_reading import rezipped
from zio_pipeline.intake import workbook

Change = Callable[[Worksheet, Format], Any]

ROWS = [pupil(1, klas="A"), pupil(1, klas="B"), pupil(2, klas="C"), pupil(3, klas="D")]
HEADER, *CELLS = table(ROWS)
COLUMN = {name: position for position, name in enumerate(HEADER)}


def book(*changes: Change, rows: list[list[Any]] | None = None) -> bytes:
    """A pupil file of one sheet, with some changes to that sheet."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet, style = made.add_worksheet("a"), made.add_format()
        for number, cells in enumerate(rows or [HEADER, *CELLS]):
            for position, value in enumerate(cells):
                if value != "":
                    sheet.write(number, position, value)
        for change in changes:
            change(sheet, style)
    return buffer.getvalue()


def merged(name: str, first: int, last: int, value: str, width: int = 1) -> Change:
    """Cells of a column merged, from and to these rows of Excel; as Excel does, only the first keeps a value."""
    left = COLUMN[name]

    def change(sheet: Worksheet, style: Format) -> None:
        sheet.merge_range(first - 1, left, last - 1, left + width - 1, value, style)

    return change


def with_cell(data: bytes, value: Any, number_format: str = "General") -> bytes:
    """The same workbook with one cell more, beside the table; an error or a percentage takes another reader."""
    made = openpyxl.load_workbook(io.BytesIO(data))
    cell = made["a"].cell(5, len(HEADER) + 2, value)
    cell.number_format = number_format
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


# Merged cells


def test_a_value_in_cells_merged_downwards_holds_for_each_row() -> None:
    data = book(merged("schooljaar", 2, 5, "2025-2026"), merged("vestiging", 2, 3, "02ZX00"), merged("klas", 4, 5, "C"))
    delivery = deliver(data)
    assert (delivery.status, warned(delivery)) == ("accepted", [])
    written = [*ROWS[:3], {**ROWS[3], "klas": "C"}]
    assert values(delivery).equals(values(deliver(csv_of(*written))))


@pytest.mark.parametrize("beside", [("#N/A",), (0.5, "0%"), ("x",)])
def test_merged_cells_are_filled_down_whoever_reads_the_workbook(beside: tuple[Any, ...]) -> None:
    data = with_cell(book(merged("schooljaar", 2, 4, "2025-2026"), merged("klas", 4, 5, "C")), *beside)
    delivery = deliver(data)
    assert (rules(delivery), warned(delivery)) == ({}, [(1, "unnamed_column")])
    assert delivery.accepted["pupil_registrations"]["class_code"].to_pylist() == ["A", "B", "C", "C"]


def test_cells_merged_to_the_right_hold_for_the_first_column_only() -> None:
    data = book(merged("verantwoordelijke gemeente", 2, 3, "Tilburg", width=2))
    (rows,) = deliver(data).accepted.values()
    assert rows["municipality"].to_pylist() == ["Tilburg"] * 4
    assert rows["postcode"].to_pylist() == [None, None, "5022KE", "5022KE"]


def test_an_empty_row_does_not_become_one_by_merging() -> None:
    cells = [HEADER, CELLS[0], [], [], CELLS[1]]
    delivery = deliver(book(merged("schooljaar", 2, 5, "2025-2026"), rows=cells))
    assert places(delivery) == [("a", 2), ("a", 5)]
    assert (delivery.records_in, delivery.rows_in) == (5, 2)


def test_a_merged_title_and_a_merged_header_are_not_data() -> None:
    def titled(sheet: Worksheet, style: Format) -> None:
        sheet.merge_range(0, 0, 1, 5, "Leerlingen van Leijpark", style)

    def in_two_rows(sheet: Worksheet, style: Format) -> None:
        for name, position in COLUMN.items():
            sheet.merge_range(2, position, 3, position, name, style)

    delivery = deliver(book(titled, in_two_rows, rows=[[], [], [], [], *CELLS]))
    assert (delivery.status, delivery.rows_accepted) == ("accepted", 4)
    assert places(delivery)[0] == ("a", 5)


def test_what_is_kept_of_a_bad_row_is_what_the_sender_wrote() -> None:
    rows = [[cell if name != "postcode" else "x" for name, cell in zip(HEADER, cells, strict=True)] for cells in CELLS]
    delivery = deliver(book(merged("klas", 2, 3, "A"), rows=[HEADER, rows[0], rows[1], *CELLS[2:]]))
    assert rules(delivery) == {2: ["postcode"], 3: ["postcode"]}
    assert [row.known["class_code"] for row in delivery.quarantined] == ["A", "A"]
    sent = [(c["row_number"], c["value"]) for c in delivery.raw_rows.to_pylist() if c["column"] == "class_code"]
    assert sent == [(2, "A"), (3, "")]


# What is hidden


def test_hidden_rows_and_columns_are_read() -> None:
    def hide(sheet: Worksheet, _: Format) -> None:
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_column(COLUMN["klas"], COLUMN["plaatsing vanaf"], None, None, {"hidden": True})
        sheet.autofilter(0, 0, 4, len(HEADER) - 1)

    assert values(deliver(book(hide))).equals(values(deliver(book())))


@pytest.mark.parametrize("way", ["hide", "very_hidden"])
def test_hidden_sheets_are_read(way: str) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        for name, cells in {"SO": CELLS[:2], "VSO": CELLS[2:]}.items():
            sheet = made.add_worksheet(name)
            for number, row in enumerate([HEADER, *cells]):
                sheet.write_row(number, 0, row)
        getattr(sheet, way)()
    delivery = deliver(buffer.getvalue())
    assert places(delivery) == [("SO", 2), ("SO", 3), ("VSO", 2), ("VSO", 3)]


# Nothing gets lost


def reading_less(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], Any]) -> None:
    """Let the reader of workbooks change what it found."""
    read = workbook._read_with_calamine

    def changed(data: bytes) -> Iterator[Any]:
        found = list(read(data))
        change(found)
        yield from found

    monkeypatch.setattr(workbook, "_read_with_calamine", changed)


def without_row(number: int, blank: bool) -> Callable[[list[Any]], None]:
    def change(found: list[Any]) -> None:
        rows = list(found[-1].rows)
        rows[number - 1 : number] = [[""] * len(HEADER)] if blank else []
        found[-1] = found[-1]._replace(rows=rows)

    return change


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_a_row_that_the_reader_loses_is_found_out(monkeypatch: pytest.MonkeyPatch, number: int, blank: bool) -> None:
    data = book()
    assert deliver(data).status == "accepted"
    reading_less(monkeypatch, without_row(number, blank))
    delivery = deliver(data)
    assert (delivery.status, delivery.rows_accepted) == ("refused", 0)
    assert "niet met zekerheid volledig gelezen" in (delivery.reason or "")


def test_a_sheet_that_the_reader_loses_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    data = xlsx_bytes({"SO": [HEADER, *CELLS[:2]], "VSO": [HEADER, *CELLS[2:]]})
    reading_less(monkeypatch, list[Any].pop)
    delivery = deliver(data)
    assert (delivery.status, delivery.rows_accepted) == ("refused", 0)


def test_a_row_of_empty_texts_is_no_row_that_got_lost() -> None:
    def empty_texts(sheet: Worksheet, _: Format) -> None:
        for position in range(3):
            sheet.write_string(6, position, " ")

    delivery = deliver(book(empty_texts))
    assert (delivery.status, delivery.rows_accepted, delivery.records_in) == ("accepted", 4, 7)


def test_every_record_of_every_sheet_is_counted() -> None:
    delivery = deliver(xlsx_bytes({"a": [["titel"], [], HEADER, *CELLS], "b": [["notitie"], [], ["nog een"]]}))
    assert (delivery.records_in, delivery.records_beside, delivery.rows_in) == (10, 6, 4)
    setup = deliver(xlsx_bytes(setup_sheets()))
    assert setup.records_in == setup.records_beside + setup.rows_in
    assert setup.rows_in == sum(rows.num_rows for rows in setup.accepted.values()) == 6


@pytest.mark.parametrize("number", [1e300, -1e300, 2958466, 1e15, -5])
@pytest.mark.parametrize("style", ["dd-mm-yyyy", "hh:mm", "[h]:mm"])
def test_a_number_that_is_no_moment_spoils_its_own_row_only(number: float, style: str) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet, dated = made.add_worksheet("a"), made.add_format({"num_format": style})
        for at, cells in enumerate([HEADER, *CELLS]):
            sheet.write_row(at, 0, cells)
        sheet.write_number(2, COLUMN["geboortedatum"], number, dated)
    delivery = deliver(buffer.getvalue())
    assert (delivery.rows_accepted, list(rules(delivery))) == (3, [3])


# Sheets with names that may not be shown


def test_no_two_sheets_go_by_one_name() -> None:
    """A sheet whose name is not shown gets another, and that may be the name of the next."""
    first, second = table([pupil(1, klas="")]), table([pupil(2, postcode="x"), pupil(3)])
    delivery = deliver(xlsx_bytes({"(2)": first, "leerling 123456782": second}))
    found = {(row.sheet, row.row_number): [reason.rule for reason in row.reasons] for row in delivery.quarantined}
    assert len({sheet for sheet, _ in found}) == 2
    assert sorted(found.values()) == [["postcode"], ["required"]]


# Memory and time

FAR = [
    pytest.param(b"<row>" + b"<c><v>1</v></c>" * 600 + b'</row><row r="1048576"/>', id="cells without a place"),
    pytest.param(b'<row r="9"><c r="ZZ1048576"><v>1</v></c></row>', id="a cell outside its row"),
    pytest.param(b'<row><c r="ZZ1048576"><v>1</v></c></row>', id="a row without a number"),
    pytest.param(b'<row r="99999999"><c><v>1</v></c></row>', id="a row beyond the last"),
    pytest.param(b'<row r="000001048576"><c r="ZZ9"><v>1</v></c></row>', id="a number with zeros before it"),
    pytest.param(b'<row spans=">" r="1048576"><c r="ZZ9"><v>1</v></c></row>', id="a bracket in an attribute"),
    pytest.param('<é:row r="1048576"><c r="ZZ9"><v>1</v></c></é:row>'.encode(), id="a prefix with an accent"),
    pytest.param(b'<row r="1048576"><c\nr\n=\n"ZZ9"><v>1</v></c></row>', id="line breaks"),
    pytest.param(b'<row r="9"><c r\n="ZZ1048576"><v>1</v></c></row>', id="a line break after the name"),
    pytest.param(b'<row r="9"><c r= "ZZ1048576"><v>1</v></c></row>', id="a space before the value"),
    pytest.param(b"<row r='99999999'><c><v>1</v></c></row>", id="other quotes"),
]


@pytest.mark.parametrize("row", FAR)
def test_cells_far_away_are_refused_before_the_reader_makes_room_for_them(
    monkeypatch: pytest.MonkeyPatch, row: bytes
) -> None:
    """The reader takes 32 bytes for every cell of the rectangle, filled or not: a kilobyte could end the process."""

    def asked(_: bytes) -> Iterator[Any]:
        raise MemoryError("the reader was asked to read it")

    data = rezipped(book(), lambda _, part: part.replace(b"</sheetData>", row + b"</sheetData>"))
    monkeypatch.setattr(workbook, "_read_with_calamine", asked)
    delivery = deliver(data)
    assert delivery.status == "refused"
    assert "te groot" in (delivery.reason or "") or "beschadigd" in (delivery.reason or "")


def test_rows_and_cells_without_a_place_stand_one_after_the_other() -> None:
    def bare(name: str, part: bytes) -> bytes:
        if "sheet1" not in name:
            return part
        for number in range(1, 7):
            for letter in "ABCDEFGHIJ":
                part = part.replace(f' r="{letter}{number}"'.encode(), b"")
            part = part.replace(f' r="{number}"'.encode(), b"")
        return part

    full = [[cell or "-" for cell in row] for row in [HEADER, *CELLS]]
    data = rezipped(book(rows=full), bare)
    delivery = deliver(data)
    assert delivery.rows_in == 4
    assert rules(delivery) == {number: ["date"] for number in (2, 3, 4, 5)}, "only the dash in 'plaatsing tot en met'"


SLOW = [b"<c" * 200_000 + b"<f", b"<c><f>" * 200_000, b"<row" + b" r" * 200_000, b"<c t" + b" " * 200_000]
"""Parts of well under a megabyte that never come to the point."""


def test_looking_into_a_part_takes_no_time() -> None:
    """In a process of its own, for it may take days."""
    code = (
        "import sys\n"
        "from zio_pipeline.intake.delivery import RefusedFileError\n"
        "from zio_pipeline.intake.package import _inspect\n"
        "for xml in sys.stdin.buffer.read().split(b'|'):\n"
        "    try: _inspect('xl/worksheets/sheet1.xml', b'<sheetData>' + xml)\n"
        "    except RefusedFileError: pass"
    )
    subprocess.run([sys.executable, "-c", code], input=b"|".join(SLOW), check=True, timeout=30)


# Zips that are damaged in unusual ways


def in_every_entry(data: bytes, local: int, central: int, value: bytes) -> bytes:
    """A zip with a field of all its entries replaced: at this offset of the local, and of the central header."""
    damaged, at = bytearray(data), data.find(b"PK\x01\x02")
    while at >= 0:
        start = int.from_bytes(data[at + 42 : at + 46], "little")
        damaged[at + central : at + central + len(value)] = value
        damaged[start + local : start + local + len(value)] = value
        at = data.find(b"PK\x01\x02", at + 4)
    return bytes(damaged)


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 97, 99])
def test_another_compression_is_a_damaged_workbook(method: int) -> None:
    delivery = deliver(in_every_entry(book(), 8, 10, method.to_bytes(2, "little")))
    assert "beschadigd" in (delivery.reason or "")


def test_a_name_that_is_no_text_is_a_damaged_workbook() -> None:
    data = bytearray(in_every_entry(book(), 6, 8, b"\x00\x08"))  # names are said to be utf-8
    data[data.find(b"PK\x01\x02") + 46] = 0xFF
    assert "beschadigd" in (deliver(bytes(data)).reason or "")


def test_a_workbook_with_a_password_on_its_parts() -> None:
    assert "wachtwoord" in (deliver(in_every_entry(book(), 6, 8, b"\x01\x00")).reason or "")


def test_what_stands_behind_the_rows_is_no_formula() -> None:
    """A list to choose from and a footer have elements whose names begin like that of a formula."""
    made = openpyxl.load_workbook(io.BytesIO(book()))
    sheet = made.worksheets[0]
    sheet.cell(sheet.max_row, sheet.max_column + 1).number_format = "@"
    choice = DataValidation(type="list", formula1='"ja,nee"')
    choice.add("Z1")
    sheet.add_data_validation(choice)
    sheet.oddFooter.center.text = "fictief"
    out = io.BytesIO()
    made.save(out)
    assert deliver(out.getvalue()).status == "accepted"
