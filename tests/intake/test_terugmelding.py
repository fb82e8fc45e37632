"""The terugmelding: what its sender reads, that nothing in it can act, and the same bytes for the same input.

All persons are fictitious.
"""

import io
import random
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from zio_pipeline.contracts import sources
from zio_pipeline.intake import terugmelding as module
from zio_pipeline.intake.delivery import RAW_SCHEMA
from zio_pipeline.intake.terugmelding import MAX_CHARACTERS, MAX_COLUMNS, terugmelding

PUPILS = "pupil_registrations"
HEADERS = (("BRIN", "school"), ("Naam", ""), ("BSN", "pupil"), ("Groep", "class_code"))
CELLS = ("02ZX00", "Anna Jansen", "200000013", "SO-1")
EMPTY = "Kolom 'klas': mag niet leeg zijn."

Raw = list[tuple[str, str, int, int, str, str, str]]


def reason(row_number: int, column: str = "class_code", explanation: str = EMPTY, **changes: Any) -> dict[str, Any]:
    given = {"sheet": "", "row_number": row_number, "column": column, "rule": "required", "severity": "error"}
    return given | {"explanation": explanation} | changes


def warning(row_number: int, explanation: str = "Let hier op.", **changes: Any) -> dict[str, Any]:
    return reason(row_number, "", explanation) | {"severity": "warning", "rule": "note"} | changes


def sent(
    row_number: int,
    cells: Sequence[str] = CELLS,
    headers: Sequence[tuple[str, str]] = HEADERS,
    sheet: str = "",
    dataset: str = PUPILS,
) -> Raw:
    """A row as RAW_SCHEMA has it: a line per header, and per filled cell beyond the last."""
    padded = [*headers, *[("", "")] * (len(cells) - len(headers))]
    filled = [*cells, *[""] * (len(headers) - len(cells))]
    lines = [(*name, value) for name, value in zip(padded, filled, strict=True)]
    return [
        (dataset, sheet, row_number, position, *line)
        for position, line in enumerate(lines, 1)
        if line[2] or position <= len(headers)
    ]


def raw_table(lines: Raw) -> pa.Table:
    columns = list(zip(*lines, strict=True)) or [()] * len(RAW_SCHEMA)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, RAW_SCHEMA, strict=True)], schema=RAW_SCHEMA)


def delivery(rejected: int, **changes: Any) -> dict[str, Any]:
    """Ten rows were good, and three lines of the file were no data."""
    row = {"content_sha256": "ab" * 32, "label": "pupil_registrations-02ZX00-ab", "source": PUPILS, "reason": None}
    row |= {"school_year": "2025-2026", "scope": "02ZX00", "status": "partly_accepted" if rejected else "accepted"}
    counts = {"rows_in": 10 + rejected, "rows_accepted": 10, "rows_quarantined": rejected}
    return row | counts | {"records_in": 13 + rejected, "records_beside": 3} | changes


def made(reasons: Sequence[Mapping[str, Any]], lines: Raw, **changes: Any) -> bytes:
    rejected = {(r["sheet"], r["row_number"]) for r in reasons if r["severity"] == "error"}
    return terugmelding(delivery(len(rejected), **changes), reasons, raw_table(lines))


def opened(data: bytes) -> dict[str, Worksheet]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: sheet for sheet in book.worksheets}


def texts(sheet: Worksheet) -> list[list[Any]]:
    """The values of every row that has any."""
    rows = [["" if cell.value is None else cell.value for cell in row] for row in sheet.iter_rows()]
    return [row for row in rows if any(value != "" for value in row)]


def words(sheet: Worksheet) -> str:
    return "\n".join(" | ".join(map(str, row)) for row in texts(sheet))


def table(sheet: Worksheet) -> dict[Any, dict[str, Cell]]:
    """The cells of a list with one header, by row number and header."""
    rows = list(sheet.iter_rows())
    at = next(i for i, row in enumerate(rows) if any(cell.value == "regel" for cell in row))
    titles = [str(cell.value) for cell in rows[at]]
    lines = [dict(zip(titles, row, strict=True)) for row in rows[at + 1 :]]
    return {line["regel"].value: line for line in lines}


def marked(cells: Mapping[str, Cell]) -> list[str]:
    return [title for title, cell in cells.items() if is_marked(cell)]


def is_marked(cell: Cell) -> bool:
    """By fill, and also by what does not ask for colour: a thick border, and bold."""
    looks = {cell.border.left.style == "medium", bool(cell.font.b), cell.fill.fgColor.rgb == "FFFFE3DE"}
    assert len(looks) == 1, "a cell is marked in every way or in none"
    return looks.pop()


