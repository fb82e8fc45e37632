"""Row rules: which rows of a table are accepted, and every reason why the others are not.

Belongs here: judging all rows of a dataset, of one or more files at once: the checks on single cells, the rules over
columns, rows compared with each other, replacing personal keys by pseudonyms.
Does not belong here: reading a value (columns, parsing), which checks there are (checks), what a total row states
(controls), rules over the file as a whole (scope).

A rule is judged only where the columns it names have no problem of their own: one mistake gives one reason. A blank cell
of an optional column is no problem. Rows are compared with each other last: of rows that are good and equal in every
column the first stays; of different rows with one key none stays, because nobody knows which is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.contracts import Column, Dataset
from zio_pipeline.intake.checks import accepted_name, bit, checks_of, error_mask, first_bits, key_of, mask_sql
from zio_pipeline.intake.columns import UNSETTLED, Batch, Bits, Read, read_columns
from zio_pipeline.intake.controls import checked_sums
from zio_pipeline.intake.delivery import Reason, RefusedFileError
from zio_pipeline.intake.layout import Table
from zio_pipeline.intake.parsing import UNITS, UNITS_IN_DUTCH, schema
from zio_pipeline.intake.sheets import Mask
from zio_pipeline.privacy import Keys, pseudonym
from zio_pipeline.sql import THREADS, quoted

Place = tuple[str, int]
"""Sheet and row number of the sender."""

PLACE = pa.schema([("sheet", pa.string()), ("row_number", pa.int64())])

_EMPLOYEE, _EMPLOYER = "employee", "provider"
"""The column of a personnel number, and that of who gave it."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # an odd number: equal rows get equal sums, and different ones hardly ever


@dataclass(frozen=True)
class Judged:
    """The rows of one dataset of one file, in file order: `sheet` and `row_number`, and the typed contract columns.

    `reasons` holds every reason of a row that has one, by sheet and row number; an accepted row may have warnings.
    `refusal` is why the file cannot count at all, when its columns contradict themselves.
    """

    dataset: Dataset
    accepted: pa.Table
    rejected: pa.Table
    reasons: Mapping[Place, tuple[Reason, ...]]
    warnings: tuple[Reason, ...] = ()
    refusal: str | None = None


def judge(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, files: Sequence[Sequence[Table]], keys: Keys
) -> list[Judged]:
    """Judge every row of a dataset; each file is judged as if it were alone.

    What others refer to must be judged before them on the same connection: a reference must name an accepted row.

    Args:
        connection: from `parsing.connect`.
        dataset: the dataset.
        files: of each file, its tables in order; may be none.
        keys: for the pseudonyms.
    """
    tables = [table for file in files for table in file]
    counts = [sum(len(table.rows) for table in file) for file in files]
    batch = Batch(dataset, tables, np.repeat(np.arange(len(files)), counts), len(files))
    reads = read_columns(connection, batch, first_bits(dataset))
    problems = _own(batch, reads)
    problems |= _ruled(connection, dataset, reads, problems)
    problems |= _compared(connection, batch, reads, problems)
    is_bad = (problems & error_mask(dataset)) != 0
    if dataset.key:
        connection.register(accepted_name(dataset.name), _plain(dataset, reads).filter(pa.array(~is_bad)))
    rows, ends = _typed(batch, reads, keys), np.cumsum(counts)
    return [
        _of_one_file(batch, reads, number, file, _Part(rows, problems, is_bad, int(end) - count, int(end)))
        for number, (file, count, end) in enumerate(zip(files, counts, ends, strict=True))
    ]


def _own(batch: Batch, reads: Sequence[Read]) -> Bits:
    """What the cells of each row fail by themselves."""
    overflow = [table.overflow() for table in batch.tables]
    shifted = np.concatenate(overflow) if overflow else np.zeros(0, np.bool_)
    problems: Bits = np.where(shifted, bit(batch.dataset, "extra_cells"), 0)
    for read in reads:
        if read.problems.any():
            problems |= read.row_problems()
    return problems


def _ruled(connection: duckdb.DuckDBPyConnection, dataset: Dataset, reads: Sequence[Read], own: Bits) -> Bits:
    """Which rules over columns each row breaks."""
    rules = [(at, check) for at, check in enumerate(checks_of(dataset)) if check.needs]
    if not rules:
        return np.zeros(len(own), np.int64)
    needed = {name for _, check in rules for name in check.needs}
    columns = {c.name: read.row_values() for c, read in zip(dataset.columns, reads, strict=True) if c.name in needed}
    parts = []
    for at, check in rules:
        blocking = 0
        for name in check.needs:
            blocking |= error_mask(dataset, name)
        parts.append((at, f"(own & {blocking}) = 0 and {check.bad}"))
    connection.register("rows", pa.table({"own": pa.array(own), **columns}))
    verdicts = connection.sql(f"select {mask_sql(parts)} as ruled from rows").to_arrow_table()["ruled"]  # noqa: S608
    connection.unregister("rows")
    return np.asarray(verdicts)


