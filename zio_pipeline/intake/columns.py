"""Columns of text to columns of values: every different text is read once, and what a column settles is settled.

Belongs here: reading the distinct texts of all columns of a dataset in one DuckDB query with the checks on a single cell,
and the two things that only a whole column of one file can say: the unit of its durations and the order of its dates.
Does not belong here: how one text is read (parsing), checks over more columns or rows (judging).

Two million rows hold some hundreds of different dates and durations: reading a text once is what makes intake fast.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.contracts import Column, Dataset
from zio_pipeline.intake.checks import column_checks, mask_sql
from zio_pipeline.intake.layout import Table
from zio_pipeline.intake.parsing import ARROW, UNITS, prepare_sql, value_sql
from zio_pipeline.intake.sheets import Index, Mask
from zio_pipeline.reference import municipalities
from zio_pipeline.sql import THREADS, quoted

Bits = npt.NDArray[np.int64]

SETTLED_FROM = 0.9
"""A unit is a column's own when nine in ten of its cells can be read in it; the others are in another unit."""

UNSETTLED = -1
_DAYS_TO_1904 = 1462
_EITHER, _OTHER, _DUTCH, _LOOSE, _CELL, _SERIAL = 1, 2, 4, 8, 16, 32
_LIKE_CLOCK, _DECIMALS = 1, 2
_MOST_HOURS = 1200
"""Hundredths: hardly anybody works more than twelve hours a day, so a column full of that is in another unit."""


@dataclass(frozen=True)
class Read:
    """What the texts of one column come to: row i holds `values[index[i]]` and fails the checks in `problems[index[i]]`.

    `units` is, for a column of durations, the unit of each file: an index in `UNITS`, or UNSETTLED.
    """

    values: pa.Array
    problems: Bits
    index: Index
    units: npt.NDArray[np.int64] | None = None

    def row_values(self) -> pa.Array:
        """The value of every row."""
        return self.values.take(pa.array(self.index))

    def row_problems(self) -> Bits:
        """The checks that every row fails."""
        return self.problems[self.index]


@dataclass(frozen=True)
class Batch:
    """The data rows of one dataset out of one or more files, one after the other; `file_of_row` counts from 0."""

    dataset: Dataset
    tables: Sequence[Table]
    file_of_row: Index
    files: int

    def per_file(self, fact: Callable[[Table], bool]) -> Mask:
        """Of each file, whether a fact holds for a table of it."""
        result, at = np.zeros(self.files, np.bool_), 0
        for table in self.tables:
            if len(table.rows):
                result[self.file_of_row[at]] |= fact(table)
            at += len(table.rows)
        return result


def read_columns(connection: duckdb.DuckDBPyConnection, batch: Batch, first_bits: Sequence[int]) -> list[Read]:
    """Read every column of a batch.

    Args:
        connection: from `parsing.connect`.
        batch: the rows.
        first_bits: the bit of the first check of each column, in contract order.
    """
    columns = batch.dataset.columns
    with ThreadPoolExecutor(THREADS) as pool:
        encoded = list(pool.map(partial(_encoded, batch), columns))
    present = [i for i, (texts, _) in enumerate(encoded) if len(texts) > 1]
    found = _found(connection, batch.dataset, [encoded[i][0] for i in present], present, first_bits)
    reads = []
    for i, (column, (texts, index)) in enumerate(zip(columns, encoded, strict=True)):
        if i not in found:
            missing = (1 << first_bits[i]) if column.required else 0  # `required` is the first check of a column
            values = pa.nulls(1, ARROW[column.logical_type])
            reads.append(Read(values, np.array([missing]), index))
            continue
        problems = np.asarray(found[i]["problems"])
        if column.kind == "duration":
            reads.append(_settled_units(batch, column, first_bits[i], found[i], Read(texts, problems, index)))
            continue
        read = Read(found[i]["value"].cast(ARROW[column.logical_type]), problems, index)
        if column.kind == "municipality":
            read = _municipalities_marked(column, first_bits[i], read)
        reads.append(_settled_order(batch, column, first_bits[i], found[i], read) if column.kind == "date" else read)
    return reads


def _found(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    texts: Sequence[pa.Array],
    present: Sequence[int],
    first_bits: Sequence[int],
) -> dict[int, dict[str, pa.Array]]:
    """What the query says of the columns that hold something, by the position of the column."""
    if not present:
        return {}
    height = max(map(len, texts))
    side_by_side = {f"t{i}": _padded(of_column, height) for i, of_column in zip(present, texts, strict=True)}
    connection.register("texts", pa.table({"ordinal": pa.array(range(height), pa.int64()), **side_by_side}))
    result = connection.sql(_query(dataset, tuple(present), tuple(first_bits))).to_arrow_table()
    connection.unregister("texts")
    found = {}
    for i, of_column in zip(present, texts, strict=True):
        names = _names(dataset.columns[i], i)
        found[i] = {n.removesuffix(f"_{i}"): result[n].combine_chunks()[: len(of_column)] for n in names}
    return found


