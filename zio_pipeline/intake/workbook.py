"""XLSX to sheets of text cells.

Belongs here: the choice of reader, cell value -> text, counting the rows that were read against those in the package.
Does not belong here: whether a workbook is safe to open (package), text files (text), what the cells mean.

python-calamine reads some eight times faster than openpyxl but turns error cells (#N/B) into empty ones and does not tell
a percentage from a number, so a workbook with either goes through openpyxl.
"""

import io
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import chain
from threading import Lock
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

import numpy as np
import pyarrow as pa
import python_calamine

from zio_pipeline.contracts import sources
from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.headers import normalise
from zio_pipeline.intake.package import PROTECTED, UNREADABLE, ZIP_FAULTS, Facts, facts_of
from zio_pipeline.intake.sheets import Sheet, sheet_of

_OPENPYXL_FAULTS = (*ZIP_FAULTS, ParseError, LookupError, ValueError, TypeError, AttributeError)


_CODE = re.compile(r"[a-z]{1,4}\d{1,3}[a-z]?|\d{1,4}|[a-z]")
_SHEET_WORDS = (
    "blad sheet tabel tab data export lijst overzicht voorblad toelichting uitleg instructie leeg rest oud nieuw versie totaal "
    "draaitabel uren uur urenstaat urenstaten week maand jaar schooljaar klas klassen groep groepen so vso llg leerling "
    "leerlingen wlz pgb januari februari maart april mei juni juli augustus september oktober november december "
    "jan feb mrt apr jun jul aug sep sept okt nov dec"
)
_ONE_AT_A_TIME = Lock()  # which warnings are shown is a setting of the whole process


class _Read(NamedTuple):
    """A sheet as a reader gives it; `merged` are ranges merged downwards: column from 0, first and last row from 1."""

    name: str
    rows: Sequence[Sequence[Any]]
    merged: tuple[tuple[int, int, int], ...] = ()


def read_workbook(data: bytes) -> list[Sheet]:
    """The sheets of a workbook, hidden ones too; row numbers are Excel's own.

    Raises:
        RefusedFileError: it cannot be read, is protected, is too large, or holds formulas that were never computed.
    """
    facts = facts_of(data)
    slowly = facts.has_errors or facts.has_percentages
    try:
        found = list(_read_with_openpyxl(data, facts) if slowly else _read_with_calamine(data))
    except OverflowError:  # such as a number that is no moment, in a cell that is formatted as one
        slowly, found = True, list(_read_with_openpyxl(data, facts))
    names = _plain_names([sheet.name for sheet in found])
    sheets = [_sheet(name, sheet, facts) for name, sheet in zip(names, found, strict=True)]
    if sum(map(len, sheets)) != facts.filled_rows and not slowly:
        _check_by_openpyxl(data, facts, [len(sheet) for sheet in sheets])
    return sheets


def _check_by_openpyxl(data: bytes, facts: Facts, filled: list[int]) -> None:
    """A row of empty texts is no row, so the parts may name more; a reader that lost one is found out by another."""
    counted = [
        sum(any(_text(cell).strip() for cell in row) for row in sheet.rows)
        for sheet in _read_with_openpyxl(data, facts)
    ]
    if counted != filled:
        raise RefusedFileError("Het werkboek is niet met zekerheid volledig gelezen; sla het opnieuw op in Excel.")


def _sheet(name: str, read: _Read, facts: Facts) -> Sheet:
    ends = np.cumsum([len(row) for row in read.rows], dtype=np.int64)
    numbers = np.arange(1, len(read.rows) + 1, dtype=np.int64)
    return sheet_of(name, _texts(read.rows), ends, numbers, merged=read.merged, from_1904=facts.from_1904)


def _read_with_calamine(data: bytes) -> Iterator[_Read]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for index, described in enumerate(workbook.sheets_metadata):
            if described.typ == python_calamine.SheetTypeEnum.WorkSheet:
                sheet = workbook.get_sheet_by_index(index)
                ranges = sheet.merged_cell_ranges or ()
                down = tuple((left, top + 1, bottom + 1) for (top, left), (bottom, _) in ranges if bottom > top)
                yield _Read(described.name, sheet.to_python(skip_empty_area=False), down)
    except python_calamine.PasswordError as error:
        raise RefusedFileError(PROTECTED) from error
    except python_calamine.CalamineError as error:
        raise RefusedFileError(UNREADABLE) from error
    except BaseException as error:
        # A panic inside the Rust reader is a BaseException that its package does not export.
        if type(error).__name__ != "PanicException":
            raise
        raise OverflowError from error


