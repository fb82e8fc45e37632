"""What the zip of an XLSX says before anything is opened: is it safe, how large is it, what must its reader mind.

Belongs here: limits on the parts, measuring the sheets in their XML, spotting error cells, percentages, formulas without an
outcome and dates from 1904. Does not belong here: reading cells (workbook).

A reader holds the whole rectangle of a sheet in memory, however few cells are filled, so its size is measured here first.
"""

import io
import lzma
import re
import zipfile
import zlib
from typing import NamedTuple

import numpy as np

from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.sheets import MAX_CELLS, MAX_COLUMNS, TOO_LARGE, Index

MAX_PARTS = 2_000
MAX_UNZIPPED_BYTES = 400_000_000
MAX_RATIO = 300
RATIO_FROM_BYTES = 5_000_000

UNREADABLE = (
    "Het werkboek is beschadigd of geen geldig .xlsx-bestand; open het in Excel, sla het op en lever het opnieuw."
)
PROTECTED = "Het werkboek is met een wachtwoord beveiligd; lever het zonder wachtwoord."
NOT_COMPUTED = "Het werkboek bevat formules zonder uitkomst; open het in Excel, sla het op en lever het opnieuw."
ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError, ValueError)

_ERROR_CELL = re.compile(rb"""\st\s*=\s*["']e["']""")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]*)""")
_CELL_START = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?c(?=[\s>/])")
_OUTCOME = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?v(?:\s[^>]*)?>\s*[^<\s]")
_IS_TEXT = re.compile(rb"""[^>]*\st\s*=\s*["']str["']""")
_ROW_START = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?row(?=[\s>/])")
_PERCENTAGE = re.compile(rb"""\snumFmtId\s*=\s*["'](?:9|10)["']|\sformatCode\s*=\s*["'][^"']*%""")
_FROM_1904 = re.compile(rb"""\sdate1904\s*=\s*["'](?:1|true)["']""")


class Facts(NamedTuple):
    """What the parts of the zip say before anything is opened."""

    cells: int = 0
    """In the rectangles around everything filled."""
    filled_rows: int = 0
    """Rows that hold a value: what the reader gives is counted against it."""
    has_errors: bool = False
    has_percentages: bool = False
    has_merges: bool = False
    from_1904: bool = False

    def plus(self, other: "Facts") -> "Facts":
        return Facts(
            self.cells + other.cells,
            self.filled_rows + other.filled_rows,
            self.has_errors or other.has_errors,
            self.has_percentages or other.has_percentages,
            self.has_merges or other.has_merges,
            self.from_1904 or other.from_1904,
        )


def facts_of(data: bytes) -> Facts:
    """Measure a workbook. Unpacking every part proves its size.

    Raises:
        RefusedFileError: it is no sound zip of a workbook, is protected, too large, or holds formulas never computed.
    """
    try:
        return _facts_of(data)
    except ZIP_FAULTS as error:
        raise RefusedFileError(UNREADABLE) from error


def _facts_of(data: bytes) -> Facts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if len(names) != len(parts) or len(parts) > MAX_PARTS or "xl/workbook.xml" not in names:
            raise RefusedFileError(UNREADABLE)
        if any(part.flag_bits & 1 for part in parts):
            raise RefusedFileError(PROTECTED)
        unzipped, zipped = sum(p.file_size for p in parts), sum(p.compress_size for p in parts)
        if unzipped > MAX_UNZIPPED_BYTES or (unzipped > RATIO_FROM_BYTES and unzipped > MAX_RATIO * max(zipped, 1)):
            raise RefusedFileError(TOO_LARGE)
        facts = Facts()
        for part in parts:
            facts = facts.plus(_inspect(part.filename, archive.read(part)))
    if facts.cells > MAX_CELLS:
        raise RefusedFileError(TOO_LARGE)
    return facts


def _inspect(name: str, xml: bytes) -> Facts:
    is_sheet = b"sheetData" in xml  # by content: a workbook may keep its sheets under any name
    if (is_sheet or name.lower().endswith((".xml", ".rels"))) and (b"<!DOCTYPE" in xml or b"\x00" in xml):
        raise RefusedFileError(UNREADABLE)
    if not is_sheet:
        percentages = b"numFmt" in xml and _PERCENTAGE.search(xml) is not None
        return Facts(has_percentages=percentages, from_1904=_FROM_1904.search(xml) is not None)
    rows = _rows(_before_the_end(xml))
    if (b"<f" in xml or b":f" in xml) and any(map(_is_uncomputed, rows)):
        raise RefusedFileError(NOT_COMPUTED)
    places, (columns, highest) = _places(xml)
    odd = places < len(rows) + _cells(xml) or _is_oddly_written(xml)
    if odd:
        # Places written as no program writes them, or left out: those come after the one before.
        columns, highest = _extent_by_pattern(xml)
        columns = max(columns, max((row.count(b"<c") + row.count(b":c") for row in rows), default=0))
        highest += len(rows)
    if columns > MAX_COLUMNS:
        raise RefusedFileError(TOO_LARGE)
    filled = sum(b"<v" in row or b"<is" in row or b":v" in row or b":is" in row for row in rows)
    errors = b' t="e"' in xml or (odd and _ERROR_CELL.search(xml) is not None)
    return Facts(highest * columns, filled, errors, has_merges=b"mergeCell" in xml)


def _is_uncomputed(row: bytes) -> bool:
    """Whether a formula of the row has no outcome; an empty text is one."""
    if b"<f" not in row and b":f" not in row:
        return False
    formulas = (cell for cell in _CELL_START.split(row)[1:] if b"<f" in cell or b":f" in cell)
    return any(_OUTCOME.search(cell) is None and _IS_TEXT.match(cell) is None for cell in formulas)


def _before_the_end(xml: bytes) -> bytes:
    """Up to where the rows end: what follows (a list to choose from, a footer) has elements that look like those of a cell."""
    name = xml.rfind(b"sheetData")
    end = xml.rfind(b"</", max(0, name - 40), name)
    return xml if end < 0 else xml[:end]


def _rows(xml: bytes) -> list[bytes]:
    """The XML of each row."""
    if b":row" in xml:
        return _ROW_START.split(xml)[1:]
    return [part for part in xml.split(b"<row")[1:] if part[:1] in b" \t\r\n>/"]


def _cells(xml: bytes) -> int:
    """How many cells there are."""
    text = np.frombuffer(xml + b"..", np.uint8)
    after = text[2:]
    tags = ((text[:-2] == ord("<")) | (text[:-2] == ord(":"))) & (text[1:-1] == ord("c"))
    return int((tags & ((after <= ord(" ")) | (after == ord(">")) | (after == ord("/")))).sum())


def _places(xml: bytes) -> tuple[int, tuple[int, int]]:
    """How many places are named (` r="AB12"`, ` r="12"`), and the last column and row of them."""
    text = np.frombuffer(xml + b'"' * 16, np.uint8)
    marks = (text[:-3] == ord(" ")) & (text[1:-2] == ord("r")) & (text[2:-1] == ord("=")) & (text[3:] == ord('"'))
    at: Index = np.flatnonzero(marks) + 4
    columns, rows = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for _ in range(4):  # a fourth letter is far beyond every limit
        letter = text[at] & 0xDF
        is_letter = (letter >= ord("A")) & (letter <= ord("Z"))
        columns = np.where(is_letter, columns * 26 + (letter - 64), columns)
        at = at + is_letter
    for _ in range(8):
        is_digit = (text[at] >= ord("0")) & (text[at] <= ord("9"))
        rows = np.where(is_digit, rows * 10 + (text[at] - 48), rows)
        at = at + is_digit
    if ((text[at] >= ord("0")) & (text[at] <= ord("9"))).any():
        return 0, (0, 0)  # more digits than any place has: the pattern reads them all
    return len(at), (int(columns.max(initial=0)), int(rows.max(initial=0)))


def _is_oddly_written(xml: bytes) -> bool:
    """Whether some attribute has a space about its `=`, or a single quote after it: then a place may be missed."""
    text = np.frombuffer(b"." + xml + b".", np.uint8)
    at = np.flatnonzero(text == ord("="))
    before, after = text[at - 1], text[at + 1]
    return bool(((before <= ord(" ")) | (after <= ord(" ")) | (after == ord("'"))).any())


def _extent_by_pattern(xml: bytes) -> tuple[int, int]:
    places = _REFERENCE.findall(xml)
    columns = max((_column_number(letters[:4]) for letters in {letters for letters, _ in places}), default=0)
    numbers = {number.lstrip(b"0")[:9] for _, number in places}  # nine digits are beyond every limit
    return columns, max((int(number) for number in numbers if number), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