def _encoded(batch: Batch, column: Column) -> tuple[pa.Array, Index]:
    """The different texts of a column and, for each row, which of them it holds; nothing is a text of its own."""
    chunks = [table.texts(column.name).dictionary_encode() for table in batch.tables]
    if not chunks:
        return pa.array([None], pa.string()), np.zeros(0, np.int64)
    whole = pa.chunked_array(chunks).unify_dictionaries()
    texts = whole.chunk(0).dictionary
    index = np.concatenate([np.asarray(chunk.indices.fill_null(len(texts))) for chunk in whole.chunks])
    return pa.concat_arrays([texts, pa.nulls(1, pa.string())]), index.astype(np.int64, copy=False)


def _padded(texts: pa.Array, height: int) -> pa.Array:
    return pa.concat_arrays([texts, pa.nulls(height - len(texts), pa.string())])


def _names(column: Column, i: int) -> list[str]:
    extra = (
        (*UNITS, "form") if column.kind == "duration" else ("value", "order") if column.kind == "date" else ("value",)
    )
    return [f"{name}_{i}" for name in (*extra, "problems")]


@cache
def _query(dataset: Dataset, present: Sequence[int], first_bits: Sequence[int]) -> str:
    """Clean, prepare, read, check: for all columns beside each other, since no cell here has to do with another."""
    columns = [(i, dataset.columns[i]) for i in present]
    cleaned = ", ".join(f"clean(t{i}) as clean{i}" for i, _ in columns)
    prepared = ", ".join(f"{prepare_sql(column, f'clean{i}')} as plain{i}" for i, column in columns)
    read = ", ".join(_reading(column, i) for i, column in columns)
    checked = ", ".join(_checking(column, i, first_bits[i]) for i, column in columns)
    names = ", ".join(quoted(name) for i, column in columns for name in _names(column, i))
    # Names, labels and limits come from the contracts, never from a file.
    return f"""with
        cleaned as (select ordinal, {cleaned} from texts),
        prepared as (select ordinal, {prepared} from cleaned),
        typed as (select *, {read} from prepared),
        checked as (select *, {checked} from typed)
        select {names} from checked order by ordinal"""  # noqa: S608


def _reading(column: Column, i: int) -> str:
    plain = f"plain{i}"
    if column.kind == "duration":
        form = f"case when looks_like_clock({plain}) then {_LIKE_CLOCK} when has_decimals({plain}) then {_DECIMALS} else 0 end"
        return ", ".join([*(f"duration_{unit}({plain}) as {unit}_{i}" for unit in UNITS), f"{form} as form_{i}"])
    value = f"{value_sql(column, plain)} as value_{i}"
    if column.kind != "date":
        return value
    return f"{value}, order_of_date({plain}) + case when is_serial({plain}) then {_SERIAL} else 0 end as order_{i}"


def _checking(column: Column, i: int, first_bit: int) -> str:
    value = f"coalesce({', '.join(f'{unit}_{i}' for unit in UNITS)})" if column.kind == "duration" else f"value_{i}"
    checks = enumerate(column_checks(column, value, f"plain{i}"), first_bit)
    return f"{mask_sql([(bit, check.bad) for bit, check in checks if check.bad])} as problems_{i}"


def _bit(column: Column, first_bit: int, rule: str) -> int:
    rules = [check.rule for check in column_checks(column)]
    return 1 << (first_bit + rules.index(rule))


def _counts(batch: Batch, read: Read, has: Mask) -> npt.NDArray[np.int64]:
    """Per file, the number of rows whose text has something."""
    return np.bincount(batch.file_of_row, weights=has[read.index], minlength=batch.files).astype(np.int64)


def _municipalities_marked(column: Column, first_bit: int, read: Read) -> Read:
    """Which texts mean no municipality of whatever date: the sender should know, before it becomes work for others."""
    known = municipalities()
    strange = np.array([value is not None and not known.is_known(value) for value in read.values.to_pylist()])
    return replace(read, problems=read.problems | np.where(strange, _bit(column, first_bit, "unknown_municipality"), 0))


def _settled_units(batch: Batch, column: Column, first_bit: int, found: dict[str, pa.Array], read: Read) -> Read:
    """The unit of each file, and every duration in it; what can only be read in another unit is `mixed_unit`. DOMAIN 8.44."""
    fits = {unit: np.asarray(found[unit].is_valid()) for unit in UNITS}
    any_unit = np.logical_or.reduce(list(fits.values()))
    units = _units(batch, found, read, fits, any_unit)
    mixed, outside = _bit(column, first_bit, "mixed_unit"), _bit(column, first_bit, "range")
    values, problems = [], []
    for unit, fit in fits.items():
        minutes = _in_minutes(unit, found[unit])
        good = pc.and_(pc.greater_equal(minutes, column.minimum), pc.less_equal(minutes, column.maximum))
        bad_range = ~np.asarray(good.fill_null(True))
        problems.append(read.problems | np.where(any_unit & ~fit, mixed, 0) | np.where(bad_range, outside, 0))
        values.append(minutes)
    variant = np.maximum(units, 0)[batch.file_of_row]
    index = read.index + variant * len(any_unit)
    return Read(pa.concat_arrays(values), np.concatenate(problems), index, units)


