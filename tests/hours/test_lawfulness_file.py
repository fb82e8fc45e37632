"""The lawfulness file as a workbook: everything in Dutch, the region added up, the same bytes for the same rows, no formula."""

import io
import zipfile
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl

from tests.hours.test_lawfulness import AUTUMN, ORDER, declared, guided
from tests.hours.test_lawfulness_sample import SHEETS, sample
from zio_pipeline.hours.lawfulness import Minutes, Worked, lawfulness_row
from zio_pipeline.hours.lawfulness_file import Dossier, lawfulness_file

DOSSIER = Dossier("2025-2026", 1, AUTUMN.as_of, AUTUMN.through, 20, 10, "0123456789ab", 3, fictitious=True)
ABOUT = {"school_year": "2025-2026", "version": 1, "draw_id": "0123456789ab", "draw_number": 2}
DAYS = {"drawn_on": AUTUMN.as_of, "through": AUTUMN.through}
FILES = [("uren-10", "bb" * 32), ("uren-09", "aa" * 32)]
Lines = list[dict[str, Any]]


def orders() -> Lines:
    short = Worked(Minutes(care=100, guidance=790), Minutes(guidance=105), ungranted=90, serious=30)
    return [
        lawfulness_row(ORDER, declared(1_500_00), short, AUTUMN, 20),
        lawfulness_row(ORDER, declared(1_000_00, claimed_cents=900_00), guided(1_000), AUTUMN, 20) | {"order_id": "BO"},
    ]


def lines() -> Lines:
    return [ABOUT | DAYS | row for row in sample(*SHEETS)]


def earlier() -> Lines:
    """A first draw of the year, of four lines, in October."""
    first = {"draw_id": "ba9876543210", "draw_number": 1, "drawn_on": date(2025, 10, 20), "seed": "eerste"}
    return [row | first for row in lines()[:4]]


def made(rows: Lines | None = None, drawn: Lines | None = None, dossier: Dossier = DOSSIER) -> bytes:
    drawn = lines() if drawn is None else drawn
    return lawfulness_file(dossier, orders() if rows is None else rows, drawn, [*earlier(), *drawn], FILES)


