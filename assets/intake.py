"""Intake: files from the inbox into the vault, and what each school year and month has of each source."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import HomeResource
from zio_pipeline.contracts import sources
from zio_pipeline.orchestration.metadata import CHECK, product_spec, source_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import months, school_years, year_of
from zio_pipeline.stages.receiving import accepted_table, receive

YEAR_SOURCES = ("school_year_setup", "pupil_registrations", "wlz_statuses")
MONTH_SOURCES = ("provider_timesheets",)


@dg.multi_asset(
    name="receive_files",
    specs=[product_spec(name, [], None) for name in ("deliveries", "quarantine")],
    check_specs=[contract_check(name) for name in ("deliveries", "quarantine")],
    pool="warehouse",
)
def receive_files(home: HomeResource) -> Iterator[Outcome]:
    """Take in everything in the inbox; the same bytes again change nothing."""
    opened = home.open()

    def work() -> dict[str, list[dict[str, Any]]]:
        receive(opened, opened.inbox)
        return {name: opened.warehouse.rows(name) for name in ("deliveries", "quarantine")}

    yield from tables_made(("deliveries", "quarantine"), work)


def _source_asset(name: str, partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=name,
        specs=[source_spec(name, ["deliveries"], partitions_def)],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK, asset=name, blocking=True, description="Er is een aanvaard bestand voor deze periode."
            )
        ],
    )
    def source(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
        opened, key = home.open(), context.partition_key
        entries = [e for e in opened.warehouse.active(name, year_of(key)) if e.month in (None, key)]
        datasets = sources()[name].datasets
        counts = {
            f"rijen {d.dutch}": sum(accepted_table(opened, e, d.name).num_rows for e in entries) for d in datasets
        }
        shown = {"dagster/row_count": sum(counts.values()), "bestanden": len(entries)} | counts
        # Only the sources of the year must be there; a month without timesheets is a month without proof of delivery.
        complete = bool(entries) or name in MONTH_SOURCES
        proof = dg.AssetCheckResult(passed=complete, check_name=CHECK, metadata={"bestanden": len(entries)})
        yield dg.MaterializeResult(metadata=shown, check_results=[proof])

    return source


accepted_sources = [_source_asset(name, school_years) for name in YEAR_SOURCES] + [
    _source_asset(name, months) for name in MONTH_SOURCES
]
