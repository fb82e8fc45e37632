"""One audit of one table: its rules carried out, and the outcome as counts.

Belongs here: typing the rows by their contract, choosing how they are counted, and the result type.
Does not belong here: the rules themselves (`rules`), comparing with an earlier delivery (`drift`), storing the verdict.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from zio_pipeline.audit.counts import violations
from zio_pipeline.audit.engine import Answer, Asked, expect
from zio_pipeline.audit.rules import FORMS, Rule, rules_of
from zio_pipeline.contracts import Dataset
from zio_pipeline.errors import NotProved

if TYPE_CHECKING:
    import pandas as pd

WHOLE_FRAME_ROWS = 200_000
"""Above this many rows the violations are counted in DuckDB and Great Expectations judges the counts: a million rows took it
3.6 seconds, the counts half a second."""

_COMPILER_VERSION = 2
_ARROW = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}


@dataclass(frozen=True)
class Check:
    """One rule: what it asked, of which columns, how many rows did not meet it, and the same in Dutch."""

    rule: str
    columns: tuple[str, ...]
    violations: int
    passed: bool
    sentence: str = ""


@dataclass(frozen=True)
class Audit:
    """Outcome of one dataset."""

    dataset: str
    row_count: int
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def require(self) -> None:
        """Raises NotProved naming every failed check; no value of any row."""
        failed = [
            f"{c.rule} ({', '.join(c.columns) or 'tabel'}): {c.violations} rijen" for c in self.checks if not c.passed
        ]
        if failed:
            raise NotProved(f"Controle van {self.dataset} faalt:\n- " + "\n- ".join(failed))

    def as_json(self) -> dict[str, Any]:
        """Counts, column names and sentences: what may be stored of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Audit":
        """What `as_json` gave."""
        checks = (Check(**{**check, "columns": tuple(check["columns"])}) for check in stored["checks"])
        return cls(stored["dataset"], stored["row_count"], tuple(checks))


def ruleset_hash(dataset: Dataset, minimum_rows: int = 0) -> str:
    """Changes whenever the contract asks something else, or this package compiles it otherwise."""
    forms = sorted((kind, body) for kind, (body, _) in FORMS.items())
    return hashlib.sha256(repr((_COMPILER_VERSION, forms, dataset, minimum_rows)).encode()).hexdigest()


def audit(dataset: Dataset, rows: "pa.Table | Iterable[Mapping[str, Any]]", minimum_rows: int = 0) -> Audit:
    """Audit rows against their contract.

    Args:
        dataset: the contract.
        rows: an Arrow table or dicts, values typed as the contract says, with every column of it (others are left out).
        minimum_rows: an empty delivery is no delivery; 1 for what was taken in.

    Raises:
        NotProved: a value has another type than its column, or a rule could not be carried out.
    """
    table = _typed(dataset, rows)
    rules = rules_of(dataset, minimum_rows)
    if not table.num_rows:
        # No row can break a rule, so only the volume is asked.
        rules = rules[:1]
    if table.num_rows > WHOLE_FRAME_ROWS:
        answers = _by_counts(dataset.name, table, rules)
    else:
        answers = expect(dataset.name, frame(table), [Asked(r.expectation, r.arguments, r.sentence) for r in rules])
    checks = (
        Check(rule.name, rule.columns, answer.violations, answer.success, rule.sentence)
        for rule, answer in zip(rules, answers, strict=True)
    )
    return Audit(dataset.name, table.num_rows, tuple(checks))


def frame(table: pa.Table) -> "pd.DataFrame":
    """An Arrow table as a frame without Python per row: text stays Arrow, integers stay integers beside a missing value."""
    import pandas as pd  # noqa: PLC0415 - a second that only an audit should pay

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    converted: pd.DataFrame = table.to_pandas(types_mapper=nullable.get, date_as_object=False)
    return converted


def _by_counts(name: str, table: pa.Table, rules: Sequence[Rule]) -> list[Answer]:
    """Great Expectations over a frame of one row per rule: every count must be zero, and no rule may be missing."""
    volume, *rest = rules
    counted = pa.table({"rule": range(1, len(rules)), "violations": pa.array(violations(table, rest), pa.int64())})
    zero = Asked("ExpectColumnValuesToBeInSet", {"column": "violations", "value_set": [0]}, "Geen rij wijkt af.")
    every = Asked("ExpectTableRowCountToEqual", {"value": len(rest)}, "Elke regel is geteld.")
    broken, complete = expect(name, frame(counted), [zero, every], index="rule")
    if not complete.success:
        raise NotProved(f"Controle van {name}: niet elke regel is geteld.")
    enough = table.num_rows >= volume.arguments["min_value"]
    return [
        Answer(enough, int(not enough)),
        *(Answer(number not in broken.places, count.as_py()) for number, count in enumerate(counted["violations"], 1)),
    ]


def _typed(dataset: Dataset, rows: "pa.Table | Iterable[Mapping[str, Any]]") -> pa.Table:
    """The columns of the contract in its types; a cast would make a date of a text, so there is none."""
    if not isinstance(rows, pa.Table):
        rows = list(rows)
    typed = {}
    for column in dataset.columns:
        kind = _ARROW[column.logical_type]
        try:
            values = rows[column.name] if isinstance(rows, pa.Table) else [row[column.name] for row in rows]
            typed[column.name] = values if isinstance(values, pa.ChunkedArray) else pa.array(values, kind)
            fits = typed[column.name].type == kind
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            fits = False
        if not fits:
            # Outside the clause above: the error of Arrow quotes the value, and must not be chained to this one.
            raise NotProved(
                f"Controle van {dataset.name}: kolom {column.name} heeft een ander type dan in het contract."
            )
    return pa.table(typed)