def sheets(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {page.title: list(page.iter_rows(values_only=True)) for page in book.worksheets}


def test_the_summary_says_what_it_is_about_and_what_it_comes_to():
    rows = sheets(made())["Samenvatting"]
    text = {row[0]: row[1] for row in rows if row[0]}
    assert text["Schooljaar"] == "2025-2026, versie 1 van de vaststelling"
    assert text["Stand op"] == "11-11-2025, over de dagen tot en met 31-10-2025"
    assert text["Tolerantie"] == "2,00 %"
    assert text["Steekproef"] == (
        "trekking 2 (0123456789ab) van 11-11-2025, startwaarde '7', ten hoogste 3 regels per opdracht: BO 2 uit 2, LP 3 uit 21"
    )
    assert text["Let op"] == "Vertrouwelijk. Fictief: verzonnen uren en bedragen"
    assert text["BO"].startswith("Op planning: tot en met 31-10-2025 was 16:40 uur gepland (€\u00a01.000,00)")
    assert "Vraag de school om haar akkoord." in text["LP"]


def test_the_summary_says_how_anybody_can_draw_again():
    """What is drawn from, what separates seed and reference, and how a reference is written."""
    said = " ".join(str(row[1]) for row in sheets(made())["Samenvatting"])
    assert "alle directe regels van klassen met toegekende uren, gewerkt tot en met 31-10-2025" in said
    assert "op of voor 11-11-2025, in de bestanden van blad Urenstaten" in said
    assert "startwaarde, teken 31 en regelverwijzing achter elkaar, in UTF-8" in said
    assert "bestand:blad:rij" in said
    assert "geen naam of nummer van een medewerker. Een getrokken regel is wel het werk van één medewerker" in said


def test_the_orders_add_up_to_the_region():
    header, first, second, region = sheets(made())["Per opdracht"]
    shown = [dict(zip(header, cells, strict=True)) for cells in (first, second, region)]
    assert [row["opdracht"] for row in shown] == ["BO", "LP", "regio"]
    assert [row["te declareren"] for row in shown] == [1000.0, 1500.0, 2500.0]
    assert [row["gedeclareerd (netto)"] for row in shown] == [900.0, 1500.0, 2400.0]
    assert [row["te bewijzen"] for row in shown] == [1000.0, 1000.0, 2000.0]
    assert [row["gedekt"] for row in shown] == [1000.0, 880.0, 1880.0]
    assert [row["niet gedekt"] for row in shown] == [0, 120, 120]
    assert [row["oordeel"] for row in shown] == ["op planning", "op planning na akkoord van de school", None]
    assert region[header.index("tolerantie")] is None, "a tolerance per order is not one of the region"


def test_the_hours_add_up_to_the_region():
    """Minutes are added up, then shown as hours."""
    header, *rows = sheets(made())["Uren per opdracht"]
    shown = [dict(zip(header, cells, strict=True)) for cells in rows]
    assert [row["opdracht"] for row in shown] == ["BO", "LP", "regio"]
    assert [row["goedgekeurd"] for row in shown] == [16.67, 14.83, 31.5]
    assert [row["gepland"] for row in shown] == [16.67, 16.67, 33.33]
    assert [row["van klassen zonder toekenning"] for row in shown] == [0, 1.5, 1.5]
    assert [row["met een ernstig signaal"] for row in shown] == [0, 0.5, 0.5]


def test_what_was_claimed_is_empty_where_it_is_not_known():
    unknown = [row | {"claimed_cents": None} if row["order_id"] == "BO" else row for row in orders()]
    header, *rows = sheets(made(unknown))["Per opdracht"]
    assert [row[header.index("gedeclareerd (netto)")] for row in rows] == [None, 1500.0, None]


def test_a_sampled_line_has_room_for_what_was_seen():
    header, first, *_ = sheets(made())["Steekproef"]
    row = dict(zip(header, first, strict=True))
    assert (row["opdracht"], row["nr"], row["functie"], row["klas"]) == ("BO", 1, "begeleiding", "ZML1")
    assert row["regelverwijzing"].startswith("uren-bodde:Uren:")
    assert row["datum"].date() == date(2025, 10, 2)
    assert row["minuten"] == 30
    assert header[-3:] == ("gezien op", "bevinding", "paraaf")
    assert first[-3:] == (None, None, None)


def test_every_draw_of_the_year_stands_in_it_in_order():
    _, first, second = sheets(made())["Trekkingen"]
    day = date(2025, 10, 20)
    assert (first[0], first[1], first[2].date(), first[5:]) == (1, "ba9876543210", day, ("eerste", 4, None))
    assert (second[0], second[1], second[5:]) == (2, "0123456789ab", ("7", 5, "ja"))


def test_the_files_that_were_drawn_from_stand_in_it():
    assert sheets(made())["Urenstaten"][1:] == [("uren-09", "aa" * 32), ("uren-10", "bb" * 32)]


def test_the_same_rows_give_the_same_bytes_in_any_order():
    drawn = [*earlier(), *lines()]
    turned = lawfulness_file(DOSSIER, orders()[::-1], lines()[::-1], drawn[::-1], FILES[::-1])
    assert turned == made()


def test_nothing_becomes_a_formula():
    odd = [
        row | {"class_code": "=1+1", "file_label": "+x", "row_ref": "@SUM(A1)", "seed": '=HYPERLINK("x")'}
        for row in lines()
    ]
    data = made(drawn=odd, dossier=replace(DOSSIER, fictitious=False))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/"))
    assert "<f>" not in xml
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for row in book["Steekproef"].iter_rows(min_row=2, min_col=7, max_col=7) for cell in row]
    assert {(cell.value, cell.data_type, cell.number_format, cell.quotePrefix) for cell in cells} == {
        ("=1+1", "s", "@", True)
    }
    seed = book["Trekkingen"].cell(3, 6)
    assert (seed.value, seed.data_type, seed.quotePrefix) == ('=HYPERLINK("x")', "s", True)