def test_a_rejected_row_stands_there_as_it_was_sent_with_its_wrong_cell_marked_and_the_reason_last():
    data = made([reason(7)], sent(7, ("02ZX00", "Anna Jansen", "200000013", "")))
    sheets = opened(data)
    assert list(sheets) == ["Samenvatting", "Afgekeurde rijen"]
    row = table(sheets["Afgekeurde rijen"])[7]
    assert list(row) == ["regel", "BRIN", "Naam", "BSN", "Groep", "wat er mis is"]
    assert [cell.value for cell in row.values()] == [7, *CELLS[:3], None, "Groep: mag niet leeg zijn."]
    assert marked(row) == ["Groep"]


def test_every_reason_is_a_line_and_those_about_the_row_come_last_and_mark_its_number():
    reasons = [
        reason(7, "", "De plaatsing eindigt vóór zij begint.", rule="placement_period"),
        reason(7),
        reason(7, "pupil", "Kolom 'pgn': dit is een bekend testnummer.", severity="warning", rule="test_number"),
        reason(7, "school", "Kolom 'vestiging': verwacht wordt een BRIN.", rule="brin"),
    ]
    row = table(opened(made(reasons, sent(7)))["Afgekeurde rijen"])[7]
    assert row["wat er mis is"].value.split("\n") == [
        "BRIN: verwacht wordt een BRIN.",
        "Groep: mag niet leeg zijn.",
        "De plaatsing eindigt vóór zij begint.",
        "Let op: BSN: dit is een bekend testnummer.",
    ]
    assert row["wat er mis is"].alignment.wrap_text
    assert marked(row) == ["regel", "BRIN", "Groep"], "a warning marks nothing"


def test_a_column_the_file_lacks_is_added_under_the_header_of_the_contract():
    row = table(opened(made([reason(7, "birth_date", "Dit klopt niet.")], sent(7)))["Afgekeurde rijen"])[7]
    assert list(row)[-2:] == ["geboortedatum (niet in uw bestand)", "wat er mis is"]
    assert marked(row) == ["geboortedatum (niet in uw bestand)"]
    assert row["wat er mis is"].value == "geboortedatum: Dit klopt niet."


def test_both_columns_that_were_read_as_one_are_marked():
    headers = (("BRIN", "school"), ("Vestiging", "school"), ("BSN", "pupil"))
    text = "Kolom 'vestiging': verwacht wordt een BRIN."
    row = table(opened(made([reason(7, "school", text)], sent(7, ("2ZX", "0", "1"), headers)))["Afgekeurde rijen"])[7]
    assert marked(row) == ["BRIN", "Vestiging"]
    assert row["wat er mis is"].value == "BRIN + Vestiging: verwacht wordt een BRIN."


def test_cells_beyond_the_header_are_shown_only_where_a_rejected_row_has_them():
    lines = sent(7, (*CELLS, "", "verschoven")) + sent(8, (*CELLS, "", "", "elders"))
    shifted = reason(7, "", "De rij heeft meer cellen dan de kopregel.", rule="extra_cells")
    sheet = opened(made([shifted, warning(8)], lines))["Afgekeurde rijen"]
    assert texts(sheet)[1:] == [
        ["regel", "BRIN", "Naam", "BSN", "Groep", "(zonder kop)", "wat er mis is"],
        [7, *CELLS, "verschoven", "De rij heeft meer cellen dan de kopregel."],
    ]


def test_a_row_with_only_a_warning_is_a_remark_and_not_shown_among_the_rejected():
    sheets = opened(made([reason(7), warning(9)], sent(7) + sent(9)))
    assert list(table(sheets["Afgekeurde rijen"])) == [7]
    assert texts(sheets["Opmerkingen"])[1:] == [["regel", "kolom", "opmerking"], [9, "", "Let hier op."]]


def test_remarks_about_the_file_come_first():
    remarks = [
        warning(12, "Over een rij.", sheet="week 36"),
        warning(3, "Onbekende kolommen.", sheet="week 37", rule="unknown_column"),
        warning(0, "Niet herkend.", sheet="uitleg", rule="unknown_sheet"),
        warning(0, "Alle duren zijn kort.", column="duration_minutes", rule="short_durations"),
    ]
    shown = texts(opened(made(remarks, [], source="provider_timesheets"))["Opmerkingen"])[2:]
    assert shown == [
        ["", "alle", "uren", "Alle duren zijn kort."],
        ["uitleg", "alle", "", "Niet herkend."],
        ["week 37", 3, "", "Onbekende kolommen."],
        ["week 36", 12, "", "Over een rij."],
    ]


