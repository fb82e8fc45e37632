"""Intake: files from the inbox into the vault, and what each school year and month has of each source."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import ClockResource, HomeResource
from zio_pipeline.audit.pages import INDEX
from zio_pipeline.contracts import sources
from zio_pipeline.orchestration.metadata import CHECK, product_spec, source_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, drift_check, drift_outcome, tables_made
from zio_pipeline.orchestration.partitions import months, school_years, year_of, year_to_months
from zio_pipeline.periods import shared_days
from zio_pipeline.stages.auditing import compared, data_docs
from zio_pipeline.stages.receiving import receive
from zio_pipeline.stages.standing import accepted_table


@dg.multi_asset(
    name="receive_files",
    specs=[product_spec(name, [], None) for name in ("deliveries", "quarantine")],
    check_specs=[contract_check(name) for name in ("deliveries", "quarantine")],
    pool="warehouse",
)
def receive_files(home: HomeResource, clock: ClockResource) -> Iterator[Outcome]:
    """Take in everything in the inbox; the same bytes again change nothing."""
    opened = home.open()

    def work() -> dict[str, list[dict[str, Any]]]:
        receive(opened, opened.inbox, clock.today())
        return {name: opened.warehouse.rows(name) for name in ("deliveries", "quarantine")}

    yield from tables_made(("deliveries", "quarantine"), work)


def _source_asset(
    name: str, deps: list[Any], partitions_def: dg.PartitionsDefinition[str], *, required: bool
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=name,
        specs=[source_spec(name, deps, partitions_def)],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK, asset=name, blocking=True, description="Er is een aanvaard bestand voor dit schooljaar."
            ),
            drift_check(name),
        ],
    )
    def source(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
        opened, key = home.open(), context.partition_key
        days = None if key == year_of(key) else key
        entries = [e for e in opened.warehouse.active(name, year_of(key)) if shared_days(e.period, days)]
        counts = {
            f"rijen {d.dutch}": sum(accepted_table(opened, e, d.name).num_rows for e in entries)
            for d in sources()[name].datasets
        }
        shown: dict[str, Any] = {"dagster/row_count": sum(counts.values()), "bestanden": len(entries)} | counts
        proof = dg.AssetCheckResult(
            passed=bool(entries) or not required, check_name=CHECK, metadata={"bestanden": len(entries)}
        )
        found = [compared(opened, entry) for entry in entries]
        drift = drift_outcome([None if one is None else one.drift for one in found])
        pages = {one.page for one in found if one is not None}
        if pages:
            # The one page, or else the list of them all.
            page = pages.pop() if len(pages) == 1 else data_docs(opened) / INDEX
            shown["data docs"] = dg.MetadataValue.path(page)
        yield dg.MaterializeResult(metadata=shown, check_results=[proof, drift])

    return source


accepted_sources = [
    _source_asset("school_year_setup", ["deliveries"], school_years, required=True),
    _source_asset("pupil_registrations", ["deliveries"], school_years, required=True),
    _source_asset("wlz_statuses", ["deliveries"], school_years, required=True),
    # By the year: a claim is filed under the month of its invoice, which may lie after the school year. A month without claims
    # is for the claim control to name, and money does not wait for it (setting).
    _source_asset("provider_claims", ["deliveries"], school_years, required=False),
    # Optional, one file per school for the year so far: where it is not delivered, absence is not measured.
    _source_asset("pupil_absence", ["deliveries"], school_years, required=False),
    # A month without timesheets is a month without proof of delivery, not a reason to stop the money. The edge to the setup
    # lets one backfill of a school year reach its months: all its roots must then be partitioned by school year.
    _source_asset(
        "provider_timesheets",
        ["deliveries", dg.AssetDep("school_year_setup", partition_mapping=year_to_months)],
        months,
        required=False,
    ),
]
