"""What reading gives: sheets of rows of text cells, each row with the sender's own number.

Belongs here: that one type, dropping empty rows without losing count, and the limits on size.
Does not belong here: any file format (reading, workbook), what a cell means (headers, parsing).

All cells of a sheet lie in one Arrow array, row after row: two million rows are never two million Python objects. Only
the few rows that somebody must look at (a header, a total, a rejected row) become lists.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.intake.delivery import RefusedFileError

MAX_ROWS = 500_000
MAX_COLUMNS = 702  # up to and including ZZ
MAX_CELLS = 10_000_000
TOO_LARGE = "Het bestand is te groot; verwijder lege opgemaakte rijen en kolommen, of splits het."

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The filled rows of one sheet; the name is '' for a text file.

    Row i holds the stripped texts `cells[starts[i]:ends[i]]` and is the sender's row `numbers[i]` (from 1). `after_gap`:
    an empty row, or nothing, goes before it. `records` counts the rows that stood there, the empty ones too.
    `merged` are ranges that the sender merged downwards: (column from 0, the sender's first row, last row).
    """

    name: str
    cells: pa.StringArray = field(repr=False)
    starts: Index
    ends: Index
    numbers: Index
    after_gap: Mask
    records: int
    merged: tuple[tuple[int, int, int], ...] = ()
    from_1904: bool = False

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, index: int) -> list[str]:
        """The cells of one row."""
        start = int(self.starts[index])
        return self.cells.slice(start, int(self.ends[index]) - start).to_pylist()  # type: ignore[no-any-return]

    @cached_property
    def widths(self) -> Index:
        """Number of cells of every row."""
        return self.ends - self.starts

    @cached_property
    def filled_before(self) -> Index:
        """How many filled cells stand before each cell; one longer than `cells`."""
        return _filled_before(self.cells)

    def filled(self, position: int = 0) -> Index:
        """How many filled cells every row has from a position on."""
        starts = np.minimum(self.starts + position, self.ends)
        return self.filled_before[self.ends] - self.filled_before[starts]

    def first_texts(self) -> pa.StringArray:
        """The first filled cell of every row."""
        filled = np.flatnonzero(np.diff(self.filled_before))
        return self.cells.take(pa.array(filled[self.filled_before[self.starts]]))

    def column(self, position: int, rows: Index | None = None, *, merged: bool = True) -> pa.StringArray:
        """The cells at a position (from 0), of all rows or of some; null where a row ends before it.

        A text in cells that are merged downwards stands in each of their rows, unless `merged` is false.
        """
        starts, widths = (self.starts, self.widths) if rows is None else (self.starts[rows], self.widths[rows])
        short = widths <= position
        index = pa.array(starts + position, mask=short if short.any() else None)
        return self._merged_down(self.cells.take(index), position, rows) if merged else self.cells.take(index)

    def _merged_down(self, column: pa.StringArray, position: int, rows: Index | None) -> pa.StringArray:
        """A value in cells merged downwards holds for each of their rows, as the sender sees it."""
        ranges = [(first, last) for at, first, last in self.merged if at == position]
        if not ranges:
            return column
        numbers = self.numbers if rows is None else self.numbers[rows]
        texts, all_texts = column.to_pylist(), dict(zip(self.numbers.tolist(), self._plain(position), strict=True))
        for first, last in ranges:
            for place in np.flatnonzero((numbers > first) & (numbers <= last)):
                texts[place] = texts[place] or all_texts.get(first)
        return pa.array(texts, pa.string())

    def _plain(self, position: int) -> list[str | None]:
        return self.cells.take(pa.array(self.starts + position, mask=self.widths <= position)).to_pylist()  # type: ignore[no-any-return]


def sheet_of(name: str, cells: pa.StringArray, ends: Index, numbers: Index, **facts: Any) -> Sheet:
    """A sheet out of all its records; the empty ones are dropped, remembering where they stood.

    Args:
        name: of the sheet.
        cells: of all records, one after the other, as they were sent.
        ends: where each record ends in `cells`.
        numbers: the sender's number of each record, ascending.
        facts: `merged`, `from_1904`.

    Raises:
        RefusedFileError: there is too much of anything.
    """
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
    if len(cells) > MAX_CELLS or (len(ends) and int((ends - starts).max()) > MAX_COLUMNS):
        raise RefusedFileError(TOO_LARGE)
    cells = pc.utf8_trim_whitespace(cells)
    before = _filled_before(cells)
    filled = before[ends] > before[starts]
    if int(filled.sum()) > MAX_ROWS:
        raise RefusedFileError(TOO_LARGE)
    gap = np.ones(len(ends), np.bool_)
    gap[1:] = ~filled[:-1]
    return Sheet(name, cells, starts[filled], ends[filled], numbers[filled], gap[filled], len(ends), **facts)


def _filled_before(cells: pa.StringArray) -> Index:
    count = np.zeros(len(cells) + 1, np.int64)
    np.cumsum(np.asarray(pc.binary_length(cells)) > 0, out=count[1:])
    return count
