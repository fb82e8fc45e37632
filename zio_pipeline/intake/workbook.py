"""XLSX to sheets of text cells, after checking that opening it is safe.

Belongs here: limits on a zip before anything is unpacked in full, the choice of reader, cell value -> text.
Does not belong here: text files (reading), what the cells mean.

python-calamine reads some eight times faster than openpyxl but turns error cells (#N/B) into empty ones, so a workbook
with an error cell goes through openpyxl. Calamine holds the whole rectangle of a sheet in memory, however few cells are
filled: its size is measured in the XML first.
"""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

import python_calamine

from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.sheets import MAX_CELLS, MAX_COLUMNS, TOO_LARGE, Sheet, numbered

MAX_PARTS = 2_000
MAX_UNZIPPED_BYTES = 400_000_000
MAX_RATIO = 300
RATIO_FROM_BYTES = 5_000_000

_ERROR_CELL = re.compile(rb"""\st\s*=\s*["']e["']""")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})[0-9]{1,7}["']""")
_ROW = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{0,3}([0-9]{1,7})["']""")
_UNCOMPUTED = re.compile(
    rb"""<c(?![^>]*\st=["']str["'])[^>]*>"""  # a formula whose outcome is an empty text is computed
    rb"""<f(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?</c>"""
)

_UNREADABLE = (
    "Het werkboek is beschadigd of geen geldig .xlsx-bestand; open het in Excel, sla het op en lever het opnieuw."
)
PROTECTED = "Het werkboek is met een wachtwoord beveiligd; lever het zonder wachtwoord."
_NOT_COMPUTED = "Het werkboek bevat formules zonder uitkomst; open het in Excel, sla het op en lever het opnieuw."

_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
_OPENPYXL_FAULTS = (*_ZIP_FAULTS, ParseError, LookupError, ValueError, TypeError, AttributeError)


def read_workbook(data: bytes) -> list[Sheet]:
    """The sheets of a workbook, hidden ones too; row numbers are Excel's own.

    Raises:
        RefusedFileError: it cannot be read, is protected, is too large, or holds formulas that were never computed.
    """
    try:
        has_error_cells = _check_parts(data)
    except _ZIP_FAULTS as error:
        raise RefusedFileError(_UNREADABLE) from error
    read = _read_with_openpyxl if has_error_cells else _read_with_calamine
    sheets = [(name, numbered(enumerate(map(_texts, rows), start=1))) for name, rows in read(data)]
    return [Sheet(name, rows) for name, (_, rows) in zip(_plain_names([n for n, _ in sheets]), sheets, strict=True)]


def _check_parts(data: bytes) -> bool:
    """Refuse what is unsafe to open; whether there are error cells. Unpacking every part proves its size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if len(names) != len(parts) or len(parts) > MAX_PARTS or "xl/workbook.xml" not in names:
            raise RefusedFileError(_UNREADABLE)
        if any(part.flag_bits & 1 for part in parts):
            raise RefusedFileError(PROTECTED)
        unzipped, zipped = sum(p.file_size for p in parts), sum(p.compress_size for p in parts)
        if unzipped > MAX_UNZIPPED_BYTES or (unzipped > RATIO_FROM_BYTES and unzipped > MAX_RATIO * max(zipped, 1)):
            raise RefusedFileError(TOO_LARGE)
        facts = [_inspect(part.filename, archive.read(part)) for part in parts]
    if sum(fact.cells for fact in facts) > MAX_CELLS:
        raise RefusedFileError(TOO_LARGE)
    return any(fact.has_errors for fact in facts)


class _Facts(NamedTuple):
    """Of one part of the zip: cells in the rectangle around everything filled, and whether an error cell is in it."""

    cells: int
    has_errors: bool


def _inspect(name: str, xml: bytes) -> _Facts:
    is_sheet = b"sheetData" in xml  # by content: a workbook may keep its sheets under any name
    if (is_sheet or name.lower().endswith((".xml", ".rels"))) and (b"<!DOCTYPE" in xml or b"\x00" in xml):
        raise RefusedFileError(_UNREADABLE)
    if not is_sheet:
        return _Facts(0, False)
    columns = max(map(_column_number, set(_REFERENCE.findall(xml))), default=0)
    rows = max(map(int, set(_ROW.findall(xml))), default=0)
    if columns > MAX_COLUMNS:
        raise RefusedFileError(TOO_LARGE)
    if b"<f" in xml and _UNCOMPUTED.search(xml):
        raise RefusedFileError(_NOT_COMPUTED)
    return _Facts(rows * columns, _ERROR_CELL.search(xml) is not None)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _read_with_calamine(data: bytes) -> Iterator[tuple[str, list[list[Any]]]]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for index, sheet in enumerate(workbook.sheets_metadata):
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet:
                yield sheet.name, workbook.get_sheet_by_index(index).to_python(skip_empty_area=False)
    except python_calamine.PasswordError as error:
        raise RefusedFileError(PROTECTED) from error
    except python_calamine.CalamineError as error:
        raise RefusedFileError(_UNREADABLE) from error
    except BaseException as error:
        # A panic inside the Rust reader is a BaseException that its package does not export.
        if type(error).__name__ != "PanicException":
            raise
        raise RefusedFileError(_UNREADABLE) from error


def _read_with_openpyxl(data: bytes) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    import openpyxl  # noqa: PLC0415 (takes a second, for the few workbooks with error cells)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of every feature it does not keep; we keep values only
        try:
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()
                yield sheet.title, list(sheet.iter_rows(values_only=True))
        except _OPENPYXL_FAULTS as error:  # it trusts the parts to be what they say
            raise RefusedFileError(_UNREADABLE) from error


def _texts(values: Any) -> list[str]:
    return [value if type(value) is str else _text(value) for value in values]


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
    """Sheet names as they may stand in finance tables: all different, and without anything like a pupil number."""
    plain: list[str] = []
    for position, name in enumerate(names, start=1):
        number_like = re.search(r"\d{8}", re.sub(r"[\s.]", "", name))
        plain.append(f"({position})" if number_like or name in plain or not name.strip() else name)
    return plain
