"""Row rules: which rows of a table are accepted, and every reason why the others are not.

Belongs here: compiling a dataset of a contract to one DuckDB query that types every cell and states per row, in a
bitmask, which checks it fails; duplicates; references to other sheets; replacing personal keys by pseudonyms.
Does not belong here: reading a value (parsing), rules over the file as a whole (scope).

A check says what is wrong, so a rule of the contract (which says what is ok) fails when it is not true. It is judged
only where the columns it names have no problem of their own: one mistake gives one reason. A blank cell of an optional
column is no problem. Rows are compared with each other last: of rows that are good and equal in every column the first
stays; of different rows with one key none stays, because nobody knows which is right.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.contracts import Column, Dataset
from zio_pipeline.errors import ContractError
from zio_pipeline.intake.delivery import Reason
from zio_pipeline.intake.layout import Table
from zio_pipeline.intake.parsing import EXPECTED, literal, prepare_sql, quoted, schema, value_sql
from zio_pipeline.privacy import Keys, pseudonym

Place = tuple[str, int]
"""Sheet and row number of the sender."""

TEST_NUMBERS = ("111222333", "123456782", "999990007", "999990019", "999990020")
REPEATABLE = ("provider_timesheets",)
"""Somebody may do the same for as long twice a day: two equal rows are a signal there, not a fault (SPEC section 7)."""

PERIOD_STARTS = ("valid_from", "member_from")

_UNITS = {
    "hours": (100, "uur"),
    "euro": (100, "euro"),
    "minutes": (1, "minuten"),
    "duration": (1, "minuten"),
}


@dataclass(frozen=True)
class Check:
    """One way for a row to be wrong. `bad` is SQL over the typed row; `needs` are columns that must be good."""

    column: str
    rule: str
    severity: str
    explanation: str
    bad: str
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Judged:
    """The rows of one dataset in file order: the sender's `sheet` and `row_number`, and the typed contract columns.

    `reasons` holds every reason of a row that has one, by sheet and row number; an accepted row may have warnings.
    """

    dataset: Dataset
    accepted: pa.Table
    rejected: pa.Table
    reasons: Mapping[Place, tuple[Reason, ...]]


def judge(connection: duckdb.DuckDBPyConnection, dataset: Dataset, tables: Sequence[Table], keys: Keys) -> Judged:
    """Judge every row of a dataset, over all its sheets at once.

    What others refer to must be judged before them on the same connection: a reference must name an accepted row.

    Args:
        connection: from `parsing.connect`.
        dataset: the dataset.
        tables: its tables, in file order; may be none.
        keys: for the pseudonyms.
    """
    checks = _checks(dataset)
    connection.register("cells", _cells(dataset, tables))
    result = connection.sql(_query(dataset, checks)).to_arrow_table()
    connection.unregister("cells")
    errors = sum(1 << bit for bit, check in enumerate(checks) if check.severity == "error")
    is_bad = pc.not_equal(pc.bit_wise_and(result["problems"], errors), 0)
    accepted, rejected = result.filter(pc.invert(is_bad)), result.filter(is_bad)
    connection.register(_accepted_name(dataset.name), accepted)
    return Judged(dataset, _typed(dataset, accepted, keys), _typed(dataset, rejected, keys), _reasons(dataset, result))


def _cells(dataset: Dataset, tables: Sequence[Table]) -> pa.Table:
    """All rows as text columns t0, t1, ... in contract order, with their place and if cells stand beyond the header."""
    rows = [(table, row) for table in tables for row in table.rows]
    columns = {
        "ordinal": pa.array(range(len(rows)), pa.int64()),
        "sheet": pa.array([table.sheet for table, _ in rows], pa.string()),
        "row_number": pa.array([row.number for _, row in rows], pa.int64()),
        "overflow": pa.array([not t.sheet and any(row.cells[t.width :]) for t, row in rows], pa.bool_()),
    }
    for index, column in enumerate(dataset.columns):
        texts: list[str | None] = []
        for table in tables:
            position = table.found.positions.get(column.name, (None,))[0]
            texts += [None if position is None else row.cells[position] for row in table.rows]
        columns[f"t{index}"] = pa.array(texts, pa.string())
    return pa.table(columns)


@cache
def _checks(dataset: Dataset) -> tuple[Check, ...]:
    """All checks of a dataset; the position of a check is its bit. Those without needs come first, duplicates last."""
    own = [check for index, column in enumerate(dataset.columns) for check in _column_checks(index, column)]
    shifted = "De rij heeft meer cellen dan de kopregel; een waarde is mogelijk verschoven."
    own.append(Check("", "extra_cells", "error", shifted, "overflow"))
    rules = [_rule_check(dataset, rule.name, rule.ok, rule.message, rule.severity) for rule in dataset.rules]
    key = ", ".join(f"'{dataset.column(name).dutch}'" for name in _key(dataset))
    if dataset.name in REPEATABLE:
        severity, same_row = (
            "warning",
            "Deze rij staat al eerder in het bestand; beide tellen mee. Controleer of dat klopt.",
        )
    else:
        severity, same_row = "error", "Deze rij staat al eerder in het bestand; de eerste is gebruikt."
    same_key = f"Er zijn meer rijen met dezelfde {key}; onduidelijk is welke geldt."
    checks = (
        *own,
        *rules,
        Check("", "duplicate_row", severity, same_row, "repeated"),
        Check("", "duplicate_key", "error", same_key, "clashing"),
    )
    if len(checks) > 62:
        raise ContractError(f"{dataset.name}: meer dan 62 regels passen niet in één oordeel.")
    return checks


def _column_checks(index: int, column: Column) -> Iterator[Check]:
    value, given, sentence = quoted(column.name), f"plain{index} is not null", f"Kolom '{column.dutch}': "
    if column.required:
        yield Check(column.name, "required", "error", sentence + "mag niet leeg zijn.", f"plain{index} is null")
    unread = f"{given} and {value} is null"
    if column.allowed:
        labels = ", ".join(label for _, label in column.allowed)
        yield Check(column.name, "allowed", "error", f"{sentence}kies uit {labels}.", unread)
    else:
        yield Check(column.name, column.kind, "error", f"{sentence}verwacht wordt {EXPECTED[column.kind]}.", unread)
    if column.minimum is not None or column.maximum is not None:
        limits = ((">=", column.minimum), ("<=", column.maximum))
        inside = " and ".join(f"{value} {sign} {limit}" for sign, limit in limits if limit is not None)
        outside = f"{value} is not null and not ({inside})"
        yield Check(column.name, "range", "error", sentence + _range_text(column), outside)
    if column.pattern is not None:
        pattern = f"{value} is not null and not regexp_matches({value}, {literal(column.pattern)})"
        yield Check(column.name, "pattern", "error", f"{sentence}de vorm klopt niet.", pattern)
    if column.refers_to is not None:
        sheet, name = column.refers_to.split(".")
        known = f"select {quoted(name)} from {_accepted_name(sheet)}"  # noqa: S608 (names of the contract)
        text = f"{sentence}staat niet bij de aanvaarde rijen van het blad waarnaar hij verwijst."
        yield Check(column.name, "reference", "error", text, f"{value} is not null and {value} not in ({known})")
    if column.kind == "pgn":
        numbers = ", ".join(map(literal, TEST_NUMBERS))
        text = f"{sentence}dit is een bekend testnummer."
        yield Check(column.name, "test_number", "warning", text, f"{value} in ({numbers})")


def _range_text(column: Column) -> str:
    factor, unit = _UNITS.get(column.kind, (1, ""))
    low, high = (None if bound is None else _bound_text(bound, factor) for bound in (column.minimum, column.maximum))
    if high is None:
        words = f"ten minste {low}"
    elif low is None:
        words = f"ten hoogste {high}"
    else:
        words = f"van {low} tot en met {high}"
    return f"verwacht wordt {words} {unit}".strip() + "."


def _bound_text(bound: int, factor: int) -> str:
    whole, part = divmod(bound, factor)
    return f"{whole},{part:02d}" if part else str(whole)


def _rule_check(dataset: Dataset, name: str, ok: str, message: str, severity: str) -> Check:
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", ok)))
    needs = frozenset(column.name for column in dataset.columns if column.name in words)
    return Check("", name, severity, message, f"({ok}) is not true", needs)


def _key(dataset: Dataset) -> tuple[str, ...]:
    """The contract's key, and the start of the period where rows are dated: two periods of one setting are two rows."""
    starts = tuple(c.name for c in dataset.columns if c.name in PERIOD_STARTS and c.name not in dataset.key)
    return (*dataset.key, *starts) if dataset.key else ()


