"""What below a header is data: repeated headers, total rows and notes are told from the rows that count.

Belongs here: that distinction, and checking a stated number of rows (a file cut off on its way is refused).
Does not belong here: finding the header (headers), the meaning of a cell (parsing).

Whatever is not counted as a data row is listed in a warning, never dropped in silence. In doubt a row is data: then it
is judged, and at worst quarantined with its reasons.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from zio_pipeline.contracts import Dataset
from zio_pipeline.intake.delivery import Reason, RefusedFileError
from zio_pipeline.intake.headers import Found, normalise
from zio_pipeline.intake.sheets import Row

_TOTAL = re.compile(r"(sub|eind)?tota(al|len)\b|(sub|grand )?total\b")
_COUNTED = frozenset(
    ("aantal", "rijen", "regels", "records", "leerlingen", "kinderen", "clienten", "indicaties", "plaatsingen")
)
_WHOLE_NUMBER = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,9}")
_NUMERIC_KINDS = ("integer", "hours", "euro", "minutes", "duration")


@dataclass(frozen=True)
class Table:
    """The data rows of one sheet, each padded to at least the width of the header."""

    found: Found
    rows: tuple[Row, ...]
    warnings: tuple[Reason, ...]

    @property
    def dataset(self) -> Dataset:
        return self.found.dataset

    @property
    def sheet(self) -> str:
        return self.found.sheet.name

    @property
    def width(self) -> int:
        """Number of cells in the header: in a text file a filled cell beyond it means that a row has shifted."""
        return len(self.found.header.cells)


def lay_out(found: Found, rows_before: int = 0) -> Table:
    """Tell the data rows of a table from the rest.

    Args:
        found: the table.
        rows_before: data rows in earlier sheets of the file, for a grand total.

    Raises:
        RefusedFileError: a total row states another number of rows than there are.
    """
    sorting = _Sorting(found, rows_before)
    for row in found.sheet.rows[found.header_index + 1 :]:
        sorting.add(row)
    sorting.take_out_notes()
    sorting.warn_of_unnamed_columns()
    return Table(found, tuple(sorting.data), tuple(sorted(sorting.warnings, key=lambda r: r.row_number)))


class _Sorting:
    """The rows of one table while they are being told apart."""

    def __init__(self, found: Found, rows_before: int):
        self.found, self.rows_before = found, rows_before
        self.data: list[Row] = []
        self.warnings: list[Reason] = []
        self._since_total = 0
        self._gap = False
        self._columns = {places[0]: name for name, places in found.positions.items()}
        self._header = self._known_cells(found.header.cells)
        self._required = [found.positions[c.name][0] for c in found.dataset.columns if c.required]
        self._numeric = {p for p, name in self._columns.items() if found.dataset.column(name).kind in _NUMERIC_KINDS}

    def add(self, row: Row) -> None:
        padded = row.cells + [""] * (len(self.found.header.cells) - len(row.cells))
        row = Row(row.number, padded, row.after_gap or self._gap)
        self._gap = True
        if self._repeats_header(padded):
            self._warn(row, "repeated_header", "Deze regel herhaalt de kop en telt niet mee.")
        elif self._is_total(padded):
            self._check_total(row)
            self._since_total = len(self.data)
        else:
            self.data.append(row)
            self._gap = False

    def take_out_notes(self) -> None:
        """Below the last data row, after an empty row: rows with one filled cell, a text, are notes of the sender."""
        start = len(self.data)
        while start and _is_note(self.data[start - 1].cells):
            start -= 1
        while start < len(self.data) and not self.data[start].after_gap:
            start += 1
        for row in self.data[start:]:
            self._warn(row, "note", "Deze regel staat als opmerking onder de tabel en telt niet mee.")
        del self.data[start:]

    def warn_of_unnamed_columns(self) -> None:
        header = self.found.header.cells
        unnamed = [position for position, cell in enumerate(header) if not cell]
        # In a text file a row with too many cells has shifted: that is a bad row, not a column without a header.
        beyond = len(header) if self.found.sheet.name else None
        if any(any(row.cells[p] for p in unnamed) or (beyond and any(row.cells[beyond:])) for row in self.data):
            self._warn(self.found.header, "unnamed_column", "Cellen in kolommen zonder kop zijn niet gelezen.")

    def _known_cells(self, cells: Sequence[str]) -> list[str]:
        return [cells[position].casefold() for position in self._columns]

    def _repeats_header(self, cells: Sequence[str]) -> bool:
        position = next(iter(self._columns))  # nearly every row differs here: do not compare the rest
        return cells[position].casefold() == self._header[0] and self._known_cells(cells) == self._header

    def _is_total(self, cells: Sequence[str]) -> bool:
        first = next(cell for cell in cells if cell)
        if "tot" not in first.casefold() or all(cells[position] for position in self._required):
            return False
        return _TOTAL.match(normalise(first)) is not None

    def _check_total(self, row: Row) -> None:
        stated = self._stated_count(row.cells)
        if stated is None:
            self._warn(row, "total_row", "Deze totaalregel telt niet mee als rij; het totaal is niet gecontroleerd.")
            return
        here = len(self.data)
        if stated not in (here, here - self._since_total, self.rows_before + here):
            place = f"Blad '{self.found.sheet.name}': " if self.found.sheet.name else ""
            words = f"De totaalregel op regel {row.number} noemt {stated} rijen, maar er staan er {here} boven"
            raise RefusedFileError(f"{place}{words}; het bestand is niet volledig.")
        self._warn(row, "total_row", "Deze totaalregel telt niet mee als rij; het aantal rijen klopt.")

    def _stated_count(self, cells: Sequence[str]) -> int | None:
        """The one whole number of a total row, if it can only be a number of rows.

        In the first cell its words must say so ('Totaal aantal leerlingen: 641'). In another cell the words may be
        bare, unless it stands below a column of numbers (then it is a sum) or below a header we do not know.
        """
        (_, label), *others = [(position, cell) for position, cell in enumerate(cells) if cell]
        words = set(re.sub(r"\d+", " ", _TOTAL.sub("", normalise(label), count=1)).split())
        if not words <= _COUNTED or any(position in self._numeric for position, _ in others):
            return None
        numbers = _WHOLE_NUMBER.findall(label) if words else []
        numbers += [cell for p, cell in others if _WHOLE_NUMBER.fullmatch(cell) and (words or p in self._columns)]
        return int(numbers[0].replace(".", "")) if len(numbers) == 1 else None

    def _warn(self, row: Row, rule: str, explanation: str) -> None:
        dataset, sheet = self.found.dataset.name, self.found.sheet.name
        self.warnings.append(Reason(dataset, sheet, row.number, "", rule, "warning", explanation))


def _is_note(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) == 1 and any(char.isalpha() for char in filled[0])
