"""What reading gives: sheets of rows of text cells, each row with the sender's own number.

Belongs here: those two types, and dropping empty rows without losing count.
Does not belong here: any file format (reading, workbook).
"""

from collections.abc import Iterator
from typing import NamedTuple

from zio_pipeline.intake.delivery import RefusedFileError

MAX_ROWS = 500_000
MAX_COLUMNS = 702  # up to and including ZZ
MAX_CELLS = 10_000_000
TOO_LARGE = "Het bestand is te groot; verwijder lege opgemaakte rijen en kolommen, of splits het."


class Row(NamedTuple):
    """One row with something in it. Cells are stripped text. `after_gap`: an empty row, or nothing, goes before it."""

    number: int
    cells: list[str]
    after_gap: bool


class Sheet(NamedTuple):
    """The filled rows of one sheet; the name is '' for a text file."""

    name: str
    rows: list[Row]


def numbered(records: Iterator[tuple[int, list[str]]]) -> list[Row]:
    """Drop the empty records, remembering where they stood; RefusedFileError when there is too much of anything."""
    rows: list[Row] = []
    gap, cells_read = True, 0
    for number, record in records:
        cells = [cell.strip() for cell in record]
        filled = any(cells)
        if filled:
            rows.append(Row(number, cells, gap))
        gap = not filled
        cells_read += len(cells)
        if len(cells) > MAX_COLUMNS or len(rows) > MAX_ROWS or cells_read > MAX_CELLS:
            raise RefusedFileError(TOO_LARGE)
    return rows