def _compared(connection: duckdb.DuckDBPyConnection, batch: Batch, reads: Sequence[Read], problems: Bits) -> Bits:
    """Which rows repeat an earlier one of their file, and which have the key of another."""
    dataset = batch.dataset
    by_name = {column.name: read for column, read in zip(dataset.columns, reads, strict=True)}
    good = (problems & error_mask(dataset)) == 0
    found: Bits = np.zeros(len(problems), np.int64)
    alike = _alike(batch, reads, good)
    repeated = np.zeros(len(problems), np.bool_)
    if len(alike):
        names = [quoted(column.name) for column in dataset.columns]
        query = f"row_number() over (partition by file, {', '.join(names)} order by ordinal) > 1"
        repeated[alike] = _windowed(connection, batch, by_name, alike, query)
        found[repeated] |= bit(dataset, "duplicate_row")
    if not dataset.key:
        return found
    filled = np.logical_and.reduce([np.asarray(by_name[name].row_values().is_valid()) for name in dataset.key])
    key = key_of(dataset)
    alike = _alike(batch, [by_name[name] for name in key], filled & ~repeated)
    if len(alike):  # a row that is bad otherwise still makes the key of another doubtful
        query = f"count(*) over (partition by file, {', '.join(map(quoted, key))}) > 1"
        found[alike] |= np.where(_windowed(connection, batch, by_name, alike, query), bit(dataset, "duplicate_key"), 0)
    return found


def _alike(batch: Batch, reads: Sequence[Read], of: Mask) -> Bits:
    """Rows that may be equal to another row of their file in these columns, ascending; all that are equal are among them."""
    sums = batch.file_of_row.astype(np.uint64)
    for read in reads:
        codes = np.asarray(read.values.dictionary_encode().indices.fill_null(-1)).astype(np.int64).astype(np.uint64)
        sums = (sums ^ codes[read.index]) * _SPREAD
        sums ^= sums >> np.uint64(29)
    wanted = np.sort(sums[of])
    twice = wanted[1:][wanted[1:] == wanted[:-1]]
    return np.flatnonzero(of & np.isin(sums, twice)) if len(twice) else np.zeros(0, np.int64)


def _windowed(
    connection: duckdb.DuckDBPyConnection, batch: Batch, reads: Mapping[str, Read], rows: Bits, query: str
) -> Mask:
    """The outcome of a window query over some rows, in their order."""
    columns = {name: read.values.take(pa.array(read.index[rows])) for name, read in reads.items()}
    columns |= {"ordinal": pa.array(rows), "file": pa.array(batch.file_of_row[rows])}
    connection.register("alike", pa.table(columns))
    result = connection.sql(f"select {query} as found, ordinal from alike order by ordinal").to_arrow_table()  # noqa: S608
    connection.unregister("alike")
    return np.asarray(result["found"])


def _plain(dataset: Dataset, reads: Sequence[Read]) -> pa.Table:
    return pa.table({c.name: read.row_values() for c, read in zip(dataset.columns, reads, strict=True)})


def _typed(batch: Batch, reads: Sequence[Read], keys: Keys) -> pa.Table:
    """The place and the contract columns with their exact types, personal keys as pseudonyms."""
    numbers = [table.numbers for table in batch.tables]
    sheets = [pa.repeat(pa.scalar(table.sheet, pa.string()), len(table.rows)) for table in batch.tables]
    columns = {
        "sheet": pa.chunked_array(sheets, pa.string()),
        "row_number": pa.array(np.concatenate(numbers) if numbers else [], pa.int64()),
    }

    fields, by_name = schema(batch.dataset), dict(zip((c.name for c in batch.dataset.columns), reads, strict=True))

    def typed(column: Column, field: pa.Field, read: Read) -> pa.Array:
        if column.name == _EMPLOYEE:
            return _employees(by_name[_EMPLOYER], read, keys).cast(field.type)
        values = _pupils(read.values, keys) if column.kind == "pgn" else read.values
        return values.take(pa.array(read.index)).cast(field.type)

    with ThreadPoolExecutor(THREADS) as pool:
        made = pool.map(typed, batch.dataset.columns, fields, reads)
    return pa.table(columns | dict(zip(fields.names, made, strict=True)))


