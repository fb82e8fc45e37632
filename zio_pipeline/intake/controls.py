"""Control totals: the sums that the sender's own total rows state, against what was read above them.

Belongs here: adding up a column over a block, over the sheet and over the file, exactly, and refusing a file whose total
says otherwise: rows are then missing, or a unit was read wrongly. Does not belong here: finding total rows (layout).

A sum is checked only when every cell above it could be read; else the warning says that it was not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.contracts import UNIT_OF_KIND, Column
from zio_pipeline.intake.columns import UNSETTLED, Batch, Read
from zio_pipeline.intake.delivery import Reason, RefusedFileError
from zio_pipeline.intake.layout import Control, Table
from zio_pipeline.intake.parsing import UNITS
from zio_pipeline.intake.sheets import Index

_CLOCK = re.compile(r"(\d{1,7})[:uh]([0-5]\d)(?::00)?")
_NUMBER = re.compile(
    r"(-?)(?:€ ?)?(\d{1,3}(?:\.\d{3})+|\d{1,12})(?:[.,](\d{1,15}))?(?: ?(?:uur|uren|u|min|minuten))?", re.I
)


def checked_sums(batch: Batch, reads: Sequence[Read], number: int, tables: Sequence[Table], start: int) -> list[Reason]:
    """Check every stated sum of one file.

    Args:
        batch: the rows of all files.
        reads: its columns.
        number: of the file.
        tables: of the file.
        start: where the rows of the file begin in the batch.

    Returns:
        A warning for each sum that could not be checked.

    Raises:
        RefusedFileError: a sum is not that of its block, its sheet or the file up to there.
    """
    warnings: list[Reason] = []
    at = start
    for table in tables:
        for control in table.controls:
            column = batch.dataset.column(control.column)
            read = reads[batch.dataset.columns.index(column)]
            sums = list(_sums(read, number, at, control, start))
            stated = _stated(column, read, number, control.stated)
            if stated is None or None in sums:
                warnings.append(_unchecked(table, control, column))
            elif not any(abs(stated - total.value) <= total.slack for total in sums if total is not None):
                raise RefusedFileError(_wrong(table, control, column))
        at += len(table.rows)
    return warnings


@dataclass(frozen=True)
class _Sum:
    """What was read above a total row, and how far that may lie from what the sender added up."""

    value: int
    slack: Fraction


def _sums(read: Read, number: int, at: int, control: Control, start: int) -> Iterator[_Sum | None]:
    """Of the block, of the sheet and of the file up to the total row; None when a cell above could not be read."""
    for first in (at + control.since, at, start):
        index = read.index[first : at + control.until]
        if (read.problems[index] != 0).any():
            yield None
        else:
            values = read.values.take(pa.array(index)).drop_null()
            yield _Sum(pc.sum(values, min_count=0).as_py(), _slack(read, number, np.asarray(values)))


def _stated(column: Column, read: Read, number: int, text: str) -> Fraction | None:
    """The stated sum in the unit the column is stored in."""
    clock, plain = _CLOCK.fullmatch(text), _NUMBER.fullmatch(text)
    if column.kind == "duration":
        if clock:
            return Fraction(int(clock[1]) * 60 + int(clock[2]))
        if read.units is None or read.units[number] == UNSETTLED or not plain:
            return None
        minutes = {"clock": None, "hours": 60, "minutes": 1, "fraction": 1440}[UNITS[read.units[number]]]
        return None if minutes is None else _number(plain) * minutes
    return _number(plain) * UNIT_OF_KIND[column.kind][0] if plain else None


def _number(found: re.Match[str]) -> Fraction:
    sign, whole, part = found.groups()
    value = Fraction(int(whole.replace(".", "")))
    if part:
        value += Fraction(int(part), 10 ** len(part))
    return -value if sign else value


def _slack(read: Read, number: int, values: Index) -> Fraction:
    """0,33 hours was read as 20 minutes: rounded by at most 0,4 minute, as every value that is no multiple of three minutes
    (0,05 hours); a fraction of a day by at most 0,08. The stated sum itself is good to half a minute.
    """
    unit = None if read.units is None else UNITS[max(int(read.units[number]), 0)]
    if unit == "hours":
        return Fraction(1, 2) + Fraction(2, 5) * int((values % 3 != 0).sum())
    return Fraction(1, 2) + (Fraction(2, 25) * len(values) if unit == "fraction" else 0)


def _unchecked(table: Table, control: Control, column: Column) -> Reason:
    text = f"De som van kolom '{column.dutch}' op deze totaalregel is niet gecontroleerd."
    return Reason(table.dataset.name, table.sheet, control.row_number, column.name, "total_row", "warning", text)


def _wrong(table: Table, control: Control, column: Column) -> str:
    place = f"Blad '{table.sheet}': " if table.sheet else ""
    return (
        f"{place}De totaalregel op regel {control.row_number} noemt in kolom '{column.dutch}' een andere som dan de regels "
        "erboven samen; het bestand is niet volledig of het totaal klopt niet."
    )
