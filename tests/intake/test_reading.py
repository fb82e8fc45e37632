"""Bytes to rows: encodings, delimiters, line numbers, workbooks, and what must be refused before it is opened."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest
import xlsxwriter

from tests.intake.files import KEYS, csv_bytes, csv_of, deliver, line, places, pupil, rules, table, values, xlsx_bytes
from zio_pipeline.intake import reading, sheets, take_in
from zio_pipeline.intake.headers import score

MIDNIGHT = datetime(2025, 9, 4)  # noqa: DTZ001 (a workbook knows no time zones)
MORNING = datetime(2025, 9, 1, 10, 30)  # noqa: DTZ001
LINES = table([pupil(1, klas="Crème brûlée"), pupil(2), pupil(3)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_every_encoding_delimiter_and_newline_reads_the_same(encoding: str, delimiter: str, newline: str) -> None:
    (sheet,) = reading.read(csv_bytes(LINES, delimiter, newline, encoding), score)
    assert sheet.numbers.tolist() == [1, 2, 3, 4]
    assert [sheet.row(index) for index in range(len(sheet))] == LINES


def test_a_title_full_of_other_delimiters_does_not_mislead() -> None:
    title = [
        ["Leijpark, Tilburg, schooljaar 2025-2026, alle klassen, versie 1, definitief, ja, nee, misschien, ooit, x"]
    ]
    assert deliver(csv_bytes([*title, [], *LINES])).rows_accepted == 3


def test_row_numbers_are_the_lines_of_the_sender() -> None:
    bad = table([pupil(1, klas=""), pupil(2), pupil(3, klas="SO\n1"), pupil(4, klas="")])
    data = csv_bytes([["Titel"], [], bad[0], bad[1], [], bad[2], bad[3], [], bad[4]], newline="\n")
    delivery = deliver(data)
    assert rules(delivery) == {4: ["required"], 10: ["required"]}
    assert places(delivery) == [("", 6), ("", 7)]
    assert data.decode().splitlines()[9].split(";")[2] == pupil(4)["pgn"]


def test_row_numbers_of_a_workbook_are_those_of_excel() -> None:
    bad = table([pupil(1, klas=""), pupil(2), pupil(3, klas="")])
    delivery = deliver(xlsx_bytes({"Blad1": [["Titel"], [], [], bad[0], bad[1], [], [], bad[2], bad[3]]}))
    assert rules(delivery) == {5: ["required"], 9: ["required"]}
    assert places(delivery) == [("Blad1", 8)]


def test_workbook_and_text_file_give_the_same_rows() -> None:
    typed = [
        line(1, datum=date(2025, 9, 2), begin=time(8, 20), eind=time(12, 0), uren="", pauze=15),
        line(2, datum=date(2025, 9, 3), uren=7.5),
        line(3, datum=MIDNIGHT, uren=7.25),
        line(4, datum="5-9-2025", uren=0.1 + 0.2, agb=6012345),
    ]
    written = [
        line(1, datum="02-09-2025", begin="8:20", eind="12:00", uren="", pauze="15"),
        line(2, datum="03-09-2025", uren="7,5"),
        line(3, datum="04-09-2025", uren="7,25"),
        line(4, datum="05-09-2025", uren="0,3"),
    ]
    workbook, text = deliver(xlsx_bytes({"uren": table(typed)})), deliver(csv_of(*written))
    assert workbook.status == text.status == "accepted"
    assert values(workbook, "provider_timesheets").equals(values(text, "provider_timesheets"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(5, "5"), (5.0, "5"), (62.125, "62,125"), (0.1 + 0.2, "0,3"), (-1.5, "-1,5"), (True, "ja"), (False, "nee")],
        *[(date(2025, 9, 1), "2025-09-01"), (MORNING, "2025-09-01T10:30:00")],
        *[(time(7, 5), "07:05"), (time(7, 5, 9), "07:05:09"), (timedelta(hours=30, minutes=5), "30:05")],
        *[("  x ", "x"), ("007", "007")],
    ],
)
def test_a_cell_reads_as_the_sender_sees_it(value: object, text: str) -> None:
    (sheet,) = reading.read(xlsx_bytes({"a": [["kop", value]]}), score)
    assert sheet.row(0) == ["kop", text]


def test_a_number_is_read_to_the_fifteen_digits_that_excel_shows() -> None:
    data = rezipped(
        xlsx_bytes({"a": [["kop", 0.25]]}), lambda _, part: part.replace(b"<v>0.25</v>", b"<v>0.30000000000000004</v>")
    )
    (sheet,) = reading.read(data, score)
    assert sheet.row(0) == ["kop", "0,3"]


def test_a_fraction_in_a_workbook_is_never_taken_for_thousands() -> None:
    delivery = deliver(xlsx_bytes({"a": table([line(1), line(2, uren=1.234), line(3, uren="", minuten=1.234)])}))
    assert rules(delivery) == {3: ["duration"], 4: ["minutes"]}


def test_error_cells_are_not_taken_for_empty_ones() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes({"a": table([pupil(1), pupil(2), pupil(3)])})))
    sheet = book["a"]
    headers = [cell.value for cell in sheet[1]]
    sheet.cell(3, headers.index("plaatsing tot en met") + 1, "#N/A")
    sheet.cell(4, headers.index("verantwoordelijke gemeente") + 1, "#REF!")
    buffer = io.BytesIO()
    book.save(buffer)
    assert b't="e"' in zipfile.ZipFile(buffer).read("xl/worksheets/sheet1.xml")
    delivery = deliver(buffer.getvalue())
    assert delivery.rows_accepted == 1
    assert rules(delivery) == {3: ["date"], 4: ["municipality"]}


def refused(data: bytes, *words: str) -> None:
    delivery = take_in(data, KEYS)
    assert (delivery.status, delivery.rows_in, delivery.rows_accepted) == ("refused", 0, 0)
    assert delivery.accepted == {}
    assert delivery.reason is not None
    for word in words:
        assert word in delivery.reason


@pytest.mark.parametrize("data", [b"", b" \r\n\t ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (csv_of(pupil()).replace(b"SO-1", b"SO\x00"), "geen tekstbestand"),
        (b"\xff\xfe\x00\x00" + csv_of(pupil()), "geen tekstbestand"),
        (csv_of(pupil()).replace(b"SO-1", b"\x81\x8d"), "onleesbaar"),
        (b"\xef\xbb\xbf" + csv_of(pupil()).replace(b"SO-1", b"\xe9"), "onleesbaar"),
        (b"\xff\xfea", "onleesbaar"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, ".xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "wachtwoord"),
        (b"PK\x03\x04 en verder niets", "beschadigd"),
        (b"%PDF-1.7 iets anders", "niet herkend"),
        (b"a" * 200_000, "te lang"),
        (b";" * 50_000 + b"\nx", "te groot"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(data: bytes, word: str) -> None:
    refused(data, word)


@pytest.mark.parametrize("quote", ['"SO-1', 'SO"1"x;"', '"SO-1"x'])
def test_stray_quotes_never_swallow_rows(quote: str) -> None:
    lines = [";".join(map(str, cells)) for cells in table([pupil(n) for n in range(5)])]
    lines[2] = lines[2].replace("SO-1", quote)
    refused("\n".join(lines).encode(), "aanhalingstekens", "regel 3")


def rezipped(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """A workbook with some of its parts changed or left out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            changed = change(name, old.read(name))
            if changed is not None:
                new.writestr(name, changed)
    return buffer.getvalue()


