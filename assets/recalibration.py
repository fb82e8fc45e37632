"""Next year's hours: a proposal out of what was measured, and what it would mean per payer; nothing is changed by it."""

from collections.abc import Iterator

import dagster as dg

from resources.dagster_home import HomeResource
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import months_to_year, school_years
from zio_pipeline.stages.recalibration import RECALIBRATION_TABLES, publish_recalibration

DEPS = [
    "established_year",
    "municipal_shares",
    dg.AssetDep("provider_timesheets", partition_mapping=months_to_year),
]


@dg.multi_asset(
    name="recalibration_and_effect",
    specs=[product_spec(name, DEPS, school_years) for name in RECALIBRATION_TABLES],
    check_specs=[contract_check(name) for name in RECALIBRATION_TABLES],
    pool="warehouse",
)
def recalibration_and_effect(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """SPEC section 7: measured hours per doelgroep with their spread, against what was granted."""
    opened, key = home.open(), context.partition_key
    yield from tables_made(RECALIBRATION_TABLES, lambda: publish_recalibration(opened, key))