def test_the_summary_says_what_it_is_and_what_to_do():
    text = words(opened(made([reason(7), warning(9)], sent(7)))["Samenvatting"])
    for part in ("Leerlingbestand", "2025-2026", "vestiging 02ZX00", "Gedeeltelijk aanvaard"):
        assert part in text
    for part in ("het hele bestand opnieuw", "alleen de afgekeurde rijen sturen is niet genoeg", "nooit onversleuteld"):
        assert part in text
    assert "'Opmerkingen'" in text


def test_the_summary_of_a_timesheet_names_school_provider_and_month():
    given = {"source": "provider_timesheets", "scope": "02ZX00 06012345 2025-09"}
    text = words(opened(made([], [], **given))["Samenvatting"])
    assert "vestiging 02ZX00 aanbieder 06012345 maand 2025-09" in text


def numbers(sheet: Worksheet) -> dict[str, int]:
    rows = {str(row[0]): row[2] for row in texts(sheet)}
    return {name: number for name, number in rows.items() if isinstance(number, int)}


def test_the_counts_add_up_in_sight():
    found = numbers(opened(made([reason(7), reason(8)], sent(7) + sent(8)))["Samenvatting"])
    assert found["Regels in het bestand"] - found["Geen gegevens"] == found["Aangeboden rijen"] == 12
    assert found["Aanvaard"] + found["Afgekeurd"] == found["Samen"] == found["Aangeboden rijen"]
    text = words(opened(made([reason(7), reason(8)], sent(7) + sent(8)))["Samenvatting"])
    assert "15 − 3 = 12" in text
    assert "10 + 2 = 12" in text


def test_without_counted_lines_only_rows_are_counted():
    found = numbers(opened(made([reason(7)], sent(7), records_in=None))["Samenvatting"])
    assert list(found)[:4] == ["Aangeboden rijen", "Aanvaard", "Afgekeurd", "Samen"]
    row = delivery(0)
    del row["records_in"], row["records_beside"]
    assert numbers(opened(terugmelding(row, [], raw_table([])))["Samenvatting"]) == {
        "Aangeboden rijen": 10,
        "Aanvaard": 10,
        "Afgekeurd": 0,
        "Samen": 10,
    }


def test_of_a_refused_file_good_rows_are_counted_apart():
    given = {"status": "refused", "rows_accepted": 0, "reason": "Meer dan één schooljaar."}
    sheet = opened(made([reason(7)], sent(7), **given))["Samenvatting"]
    found = numbers(sheet)
    assert (found["Aanvaard"], found["Afgekeurd"], found["Niet gebruikt"], found["Samen"]) == (0, 1, 10, 11)
    for part in ("Geweigerd", "Meer dan één schooljaar.", "verhelp de reden van weigering"):
        assert part in words(sheet)


def test_a_file_refused_before_its_rows_were_read_has_a_reason_and_no_counts():
    nothing = dict.fromkeys(("rows_in", "rows_accepted", "records_in", "records_beside"), 0)
    given = {"status": "refused", "source": "unknown", "school_year": None, "scope": None} | nothing
    sheets = opened(made([], [], reason="Het bestand is niet herkend.", **given))
    assert list(sheets) == ["Samenvatting"]
    text = words(sheets["Samenvatting"])
    assert "Het bestand is niet herkend." in text
    assert "Telling" not in text
    assert "Schooljaar" not in text


def test_an_accepted_file_asks_for_nothing():
    sheets = opened(made([], []))
    assert list(sheets) == ["Samenvatting"]
    assert "U hoeft niets te doen." in words(sheets["Samenvatting"])


@pytest.mark.parametrize(
    "changes",
    [
        {"rows_in": 99, "records_in": 102},
        {"rows_quarantined": 2, "rows_accepted": 9},
        {"records_in": 99},
        {"status": "refused", "rows_accepted": 5},
    ],
)
def test_counts_that_do_not_add_up_are_an_error(changes: dict[str, Any]):
    with pytest.raises(ValueError, match="must be"):
        terugmelding(delivery(1, **changes), [reason(7)], raw_table(sent(7)))


def tally(sheet: Worksheet) -> list[list[Any]]:
    rows = texts(sheet)
    start = next(i for i, row in enumerate(rows) if row[0] == "kolom")
    return rows[start + 1 :]


