"""The lawfulness file as a workbook: everything in Dutch, the region added up, the same bytes for the same rows, no formula."""

import io
import zipfile
from datetime import date
from typing import Any

import openpyxl

from tests.hours.test_lawfulness import AS_OF, ORDER, SHEETS, declared, sample
from zio_pipeline.hours.lawfulness import Worked, lawfulness_row, through
from zio_pipeline.hours.lawfulness_file import Dossier, lawfulness_file

DOSSIER = Dossier("2025-2026", 1, AS_OF, through(AS_OF), 20, "7", 3, fictitious=True)
COVERED = Worked(approved_guidance=1_000)


def orders() -> list[dict[str, Any]]:
    short = Worked(approved_care=100, approved_guidance=790, provisional_guidance=105)
    return [
        lawfulness_row(ORDER, declared(1_000_00), short, AS_OF, 20),
        lawfulness_row(ORDER, declared(1_000_00), COVERED, AS_OF, 20) | {"order_id": "BO"},
    ]


def sheets(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {page.title: list(page.iter_rows(values_only=True)) for page in book.worksheets}


def test_the_summary_says_what_it_is_about_and_what_it_comes_to():
    rows = sheets(lawfulness_file(DOSSIER, orders(), sample(*SHEETS)))["Samenvatting"]
    text = {row[0]: row[1] for row in rows if row[0]}
    assert text["Schooljaar"] == "2025-2026, versie 1 van de vaststelling"
    assert text["Tolerantie"] == "2,0 %"
    assert text["Steekproef"] == "3 regels per opdracht, startwaarde '7'"
    assert text["Let op"] == "Vertrouwelijk. Fictief: verzonnen uren en bedragen"
    assert text["BO"].startswith("De goedgekeurde uren dekken")
    assert "Vraag de school om haar akkoord." in text["LP"]


def test_the_orders_add_up_to_the_region():
    header, first, second, region = sheets(lawfulness_file(DOSSIER, orders(), ()))["Per opdracht"]
    shown = [dict(zip(header, cells, strict=True)) for cells in (first, second, region)]
    assert [row["opdracht"] for row in shown] == ["BO", "LP", "regio"]
    assert [row["gedekt"] for row in shown] == [1000.0, 880.0, 1880.0]
    assert [row["niet gedekt"] for row in shown] == [0, 120, 120]
    assert [row["goedgekeurde uren"] for row in shown] == [16.67, 14.83, 31.5], (
        "minutes are added up, then shown as hours"
    )
    assert [row["oordeel"] for row in shown] == ["gedekt", "gedekt na akkoord van de school", None]
    assert region[header.index("tolerantie")] is None, "a tolerance per order is not one of the region"


def test_a_sampled_line_has_room_for_what_was_seen():
    header, first, *_ = sheets(lawfulness_file(DOSSIER, orders(), sample(*SHEETS)))["Steekproef"]
    row = dict(zip(header, first, strict=True))
    assert (row["opdracht"], row["nr"], row["functie"], row["activiteit"]) == ("BO", 1, "begeleiding", "direct")
    assert row["regelverwijzing"].startswith("uren-bodde:Uren:")
    assert row["datum"].date() == date(2025, 10, 2)
    assert row["minuten"] == 30
    assert header[-3:] == ("gezien op", "bevinding", "paraaf")
    assert first[-3:] == (None, None, None)


def test_the_same_rows_give_the_same_bytes_in_any_order():
    rows, lines = orders(), sample(*SHEETS)
    assert lawfulness_file(DOSSIER, rows, lines) == lawfulness_file(DOSSIER, rows[::-1], lines[::-1])


def test_nothing_becomes_a_formula():
    lines = [row | {"class_code": "=1+1", "file_label": "+x", "row_ref": "@SUM(A1)"} for row in sample(*SHEETS)]
    dossier = Dossier("2025-2026", 1, AS_OF, through(AS_OF), 20, '=HYPERLINK("x")', 3, fictitious=False)
    data = lawfulness_file(dossier, orders(), lines)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/"))
    assert "<f>" not in xml
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for row in book["Steekproef"].iter_rows(min_row=2, min_col=7, max_col=7) for cell in row]
    assert {(cell.value, cell.data_type, cell.number_format, cell.quotePrefix) for cell in cells} == {
        ("=1+1", "s", "@", True)
    }


def test_an_empty_sample_is_a_table_without_lines():
    assert len(sheets(lawfulness_file(DOSSIER, orders(), ()))["Steekproef"]) == 1
