"""Reading demo files back without the program's own intake: pandas for text, openpyxl for workbooks."""

from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from zio_pipeline.contracts import Dataset, sources

Row = dict[str, Any]


def pupils_of(folder: Path) -> list[Row]:
    """Rows of both pupil files, by contract name; the total row is left out."""
    rows = [row for path in sorted(folder.glob("leerlingen-*")) for row in read(path, "pupil_registrations")]
    return [row for row in rows if row["school_year"]]


def wlz_of(folder: Path) -> list[Row]:
    (path,) = folder.glob("wlz-lijst-*")
    return read(path, "wlz_statuses")


@cache
def read(path: Path, source: str) -> list[Row]:
    """Rows of a file by contract name, extra columns under their own header, everything as text (dates ISO)."""
    header, rows = _csv(path) if path.suffix == ".csv" else _xlsx(path)
    names = _names(sources()[source].datasets[0])
    keys = [names.get(title.casefold(), title.casefold()) for title in header]
    return [dict(zip(keys, row, strict=True)) for row in rows]


@cache
def setup_sheets(folder: Path) -> dict[str, list[list[Any]]]:
    """Sheets of the setup workbook by name: every row, titles and header included, as Excel holds them."""
    (path,) = folder.glob("inrichting-*")
    book = openpyxl.load_workbook(path)
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}


def setup_rows(folder: Path, dataset: str) -> list[Row]:
    """Rows of one sheet of the setup workbook by contract name."""
    found = sources()["school_year_setup"].dataset(dataset)
    header, *rows = setup_sheets(folder)[found.dutch][2:]
    names = _names(found)
    return [dict(zip([names[str(title).casefold()] for title in header], row, strict=True)) for row in rows]


def _names(dataset: Dataset) -> dict[str, str]:
    return {title.casefold(): column.name for column in dataset.columns for title in column.headers}


def encoding_of(path: Path) -> str:
    return "utf-8-sig" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "cp1252"


def _csv(path: Path) -> tuple[list[str], list[list[str]]]:
    frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, encoding=encoding_of(path))
    return list(frame.columns), [[_iso(cell) for cell in row] for row in frame.to_numpy().tolist()]


def _xlsx(path: Path) -> tuple[list[str], list[list[str]]]:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    book.close()
    top = next(number for number, row in enumerate(rows) if "schooljaar" in row)
    return [str(title) for title in rows[top]], [[_text(cell) for cell in row] for row in rows[top + 1 :]]


def _iso(cell: str) -> str:
    parts = cell.split("-")
    return "-".join(reversed(parts)) if [len(part) for part in parts] == [2, 2, 4] else cell


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).removesuffix(" 00:00:00")