def in_sheet(old: bytes, new: bytes) -> bytes:
    """A good workbook with one text of its first sheet replaced."""

    def change(name: str, part: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return part
        assert old in part
        return part.replace(old, new, 1)

    return rezipped(xlsx_bytes({"a": LINES}), change)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (in_sheet(b'r="A2"', b'r="XFD2"'), "te groot"),
        (in_sheet(b'r="A2"', b"r = 'ZZZ2'"), "te groot"),
        (in_sheet(b'<row r="2"', b'<row r="1048576"'), "te groot"),
        (in_sheet(b"<sheetData>", b"<sheetData>" + b"<!-- -->" * 2_000_000), "te groot"),
        (in_sheet(b"<worksheet", b"<!DOCTYPE a><worksheet"), "beschadigd"),
        (in_sheet(b"</sheetData>", b"<"), "beschadigd"),
        (rezipped(xlsx_bytes({"a": LINES}), lambda n, p: None if n == "xl/workbook.xml" else p), "beschadigd"),
        (rezipped(xlsx_bytes({"a": LINES}), lambda n, p: None if "sheet1" in n else p), ""),
        (rezipped(xlsx_bytes({"a": LINES}), lambda n, p: b"<a" if n.endswith(".rels") else p), ""),
        (xlsx_bytes({"a": LINES})[:-200], "beschadigd"),
    ],
)
def test_a_dangerous_or_damaged_workbook_is_refused(data: bytes, word: str) -> None:
    refused(data, word)


def test_a_changed_byte_in_a_workbook_is_noticed() -> None:
    data = bytearray(xlsx_bytes({"a": LINES}))
    place = data.find(b"PK\x01\x02") // 2
    data[place] ^= 0xFF
    assert take_in(bytes(data), KEYS).status == "refused"


def test_a_formula_that_was_never_computed_is_refused() -> None:
    book = openpyxl.Workbook()
    for cells in LINES:
        book.active.append(cells)
    book.active["K1"], book.active["K2"] = "som", "=1+1"
    buffer = io.BytesIO()
    book.save(buffer)
    refused(buffer.getvalue(), "formules")


def test_a_computed_formula_counts_as_its_value() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("a")
        for number, cells in enumerate(LINES):
            sheet.write_row(number, 0, cells)
        sheet.write_formula(1, LINES[0].index("klas"), '="SO"&"9"', None, "SO9")
        sheet.write_formula(2, LINES[0].index("postcode"), '=IF(1,"",2)', None, "")
    # As Excel writes it: an outcome that is an empty text is still an outcome.
    data = rezipped(buffer.getvalue(), lambda _, part: part.replace(b'<c r="I3"><f>', b'<c r="I3" t="str"><f>'))
    (rows,) = deliver(data).accepted.values()
    assert rows["class_code"].to_pylist()[0] == "SO9"
    assert rows["postcode"].to_pylist()[1] is None


def test_limits_on_rows_and_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)
    refused(csv_bytes(LINES), "te groot")
    monkeypatch.setattr(sheets, "MAX_ROWS", 4)
    assert deliver(csv_bytes(LINES)).rows_accepted == 3
    monkeypatch.setattr(sheets, "MAX_CELLS", 30)
    refused(csv_bytes(LINES), "te groot")


def test_a_sheet_name_that_looks_like_a_pupil_number_is_not_repeated() -> None:
    number = pupil(9)["pgn"]
    data = xlsx_bytes({f"leerling {number}": table([pupil(1), pupil(2, klas="")]), "x": [["notitie"]]})
    delivery = deliver(data)
    assert delivery.rows_quarantined == 1
    assert number not in repr(delivery) + repr(delivery.quarantined) + str(delivery.accepted)
