"""What below a header is data: repeated headers, total rows and notes are told from the rows that count.

Belongs here: that distinction, and what a total row states (a number of rows, sums of columns): a file cut off on its way
is refused. Does not belong here: finding the header (headers), the meaning of a cell (parsing), adding up (judging).

Whatever is not counted as a data row is listed in a warning, never dropped in silence. In doubt a row is data: then it
is judged, and at worst quarantined with its reasons. Only rows that may be something else are looked at one by one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.contracts import Dataset
from zio_pipeline.intake.delivery import Reason, RefusedFileError
from zio_pipeline.intake.headers import Found, aliases, found_at, normalise
from zio_pipeline.intake.sheets import Index, Mask

_TOTAL = re.compile(r"(sub|eind)?tota(al|len)\b|(sub|grand )?total\b")
_COUNTED = frozenset(
    ("aantal", "rijen", "regels", "records", "leerlingen", "kinderen", "clienten", "indicaties", "plaatsingen")
)
_WHOLE_NUMBER = re.compile(r"\d{1,3}\.\d{3}|\d{1,6}")  # more is no number of rows, and may be that of a pupil
_NUMERIC_KINDS = ("integer", "hours", "euro", "minutes", "duration")
_SUMMED_KINDS = ("hours", "euro", "minutes", "duration")


@dataclass(frozen=True)
class Control:
    """A sum that a total row states: of which column, in whose words, and how many data rows stand above it.

    `since` is the data row where its block begins: the one after the total before it.
    """

    column: str
    stated: str
    row_number: int
    since: int
    until: int


@dataclass(frozen=True)
class Table:
    """The data rows of one sheet, as indices in it."""

    found: Found
    rows: Index
    warnings: tuple[Reason, ...]
    controls: tuple[Control, ...] = ()

    @property
    def dataset(self) -> Dataset:
        return self.found.dataset

    @property
    def sheet(self) -> str:
        return self.found.sheet.name

    @property
    def numbers(self) -> Index:
        """The sender's number of each data row."""
        return self.found.sheet.numbers[self.rows]

    def overflow(self) -> Mask:
        """Rows of a text file with a filled cell beyond the header, or with more cells than header and most rows have: something
        has shifted.
        """
        if self.sheet:
            return np.zeros(len(self.rows), np.bool_)
        sheet, header = self.found.sheet, len(self.found.header)
        widths = sheet.widths[self.rows]
        usual = int(np.bincount(widths).argmax()) if len(widths) else 0
        return (sheet.filled(header)[self.rows] > 0) | (widths > max(header, usual))

    def texts(self, column: str) -> pa.Array:
        """The cells of a column, null where there is none."""
        sheet, places = self.found.sheet, self.found.positions.get(column, ())
        if not places:
            return pa.nulls(len(self.rows), pa.string())
        summed = self.dataset.column(column).kind in _SUMMED_KINDS  # a merged quantity is one quantity, not one per row
        parts = [sheet.column(place, self.rows, merged=not summed) for place in places]
        if len(parts) == 1:
            return parts[0]
        return pc.binary_join_element_wise(*parts, " ", null_handling="replace", null_replacement="")


def lay_out(found: Found, rows_before: int = 0) -> Table:
    """Tell the data rows of a table from the rest.

    Args:
        found: the table.
        rows_before: data rows in earlier sheets of the file, for a grand total.

    Raises:
        RefusedFileError: a total row states another number of rows than there are.
    """
    sorting = _Sorting(found, rows_before)
    for index in np.flatnonzero(_suspects(found)).tolist():
        sorting.look_at(index)
    sorting.take_out_notes()
    sorting.warn_of_unnamed_columns()
    warnings = tuple(sorted(sorting.warnings, key=lambda reason: reason.row_number))
    return Table(found, np.flatnonzero(sorting.is_data), warnings, tuple(sorting.controls))


def _suspects(found: Found) -> Mask:
    """Rows below the header that may be a header again, or a total: their first cell says so, or that of our last column."""
    known = {found.header[places[0]].lower() for places in found.positions.values()} | aliases(found.dataset).keys()
    words = pa.array(sorted(known), pa.string())
    last = max(found.positions[column.name][0] for column in found.dataset.columns if column.required)
    suspects = np.zeros(len(found.sheet), np.bool_)
    for texts in (found.sheet.first_texts(), found.sheet.column(last)):
        encoded = texts.dictionary_encode()  # each different text is looked at once
        lower = pc.utf8_lower(encoded.dictionary)
        says_so = np.asarray(pc.or_(pc.is_in(lower, words), pc.match_substring(lower, "tot")))
        if says_so.any():
            suspects |= np.append(says_so, False)[np.asarray(encoded.indices.fill_null(len(says_so)))]
    suspects[: found.header_index + 1] = False
    return suspects


