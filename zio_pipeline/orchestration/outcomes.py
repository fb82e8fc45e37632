"""How a stage's result or refusal is told to Dagster: a materialization with its proof, or a failure that says what to do.

Belongs here: the one way an asset ends. A failed audit is recorded as a failed check before the run stops, because a check
without a result stops nothing downstream.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from zio_pipeline.audit import Drift
from zio_pipeline.audit.pages import NOT_APPLICABLE
from zio_pipeline.contracts import products
from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.orchestration.metadata import CHECK, DRIFT, table_metadata

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


def warning_check(name: str, asset: str, description: str) -> dg.AssetCheckSpec:
    """A check that says what somebody should look at, and stops nothing."""
    return dg.AssetCheckSpec(name, asset=asset, blocking=False, description=description)


def warning_outcome(name: str, asset: str, sentences: Sequence[str], well: str) -> dg.AssetCheckResult:
    """What was found for such a check, as Dutch sentences; `well` is said when there are none."""
    return dg.AssetCheckResult(
        passed=not sentences,
        asset_key=asset,
        check_name=name,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(sentences) or well,
        metadata={"bevindingen": len(sentences)},
    )


def drift_check(name: str) -> dg.AssetCheckSpec:
    """The check every source carries beside its contract: a warning, which stops nothing."""
    return dg.AssetCheckSpec(
        DRIFT,
        asset=name,
        blocking=False,
        description="Volume en verdeling naast de vorige aanlevering (Great Expectations).",
    )


def drift_outcome(drifts: Sequence[Drift | None]) -> dg.AssetCheckResult:
    """What was found of the files of a partition when they came in; None is a file that was never compared.

    Where nothing could be compared the check says so: in Dagster a check that does not apply has no other colour than passed.
    """
    compared = [drift for drift in drifts if drift is not None and drift.previous is not None]
    findings = [f"{drift.label}: {sentence}" for drift in compared for sentence in drift.deviations]
    unknown = sum(drift is None for drift in drifts)
    if unknown:
        findings.append(f"Van {unknown} bestand(en) is geen vergelijking vastgelegd.")
    summary = "Geen afwijking van de vorige aanlevering." if compared else NOT_APPLICABLE
    rows = [drift.rows for drift in compared]
    return dg.AssetCheckResult(
        passed=not findings,
        check_name=DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(findings) or summary,
        metadata={
            "bestanden": len(drifts),
            "vergeleken": len(compared),
            "rijen vorige aanlevering": sum(before for before, _ in rows),
            "rijen": sum(now for _, now in rows),
        },
    )


def stopped(error: ZioError) -> dg.Failure:
    """A refusal in the words of the program; it names rows and codes, never a person."""
    return dg.Failure(description=str(error), allow_retries=False)
