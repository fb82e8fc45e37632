"""The second pair of eyes: Great Expectations over what was accepted and over what is about to be published.

Belongs here: compiling a contract to expectations (keys, required values, allowed values, ranges, forms, volume) and
running them over whole frames. Counts and column names leave this module, never a value: results of Great Expectations
hold raw ones.
Does not belong here: judging single rows (intake does that, from the same contract), or what to do with a failure.
"""

import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from zio_pipeline.contracts import Column, Dataset
from zio_pipeline.errors import NotProved

if TYPE_CHECKING:
    import pandas as pd

PATTERNS = {
    "school_year": r"^\d{4}-\d{4}\Z",
    "month": r"^\d{4}-(?:0[1-9]|1[0-2])\Z",
    "pgn": r"^[0-9a-f]{64}\Z",
    "brin": r"^\d{2}[A-Z]{2}\d{2}\Z",
    "agb": r"^\d{8}\Z",
    "gemeentecode": r"^\d{4}\Z",
    "zorgkantoor": r"^55\d{2}\Z",
    "postcode": r"^[1-9]\d{3}[A-Z]{2}\Z",
}
_DTYPES: dict[str, Any] = {"string": "str", "integer": "Int64", "boolean": "boolean", "date": "object"}


@dataclass(frozen=True)
class Check:
    """One expectation: what it asked, of which columns, and how many rows did not meet it."""

    rule: str
    columns: tuple[str, ...]
    violations: int
    passed: bool


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


def ruleset_hash(dataset: Dataset, minimum_rows: int = 0) -> str:
    """Changes whenever the contract asks something else, or this module compiles it otherwise."""
    return hashlib.sha256(repr((1, dataset, minimum_rows)).encode()).hexdigest()


def audit(dataset: Dataset, rows: Iterable[Mapping[str, Any]], minimum_rows: int = 0) -> Audit:
    """Audit rows against their contract.

    Args:
        dataset: the contract.
        rows: values typed as the contract says, with every column of it (others are left out).
        minimum_rows: an empty delivery is no delivery; 1 for what was taken in.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    frame = _frame(dataset, rows)
    with warnings.catch_warnings():
        # Great Expectations calls deprecated parts of its own dependencies; nothing a reader here could mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        gx, source = _great_expectations()
        asset = source.add_dataframe_asset(dataset.name)
        try:
            batch = asset.add_batch_definition_whole_dataframe("alles").get_batch({"dataframe": frame})
            wanted = list(_expectations(gx.expectations, dataset, minimum_rows, empty=frame.empty))
            suite = gx.ExpectationSuite(name=dataset.name, expectations=[expectation for _, _, expectation in wanted])
            result = batch.validate(suite, result_format="SUMMARY")
        finally:
            source.delete_asset(dataset.name)
    if len(result.results) != len(wanted):
        raise NotProved(
            f"Controle van {dataset.name}: {len(wanted)} regels gevraagd, {len(result.results)} uitgevoerd."
        )
    by_expectation = {_identity(r.expectation_config): r for r in result.results}
    checks = []
    for rule, columns, expectation in wanted:
        outcome = by_expectation[_identity(expectation.configuration)]
        if _raised(outcome.exception_info):
            raise NotProved(
                f"Controle van {dataset.name}: regel {rule} op {', '.join(columns)} kon niet worden uitgevoerd."
            )
        violations = int((outcome.result or {}).get("unexpected_count") or (0 if outcome.success else 1))
        checks.append(Check(rule, columns, violations, bool(outcome.success)))
    return Audit(dataset.name, len(frame), tuple(checks))


@cache
def _great_expectations() -> tuple[Any, Any]:
    """The package, and one data source per process: five seconds of import that only an audit should pay, once."""
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return gx, context.data_sources.add_pandas("zio")


def _raised(info: Mapping[str, Any] | None) -> bool:
    """Whether the expectation could not be run: said once, or per metric when a metric of it failed."""
    said = dict(info or {})
    per_metric = [one for one in said.values() if isinstance(one, Mapping)]
    return any(one.get("raised_exception") for one in (said, *per_metric))


def _identity(configuration: Any) -> str:
    named = sorted((key, repr(value)) for key, value in configuration.kwargs.items() if key != "batch_id")
    return repr((configuration.type, named))


def _frame(dataset: Dataset, rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
    """A frame with the dtypes of the contract: integers stay integers, also beside a missing value."""
    import pandas as pd  # noqa: PLC0415 - a second that only an audit should pay

    rows = list(rows)
    columns = {c.name: pd.array([row[c.name] for row in rows], dtype=_DTYPES[c.logical_type]) for c in dataset.columns}
    return pd.DataFrame(columns)


def _expectations(
    gxe: Any, dataset: Dataset, minimum_rows: int, *, empty: bool
) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    yield "volume", (), gxe.ExpectTableRowCountToBeBetween(min_value=minimum_rows)
    if empty:
        return  # no row can break a rule, and an empty column has no type to match a pattern against
    if len(dataset.key) == 1:
        yield "unique_key", dataset.key, gxe.ExpectColumnValuesToBeUnique(column=dataset.key[0])
    elif dataset.key:
        yield "unique_key", dataset.key, gxe.ExpectCompoundColumnsToBeUnique(column_list=list(dataset.key))
    for column in dataset.columns:
        for rule, expectation in _column_expectations(gxe, column):
            yield rule, (column.name,), expectation


def _column_expectations(gxe: Any, column: Column) -> Iterator[tuple[str, Any]]:
    if column.required:
        yield "required", gxe.ExpectColumnValuesToNotBeNull(column=column.name)
    if column.allowed:
        yield (
            "allowed",
            gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=[value for value, _ in column.allowed]),
        )
    if column.minimum is not None or column.maximum is not None:
        yield (
            "range",
            gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=column.minimum, max_value=column.maximum),
        )
    pattern = column.pattern or PATTERNS.get(column.kind)
    if pattern:
        yield "form", gxe.ExpectColumnValuesToMatchRegex(column=column.name, regex=pattern)