def _query(dataset: Dataset, checks: Sequence[Check]) -> str:
    """The whole judgement in steps: clean, prepare, type, check columns, check rules, compare rows with each other."""
    columns = list(enumerate(dataset.columns))
    names = ", ".join(quoted(column.name) for column in dataset.columns)
    cleaned = ", ".join(f"clean(t{i}) as clean{i}" for i, _ in columns)
    prepared = ", ".join(f"{prepare_sql(column, f'clean{i}')} as plain{i}" for i, column in columns)
    typed = ", ".join(f"{value_sql(column, f'plain{i}')} as {quoted(column.name)}" for i, column in columns)
    *single, (repeated, _), (clashing, _) = enumerate(checks)
    own = [(bit, check) for bit, check in single if not check.needs]
    rules = [(bit, _free(check, own) + check.bad) for bit, check in single if check.needs]
    errors = sum(1 << bit for bit, check in single if check.severity == "error")
    place = "ordinal, sheet, row_number"
    # Names, labels and rules come from the contracts, never from a file.
    return f"""with
        cleaned as (select {place}, overflow, {cleaned} from cells),
        prepared as (select {place}, overflow, {prepared} from cleaned),
        typed as (select *, {typed} from prepared),
        checked as (select *, {_mask([(bit, check.bad) for bit, check in own])} as own from typed),
        ruled as (select *, own + {_mask(rules)} as ruled from checked),
        compared as (select *, (ruled & {errors}) = 0 as good from ruled),
        numbered as (select *, good and row_number() over (partition by good, {names} order by ordinal) > 1 as repeated
            from compared),
        clashed as (select *, {_clashing(dataset)} as clashing from numbered)
        select {place}, {names}, ruled + {_mask([(repeated, "repeated"), (clashing, "clashing")])} as problems
        from clashed order by ordinal"""  # noqa: S608