def test_reasons_are_counted_by_rows_the_most_frequent_first():
    clash = [reason(n, "", "Dubbel.", rule="duplicate_key") for n in (7, 8, 9)]
    reasons = [*clash, reason(7), reason(7), reason(8), warning(7), reason(9, "pupil", "Kolom 'pgn': fout.")]
    sheet = opened(made(reasons, sent(7) + sent(8) + sent(9)))["Samenvatting"]
    assert tally(sheet) == [["hele rij", "Dubbel.", 3], ["Groep", "mag niet leeg zijn.", 2], ["BSN", "fout.", 1]]


def setup() -> tuple[list[dict[str, Any]], Raw]:
    """Rows of sheets with different headers."""
    contract = sources()["school_year_setup"]
    lines: Raw = []
    reasons = []
    for name, column in (("schools", "school"), ("classes", "class_code")):
        dataset = contract.dataset(name)
        headers = [(c.dutch, c.name) for c in dataset.columns]
        lines += sent(3, ["x"] * len(headers), headers, dataset.dutch, name)
        reasons.append(reason(3, column, f"Kolom '{dataset.column(column).dutch}': fout.", sheet=dataset.dutch))
    return reasons, lines


def test_sheets_with_other_headers_each_have_a_block():
    reasons, lines = setup()
    sheets = opened(made(reasons, lines, source="school_year_setup"))
    sheet = sheets["Afgekeurde rijen"]
    rows = texts(sheet)
    assert [row[0] for row in rows[1:]] == ["Blad klassen", "blad", "klassen", "Blad scholen", "blad", "scholen"]
    assert rows[5][:7] == ["blad", "regel", "vestiging", "naam", "plaats", "bron", "wat er mis is"]
    assert rows[6][:7] == ["scholen", 3, "x", "x", "x", "x", "vestiging: fout."]
    own = [cell for row in sheet.iter_rows() for cell in row if cell.value == "x"]
    assert [cell.coordinate for cell in own if is_marked(cell)] == ["D5", "C9"]
    assert tally(sheets["Samenvatting"]) == [["klassen: klas", "fout.", 1], ["scholen: vestiging", "fout.", 1]]


def test_sheets_with_the_same_headers_share_a_block_that_can_be_filtered():
    sheet_names = ("SO-2", "SO-1")
    lines = [line for name in sheet_names for line in sent(7, sheet=name)]
    sheets = opened(made([reason(7, sheet=name) for name in sheet_names], lines))
    sheet = sheets["Afgekeurde rijen"]
    assert [row[0] for row in texts(sheet)[1:]] == ["blad", "SO-1", "SO-2"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C3", "A2:G4")
    assert tally(sheets["Samenvatting"]) == [["Groep", "mag niet leeg zijn.", 2]]


def test_every_sheet_prints_in_landscape_on_one_page_wide():
    for sheet in opened(made([reason(7), warning(9)], sent(7))).values():
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr is not None
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "Vertrouwelijk" in str(sheet.oddFooter.left.text)


DANGEROUS = (
    "=1+1",
    "+31 6 12345678",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "{=1+1}",
    "http://example.org",
    "internal:A1",
    "007",
    "<r><t>x</t></r>",
    "<r>&</r>",
    "_x0041_",
)


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_sender_wrote_is_text_wherever_it_stands(text: str):
    lines = sent(7, ("02ZX00", text, text, "SO-1"), (("BRIN", "school"), (text, ""), ("BSN", "pupil"), ("Groep", "")))
    given = [reason(7, "pupil", f"Fout in {text}", sheet=""), warning(9, text)]
    data = made(given, lines, scope=text, reason=text)
    for sheet in opened(data).values():
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} <= {"s", "n"}
        assert not any(cell.hyperlink for cell in cells)
        assert all(isinstance(cell.value, int) for cell in cells if cell.data_type == "n")
    row = table(opened(data)["Afgekeurde rijen"])[7]
    kept = [cell for title, cell in row.items() if title not in ("regel", "wat er mis is")]
    assert {(cell.number_format, cell.quotePrefix) for cell in kept} == {("@", 1)}
    assert b"<f>" not in parts(data)


def parts(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return b"".join(book.read(name) for name in book.namelist() if name.startswith("xl/worksheets"))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("=1+1", "=1+1"),
        ("\t=1", "␉=1"),
        ("\r=1", "␍=1"),
        ("\n=1", "␊=1"),
        ("a\r\nb", "a\nb"),
        ("a\x00\x0bb\x7f", "a␀␋b␡"),
        ("a\ufffeb", "a\ufffdb"),
        ("<r>&</r>", "<r>&</r> "),
        ("  x", "  x"),
        ("x" * MAX_CHARACTERS, "x" * MAX_CHARACTERS),
    ],
)
def test_a_cell_shows_what_was_written(written: str, shown: str):
    row = table(opened(made([reason(7)], sent(7, ("02ZX00", written, "1", "SO-1"))))["Afgekeurde rijen"])[7]
    assert row["Naam"].value == shown


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=4, max_size=4), st.text())
def test_no_text_breaks_the_workbook(cells: list[str], header: str):
    headers = (("BRIN", "school"), (header, ""), ("BSN", "pupil"), ("Groep", "class_code"))
    row = table(opened(made([reason(7, explanation=header)], sent(7, cells, headers)))["Afgekeurde rijen"])[7]
    assert row["regel"].value == 7
    assert isinstance(row["BSN"].value, str)


