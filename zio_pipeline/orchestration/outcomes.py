"""How a stage's result or refusal is told to Dagster: a materialization with its proof, or a failure that says what to do.

Belongs here: the one way an asset ends. A failed audit is recorded as a failed check before the run stops, because a check
without a result stops nothing downstream.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from zio_pipeline.contracts import products
from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.orchestration.metadata import CHECK, table_metadata

Rows = Sequence[Mapping[str, Any]]
Outcome = dg.MaterializeResult[Any] | dg.AssetCheckResult


def contract_check(name: str) -> dg.AssetCheckSpec:
    """The check every table carries: audited by Great Expectations against its contract before it was written."""
    return dg.AssetCheckSpec(
        CHECK, asset=name, blocking=True, description="Great Expectations, uit het contract van deze tabel."
    )


def tables_made(names: Sequence[str], work: Callable[[], Mapping[str, Rows]], **shown: Any) -> Iterator[Outcome]:
    """Run a stage that publishes tables; yield one result per table, or the failed checks and a failure.

    Args:
        names: the tables this asset stands for.
        work: publishes them and returns the rows of each.
        shown: further metadata on every table.
    """
    try:
        tables = work()
    except NotProved as error:
        for name in names:
            yield dg.AssetCheckResult(passed=False, asset_key=name, check_name=CHECK, metadata={"reden": str(error)})
        raise stopped(error) from error
    except ZioError as error:
        raise stopped(error) from error
    for name in names:
        metadata = table_metadata(products()[name], tables[name])
        proof = dg.AssetCheckResult(
            passed=True, asset_key=name, check_name=CHECK, metadata={"rijen": len(tables[name])}
        )
        yield dg.MaterializeResult(asset_key=name, metadata=metadata | shown, check_results=[proof])


def stopped(error: ZioError) -> dg.Failure:
    """A refusal in the words of the program; it names rows and codes, never a person."""
    return dg.Failure(description=str(error), allow_retries=False)