def _mask(parts: Sequence[tuple[int, str]]) -> str:
    return " + ".join(["0::bigint", *(f"case when {bad} then {1 << bit}::bigint else 0 end" for bit, bad in parts)])


def _free(check: Check, own: Sequence[tuple[int, Check]]) -> str:
    blocking = sum(1 << bit for bit, c in own if c.column in check.needs and c.severity == "error")
    return f"(own & {blocking}) = 0 and "


def _clashing(dataset: Dataset) -> str:
    if not dataset.key:
        return "false"
    filled = " and ".join(f"{quoted(name)} is not null" for name in dataset.key)
    key = ", ".join(map(quoted, _key(dataset)))
    return f"not repeated and {filled} and count(*) filter (where not repeated) over (partition by {key}) > 1"


def _accepted_name(dataset: str) -> str:
    return f"accepted_{dataset}"


def _typed(dataset: Dataset, rows: pa.Table, keys: Keys) -> pa.Table:
    """The place and the contract columns with their exact types, personal keys as pseudonyms."""
    columns = {name: rows[name] for name in ("sheet", "row_number")}
    for column, field in zip(dataset.columns, schema(dataset), strict=True):
        values = rows[column.name].cast(field.type)
        purpose = _purpose(column)
        columns[column.name] = values if purpose is None else _pseudonyms(values, purpose, keys)
    return pa.table(columns)


def _purpose(column: Column) -> str | None:
    if column.kind == "pgn":
        return "pgn"
    return "employee" if column.name == "employee" else None


def _pseudonyms(values: pa.ChunkedArray, purpose: str, keys: Keys) -> pa.ChunkedArray:
    """Each distinct value once; upper and lower case of an employee number are the same person."""
    encoded = values.combine_chunks().dictionary_encode()
    names = [pseudonym(keys, purpose, value.casefold()) for value in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(names, pa.string()).take(encoded.indices)])


def _reasons(dataset: Dataset, result: pa.Table) -> dict[Place, tuple[Reason, ...]]:
    """Every reason of every row that has one, in column order."""
    checks = _checks(dataset)
    marked = result.select(["sheet", "row_number", "problems"]).filter(pc.not_equal(result["problems"], 0))
    reasons = {}
    for sheet, number, problems in zip(*(marked[name].to_pylist() for name in marked.column_names), strict=True):
        failed = (check for bit, check in enumerate(checks) if problems >> bit & 1)
        reasons[sheet, number] = tuple(
            Reason(dataset.name, sheet, number, c.column, c.rule, c.severity, c.explanation) for c in failed
        )
    return reasons
