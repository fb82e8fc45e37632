"""Writing demo files the way senders do, and the same bytes every time.

Belongs here: XLSX with titles, dates and numbers as Excel keeps them; CSV with Dutch texts and a chosen encoding.
Does not belong here: what stands in the files.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from zio_pipeline.contracts import Dataset

Cell = str | int | Decimal | date | time | None

_WRITTEN_ON = datetime(2020, 1, 1)  # noqa: DTZ001  (a fixed property of the file, not a moment)


@dataclass(frozen=True)
class Sheet:
    """One worksheet: title lines, an empty line, the header, the rows. `totals` is a last row of its own."""

    name: str
    titles: Sequence[str]
    headers: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    totals: Sequence[Cell] = ()

    @property
    def header_row(self) -> int:
        """Row number of the header as Excel shows it."""
        return len(self.titles) + 2


def header(dataset: Dataset, name: str, alias: str | None = None) -> str:
    """The header of a column; an alias must be one the contract knows (ValueError otherwise)."""
    column = dataset.column(name)
    if alias is None:
        return column.dutch
    if alias.casefold() not in (known.casefold() for known in column.headers):
        raise ValueError(f"{alias} is no header of {dataset.name}.{name}")
    return alias


def label(dataset: Dataset, name: str, value: str | None) -> str | None:
    """The Dutch word of an enum value, as a sender writes it; None stays None."""
    return None if value is None else dict(dataset.column(name).allowed)[value]


def yes_no(value: bool | None) -> str | None:
    """ja, nee, or nothing."""
    return None if value is None else "ja" if value else "nee"


def write_xlsx(path: Path, sheets: Iterable[Sheet]) -> None:
    """Write a workbook; the same sheets give the same bytes."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": "Fictief demobestand", "created": _WRITTEN_ON})
        formats = {
            "bold": book.add_format({"bold": True}),
            date: book.add_format({"num_format": "dd-mm-yyyy"}),
            time: book.add_format({"num_format": "hh:mm"}),
            Decimal: book.add_format({"num_format": "#,##0.00"}),
        }
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.name), sheet, formats)


def _write_sheet(worksheet: Any, sheet: Sheet, formats: dict[Any, Any]) -> None:
    for number, title in enumerate(sheet.titles):
        worksheet.write_string(number, 0, title, formats["bold"])
    top = sheet.header_row - 1
    worksheet.write_row(top, 0, sheet.headers, formats["bold"])
    worksheet.set_column(0, len(sheet.headers) - 1, 18)
    for number, row in enumerate(_with_totals(sheet), start=top + 1):
        for column, value in enumerate(row):
            _write_cell(worksheet, number, column, value, formats)
    worksheet.freeze_panes(top + 1, 0)


def _with_totals(sheet: Sheet) -> Iterator[Sequence[Cell]]:
    yield from sheet.rows
    if sheet.totals:
        yield sheet.totals


def _write_cell(worksheet: Any, row: int, column: int, value: Cell, formats: dict[Any, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        worksheet.write_string(row, column, value)
    elif isinstance(value, date | time):
        worksheet.write_datetime(row, column, value, formats[type(value)])
    elif isinstance(value, Decimal):
        worksheet.write_number(row, column, value, formats[Decimal])
    else:
        worksheet.write_number(row, column, value)


def write_csv(path: Path, headers: Sequence[str], rows: Iterable[Sequence[Cell]], encoding: str) -> None:
    """Write a `;` separated file with CRLF and Dutch texts: dd-mm-jjjj, hh:mm, decimal comma."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows([_as_text(value) for value in row] for row in rows)
    path.write_bytes(text.getvalue().encode(encoding))


def _as_text(value: Cell) -> str:
    if isinstance(value, date):
        return f"{value:%d-%m-%Y}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Decimal):
        return str(value).replace(".", ",")
    return "" if value is None else str(value)