def _pupils(numbers: pa.Array, keys: Keys) -> pa.Array:
    return pa.array([None if n is None else pseudonym(keys, "pgn", n) for n in numbers.to_pylist()], pa.string())


def _employees(employer: Read, employee: Read, keys: Keys) -> pa.Array:
    """The pseudonym of the employee of each row. A personnel number means somebody within its employer only, so the pseudonym is
    made of both, and people of two employers can nowhere be linked. Case and leading zeros, which Excel loses, say nothing.
    """
    pairs = pa.array(employer.index * len(employee.values) + employee.index).dictionary_encode()
    of, who = np.divmod(np.asarray(pairs.dictionary), len(employee.values))
    employers, numbers = employer.values.to_pylist(), employee.values.to_pylist()
    names = [_employee(keys, employers[e], numbers[n]) for e, n in zip(of.tolist(), who.tolist(), strict=True)]
    return pa.array(names, pa.string()).take(pairs.indices)


def _employee(keys: Keys, employer: str | None, number: str | None) -> str | None:
    """Of a row whose employer could not be read the pseudonym is nobody else's: such a row is quarantined."""
    if number is None:
        return None
    return pseudonym(keys, _EMPLOYEE, f"{employer or ''}:{number.casefold().lstrip('0') or '0'}")


@dataclass(frozen=True)
class _Part:
    """The rows of one file among those of all."""

    rows: pa.Table
    problems: Bits
    is_bad: Mask
    start: int
    end: int


def _of_one_file(batch: Batch, reads: Sequence[Read], number: int, tables: Sequence[Table], part: _Part) -> Judged:
    dataset, rows = batch.dataset, part.rows.slice(part.start, part.end - part.start)
    bad = part.is_bad[part.start : part.end]
    reasons = _reasons(dataset, rows, part.problems[part.start : part.end])
    accepted, rejected = (rows.filter(pa.array(~bad)), rows.filter(pa.array(bad))) if bad.any() else (rows, rows[:0])
    warnings = list(_short_durations(batch, reads, number, part))
    try:
        _require_settled(batch, reads, number)
        warnings += checked_sums(batch, reads, number, tables, part.start)
    except RefusedFileError as refused:
        return Judged(dataset, accepted, rejected, reasons, tuple(warnings), str(refused))
    return Judged(dataset, accepted, rejected, reasons, tuple(warnings))


def _require_settled(batch: Batch, reads: Sequence[Read], number: int) -> None:
    for column, read in zip(batch.dataset.columns, reads, strict=True):
        if read.units is not None and read.units[number] == UNSETTLED:
            units = ", ".join(UNITS_IN_DUTCH)
            unsure = f"Van kolom '{column.dutch}' is niet zeker in welke eenheid zij staat."
            reason = f"{unsure} Schrijf de hele kolom als één van: {units}."
            raise RefusedFileError(reason)


def _short_durations(batch: Batch, reads: Sequence[Read], number: int, part: _Part) -> Iterator[Reason]:
    """Hours that are all parts of an hour may be parts of a day: the sender should look."""
    for column, read in zip(batch.dataset.columns, reads, strict=True):
        if read.units is None or read.units[number] != UNITS.index("hours"):
            continue
        longest = pc.max(read.values.take(pa.array(read.index[part.start : part.end]))).as_py()
        if longest is not None and longest < 60:
            text = f"Alle duren in kolom '{column.dutch}' zijn korter dan een uur; controleer of het uren zijn."
            yield Reason(batch.dataset.name, "", 0, column.name, "short_durations", "warning", text)


def _reasons(dataset: Dataset, rows: pa.Table, problems: Bits) -> dict[Place, tuple[Reason, ...]]:
    """Every reason of every row that has one, in column order."""
    checks, marked = checks_of(dataset), np.flatnonzero(problems)
    places = rows.select(PLACE.names).take(pa.array(marked)).to_pylist()
    reasons = {}
    for place, verdict in zip(places, problems[marked].tolist(), strict=True):
        sheet, number = place["sheet"], place["row_number"]
        failed = (check for at, check in enumerate(checks) if verdict >> at & 1)
        reasons[sheet, number] = tuple(
            Reason(dataset.name, sheet, number, c.column, c.rule, c.severity, c.explanation) for c in failed
        )
    return reasons