def _read_with_openpyxl(data: bytes, facts: Facts) -> Iterator[_Read]:
    import openpyxl  # noqa: PLC0415 (takes a second, for the few workbooks with error cells)

    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of every feature it does not keep; we keep values only
        try:
            # Reading only is lighter, and does not know which cells were merged.
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=not facts.has_merges, data_only=True)
            for sheet in workbook.worksheets:
                if not facts.has_merges:
                    sheet.reset_dimensions()
                ranges = sheet.merged_cells.ranges if facts.has_merges else ()
                down = tuple((r.min_col - 1, r.min_row, r.max_row) for r in ranges if r.max_row > r.min_row)
                yield _Read(sheet.title, [[_shown(cell) for cell in row] for row in sheet.iter_rows()], down)
        except _OPENPYXL_FAULTS as error:  # it trusts the parts to be what they say
            raise RefusedFileError(UNREADABLE) from error


def _shown(cell: Any) -> Any:
    """The value, a percentage as the sender sees it: Excel keeps 40 % as 0.4."""
    is_percentage = isinstance(cell.value, int | float) and "%" in (cell.number_format or "")
    return cell.value * 100 if is_percentage else cell.value


def _texts(rows: Sequence[Sequence[Any]]) -> pa.StringArray:
    """All cells, one after the other, as text; each different value is written out once."""
    written: defaultdict[type, _Written] = defaultdict(_Written)  # by type: True, 1 and 1.0 are one key otherwise
    cells = chain.from_iterable(rows)
    return pa.array([cell if type(cell) is str else written[type(cell)][cell] for cell in cells], pa.string())


class _Written(dict[Any, str]):
    """Values that were written out before."""

    def __missing__(self, value: Any) -> str:
        self[value] = text = _text(value)
        return text


def _text(value: Any) -> str:
    """A cell value as the sender sees it in a Dutch Excel.

    A fraction gets a decimal comma: with a point, 62.125 would read as 62 thousand and 125. It is cut to the 15
    significant digits that Excel itself works with, so that 0.1 + 0.2 is 0,3 here too.
    """
    match value:
        case None:
            text = ""
        case bool():
            text = "ja" if value else "nee"
        case float():
            text = str(int(value)) if value.is_integer() else repr(float(f"{value:.15g}")).replace(".", ",")
        case datetime():
            text = value.date().isoformat() if value.time() == time() else value.isoformat(timespec="seconds")
        case time():
            text = _clock(datetime.combine(date.min, value) - datetime.combine(date.min, time()))
        case timedelta():
            text = _clock(value)
        case _:  # a date becomes ISO, a whole number its digits
            text = str(value)
    return text


def _clock(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())  # Excel keeps a fraction of a day: 8:20 may lie a microsecond off
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return f"{text}:{seconds % 60:02d}" if seconds % 60 else text


def _plain_names(names: list[str]) -> list[str]:
    """Sheet names as they may stand in finance tables: all different, and never that of a person.

    A tab per employee or pupil is ordinary, so a name is kept only when each of its words is known or is a code.
    """
    plain: list[str] = []
    for position, name in enumerate(names, start=1):
        words = re.findall(r"\w+", normalise(name))
        known = words and all(word in _known_words() or _CODE.fullmatch(word) for word in words)
        ours = re.fullmatch(r"\(\d+\)", name)  # as we name a sheet ourselves
        plain.append(name if known and not ours and name not in plain else f"({position})")
    return plain


@cache
def _known_words() -> frozenset[str]:
    datasets = [dataset for contract in sources().values() for dataset in contract.datasets]
    ours = {word for d in datasets for name in (d.name, d.dutch) for word in re.findall(r"\w+", normalise(name))}
    return frozenset(ours | set(_SHEET_WORDS.split()))