def test_a_long_cell_is_cut_and_its_row_says_so():
    row = table(opened(made([reason(7)], sent(7, ("02ZX00", "é" * 40_000, "1", ""))))["Afgekeurde rijen"])[7]
    assert row["Naam"].value == "é" * (MAX_CHARACTERS - 1) + "…"
    assert row["wat er mis is"].value.split("\n") == [
        "Groep: mag niet leeg zijn.",
        "Let op: een cel van meer dan 250 tekens is hier afgekapt (…).",
    ]


def test_a_sentence_of_any_length_fits():
    row = table(opened(made([reason(7, explanation="\U0001f600" * 40_000)], sent(7)))["Afgekeurde rijen"])[7]
    assert row["wat er mis is"].value.endswith("…")


def test_columns_beyond_the_limit_give_way_to_those_of_the_contract():
    headers = [*((f"extra {n}", "") for n in range(MAX_COLUMNS + 20)), ("Groep", "class_code")]
    row = table(opened(made([reason(7)], sent(7, ["x"] * len(headers), headers)))["Afgekeurde rijen"])[7]
    assert len(row) == MAX_COLUMNS + 2
    assert list(row)[-2:] == ["Groep", "wat er mis is"]
    assert marked(row) == ["Groep"]


def test_of_a_long_list_the_first_rows_are_shown_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_SHOWN", 3)
    bad, noted = range(1001, 1009), range(1, 6)
    lines = [line for number in (*bad, *noted) for line in sent(number)]
    sheets = opened(made([*map(reason, bad), *map(warning, noted)], lines))
    assert list(table(sheets["Afgekeurde rijen"])) == [1001, 1002, 1003]
    assert list(table(sheets["Opmerkingen"])) == [1, 2, 3]
    assert "Alleen de eerste 3 staan hier; nog 5 zijn er niet getoond." in words(sheets["Afgekeurde rijen"])
    assert "Alleen de eerste 3 staan hier; nog 2 zijn er niet getoond." in words(sheets["Opmerkingen"])
    assert sheets["Afgekeurde rijen"].auto_filter.ref == "A3:F6"
    assert tally(sheets["Samenvatting"]) == [["Groep", "mag niet leeg zijn.", 8]]


def test_a_rejected_row_without_its_cells_is_still_named():
    row = table(opened(made([reason(7)], []))["Afgekeurde rijen"])[7]
    assert row["wat er mis is"].value == "klas: mag niet leeg zijn."


def shuffled(items: Iterable[Any], seed: int) -> list[Any]:
    mixed = list(items)
    random.Random(seed).shuffle(mixed)
    return mixed


def test_same_input_in_any_order_gives_the_same_bytes():
    reasons, lines = setup()
    reasons = [*reasons, *(reason(n, sheet="scholen", column=c) for n in (4, 11, 5) for c in ("", "school", "name"))]
    reasons += [warning(n, sheet=sheet) for n in (0, 2, 9) for sheet in ("klassen", "", "uitleg")]
    headers = [(c.dutch, c.name) for c in sources()["school_year_setup"].dataset("schools").columns]
    lines += [line for n in (4, 11, 5) for line in sent(n, [f"{n}"] * 4, headers, "scholen", "schools")]
    first = made(reasons, lines, source="school_year_setup")
    assert first == made(reasons, lines, source="school_year_setup")
    for seed in range(3):
        mixed = [shuffled(item.items(), seed) for item in shuffled(reasons, seed)]
        assert first == made(list(map(dict, mixed)), shuffled(lines, seed), source="school_year_setup")


def test_nothing_in_the_workbook_tells_when_it_was_made():
    with zipfile.ZipFile(io.BytesIO(made([reason(7)], sent(7)))) as book:
        assert {info.date_time[:3] for info in book.infolist()} == {(1980, 1, 1)}
        assert set(re.findall(rb"\d{4}-\d\d-\d\dT", book.read("docProps/core.xml"))) == {b"2020-01-01T"}