@dataclass
class _Sorting:
    """The rows of one table while they are being told apart."""

    found: Found
    rows_before: int
    warnings: list[Reason] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    _since_total: int = 0

    def __post_init__(self) -> None:
        found = self.found
        self.is_data: Mask = np.arange(len(found.sheet)) > found.header_index
        self._columns = {places[0]: name for name, places in found.positions.items()}
        self._required = [found.positions[c.name][0] for c in found.dataset.columns if c.required]
        self._numeric = {position for position in self._columns if self._kind(position) in _NUMERIC_KINDS}

    def look_at(self, index: int) -> None:
        cells = self.found.sheet.row(index)
        cells += [""] * (len(self.found.header) - len(cells))
        if self._is_header(index):
            self._set_apart(index, "repeated_header", "Deze regel herhaalt de kop en telt niet mee.")
        elif self._is_total(cells):
            self._check_total(index, cells)
            self._since_total = self._rows_above(index)

    def take_out_notes(self) -> None:
        """Below the last data row, after an empty row: rows with one filled cell, a text, are notes of the sender."""
        sheet, start = self.found.sheet, len(self.is_data)
        while start > self.found.header_index + 1 and (not self.is_data[start - 1] or _is_note(sheet.row(start - 1))):
            start -= 1
        # A row set apart is a gap too: what follows a total is not part of the table.
        gap, below = sheet.after_gap.copy(), self.found.header_index + 1
        gap[below + 1 :] |= ~self.is_data[below:-1]
        while start < len(self.is_data) and not (self.is_data[start] and gap[start]):
            start += 1
        for index in range(start, len(self.is_data)):
            if self.is_data[index]:
                self._set_apart(index, "note", "Deze regel staat als opmerking onder de tabel en telt niet mee.")

    def warn_of_unnamed_columns(self) -> None:
        header, sheet = self.found.header, self.found.sheet
        rows = np.flatnonzero(self.is_data)
        unnamed = [position for position, cell in enumerate(header) if not cell]
        # In a text file a row with too many cells has shifted: that is a bad row, not a column without a header.
        beyond = bool(sheet.name) and bool((sheet.filled(len(header))[rows] > 0).any())
        if beyond or any(pc.any(pc.not_equal(sheet.column(place, rows), "")).as_py() for place in unnamed):
            words = "Cellen in kolommen zonder kop zijn niet gelezen."
            self._warn(self.found.header_index, "unnamed_column", words)

    def _is_header(self, index: int) -> bool:
        """Whether the row names at least half of the required columns again.

        Raises:
            RefusedFileError: it names them in other places: the rows below it would be read into the wrong columns.
        """
        again = found_at(self.found.sheet, self.found.dataset, index)
        if 2 * len(again.missing) > len(self._required):
            return False
        if any(self.found.positions.get(name) != places for name, places in again.positions.items()):
            place = f"Blad '{self.found.sheet.name}': " if self.found.sheet.name else ""
            raise RefusedFileError(
                f"{place}De kop op regel {again.header_number} heeft andere kolommen of een andere volgorde dan die op regel "
                f"{self.found.header_number}. Maak beide koppen gelijk, of lever twee bestanden."
            )
        return again.positions.keys() == self.found.positions.keys()

    def _rows_above(self, index: int) -> int:
        return int(self.is_data[:index].sum())

    def _is_total(self, cells: Sequence[str]) -> bool:
        """A label that says so, and in the required columns nothing but a count: a row with a key or a date is somebody's,
        whatever it says.
        """
        at = next(position for position, cell in enumerate(cells) if cell)
        filled = [cells[place] for place in self._required if place != at and cells[place]]
        return _TOTAL.match(normalise(cells[at])) is not None and all(map(_WHOLE_NUMBER.fullmatch, filled))

    def _check_total(self, index: int, cells: Sequence[str]) -> None:
        stated, here = _stated_count(cells, self._columns, self._numeric), self._rows_above(index)
        number = int(self.found.sheet.numbers[index])
        if stated is None:
            summed = [p for p in sorted(self._numeric) if self._kind(p) in _SUMMED_KINDS]
            sums = [(self._columns[p], cells[p]) for p in summed if any(map(str.isdigit, cells[p]))]
            self.controls += [Control(name, text, number, self._since_total, here) for name, text in sums]
            checked = "de sommen zijn nageteld" if sums else "het totaal is niet gecontroleerd"
            self._set_apart(index, "total_row", f"Deze totaalregel telt niet mee als rij; {checked}.")
            return
        if stated not in (here, here - self._since_total, self.rows_before + here):
            place = f"Blad '{self.found.sheet.name}': " if self.found.sheet.name else ""
            words = f"De totaalregel op regel {number} noemt {stated} rijen, maar er staan er {here} boven"
            raise RefusedFileError(f"{place}{words}; het bestand is niet volledig.")
        self._set_apart(index, "total_row", "Deze totaalregel telt niet mee als rij; het aantal rijen klopt.")

    def _kind(self, position: int) -> str:
        return self.found.dataset.column(self._columns[position]).kind

    def _set_apart(self, index: int, rule: str, explanation: str) -> None:
        self.is_data[index] = False
        self._warn(index, rule, explanation)

    def _warn(self, index: int, rule: str, explanation: str) -> None:
        dataset, sheet = self.found.dataset.name, self.found.sheet
        self.warnings.append(Reason(dataset, sheet.name, int(sheet.numbers[index]), "", rule, "warning", explanation))


def _stated_count(cells: Sequence[str], columns: dict[int, str], numeric: set[int]) -> int | None:
    """The one whole number of a total row, if it can only be a number of rows.

    In the first cell its words must say so ('Totaal aantal leerlingen: 641'). In another cell the words may be
    bare, unless it stands below a column of numbers (then it is a sum) or below a header we do not know.
    """
    (_, label), *others = [(position, cell) for position, cell in enumerate(cells) if cell]
    words = set(re.sub(r"\d+", " ", _TOTAL.sub("", normalise(label), count=1)).split())
    if not words <= _COUNTED or any(position in numeric for position, _ in others):
        return None
    numbers = _WHOLE_NUMBER.findall(label) if words else []
    numbers += [cell for p, cell in others if _WHOLE_NUMBER.fullmatch(cell) and (words or p in columns)]
    return int(numbers[0].replace(".", "")) if len(numbers) == 1 else None


def _is_note(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) == 1 and any(char.isalpha() for char in filled[0])
