"""Files as senders make them, by hand and small: what the intake tests share. All persons are fictitious."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import xlsxwriter

from zio_pipeline.contracts import sources
from zio_pipeline.intake import Delivery, take_in
from zio_pipeline.privacy import Keys

KEYS = Keys(b"p" * 32, b"v" * 32, "testkey0")

Row = dict[str, Any]
Lines = Sequence[Sequence[Any]]


def pgn(number: int) -> str:
    """The number-th valid BSN from 200000000 on."""
    first = 200_000_000 + 40 * number
    candidates = (n for n in range(first, first + 40) if _eleven(n) == 0)
    return str(next(candidates))


def _eleven(number: int) -> int:
    digits = [int(char) for char in f"{number:09d}"]
    return sum(weight * digit for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True)) % 11


def pupil(number: int = 0, **changes: Any) -> Row:
    """One good row of a pupil file, by Dutch header."""
    row = {
        "schooljaar": "2025-2026",
        "vestiging": "02ZX00",
        "pgn": pgn(number),
        "geboortedatum": "03-04-2012",
        "klas": "SO-1",
        "plaatsing vanaf": "18-08-2025",
        "plaatsing tot en met": "",
        "verantwoordelijke gemeente": "Tilburg",
        "postcode": "5022 KE",
        "zorgbehoefte": "ja",
    }
    return row | {name.replace("_", " "): value for name, value in changes.items()}


def line(number: int = 0, **changes: Any) -> Row:
    """One good row of a timesheet."""
    row = {
        "schooljaar": "2025-2026",
        "agb": "06012345",
        "vestiging": "02ZX00",
        "klas": "SO-1",
        "medewerker": f"M{number}",
        "datum": "02-09-2025",
        "begin": "",
        "eind": "",
        "pauze": "",
        "uren": "7,5",
        "minuten": "",
        "activiteit": "direct",
        "functie": "verzorging",
    }
    return row | changes


def indication(number: int = 0, **changes: Any) -> Row:
    """One good row of a Wlz list."""
    row = {
        "schooljaar": "2025-2026",
        "dagtekening": "24-06-2025",
        "pgn": pgn(number),
        "besluitnummer": str(1000 + number),
        "ingangsdatum": "01-01-2025",
        "leveringsvorm": "7",
        "verantwoordelijk zorgkantoor": "5527",
    }
    return row | changes


def table(rows: Sequence[Row]) -> list[list[Any]]:
    """Header and cells of rows that all have the same headers."""
    return [list(rows[0]), *([row[name] for name in rows[0]] for row in rows)]


def csv_bytes(
    lines: Sequence[Sequence[Any]], delimiter: str = ";", newline: str = "\r\n", encoding: str = "utf-8"
) -> bytes:
    """A text file of these lines; an empty line for an empty sequence."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=newline).writerows(lines)
    return buffer.getvalue().encode(encoding)


def csv_of(*rows: Row) -> bytes:
    """A plain CSV of these rows."""
    return csv_bytes(table(rows))


def xlsx_bytes(sheets: Mapping[str, Lines], **formats: str) -> bytes:
    """A workbook; values keep their Python type. `formats`: number format per type name (date, time, timedelta)."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False}) as book:
        known = {"date": "dd-mm-yyyy", "time": "hh:mm", "timedelta": "[h]:mm", "datetime": "dd-mm-yyyy hh:mm"} | formats
        made = {name: book.add_format({"num_format": text}) for name, text in known.items()}
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(lines):
                for position, value in enumerate(cells):
                    if value not in (None, ""):
                        sheet.write(number, position, value, made.get(type(value).__name__))
    return buffer.getvalue()


def setup_sheets(**changes: Sequence[Row]) -> dict[str, list[list[Any]]]:
    """A small workbook of the school year, by Dutch sheet name; `changes` replaces the rows of a dataset."""
    source = {"bron": "fictief"}
    rows: dict[str, list[Row]] = {
        "settings": [{"instelling": "schooljaar", "waarde": "2025-2026", "geldig vanaf": "01-08-2025", **source}],
        "schools": [{"vestiging": "02ZX00", "naam": "Leijpark", **source}],
        "providers": [{"agb": "06012345", "naam": "Aanbieder", **source}],
        "orders": [order()],
        "doelgroepen": [doelgroep("EMB")],
        "classes": [school_class("SO-1")],
    }
    rows |= {name: list(value) for name, value in changes.items()}
    result = {}
    for dataset in sources()["school_year_setup"].datasets:
        required = [column.dutch for column in dataset.columns if column.required]
        given = rows.get(dataset.name, [])
        headers = list(dict.fromkeys([*required, *(name for row in given for name in row)]))
        result[dataset.dutch] = [headers, *([row.get(name, "") for name in headers] for row in given)]
    return result


def order(**changes: Any) -> Row:
    """One good row of sheet contracten."""
    row = {"opdracht": "LP", "vestiging": "02ZX00", "agb": "06012345", "weken": 40, "tarief": "62,50"}
    return row | {"grondslag bedrag": "berekend", "geldig vanaf": "01-08-2025", "bron": "fictief"} | changes


def doelgroep(code: str, **changes: Any) -> Row:
    """One good row of sheet doelgroepen."""
    hours = {"behoefte uren per week": "30", "eigen inzet uren per week": "10", "toegekende uren per week": "20"}
    return {"opdracht": "LP", "doelgroep": code, "omschrijving": code, **hours, "bron": "fictief"} | changes


def school_class(code: str, **changes: Any) -> Row:
    """One good row of sheet klassen."""
    row = {"vestiging": "02ZX00", "klas": code, "opdracht": "LP", "doelgroep": "EMB"}
    return row | {"verwacht aantal leerlingen": 8, "bron": "fictief"} | changes


def deliver(data: bytes) -> Delivery:
    """Take a file in with the keys of the tests."""
    return take_in(data, KEYS)


def rules(delivery: Delivery) -> dict[int, list[str]]:
    """Rules broken per quarantined row number (of a file with one sheet)."""
    return {row.row_number: [reason.rule for reason in row.reasons] for row in delivery.quarantined}


def places(delivery: Delivery, dataset: str = "pupil_registrations") -> list[tuple[str, int]]:
    """Sheet and row number of every accepted row."""
    rows = delivery.accepted[dataset]
    return list(zip(rows["sheet"].to_pylist(), rows["row_number"].to_pylist(), strict=True))


def values(delivery: Delivery, dataset: str = "pupil_registrations") -> pa.Table:
    """The accepted rows without their place."""
    return delivery.accepted[dataset].drop_columns(["sheet", "row_number"])


def warned(delivery: Delivery) -> list[tuple[int, str]]:
    """Row number and rule of every warning."""
    return [(reason.row_number, reason.rule) for reason in delivery.warnings]