def _units(
    batch: Batch, found: dict[str, pa.Array], read: Read, fits: Mapping[str, Mask], any_unit: Mask
) -> npt.NDArray[np.int64]:
    """Per file the first unit in which the most cells can be read, if those are nine in ten and it is not in doubt.

    '450' may be minutes and '8' hours; where both stand in one column nobody knows what '20' is.
    """
    counts = np.stack([_counts(batch, read, fit) for fit in fits.values()])
    units: npt.NDArray[np.int64] = np.argmax(counts, axis=0)
    unsettled = counts.max(axis=0) < SETTLED_FROM * _counts(batch, read, any_unit)
    in_hours, in_fractions = units == UNITS.index("hours"), units == UNITS.index("fraction")
    in_doubt = in_hours & _hours_in_doubt(batch, found, read, fits)
    # '0,5' is half an hour or half a day: beside a few cells that can only be parts of a day nobody knows which.
    only = _counts(batch, read, fits["fraction"] & ~fits["hours"])
    in_doubt |= in_fractions & (2 * only < counts[UNITS.index("fraction")])
    units[unsettled | in_doubt] = UNSETTLED
    return units


def _hours_in_doubt(batch: Batch, found: dict[str, pa.Array], read: Read, fits: Mapping[str, Mask]) -> Mask:
    """Where what looks like decimal hours may be parts of a day, hours and minutes (7,30 beside 6,45), or minutes."""

    def count(has: Mask) -> Bits:
        return _counts(batch, read, has)

    hours, fraction, form = fits["hours"], fits["fraction"], np.asarray(found["form"].cast(pa.int64()))
    parts_of_a_day = (count(fraction & ~hours) > 0) & (count(hours & ~fraction) == 0)
    like_a_clock = (count(form == _LIKE_CLOCK) > 0) & (count(form == _DECIMALS) == 0)
    long = np.asarray(pc.greater(found["hours"], _MOST_HOURS).fill_null(False))
    mask: Mask = parts_of_a_day | like_a_clock | (2 * count(long) > count(hours))
    return mask


def _in_minutes(unit: str, found: pa.Array) -> pa.Array:
    """0,33 hours stands for 20 minutes, so hundredths of an hour are rounded half up to a whole minute."""
    if unit != "hours":
        return found.cast(pa.int64())
    hundredths = np.asarray(found.cast(pa.int64()).fill_null(0))
    return pa.array((hundredths * 60 + 50) // 100, mask=~np.asarray(found.is_valid()))


def _settled_order(batch: Batch, column: Column, first_bit: int, found: dict[str, pa.Array], read: Read) -> Read:
    """Dutch order, unless the column of a file also holds a date that cannot be: then those that can be both are a guess."""
    order = np.asarray(found["order"].fill_null(0).cast(pa.int64()))
    doubt = _doubt(batch, read, order)
    variant = doubt + 4 * batch.per_file(lambda table: table.found.sheet.from_1904)
    if not variant.any():
        return read
    either, loose, cell = ((order & bit) > 0 for bit in (_EITHER, _LOOSE, _CELL))
    guesses = (np.zeros(len(order), np.bool_), loose & either, either, either | cell)
    later = pc.if_else(pa.array((order & _SERIAL) > 0), _shifted(read.values), read.values)
    marked, unknown = _bit(column, first_bit, "ambiguous_date"), pa.nulls(len(order), read.values.type)
    values, problems = [], []
    for dates in (read.values, later):
        for guess in guesses:
            ambiguous = guess & np.asarray(read.values.is_valid())
            values.append(pc.if_else(pa.array(ambiguous), unknown, dates))
            problems.append(read.problems | np.where(ambiguous, marked, 0))
    index = read.index + variant[batch.file_of_row] * len(order)
    return Read(pa.concat_arrays(values), np.concatenate(problems), index)


def _doubt(batch: Batch, read: Read, order: Bits) -> Bits:
    """Per file: 0 none; 1 one loose date in another order puts the loose ones in doubt; 2 where the others are no slip of the
    pen (a tenth of all, and not fewer than the Dutch) every date is; 3 in a workbook true dates too: Excel may have turned them.
    """
    others, dutch = (_counts(batch, read, (order & bit) > 0) for bit in (_OTHER, _DUTCH))
    dates = others + _counts(batch, read, np.asarray(read.values.is_valid()))
    loose = _counts(batch, read, ((order & _OTHER) > 0) & ((order & _LOOSE) > 0)) > 0
    many = (others > 0) & (others >= dutch) & (10 * others >= dates)
    in_workbook = batch.per_file(lambda table: table.sheet != "")
    return np.where(many, 2 + in_workbook, loose.astype(np.int64))


def _shifted(dates: pa.Array) -> pa.Array:
    return pc.add(dates.cast(pa.int32()), pa.scalar(_DAYS_TO_1904, pa.int32())).cast(pa.date32())
